// Offline after the first visit: registers the service worker, and lets a newer build take over at
// the start of a visit.

/** So long a newer build may take to take over, if nothing is in its way. */
const TAKE_OVER_MS = 3000;

/** Call once the page has what it needs: the worker then fetches the page's files for the next visit. */
export async function keepForOffline() {
  const worker = new URL('../sw.js', import.meta.url);
  try {
    const registration = await navigator.serviceWorker?.register(worker, { scope: './', updateViaCache: 'none' });
    // What it kept may have been cleared away.
    registration?.active?.postMessage('keep');
  } catch (error) {
    // The page works without it; private windows and some settings forbid it.
    console.info('This page will not be available offline:', error.message);
  }
}

/** Reloads the page once, at its start, if a newer build has been waiting for the older one's last page to close. */
export async function takeUpNewBuild() {
  const registration = await registered();
  if (registration?.waiting) await takeUp(registration.waiting);
}

/** Whether a newer build waits for other pages of the older one to close. */
export async function isHeldUp() {
  return Boolean((await registered())?.waiting);
}

/** Reloads the page as the server has it now, for one that is too old for what it found there. */
export async function reloadNewest() {
  const registration = await registered();
  if (registration) {
    await registration.update().catch(() => {});
    const { installing } = registration;
    if (installing) await new Promise((resolve) => installing.addEventListener('statechange', resolve, { once: true }));
    if (registration.waiting && (await takeUp(registration.waiting))) return;
    // Other pages of the older build keep it until they close, or the newer one cannot be kept: past the worker.
    await registration.unregister();
  }
  location.reload();
}

/** What this page is served by, if it is by a worker. */
async function registered() {
  try {
    const { serviceWorker } = navigator;
    return serviceWorker?.controller ? await serviceWorker.getRegistration() : undefined;
  } catch {
    // Refused in some frames.
    return undefined;
  }
}

/**
 * Whether the newer build took over; then the page is being reloaded.
 *
 * @param {ServiceWorker} waiting
 */
function takeUp(waiting) {
  return new Promise((/** @type {(taken: boolean) => void} */ resolve) => {
    const { serviceWorker } = navigator;
    serviceWorker.addEventListener(
      'controllerchange',
      () => {
        location.reload();
        resolve(true);
      },
      { once: true },
    );
    waiting.postMessage('take over');
    setTimeout(() => resolve(false), TAKE_OVER_MS);
  });
}
