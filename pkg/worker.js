// The model's own thread. Every message carries the id of the request it belongs to; a request is answered by any
// number of events and then `end` or `failure`. What cannot be answered (a panic, a lost GPU) is said without an id.

import { probeDevice } from './adapter.js';
import { within } from './deadline.js';
import { checkMemory, gpu, open as openDevice, threadsFor } from './device.js';
import { Progress, fetchFile, fetchModule, fetchSmall, notIntact } from './download.js';
import { LfdmError } from './error.js';
import init, { ModelLoader, encodeGif, onPanic } from './lfdm.js';
import { macrotask } from './macrotask.js';
import { explainManifest } from './manifest.js';
import { chooseModule } from './modules.js';
import { checkWasm, explained } from './policy.js';
import { Painting } from './paint.js';
import { Pool } from './pool.js';
import { Store } from './store.js';

/** So long after a failure the browser has said that the GPU is gone, if it is. */
const LOSS_MS = 100;
/** By then a file is on its way, and what takes time no longer holds it up. */
const UNDER_WAY_MS = 50;
/** A GPU that refuses a shader says so by then, if it is not busy with others. */
const REFUSAL_MS = 1000;
/** Who has a model does not wait longer to learn whether there is a newer one. */
const ANSWER_MS = 5000;
/** Errors of what the server sends. */
const SPOILT = new Set(['model', 'not-model', 'outdated', 'download']);

let model = null;
let wasm = null;
/** @type {WebAssembly.Module} */
let module;
/** @type {Pool} */
let pool;
const cancelled = new Set();

self.onmessage = async ({ data: { id, type, ...request } }) => {
  if (type === 'cancel') {
    cancelled.add(id);
    return;
  }
  if (type === 'helper-lost') {
    pool?.lose(request.place);
    return;
  }
  const send = (event, transfer = []) => self.postMessage({ id, ...event }, transfer);
  const since = performance.now();
  try {
    await { open, generate, paint, gif, memory }[type](request, send, () => cancelled.has(id));
    send({ type: 'end' });
  } catch (error) {
    // A trap inside wasm may have been reported by the panic hook; the module cannot be used again.
    if (error instanceof WebAssembly.RuntimeError) panic(error.stack);
    else {
      const { code = 'model', message, details } = error.code === 'download' ? await explained(error, since) : error;
      unlessLost(() => send({ type: 'failure', code, message, details }));
    }
  } finally {
    cancelled.delete(id);
  }
};

// Rust futures run as microtasks of their own, so their traps and rejections arrive here.
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  panic(event.reason?.stack ?? `${event.reason}`);
});

function panic(message) {
  unlessLost(() => self.postMessage({ type: 'panic', message }));
}

/** @param {number} ms */
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A lost GPU also makes calls fail and Rust panic; then the loss is the reason, and is told by itself. */
async function unlessLost(report) {
  if (gpu) {
    const lost = await Promise.race([gpu.lost.then(() => true), after(LOSS_MS)]);
    if (lost) return;
  }
  report();
}

async function open({ url, device, reload, memoryChecked, threads, given, program, compiled }, send) {
  const options = { url, device, reload, memoryChecked, threads, given, send };
  const [first, build] = await Promise.all([
    findManifest(url, reload),
    start(program, compiled, (event) => send({ type: 'progress', part: 'program', ...event })),
  ]);
  for (let found = first; ;) {
    try {
      return await load(found, build, options);
    } catch (error) {
      found = await instead(found, error, url);
    }
  }
}

/**
 * What to load instead of what failed; throws the error again if there is nothing.
 *
 * @param {Found} found
 * @param {LfdmError & { unreachable?: boolean }} error
 */
async function instead(found, error, url) {
  if (!SPOILT.has(error.code) || found.offline) throw error;
  // Another model may have been published meanwhile.
  if (!error.unreachable && !found.again) {
    const newest = await findManifest(url, true).catch(() => found);
    if (!newest.offline && `${newest.manifest}` !== `${found.manifest}`) return { ...newest, again: true };
  }
  // What worked before goes on, whatever there is in its place now.
  const kept = await found.store.manifest(url);
  if (!kept || `${kept}` === `${found.manifest}`) throw error;
  const { code, message, details } = error;
  return { ...found, manifest: kept, offline: true, problem: { code, message, details } };
}

