// Getting a model's files: from the store as far as they are there, the rest from the server, with the bytes counted.

import { LfdmError } from './error.js';
import { PIECE_BYTES } from './store.js';

/** A connection that brings nothing for so long is given up and opened again. */
const STALL_MS = 30_000;
/** It is opened again after the first of these, and as long as that brings nothing, after the next. */
const RECONNECT_MS = [300, 1000, 3000, 8000, 15_000];
/** Answers to a range that may not be answers to the whole. */
const RANGE_REFUSED = new Set([400, 403, 405, 406, 412, 417, 501]);
/** Answers that may be others a little later. */
const NOT_NOW = new Set([408, 425, 429]);
/** One that brings nothing for so long is said to have stalled. */
const QUIET_MS = 5000;
/** The speed covers the last seconds. */
const SPEED_WINDOW_MS = 3000;
const REPORT_MS = 50;
/** While nothing arrives, that is said too: the speed falls. */
const SILENCE_MS = 1000;

/** A small file as a whole. */
export async function fetchSmall(url, cache) {
  const response = await request(url, { cache });
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw broken(url, `${error}`);
  }
}

/** The compiled module; its bytes are counted on the way. */
export async function fetchModule(url, onProgress) {
  /** @type {RequestCache} */
  let cache = 'default';
  for (let failures = 0; ; failures++) {
    const progress = new Progress(0, onProgress);
    try {
      return await compiledModule(url, cache, progress);
    } catch (error) {
      // It came, and is no module: perhaps not from the server.
      const isDamaged = error instanceof WebAssembly.CompileError;
      const isHopeless = isDamaged ? cache === 'reload' : !progress.loaded || failures === RECONNECT_MS.length;
      if (isHopeless && (isDamaged || navigator.onLine)) throw error;
      if (isDamaged) cache = 'reload';
      else await reconnection(failures, progress);
    } finally {
      progress.end();
    }
  }
}

/**
 * @param {URL} url
 * @param {RequestCache} cache
 * @param {Progress} progress
 */
