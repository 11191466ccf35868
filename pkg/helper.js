// One more core for the model: a worker with a module and weights of its own, which does jobs of
// the video that the leader makes (pool.js). It answers every message in turn, under its id;
// whatever goes wrong ends it.

import init, { ModelLoader, onPanic, openDevice } from './lfdm.js';
import { macrotask } from './macrotask.js';

/** @type {ModelLoader} */
let loader;
let model = null;
/** The leader's video, whose steps are never taken here. */
let generation = null;
let wasm = null;
/** The run that the leader's latest message belongs to. */
let current = 0;
let before = Promise.resolve();

self.onmessage = ({ data }) => {
  current = data.run ?? current;
  before = before.then(() => answer(data)).catch((error) => fail(error.stack ?? `${error}`));
};

// Rust futures run as microtasks of their own, so their traps and rejections arrive here.
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  fail(event.reason?.stack ?? `${event.reason}`);
});

async function answer({ id, type, run, ...request }) {
  // A run that is over needs no more jobs, and what says so may be waiting.
  await macrotask();
  const isStale = run !== undefined && run !== current;
  const result = isStale ? undefined : await { start, add, finish, begin, compute, end, memory }[type](request);
  self.postMessage({ id, result });
}

function fail(message) {
  self.postMessage({ failure: message });
}

async function start({ module, manifest }) {
  wasm = await init({ module_or_path: module });
  wasm.__wasm_call_ctors();
  onPanic(fail);
  loader = new ModelLoader(manifest);
}

function add({ name, bytes }) {
  loader.add(name, bytes);
}

async function finish() {
  model = loader.finish(await openDevice('cpu'));
}

async function begin({ image: { data, width, height }, options }) {
  end();
  generation = model.generate(data, width, height, options);
  await generation.next();
  return true;
}

function compute({ job }) {
  return generation.compute(job);
}

function end() {
  generation?.free();
  generation = null;
}

function memory() {
  return wasm.memory.buffer.byteLength;
}
