// One more core for the models of a page: a worker with a module and weights of its own, which does jobs of the videos
// that leaders make (pool.js). Each leader has a seat with its model; whatever goes wrong ends the helper for all.

import init, { ModelLoader, onPanic, openDevice } from './lfdm.js';
import { macrotask } from './macrotask.js';

/** By the page's numbers. @type {Map<number, Seat>} */
const seats = new Map();
/** The module, which the first leader brings. */
let wasm = null;
/** Everything is answered in turn, whoever asks. @type {Promise<unknown>} */
let before = Promise.resolve();

self.onmessage = ({ data: { seat, port, module } }) => {
  if (port) {
    inTurn(() => start(module));
    seats.set(seat, new Seat(port));
  } else {
    const left = seats.get(seat);
    seats.delete(seat);
    inTurn(() => left?.leave());
  }
};

// Rust futures run as microtasks of their own, so their traps and rejections arrive here.
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  fail(event.reason?.stack ?? `${event.reason}`);
});

/** @param {() => unknown} work */
function inTurn(work) {
  before = before.then(work).catch((error) => fail(error.stack ?? `${error}`));
}

async function start(module) {
  if (wasm) return;
  wasm = await init({ module_or_path: module });
  wasm.__wasm_call_ctors();
  onPanic(fail);
}

function fail(message) {
  for (const seat of seats.values()) seat.tell({ failure: message });
}

/** What a leader has here. */
class Seat {
  #port;
  /** @type {ModelLoader | null} */
  #loader = null;
  /** @type {any} */
  #model = null;
  /** The leader's videos by run, whose steps are never taken here. @type {Map<number, any>} */
  #generations = new Map();
  /** Runs that are over, while messages of theirs may be waiting. @type {Set<number>} */
  #over = new Set();

  /** @param {MessagePort} port */
  constructor(port) {
    this.#port = port;
    port.onmessage = ({ data }) => {
      if (data.type === 'end') this.#over.add(data.run);
      inTurn(() => this.#answer(data));
    };
  }

  tell(message) {
    this.#port.postMessage(message);
  }

  /** The leader is gone. */
  leave() {
    this.#port.close();
    for (const generation of this.#generations.values()) generation.free();
    this.#generations.clear();
    this.#model?.free();
    this.#model = null;
  }

  async #answer({ id, type, run, ...request }) {
    // A run that is over needs no more jobs, and what says so may be waiting.
    await macrotask();
    const isStale = type !== 'end' && this.#over.has(run);
    this.tell({ id, result: isStale ? undefined : await this[type]({ run, ...request }) });
  }

  start({ manifest }) {
    this.#loader = new ModelLoader(manifest);
  }

  add({ name, bytes }) {
    this.#loader?.add(name, bytes);
  }

  async finish() {
    this.#model = this.#loader?.finish(await openDevice('cpu'));
  }

  async begin({ run, image: { data, width, height }, options }) {
    const generation = this.#model.generate(data, width, height, options);
    this.#generations.set(run, generation);
    await generation.next();
    return true;
  }

  compute({ run, job }) {
    return this.#generations.get(run)?.compute(job);
  }

  end({ run }) {
    this.#over.delete(run);
    this.#generations.get(run)?.free();
    this.#generations.delete(run);
  }

  memory() {
    return wasm.memory.buffer.byteLength;
  }
}
