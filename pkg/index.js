// lfdm-web: a portrait and a label become a short video. Everything that computes runs in a module worker, to which
// helpers are lent; this file only starts it, talks to it, and replaces it after a crash.

import { DRIVER, cpuInfo, probeDevice as probe } from './adapter.js';
import { whyNotStarted } from './diagnosis.js';
import { LfdmError } from './error.js';
import { Loan } from './helpers.js';
import { decodeImage, readImage } from './image.js';
import { generateOptions, gifOptions, loadOptions, modelUrl, paintOptions, programUrls } from './options.js';
import { argumentsOf, spawn } from './spawn.js';
import { removeStoredModels, storedModels } from './store.js';

export { LfdmError, decodeImage, removeStoredModels, storedModels };

/** @import * as Types from './index.d.ts' */

/** What became of a GPU while the model was being loaded, by the code of the error. */
const GPU_FAILURES = {
  device: 'could not be opened',
  'device-lost': 'was lost while the model was being loaded, twice',
  crash: 'failed while the model was being loaded',
};

/** @implements {Types.Lfdm} */
export class Lfdm {
  #settings;
  /** @type {ModelWorker | null} */
  #worker = null;
  /** @type {Promise<ModelWorker> | null} */
  #opening = null;
  #disposed = false;
  /** Of the weights in use. */
  #fingerprint;
  /** What the latest worker was to run on. */
  #tried = 'cpu';
  /** The module as a worker has compiled it: another one need not do it again. */
  #compiled;

  // `load` hands out no model before these are set.
  manifest = /** @type {Types.Manifest} */ (/** @type {unknown} */ (null));
  device = /** @type {Types.DeviceInfo} */ (/** @type {unknown} */ (null));
  storage = /** @type {Types.StorageInfo} */ (/** @type {unknown} */ (null));

  /**
   * `given` is a device that needs no probing.
   *
   * @param {{ url: string, device: string, memoryChecked: boolean, threads?: number, given?: Types.DeviceInfo,
   *   program: { workerUrl?: string, plainUrl?: string, relaxedUrl?: string } }} settings
   */
  constructor(settings) {
    this.#settings = settings;
  }

  /**
   * Downloads and verifies the model at `url` (a folder with `manifest.json`) and moves it to the device.
   *
   * @type {typeof Types.Lfdm.load}
   */
  static async load(url, options = {}) {
    checkBrowser();
    const settings = loadOptions(options);
    const { device = 'auto', checkMemory = true, reload = false, threads, signal, onProgress } = settings;
    signal?.throwIfAborted();
    const program = programUrls(settings);
    const lfdm = new Lfdm({ url: modelUrl(url), device, memoryChecked: checkMemory, threads, program });
    const stop = () => lfdm.#worker?.stop(signal.reason);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await lfdm.#openSomewhere({ onProgress, reload }, signal);
    } catch (error) {
      lfdm.dispose();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    return lfdm;
  }

