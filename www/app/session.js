// The model's life: one is loaded, then another takes its place. It knows nothing of the page.

import { Lfdm } from '../pkg/index.js';
import { modelUrl } from './catalogue.js';

/** @import { DeviceKind } from '../../pkg/index.d.ts' */
/** @import { SessionEvents } from '../types.d.ts' */

/** @typedef {Pick<Session, 'lfdm' | 'model' | 'loading'> & { end: () => void }} Loan */

export class Session {
  /**
   * Null while a model is on its way.
   *
   * @type {Lfdm | null}
   */
  lfdm = null;
  /**
   * Resolves to it; null before the first one is asked for.
   *
   * @type {Promise<Lfdm> | null}
   */
  loading = null;
  #on;
  #stop = new AbortController();
  /** The latest one. */
  #change = Symbol();
  /** Who still needs the model that is there, each resolved when it is done. @type {Set<Promise<void>>} */
  #loans = new Set();

  /**
   * @param {string} model one of `MODELS`: the one that is loaded, or will be
   * @param {'auto' | DeviceKind} device what it is to run on
   * @param {SessionEvents} on
   */
  constructor(model, device, on) {
    this.model = model;
    this.device = device;
    this.#on = on;
  }

  /** Loads `model`. Another one that is still being loaded is given up. */
  async load({ reload = false } = {}) {
    this.#stop.abort();
    const { signal } = (this.#stop = new AbortController());
    this.#on.onLoading(this.model);
    this.loading = Lfdm.load(modelUrl(this.model), {
      device: this.device,
      reload,
      signal,
      onProgress: (progress) => signal.aborted || this.#on.onProgress(progress),
    });
    try {
      const lfdm = await this.loading;
      if (signal.aborted) return lfdm.dispose();
      this.lfdm = lfdm;
    } catch (error) {
      if (signal.aborted) return;
      // A damaged file may have come from the cache: ask the server next time.
      const retry = () => this.load({ reload: true });
      this.#on.onFailure(error, retry);
      // Without a network nobody needs to ask again: it is tried once there is one.
      if (error.code === 'download' && !navigator.onLine) addEventListener('online', retry, { once: true, signal });
      return;
    }
    this.#on.onReady(this.lfdm);
  }

  /**
   * The model of now, for work that goes on even if another one is chosen: it is closed after `end`.
   *
   * @returns {Loan}
   */
  borrow() {
    const { lfdm, model, loading } = this;
    /** @type {() => void} */
    let end = () => {};
    const loan = new Promise((/** @type {(value?: undefined) => void} */ resolve) => (end = resolve));
    this.#loans.add(loan);
    loan.then(() => this.#loans.delete(loan));
    return { lfdm, model, loading, end };
  }

  /**
   * Puts another model in the place of this one, or the same on another device, once nothing is made
   * with it any longer. One at a time: two would not fit into a phone.
   *
   * @param {{ model?: string, device?: 'auto' | DeviceKind }} wishes
   * @param {Promise<void>} idle
   */
  async change({ model = this.model, device = this.device }, idle) {
    const before = this.lfdm;
    const change = (this.#change = Symbol());
    Object.assign(this, { model, device });
    // From now on nothing is asked of it.
    this.lfdm = null;
    await idle;
    while (this.#loans.size) await Promise.all(this.#loans);
    before?.dispose();
    // While this one waited, yet another may have been chosen.
    if (this.#change === change) await this.load();
  }
}