/**
 * A manifest, where it is from, and what is wrong with the server's if it is not from there.
 *
 * @typedef {{ manifest: Uint8Array, store: Store, offline: boolean, problem?: object, again?: boolean }} Found
 */

/** @param {Found} found */
async function load({ manifest, store, offline, problem }, build, { url, reload, threads, send, ...wishes }) {
  const loader = loaderOf(manifest);
  const files = loader.files();
  const progress = new Progress(
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    (event) => send({ type: 'progress', part: 'model', ...event }),
  );
  progress.report();
  const { config } = JSON.parse(new TextDecoder().decode(manifest));
  if (wishes.memoryChecked) checkMemory(files, config);
  const info = wishes.given ?? (await probeDevice(wishes.device, files, config.diffusion.unet.head_dim));
  // If the GPU takes this worker down, it is known what did.
  send({ type: 'device', kind: info.kind });
  const handle = await openDevice(info.kind, (message) => self.postMessage({ type: 'device-lost', message }));
  // Helpers load while files arrive. A GPU is busy enough with one worker.
  const count = info.kind === 'cpu' ? threadsFor(threads, files, config) : 1;
  pool = new Pool(count, module, manifest, (message, transfer = []) => self.postMessage(message, transfer));
  try {
    if (!problem) await store.begin(url, manifest, files);
    // A second copy in the browser's own cache would be of no use.
    const cache = reload ? 'reload' : store.keeps ? 'no-store' : 'default';
    const rehearsed = info.kind === 'webgpu' ? after(UNDER_WAY_MS).then(() => rehearse(loader, handle)) : undefined;
    rehearsed?.catch(() => {});
    for (const file of files) {
      const accept = (bytes) => {
        intact(() => loader.add(file.name, bytes));
        pool.add(file.name, bytes);
      };
      const fetching = () => fetchFile(new URL(file.name, url), file, { store, cache, progress, accept });
      await store.alone(file.sha256, fetching, () => progress.share());
    }
    pool.finish();
    await rehearsed;
    model = intact(() => loader.finish(handle));
    // What has arrived of the other one stays for the next try.
    if (!problem) await store.finish(url, manifest);
  } catch (error) {
    pool.leave();
    throw error;
  } finally {
    progress.end();
  }
  send({
    type: 'opened',
    manifest: model.manifest(),
    device: { ...info, threads: pool.threads, relaxedSimd: build.relaxedSimd },
    storage: { kept: store.keeps, reason: store.reason, bytes: progress.total, offline, problem },
    fingerprint: files.map(({ sha256 }) => sha256).join(),
    compiled: { module, ...build },
  });
}

/**
 * Has the GPU compile what videos need. It is an error, of now or of later, if it refuses any of it.
 *
 * @param {ModelLoader} loader
 */
async function rehearse(loader, handle) {
  if (!gpu) return loader.rehearse(handle);
  gpu.pushErrorScope('validation');
  loader.rehearse(handle);
  const refusal = gpu.popErrorScope();
  const error = await Promise.race([refusal, after(REFUSAL_MS)]);
  if (error) {
    throw new LfdmError('device', 'The GPU refused a part of the program. Use the CPU instead.', error.message);
  }
  refusal.then((late) => late && panic(late.message));
}

function loaderOf(manifest) {
  try {
    return new ModelLoader(manifest);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    throw explainManifest(manifest, error);
  }
}

/**
 * The server's manifest, so that a new model is noticed; without a server, or one that answers in time, the one that
 * was complete here before.
 *
 * @returns {Promise<Found>}
 */
async function findManifest(url, reload) {
  const store = await Store.open();
  const kept = await store.manifest(url);
  const known = kept && { manifest: kept, store, offline: true };
  if (!navigator.onLine && known) return known;
  try {
    const answer = fetchSmall(new URL('manifest.json', url), reload ? 'reload' : 'no-cache');
    const manifest = await (known ? within(ANSWER_MS, answer) : answer);
    return { manifest, store, offline: false };
  } catch (error) {
    if (!known) throw error;
    if (error.unreachable || !(error instanceof LfdmError)) return known;
    // What worked before goes on, as it does when the server's model is damaged.
    const { code, message, details } = error;
    return { ...known, problem: { code, message, details } };
  }
}