  /**
   * Yields `encoded`, then a `step` per denoising step, then a `frame` per frame, then `done`.
   * Leaving the loop, or aborting `signal`, stops the computation within one step.
   *
   * @param {Types.GenerateOptions} options
   * @returns {AsyncGenerator<Types.GenerateEvent, void, void>}
   */
  async *generate(options) {
    const { image, signal, bitmaps = false, motions = false, ...request } = generateOptions(options);
    const { data, width, height } = await unlessAborted(readImage(image, signal), signal);
    let delivered = 0;
    for (let attempt = 0; ; attempt++) {
      // After a crash the worker is gone; the files come from the browser's store.
      const worker = await unlessAborted(this.#ready(), signal);
      const fingerprint = this.#fingerprint;
      // A copy: the caller keeps its pixels.
      const pixels = new Uint8ClampedArray(data);
      const message = { image: { data: pixels, width, height }, options: request, bitmaps, motions };
      try {
        let index = 0;
        for await (const event of worker.stream('generate', message, [pixels.buffer], signal)) {
          if (index++ >= delivered) {
            delivered += 1;
            yield event;
          } else {
            event.bitmap?.close();
            event.photo?.bitmap?.close();
          }
        }
        return;
      } catch (error) {
        if (error?.code !== 'device-lost' || attempt > 0 || this.#disposed) throw error;
        yield { type: 'restarted', reason: error };
        // One seed gives one video, so the repetition goes on where the first try stopped: unless
        // the model has changed.
        await unlessAborted(this.#ready(), signal).catch((failure) => {
          // A GPU that does not come back is one that was lost.
          throw failure?.code === 'device' ? error : failure;
        });
        if (this.#fingerprint !== fingerprint) throw error;
      }
    }
  }

  /**
   * Paints frames of motion that is given, and yields a `frame` for each.
   *
   * @param {Types.PaintOptions} options
   * @returns {AsyncGenerator<Types.PaintedEvent, void, void>}
   */
  async *paint(options) {
    const { image, motions = [], signal, bitmaps = false, ...request } = paintOptions(options, this.manifest);
    const { data, width, height } = await unlessAborted(readImage(image, signal), signal);
    const worker = await unlessAborted(this.#ready(), signal);
    const pixels = new Uint8ClampedArray(data);
    const message = { image: { data: pixels, width, height }, options: request, bitmaps, motions };
    yield* worker.stream('paint', message, [pixels.buffer], signal);
  }

  /**
   * Encodes equally sized RGBA frames as a looping GIF.
   *
   * @param {Uint8ClampedArray[]} frames
   * @param {{ width?: number, height?: number, fps?: number }} options
   */
  async encodeGif(frames, options = {}) {
    const request = gifOptions(frames, options, this.manifest);
    const worker = await this.#ready();
    const bytes = await worker.request('gif', request);
    return new Blob([bytes], { type: 'image/gif' });
  }

  /** Bytes that the WebAssembly modules of all threads hold. They stay the same from one generation to the next. */
  async memory() {
    const worker = await this.#ready();
    return worker.request('memory');
  }

  /** Stops the worker and frees the model. */
  dispose() {
    this.#disposed = true;
    this.#worker?.stop(new LfdmError('disposed', 'The model has been closed.'));
    this.#worker = null;
  }

  get #moduleKey() {
    const { plainUrl, relaxedUrl } = this.#settings.program;
    return `${plainUrl} ${relaxedUrl}`;
  }

  #known() {
    return modules.get(this.#moduleKey)?.deref();
  }

  /** A worker with the model in it. */
  #ready() {
    return this.#opening ?? this.#open();
  }

  /**
   * A lost GPU is tried once more. One that fails leaves the CPU, unless the GPU itself was asked for.
   *
   * @param {Pick<Types.LoadOptions, 'onProgress' | 'reload'>} options
   * @param {AbortSignal} [signal]
   */
  async #openSomewhere({ onProgress, reload }, signal) {
    try {
      await this.#open({ onProgress, reload }).catch((error) => {
        if (error?.code !== 'device-lost' || signal?.aborted) throw error;
        return this.#open({ onProgress });
      });
    } catch (error) {
      const failure = GPU_FAILURES[error?.code];
      if (!failure || this.#tried !== 'webgpu' || this.#settings.device !== 'auto' || signal?.aborted) throw error;
      console.warn(`lfdm: ${error.message} (${error.details})`);
      this.#settings = { ...this.#settings, device: 'cpu', given: cpuInfo(`the GPU ${failure}`, DRIVER) };
      await this.#open({ onProgress });
    }
  }

  /**
   * @param {Pick<Types.LoadOptions, 'onProgress' | 'reload'>} options
   * @returns {Promise<ModelWorker>}
   */
  #open({ onProgress, reload = false } = {}) {
    if (this.#disposed) return Promise.reject(new LfdmError('disposed', 'The model has been closed.'));
    const worker = new ModelWorker(this.#settings.program, () => {
      this.#worker = null;
      this.#opening = null;
    });
    this.#worker = worker;
    this.#opening = (async () => {
      try {
        for await (const { type, ...event } of worker.stream('open', {
          ...this.#settings,
          compiled: this.#known(),
          reload,
        })) {
          if (type === 'progress') onProgress?.(event);
          else if (type === 'device') this.#tried = event.kind;
          else if (type === 'opened') {
            ({
              manifest: this.manifest,
              device: this.device,
              storage: this.storage,
              fingerprint: this.#fingerprint,
              compiled: this.#compiled,
            } = event);
            modules.set(this.#moduleKey, new WeakRef(this.#compiled));
          }
        }
        return worker;
      } catch (error) {
        worker.stop(error);
        throw error;
      }
    })();
    // Those who wait for it hear of its failure; by then there may be none.
    this.#opening.catch(() => {});
    return this.#opening;
  }
}

/** Compiled modules by where they came from, as long as a model uses them. @type {Map<string, WeakRef<any>>} */
const modules = new Map();

/**
 * What `Lfdm.load` with this `device` would run a small model on. Nothing is loaded.
 *
 * @type {typeof Types.probeDevice}
 */
export async function probeDevice(device = 'auto') {
  checkBrowser();
  return probe(loadOptions({ device }).device);
}

/**
 * Waits for `promise`, but no longer than `signal` allows.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
async function unlessAborted(promise, signal) {
  signal?.throwIfAborted();
  if (!signal) return promise;
  const raced = new AbortController();
  /** @type {Promise<never>} */
  const aborted = new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { signal: raced.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    raced.abort();
  }
}

