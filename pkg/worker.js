// The model's own thread. Every message carries the id of the request it belongs to; a request is answered by any
// number of events and then `end` or `failure`. What cannot be answered (a panic, a lost GPU) is said without an id.

import init, { ModelLoader, encode_gif, on_panic, open_device } from './lfdm.js';

const SOFTWARE_ADAPTER = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i;

let model = null;
/** The GPUDevice that the library opened, if it did. */
let gpu = null;
const cancelled = new Set();

self.onmessage = async ({ data: { id, type, ...request } }) => {
  if (type === 'cancel') {
    cancelled.add(id);
    return;
  }
  const send = (event, transfer = []) => self.postMessage({ id, ...event }, transfer);
  try {
    await { open, generate, gif }[type](request, send, () => cancelled.has(id));
    send({ type: 'end' });
  } catch (error) {
    // A trap inside wasm has already been reported by the panic hook; the module cannot be used again.
    if (error instanceof WebAssembly.RuntimeError) self.postMessage({ type: 'panic', message: `${error}` });
    else send({ type: 'failure', code: error.code ?? 'model', message: error.message, details: error.details });
  } finally {
    cancelled.delete(id);
  }
};

// Rust futures run as microtasks of their own, so their traps and rejections arrive here.
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  self.postMessage({ type: 'panic', message: `${event.reason?.message ?? event.reason}` });
});

async function open({ url, device, reload }, send) {
  const cache = reload ? 'reload' : 'default';
  const [manifest] = await Promise.all([download(new URL('manifest.json', url), { cache }), start()]);
  on_panic((message) => self.postMessage({ type: 'panic', message }));

  const loader = intact(() => new ModelLoader(manifest));
  const files = loader.files();
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let loaded = 0;
  send({ type: 'progress', loaded, total });
  for (const { name, bytes } of files) {
    const onChunk = (length) => send({ type: 'progress', loaded: (loaded += length), total });
    const shard = await download(new URL(name, url), { cache, limit: bytes, onChunk });
    intact(() => loader.add(name, shard));
  }
  const chosen = await chooseDevice(device);
  model = intact(() => loader.finish(chosen.handle));
  send({ type: 'opened', manifest: model.manifest(), device: chosen.info });
}

async function start() {
  // The smallest module with a vector instruction.
  const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  if (!WebAssembly.validate(new Uint8Array(simd))) {
    throw failure('browser', 'This browser cannot run the model: it lacks WebAssembly SIMD. A newer one can.');
  }
  try {
    await init();
  } catch (error) {
    throw failure('download', 'The program could not be downloaded. Check the connection and try again.', `${error}`);
  }
}

async function generate({ image: { data, width, height }, options }, send, isCancelled) {
  let generation;
  try {
    generation = model.generate(data, width, height, options);
  } catch (error) {
    throw error instanceof WebAssembly.RuntimeError ? error : failure('options', error.message);
  }
  const timings = { encoded: 0, step: 0, frame: 0 };
  let since = performance.now();
  try {
    while (!isCancelled()) {
      const event = await generation.next();
      if (event === undefined) break;
      // Rust only submits; a step is done, and can be the last before a cancel, when the GPU has done it.
      await gpu?.queue.onSubmittedWorkDone();
      if (event.type === 'done') {
        const { encoded, step, frame } = timings;
        event.timings = { encode_ms: encoded, denoise_ms: step, decode_ms: frame, total_ms: encoded + step + frame };
      }
      const now = performance.now();
      timings[event.type] += now - since;
      since = now;
      const pictures = [event.rgba, event.flow, event.occlusion, event.photo?.rgba, event.preview?.rgba];
      send(event, pictures.flatMap((pixels) => (pixels ? [pixels.buffer] : [])));
      await macrotask();
    }
  } finally {
    generation.free();
  }
}

async function gif({ frames, width, height, fps }, send) {
  const bytes = encode_gif(frames, width, height, fps);
  send({ type: 'result', result: bytes }, [bytes.buffer]);
}

/** Lets a waiting `cancel` message in; unlike setTimeout it is not held back by the browser's 4 ms clamp. */
function macrotask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Runs a part of loading; what Rust refuses is a model that did not arrive as it was published. */
function intact(work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    throw failure('model', 'The model did not arrive intact, so nothing of it is used. Try again.', error.message);
  }
}

async function download(url, { cache, limit = Infinity, onChunk }) {
  const name = url.pathname.split('/').at(-1);
  const broken = (details) =>
    failure('download', `The model file ${name} could not be downloaded. Check the connection and try again.`, details);
  let response;
  try {
    response = await fetch(url, { cache });
  } catch (error) {
    throw broken(`${error}`);
  }
  if (response.status === 404) {
    throw failure('download', `The model file ${name} is not on this server (404). Try again later.`, url.href);
  }
  if (!response.ok || !response.body) throw broken(`HTTP ${response.status} ${response.statusText}`);

  const chunks = [];
  let length = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
      onChunk?.(value.length);
      // A file that is longer than announced is wrong already; Rust names the difference.
      if (length > limit) {
        await reader.cancel();
        break;
      }
    }
  } catch (error) {
    throw broken(`${error} after ${length} bytes`);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** A real GPU if there is one, otherwise the CPU; an explicit wish is obeyed, software adapters included. */
async function chooseDevice(wish) {
  if (wish === 'cpu') return cpu();
  const adapter = await probeAdapter();
  if (adapter.missing) {
    if (wish === 'webgpu') throw failure('device', `WebGPU cannot be used: ${adapter.missing}. Use the CPU instead.`);
    return cpu(adapter.missing);
  }
  if (adapter.software && wish !== 'webgpu') return cpu(`only a software adapter was found (${adapter.name})`);
  watchDevice();
  try {
    return { handle: await open_device('webgpu'), info: { kind: 'webgpu', name: adapter.name } };
  } catch (error) {
    if (wish === 'webgpu') throw failure('device', 'The graphics device could not be opened.', error.message);
    return cpu(`the graphics device could not be opened (${error.message})`);
  }
}

async function cpu(reason) {
  return { handle: await open_device('cpu'), info: { kind: 'cpu', name: 'CPU', reason } };
}

async function probeAdapter() {
  if (!navigator.gpu) return { missing: 'this browser has no WebGPU' };
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return { missing: 'no graphics adapter was found' };
  const info = adapter.info ?? {};
  const words = [info.description, info.vendor, info.architecture, info.device].filter(Boolean);
  const name = info.description || [info.vendor, info.architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  const software = Boolean(info.isFallbackAdapter ?? adapter.isFallbackAdapter) || SOFTWARE_ADAPTER.test(words.join(' '));
  return { name, software };
}

/** The library opens its own GPUDevice; this is the only place from which it can be watched. */
function watchDevice() {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    gpu = await requestDevice.apply(this, args);
    gpu.lost.then(({ message, reason }) => self.postMessage({ type: 'device-lost', message: message || reason }));
    return gpu;
  };
}

function failure(code, message, details) {
  return Object.assign(new Error(message), { code, details });
}