/**
 * @param {{ plainUrl?: string, relaxedUrl?: string }} program where the module is, if not beside this file
 * @param {{ module: WebAssembly.Module, relaxedSimd: boolean } | undefined} compiled by another worker of this page
 * @param {(progress: object) => void} onProgress
 */
async function start(program, compiled, onProgress) {
  checkWasm();
  const { url, relaxedSimd } = compiled ? { url: null, relaxedSimd: compiled.relaxedSimd } : chooseModule(program);
  try {
    module = compiled?.module ?? (await fetchModule(url, onProgress));
    wasm = await init({ module_or_path: module });
    wasm.__wasm_call_ctors();
  } catch (error) {
    throw new LfdmError(
      'download',
      'The program could not be downloaded. Check the connection and try again.',
      `${error}, ${url}`,
    );
  }
  onPanic(panic);
  return { relaxedSimd };
}

async function generate({ image, options, bitmaps, motions }, send, isCancelled) {
  const generation = begin(image, options);
  /** @type {{ decode: { flow: Float32Array, occlusion: Float32Array } }[]} */
  let moved = [];
  const run = pool.run(generation, { image, options });
  const timings = { encoded: 0, step: 0, frame: 0 };
  let since = performance.now();
  try {
    while (!isCancelled()) {
      const event = await run.next();
      if (event === undefined) break;
      // Rust only submits; a step is done, and can be the last before a cancel, when the GPU has done it.
      await gpu?.queue.onSubmittedWorkDone();
      if (event.type === 'done') {
        const { encoded, step, frame } = timings;
        event.timings = { encodeMs: encoded, denoiseMs: step, decodeMs: frame, totalMs: encoded + step + frame };
        event.threads = run.threads;
      }
      const now = performance.now();
      timings[event.type] += now - since;
      since = now;
      // After the last step, what is left to do are the frames.
      if (motions && event.type === 'step' && event.index + 1 === event.total) moved = await generation.jobs();
      if (motions && event.type === 'frame') {
        const { flow, occlusion } = moved[event.index].decode;
        event.motion = { flow, occlusion };
      }
      await deliver(event, bitmaps, send);
    }
  } finally {
    run.end();
    generation.free();
  }
}

/** Frames of the motion that is given. */
async function paint({ image, options, bitmaps, motions }, send, isCancelled) {
  const {
    imageSize: [height, width],
    labels: [label],
  } = model.manifest();
  // It only encodes the portrait, which is the same for any label.
  const request = { image, options: { ...options, label } };
  const generation = begin(image, request.options);
  let run;
  try {
    await generation.next();
    run = pool.run(new Painting(generation, motions), request);
    while (!isCancelled()) {
      const event = await run.next();
      if (event === undefined) break;
      await deliver({ width, height, ...event }, bitmaps, send);
    }
  } finally {
    run?.end();
    generation.free();
  }
}

/** Checks everything; nothing is computed yet. */
function begin(image, options) {
  try {
    return model.generate(image.data, image.width, image.height, options);
  } catch (error) {
    throw error instanceof WebAssembly.RuntimeError ? error : new LfdmError('options', error.message);
  }
}

/** Sends an event without copying its pixels. */
async function deliver(event, bitmaps, send) {
  const pictures = [event.rgba, event.flow, event.occlusion, event.photo?.rgba, event.preview?.rgba];
  const transfer = pictures.flatMap((pixels) => (pixels ? [pixels.buffer] : []));
  for (const picture of bitmaps && event.type === 'frame' ? [event, event.photo] : []) {
    if (!picture) continue;
    picture.bitmap = await createImageBitmap(new ImageData(picture.rgba, picture.width, picture.height));
    transfer.push(picture.bitmap);
  }
  send(event, transfer);
  // A waiting `cancel` comes in.
  await macrotask();
}

async function gif({ frames, width, height, fps }, send) {
  const bytes = encodeGif(frames, width, height, fps);
  send({ type: 'result', result: bytes }, [bytes.buffer]);
}

async function memory(_, send) {
  send({ type: 'result', result: { wasm: wasm.memory.buffer.byteLength + (await pool.memory()) } });
}

/** Runs a part of loading; what Rust refuses is a model that did not arrive as it was published. */
function intact(work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    throw notIntact(error.message);
  }
}