/** One worker and the calls that wait for it. Whatever kills the worker rejects every one of them. */
class ModelWorker {
  /** @type {Worker | null} */
  #worker;
  #program;
  /** @type {Loan | null} */
  #helpers = null;
  /** @type {Map<number, Call>} */
  #calls = new Map();
  #next = 1;
  #started = false;
  #onStopped;

  /**
   * @param {{ workerUrl?: string }} program where the scripts are, if not beside this one
   * @param {() => void} onStopped
   */
  constructor(program, onStopped) {
    this.#program = program;
    this.#onStopped = onStopped;
    const since = performance.now();
    const construct = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'lfdm' });
    const worker = spawn(construct, program.workerUrl);
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      // Scripts that cannot be fetched fail without a message, and before anything was said.
      if (this.#started || event.message) this.stop(crash(event.message));
      else whyNotStarted(program.workerUrl ?? argumentsOf(construct)[0], since).then((error) => this.stop(error));
    };
    worker.onmessageerror = () => this.stop(crash('A message could not be read.'));
  }

  stop(reason) {
    if (!this.#worker) return;
    this.#worker.terminate();
    this.#worker = null;
    this.#helpers?.end();
    this.#onStopped();
    for (const call of this.#calls.values()) call.fail(reason);
    this.#calls.clear();
  }

  async request(type, payload) {
    let result;
    for await (const event of this.stream(type, payload)) result = event.result;
    return result;
  }

  /** Sends one request and yields the events that answer it. */
  async *stream(type, payload, transfer = [], signal) {
    signal?.throwIfAborted();
    const id = this.#next++;
    const call = new Call();
    this.#calls.set(id, call);
    const cancel = () => this.#worker?.postMessage({ id, type: 'cancel' });
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      if (!this.#worker) throw crash('The worker has stopped.');
      this.#worker.postMessage({ id, type, ...payload }, transfer);
      for (;;) {
        const event = await call.take();
        if (event === Call.END) break;
        if (signal?.aborted) {
          // Frames that were on their way; whoever stopped has no use for them.
          event.bitmap?.close();
          event.photo?.bitmap?.close();
          continue;
        }
        yield event;
      }
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener('abort', cancel);
      if (this.#calls.delete(id) && !call.finished) cancel();
    }
  }

  /** @param {{ lines: MessagePort[], module: WebAssembly.Module }} wanted */
  #lend(wanted) {
    const before = this.#helpers;
    const onLost = (/** @type {number} */ place) => this.#worker?.postMessage({ type: 'helper-lost', place });
    this.#helpers = new Loan(this.#program, wanted, onLost);
    before?.end();
  }

  #receive({ id, type, ...event }) {
    this.#started = true;
    if (type === 'panic') {
      this.stop(crash(event.message));
    } else if (type === 'helpers') {
      this.#lend({ lines: event.lines, module: event.module });
    } else if (type === 'helper-lost') {
      this.#helpers?.giveUp(event.place);
    } else if (type === 'device-lost') {
      this.stop(
        new LfdmError(
          'device-lost',
          'The GPU was lost, so the computation stopped. Try again, or use the CPU.',
          event.message,
        ),
      );
    } else if (type === 'end') {
      this.#calls.get(id)?.finish();
    } else if (type === 'failure') {
      this.#calls.get(id)?.fail(new LfdmError(event.code, event.message, event.details));
    } else {
      this.#calls.get(id)?.put({ type, ...event });
    }
  }
}

/** The answers to one request, in order. */
class Call {
  static END = Symbol('end');
  #events = [];
  /** @type {(() => void) | null} */
  #wake = null;
  #error = null;
  finished = false;

  put(event) {
    this.#events.push(event);
    this.#wake?.();
  }

  finish() {
    this.finished = true;
    this.put(Call.END);
  }

  fail(error) {
    this.finished = true;
    this.#error = error;
    this.#wake?.();
  }

  async take() {
    while (!this.#events.length && !this.#error) {
      await new Promise((/** @type {(value?: unknown) => void} */ resolve) => (this.#wake = resolve));
    }
    if (this.#events.length) return this.#events.shift();
    throw this.#error;
  }
}

/** Importing this package works anywhere; what follows does not. */
function checkBrowser() {
  if (globalThis.Worker && globalThis.location) return;
  throw new LfdmError(
    'browser',
    'lfdm-web runs in a browser only. Call it where the page runs, not where a server renders it: ' +
      'in an event handler, or in an effect of the component.',
  );
}

function crash(details) {
  return new LfdmError('crash', 'The model stopped unexpectedly. Try again to restart it.', details);
}
