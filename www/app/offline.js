// Offline after the first visit: registers the service worker, and lets a newer build take over at
// the start of a visit.

/** Call once the page has what it needs: the worker then fetches the page's files for the next visit. */
export async function keepForOffline() {
  const worker = new URL('../sw.js', import.meta.url);
  try {
    await navigator.serviceWorker?.register(worker, { scope: './', updateViaCache: 'none' });
  } catch (error) {
    // The page works without it; private windows and some settings forbid it.
    console.info('This page will not be available offline:', error.message);
  }
}

/** Reloads the page once, at its start, if a newer build has been waiting for the older one's last page to close. */
export async function takeUpNewBuild() {
  const { serviceWorker } = navigator;
  if (!serviceWorker?.controller) return;
  const registration = await serviceWorker.getRegistration();
  if (!registration?.waiting) return;
  serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  registration.waiting.postMessage('take over');
}
