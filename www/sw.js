// The page without a network: a service worker that has every file of one build, or none.
//
// Files are fetched when this worker is installed, and each is compared with its SHA-256, so that a
// deployment in the middle of it cannot leave a mix behind: then the installation fails and the
// next visit tries again. A newer build is a newer worker with a cache of its own, and takes over
// between two visits. Models are not here: the package keeps them by content.

// `cargo xtask precache` writes the build here: its id, and [path, SHA-256, bytes] of each file. Without one, as in
// `trunk serve`, this worker removes itself, and the page always comes from the server.
const BUILD = null;

/** @type {ServiceWorkerGlobalScope} */
const worker = /** @type {any} */ (self);
/** @typedef {{ id: string, files: [path: string, sha256: string, bytes: number][] }} Build */
const build = /** @type {Build | null} */ (/** @type {unknown} */ (BUILD));

const SCOPE = worker.registration.scope;
const CACHE = cacheName(build?.id ?? 'none');
/** Larger files that are not the program itself are kept when they are first used. */
const LARGE_BYTES = 2 << 20;
/** The smallest module with relaxed SIMD: pkg/modules.js has the program's module chosen by the same. */
const RELAXED = new Uint8Array([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
]);
/** The module that this browser does not use. */
const UNUSED = `${SCOPE}pkg/lfdm${WebAssembly.validate(RELAXED) ? '' : '_relaxed'}_bg.wasm`;
/** @type {Map<string, { sha256: string, bytes: number }>} */
const FILES = new Map(build?.files.map(([path, sha256, bytes]) => [address(path), { sha256, bytes }]));

worker.addEventListener('install', (event) => {
  event.waitUntil(build ? install() : worker.skipWaiting());
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(activate());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (!build || request.method !== 'GET') return;
  const url = new URL(request.url);
  // The settings of a link are the page's business.
  if (request.mode === 'navigate') url.search = '';
  url.hash = '';
  const key = url.href === `${SCOPE}index.html` ? SCOPE : url.href;
  if (FILES.has(key)) event.respondWith(answer(request, key));
});

// The page asks, before the visitor has done anything, whether a newer build may take over; and once it has what it
// needs, whether all of this one is kept.
worker.addEventListener('message', (event) => {
  if (event.data === 'take over') event.waitUntil(takeOver(/** @type {Client} */ (event.source).id));
  if (event.data === 'keep' && build) event.waitUntil(keepAll().catch(() => {}));
});

async function install() {
  try {
    await keepAll();
  } catch (error) {
    // Half a build is of no use, and takes the room of models.
    await caches.delete(CACHE);
    throw error;
  }
}

/** What is not kept yet, or no longer. The page itself comes last: where it is, everything is. */
async function keepAll() {
  const cache = await caches.open(CACHE);
  const kept = new Set((await cache.keys()).map(({ url }) => url));
  if (kept.has(SCOPE)) return;
  const wanted = [...FILES].filter(([url, { bytes }]) => bytes <= LARGE_BYTES || isProgram(url));
  const missing = wanted.map(([url]) => url).filter((url) => url !== SCOPE && !kept.has(url));
  const results = await Promise.allSettled(missing.map((url) => obtain(url)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  await obtain(SCOPE);
}

function isProgram(url) {
  return url.startsWith(`${SCOPE}pkg/`) && url !== UNUSED;
}

async function activate() {
  const old = await olderCaches();
  await Promise.all(old.map((name) => caches.delete(name)));
  // The page of the first visit goes on without a network, too.
  if (build) await worker.clients.claim();
  else await worker.registration.unregister();
}

async function takeOver(asking) {
  for (let tries = 0; tries < 20; tries++) {
    const pages = await worker.clients.matchAll({ includeUncontrolled: true });
    // Another page of the older build would be left with a mix. One that is being left, as by a reload, goes soon.
    if (!pages.some(({ id, url }) => id !== asking && url.startsWith(SCOPE))) return worker.skipWaiting();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Whether this build was found to be kept as a whole. */
let isWhole = false;

/**
 * Others of this origin may clear everything away that is kept here, and the server may have a newer build by then. So
 * without all of this one the page comes as if there were no worker.
 *
 * @param {Request} request
 * @param {string} url
 */
async function answer(request, url) {
  const kept = await find(url);
  isWhole = (isWhole && Boolean(kept)) || Boolean(await find(SCOPE));
  if (!isWhole) return fetch(request);
  return kept ?? obtain(url);
}

/** @param {string} url */
async function find(url) {
  // A browser that cannot read its own store should not cost the page.
  return caches.match(url, { cacheName: CACHE }).catch(() => undefined);
}

/** The file of this very build: from an older one's cache if it is the same there, otherwise from the server. */
async function obtain(url) {
  const { sha256 } = fileAt(url);
  const sources = [
    ...(await olderCaches()).map((name) => async () => (await caches.open(name)).match(url)),
    () => fetch(url, { cache: 'no-cache' }),
    () => fetch(url, { cache: 'reload' }),
  ];
  let trouble = new Error(`${url} is not the file of this build`);
  for (const source of sources) {
    const file = await source()
      .then((response) => verified(response, sha256))
      .catch((error) => void (trouble = error));
    if (!file) continue;
    await keep(url, file.clone());
    return file;
  }
  throw trouble;
}

/**
 * The file as it is kept; undefined if it is another one.
 *
 * @param {Response | undefined} response
 * @param {string} sha256
 */
async function verified(response, sha256) {
  if (!response?.ok) return undefined;
  const bytes = await response.arrayBuffer();
  if (hex(await crypto.subtle.digest('SHA-256', bytes)) !== sha256) return undefined;
  // A new response: a redirected one must not answer a navigation, and these bytes are not compressed, nor does it
  // matter who asks for them.
  const headers = new Headers(response.headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding', 'vary']) headers.delete(name);
  return new Response(bytes, { headers });
}

/** @param {string} url */
function fileAt(url) {
  const file = FILES.get(url);
  if (!file) throw new Error(`${url} is no file of this build`);
  return file;
}

async function keep(url, file) {
  // A newer build has cleared it away while this worker answered its last requests.
  if (!(await caches.has(CACHE))) return;
  try {
    await (await caches.open(CACHE)).put(url, file);
  } catch (error) {
    // Without room for all of it, nothing is installed; a file that was left for later is fetched each time.
    if (worker.registration.installing && fileAt(url).bytes <= LARGE_BYTES) throw error;
  }
}

async function olderCaches() {
  const names = await caches.keys();
  return names.filter((name) => name.startsWith(cacheName('')) && name !== CACHE);
}

function cacheName(id) {
  // Pages under other paths of this origin have workers of their own.
  return `lfdm-page ${SCOPE} ${id}`;
}

function address(path) {
  // Hosts answer the folder's address themselves, and some redirect its file name to it.
  return path === 'index.html' ? SCOPE : new URL(path, SCOPE).href;
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
