// lfdm-web: a portrait and a label become a short video. Everything that computes runs in one module worker;
// this file only starts it, talks to it, and replaces it after a crash.

import { decodeImage } from './image.js';
import { LfdmError } from './error.js';

export { decodeImage, LfdmError };

export class Lfdm {
  #url;
  #device;
  #worker = null;
  #opening = null;
  #disposed = false;

  /** @type {import('./index.d.ts').Manifest} */
  manifest;
  /** @type {import('./index.d.ts').DeviceInfo} */
  device;

  constructor(url, device) {
    this.#url = new URL(url, globalThis.location?.href).href.replace(/\/?$/, '/');
    this.#device = device;
  }

  /** Downloads and verifies the model at `url` (a folder with `manifest.json`) and moves it to the device. */
  static async load(url, { device = 'auto', signal, onProgress, reload = false } = {}) {
    if (!['auto', 'webgpu', 'cpu'].includes(device)) {
      throw new LfdmError('options', `device: "${device}" is none of auto, webgpu, cpu.`);
    }
    const lfdm = new Lfdm(url, device);
    try {
      await lfdm.#open({ signal, onProgress, reload });
    } catch (error) {
      lfdm.dispose();
      throw error;
    }
    return lfdm;
  }

  /**
   * Yields `encoded`, then a `step` per denoising step, then a `frame` per frame, then `done`.
   * Leaving the loop, or aborting `signal`, stops the computation within one step.
   */
  async *generate({ image, signal, ...options }) {
    const { data, width, height } = await decodeImage(image);
    signal?.throwIfAborted();
    // After a crash the worker is gone; the files come from the browser's cache.
    await (this.#opening ?? this.#open({ signal }));
    // A copy: the caller keeps its pixels.
    const pixels = new Uint8ClampedArray(data);
    yield* this.#worker.stream('generate', { image: { data: pixels, width, height }, options }, [pixels.buffer], signal);
  }

  /** Encodes equally sized RGBA frames as a looping GIF. */
  async encodeGif(frames, { width, height, fps = this.manifest.fps }) {
    await (this.#opening ?? this.#open({}));
    const bytes = await this.#worker.request('gif', { frames, width, height, fps });
    return new Blob([bytes], { type: 'image/gif' });
  }

  /** Stops the worker and frees the model. */
  dispose() {
    this.#disposed = true;
    this.#worker?.stop(new LfdmError('disposed', 'The model has been closed.'));
    this.#worker = null;
  }

  #open({ signal, onProgress, reload = false }) {
    if (this.#disposed) throw new LfdmError('disposed', 'The model has been closed.');
    signal?.throwIfAborted();
    const worker = new ModelWorker(() => {
      this.#worker = null;
      this.#opening = null;
    });
    this.#worker = worker;
    const abort = () => worker.stop(signal.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#opening = (async () => {
      try {
        for await (const event of worker.stream('open', { url: this.#url, device: this.#device, reload })) {
          if (event.type === 'progress') onProgress?.(event);
          else if (event.type === 'opened') ({ manifest: this.manifest, device: this.device } = event);
        }
      } catch (error) {
        worker.stop(error);
        throw error;
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    })();
    return this.#opening;
  }
}

/** One worker and the calls that wait for it. Whatever kills the worker rejects every one of them. */
class ModelWorker {
  #worker;
  #calls = new Map();
  #next = 1;
  #onStopped;

  constructor(onStopped) {
    this.#onStopped = onStopped;
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'lfdm' });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.stop(crash(event.message ?? 'The worker script could not be loaded.'));
    };
    this.#worker.onmessageerror = () => this.stop(crash('A message could not be read.'));
  }

  stop(reason) {
    if (!this.#worker) return;
    this.#worker.terminate();
    this.#worker = null;
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
        yield event;
      }
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener('abort', cancel);
      if (this.#calls.delete(id) && !call.finished) cancel();
    }
  }

  #receive({ id, type, ...event }) {
    if (type === 'panic') {
      this.stop(crash(event.message));
    } else if (type === 'device-lost') {
      this.stop(
        new LfdmError('device-lost', 'The graphics device was lost, so the computation stopped. Try again.', event.message),
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
      await new Promise((resolve) => (this.#wake = resolve));
    }
    if (this.#events.length) return this.#events.shift();
    throw this.#error;
  }
}

function crash(details) {
  return new LfdmError('crash', 'The model stopped unexpectedly. It will be started again when you try once more.', details);
}