async function compiledModule(url, cache, progress) {
  const stalled = new AbortController();
  const response = await answered(url, { cache }, stalled, progress);
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status} ${response.statusText}`);
  // A copy is counted: browsers keep compiled code only of a response as it came.
  const counted = count(response.clone(), stalled, progress);
  // Under another type the start is slower.
  const compiled = response.headers.get('content-type')?.startsWith('application/wasm')
    ? WebAssembly.compileStreaming(response)
    : response.arrayBuffer().then((bytes) => WebAssembly.compile(bytes));
  const [module] = await Promise.all([compiled, counted]);
  return module;
}

/** @param {Progress} progress */
async function count(response, stalled, progress) {
  // What a server compressed has another length.
  const isPlain = !response.headers.get('content-encoding');
  progress.total = isPlain ? Number(response.headers.get('content-length') ?? 0) : 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await unlessStalled(reader.read(), stalled, progress);
    if (done) return progress.end();
    progress.add(value.length, false);
  }
}

/**
 * The file that the manifest describes as `file`, handed to `accept`, which throws if it is not
 * that file. Bytes from the store that turn out wrong are forgotten, and the file is fetched once
 * more past every cache.
 */
export async function fetchFile(url, file, { store, cache, progress, accept }) {
  const before = progress.mark();
  try {
    await attempt(url, file, { store, cache, progress, accept });
  } catch (error) {
    if (error.code !== 'model') throw error;
    progress.reset(before);
    await attempt(url, file, { store, cache: 'reload', progress, accept });
  }
}

async function attempt(url, { name, bytes: size, sha256 }, { store, cache, progress, accept }) {
  const bytes = new Uint8Array(size);
  let length = 0;
  const add = (chunk, stored) => {
    if (length + chunk.length > size) throw notIntact(`${name} has more than the ${size} bytes that the manifest says`);
    bytes.set(chunk, length);
    length += chunk.length;
    progress.add(chunk.length, stored);
  };
  try {
    for await (const piece of store.pieces(sha256)) add(piece, true);
    let kept = length;
    if (length < size) {
      for await (const chunk of receive(url, length, { cache, progress })) {
        add(chunk, false);
        for (; length - kept >= PIECE_BYTES && kept + PIECE_BYTES < size; kept += PIECE_BYTES) {
          await store.keep(sha256, kept, bytes.subarray(kept, kept + PIECE_BYTES));
        }
      }
    }
    accept(bytes.subarray(0, length));
    // The last piece: from now on the file is in the store.
    if (kept < length) await store.keep(sha256, kept, bytes.subarray(kept));
  } catch (error) {
    if (error.code === 'model') await store.forget(sha256);
    throw error;
  }
}

/**
 * The bytes of `url` from `offset` on. A connection that breaks is taken up where it stopped, with patience for a
 * network that takes a while to return; without one it waits for it.
 *
 * @param {URL} url
 * @param {number} offset
 * @param {{ cache: RequestCache, progress: Progress }} options
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* receive(url, offset, { cache, progress }) {
  let failures = 0;
  for (;;) {
    const start = offset;
    try {
      for await (const chunk of connection(url, offset, { cache, progress })) {
        offset += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      failures = offset === start ? failures + 1 : 0;
      // What never came may never come; what is refused will be again.
      const isHopeless = !offset || !error.unreachable || failures === RECONNECT_MS.length;
      if (isHopeless && navigator.onLine) throw error;
    }
    await reconnection(failures, progress);
  }
}

/**
 * Resolves when it is time to try again, after so many failures in a row that brought nothing.
 *
 * @param {number} failures
 * @param {Progress} progress
 */
async function reconnection(failures, progress) {
  if (failures || !navigator.onLine) progress.stall();
  await online();
  const ms = RECONNECT_MS[Math.min(failures, RECONNECT_MS.length - 1)];
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * What one request brings of them.
 *
 * @param {URL} url
 * @param {number} offset
 * @param {{ cache: RequestCache, progress: Progress }} options
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* connection(url, offset, { cache, progress }) {
  const stalled = new AbortController();
  const response = await request(url, { cache, offset, progress }, stalled);
  // A server that knows no ranges sends everything again.
  let known = response.status === 206 ? 0 : offset;
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  try {
    for (;;) {
      const { done, value } = await unlessStalled(reader.read(), stalled, progress);
      if (done) return;
      const chunk = value.subarray(Math.min(known, value.length));
      known -= value.length - chunk.length;
      if (chunk.length) yield chunk;
    }
  } catch (error) {
    throw broken(url, `${error} after ${offset} bytes`);
  } finally {
    // Also when the reader of these bytes has seen enough.
    reader.cancel().catch(() => {});
  }
}

/** Resolves once there is a network, as far as the browser knows. */
async function online() {
  if (!navigator.onLine) await new Promise((resolve) => addEventListener('online', resolve, { once: true }));
}

/**
 * What comes next; after too long without it `stalled` ends the request.
 *
 * @template T
 * @param {Promise<T>} next
 * @param {AbortController} stalled
 * @param {Progress} [progress] is told before
 */
async function unlessStalled(next, stalled, progress) {
  const timers = [
    setTimeout(() => stalled.abort(new Error('nothing arrived for too long')), STALL_MS),
    setTimeout(() => progress?.stall(), QUIET_MS),
  ];
  return next.finally(() => timers.forEach(clearTimeout));
}

/**
 * @param {URL} url
 * @param {RequestInit} options
 * @param {AbortController} stalled
 * @param {Progress} [progress]
 */
function answered(url, options, stalled, progress) {
  return unlessStalled(fetch(url, { ...options, signal: stalled.signal }), stalled, progress);
}

/**
 * @param {URL} url
 * @param {{ cache: RequestCache, offset?: number, progress?: Progress }} options
 */
async function request(url, { cache, offset = 0, progress }, stalled = new AbortController()) {
  /** @type {HeadersInit} */
  const headers = offset ? { range: `bytes=${offset}-` } : {};
  let response;
  try {
    response = await answered(url, { cache, headers }, stalled, progress);
  } catch (error) {
    throw broken(url, `${error}`);
  }
  const { status } = response;
  // Not every server that refuses a range says so with 416, or sends everything instead.
  if (offset && RANGE_REFUSED.has(status)) return request(url, { cache, progress }, stalled);
  if (status === 404) {
    throw new LfdmError(
      'download',
      `The model file ${fileName(url)} is not on this server (404). Try again later.`,
      url.href,
    );
  }
  if (status === 416) throw notIntact(`${fileName(url)} on the server is shorter than the manifest says`);
  if (!response.ok || !response.body) throw broken(url, `HTTP ${status} ${response.statusText}`, status);
  const begin = /bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  // Hidden from pages of another origin unless the server allows it; the checksum notices what this cannot.
  if (status === 206 && begin !== undefined && Number(begin) !== offset) {
    throw broken(url, `the server sent byte ${begin} for ${offset}`);
  }
  return response;
}

/**
 * Counts bytes and says so, a few times a second; the last count before a pause is said too, however soon the pause
 * comes.
 */
export class Progress {
  #report;
  #samples = [];
  #said = -Infinity;
  #later;
  total = 0;
  loaded = 0;
  stored = 0;
  stalled = false;
  shared = false;

  constructor(total, report) {
    this.total = total;
    this.#report = report;
  }

  add(bytes, stored) {
    this.stalled = false;
    this.shared = false;
    this.loaded += bytes;
    if (stored) this.stored += bytes;
    const now = performance.now();
    this.#samples.push({ now, bytes: stored ? 0 : bytes });
    const wait = this.loaded === this.total ? 0 : this.#said + REPORT_MS - now;
    if (wait <= 0) this.report();
    else this.#reportIn(wait);
  }

  report() {
    this.#said = performance.now();
    if (this.loaded === this.total) this.end();
    else this.#reportIn(SILENCE_MS);
    const { loaded, total, stored, stalled, shared } = this;
    while (this.#samples.length && this.#said - this.#samples[0].now > SPEED_WINDOW_MS) this.#samples.shift();
    const since = this.#samples.length > 1 ? this.#said - this.#samples[0].now : 0;
    // What came with the first sample came before the clock started.
    const bytes = this.#samples.slice(1).reduce((sum, sample) => sum + sample.bytes, 0);
    const speed = since > 0 ? Math.round((bytes / since) * 1000) : 0;
    this.#report({ loaded, total, stored, stalled, shared, speed });
  }

  /** Nothing has come for too long. */
  stall() {
    this.stalled = true;
    this.report();
  }

  /** Another page downloads it, and this one waits for that. */
  share() {
    this.shared = true;
    this.report();
  }

  /** Nothing more will come. */
  end() {
    clearTimeout(this.#later);
  }

  #reportIn(ms) {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.report(), ms);
  }

  mark() {
    return { loaded: this.loaded, stored: this.stored };
  }

  reset({ loaded, stored }) {
    Object.assign(this, { loaded, stored });
    this.report();
  }
}

export function notIntact(details) {
  return new LfdmError('model', 'The model did not arrive intact, so it is not used. Try again.', details);
}

function broken(url, details, status) {
  const message = `The model file ${fileName(url)} could not be downloaded. Check the connection and try again.`;
  const unreachable = !status || status >= 500 || NOT_NOW.has(status);
  return Object.assign(new LfdmError('download', message, details), { unreachable });
}

function fileName(url) {
  return url.pathname.split('/').at(-1);
}
