// Several cores for one video, without shared memory: helpers (helper.js) do what the leader's generation can give
// away. The page starts them, and lends the same ones to all of its models (helpers.js). A video never depends on them.
// What a helper does not do, because it is still loading, fails or is lost, the leader does itself; the pixels are the
// same.

import { macrotask } from './macrotask.js';

/** A helper is taken for lost after so many times the leader's time for a job, but not before this. */
const PATIENCE = 10;
const PATIENCE_MS = 10_000;
/** Jobs at a helper: the second is there when the first is done. */
const DEPTH = 2;

/** The helpers of a model. They load while the leader does, and nothing waits for them. */
export class Pool {
  /** @type {Set<Helper>} */
  #helpers = new Set();
  #runs = 0;

  /**
   * @param {number} threads the leader's included
   * @param {WebAssembly.Module} module
   * @param {Uint8Array} manifest
   * @param {(message: object, transfer?: Transferable[]) => void} tellPage
   */
  constructor(threads, module, manifest, tellPage) {
    /** @type {MessagePort[]} */
    const lines = [];
    for (let place = 0; place < threads - 1; place++) {
      const { port1, port2 } = new MessageChannel();
      const helper = new Helper(place, port1, () => {
        if (this.#helpers.delete(helper)) tellPage({ type: 'helper-lost', place });
      });
      this.#helpers.add(helper);
      lines.push(port2);
      helper.ask('start', { manifest });
    }
    if (lines.length) tellPage({ type: 'helpers', lines, module }, lines);
  }

  /** Workers that compute, the leader's included. */
  get threads() {
    return 1 + this.#helpers.size;
  }

  /** The page says that a helper is gone. */
  lose(place) {
    for (const helper of this.#helpers) if (helper.place === place) helper.stop('it failed');
  }

  /** A file of the model, verified by the leader. */
  add(name, bytes) {
    this.#tell('add', { name, bytes });
  }

  /** All files are there. */
  finish() {
    this.#tell('finish');
  }

  /** A video whose `generation` was made of this `request`. */
  run(generation, request) {
    return new Run(generation, request, this.#helpers, ++this.#runs);
  }

  /** Bytes of the helpers' modules. */
  async memory() {
    const bytes = await Promise.all(
      [...this.#helpers].filter(({ ready }) => ready).map((helper) => helper.ask('memory')),
    );
    return bytes.reduce((sum, bytes) => sum + (bytes ?? 0), 0);
  }

  /** The model is not to be: its helpers are free for others. */
  leave() {
    this.#helpers.clear();
  }

  #tell(type, payload = {}) {
    for (const helper of this.#helpers) helper.ask(type, payload);
  }
}

/**
 * A job, and the call of `next` that needs its result, counted from when it was listed.
 *
 * @typedef {{ job: object, due: number }} Entry
 */

/** The making of one video. */
class Run {
  #generation;
  #helpers;
  #number;
  /** Helpers that have encoded the portrait. @type {Set<Helper>} */
  #prepared = new Set();
  /** Those that did something. @type {Set<Helper>} */
  #helped = new Set();
  /** Jobs that nobody does yet, those that are needed first before the others. @type {Entry[]} */
  #waiting = [];
  /** Jobs at helpers. @type {Map<Entry, Helper>} */
  #dealt = new Map();
  /** Results of helpers that the generation does not have yet. @type {object[]} */
  #arrived = [];
  /** Calls of `next` since the jobs were listed. */
  #calls = 0;
  /** The longest time that the leader took for a job. */
  #longestMs = 0;
  /** @type {((news: boolean) => void) | undefined} */
  #wake;

  constructor(generation, request, helpers, number) {
    this.#generation = generation;
    this.#helpers = helpers;
    this.#number = number;
    for (const helper of helpers) {
      helper.ask('begin', { run: number, ...request }).then((ready) => ready && this.#prepared.add(helper));
    }
  }

  /** Workers that took part so far. */
  get threads() {
    return 1 + this.#helped.size;
  }

  /** The generation's next event; the work before it is shared. */
  async next() {
    if (!this.#waiting.length && !this.#dealt.size && this.#available().length) await this.#list();
    for (;;) {
      this.#deal();
      if (!this.#isMissing()) break;
      const entry = this.#waiting.shift();
      if (entry) await this.#compute(entry);
      else await this.#news();
    }
    for (const output of this.#arrived.splice(0)) this.#generation.supply(output);
    this.#calls += 1;
    return this.#generation.next();
  }

  /** The helpers are free for other videos. */
  end() {
    for (const helper of this.#helpers) helper.ask('end', { run: this.#number });
  }

  #available() {
    return [...this.#prepared].filter((helper) => this.#helpers.has(helper));
  }

  async #list() {
    const jobs = await this.#generation.jobs();
    const first = jobs[0]?.decode?.index;
    this.#waiting = jobs.map((job) => ({ job, due: job.decode ? job.decode.index - first : 0 }));
    this.#calls = 0;
  }

  /** The leader keeps the job that is needed first; helpers get a second one if enough are left. */
  #deal() {
    const helpers = this.#available();
    for (let load = 0; load < DEPTH; load++) {
      const left = load === 0 ? 1 : 1 + helpers.length;
      for (const helper of helpers) {
        if (this.#loadOf(helper) > load || this.#waiting.length <= left) continue;
        const [entry] = this.#waiting.splice(1, 1);
        this.#dealt.set(entry, helper);
        helper
          .ask('compute', { run: this.#number, job: entry.job })
          .then((output) => this.#take(entry, helper, output));
      }
    }
  }

  #loadOf(helper) {
    return [...this.#dealt.values()].filter((other) => other === helper).length;
  }

  #take(entry, helper, output) {
    this.#dealt.delete(entry);
    if (output) {
      this.#arrived.push(output);
      this.#helped.add(helper);
    } else {
      this.#waiting.push(entry);
      this.#waiting.sort((a, b) => a.due - b.due);
    }
    this.#wake?.(true);
  }

  /** Whether something that the next event needs is not there yet. */
  #isMissing() {
    return [...this.#waiting, ...this.#dealt.keys()].some(({ due }) => due <= this.#calls);
  }

  async #compute({ job }) {
    const since = performance.now();
    this.#generation.supply(await this.#generation.compute(job));
    this.#longestMs = Math.max(this.#longestMs, performance.now() - since);
    await macrotask();
  }

  /** Waits for a helper's word; those that are silent for too long are given up. */
  async #news() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const hasCome = await new Promise((/** @type {(news: boolean) => void} */ resolve) => {
      this.#wake = resolve;
      timer = setTimeout(() => resolve(false), Math.max(PATIENCE_MS, PATIENCE * this.#longestMs));
    });
    clearTimeout(timer);
    this.#wake = undefined;
    if (hasCome) return;
    for (const helper of new Set(this.#dealt.values())) helper.stop();
    // Now their jobs come back.
    await macrotask();
  }
}

/** A helper as the leader sees it. Whatever ends it answers every question with `undefined`. */
class Helper {
  /** @type {MessagePort | null} */
  #line;
  /** @type {Map<number, (result: any) => void>} */
  #questions = new Map();
  #next = 1;
  #onStopped;
  /** Whether it has loaded the model. */
  ready = false;

  /**
   * @param {number} place among the leader's helpers
   * @param {MessagePort} line
   * @param {() => void} onStopped
   */
  constructor(place, line, onStopped) {
    this.place = place;
    this.#line = line;
    this.#onStopped = onStopped;
    line.onmessage = ({ data: { id, result, failure } }) => {
      if (failure === undefined) this.#answer(id, result);
      else this.stop(failure);
    };
    line.onmessageerror = () => this.stop('a message could not be read');
  }

  /** @returns {Promise<any>} */
  ask(type, payload = {}) {
    return new Promise((resolve) => {
      if (!this.#line) return resolve(undefined);
      const id = this.#next++;
      this.#questions.set(id, (result) => {
        this.ready ||= type === 'finish' && Boolean(this.#line);
        resolve(result);
      });
      this.#line.postMessage({ id, type, ...payload });
    });
  }

  stop(reason = 'no answer') {
    if (!this.#line) return;
    this.#line.close();
    this.#line = null;
    this.#onStopped();
    console.info(`lfdm: one thread less (${reason})`);
    for (const id of [...this.#questions.keys()]) this.#answer(id, undefined);
  }

  #answer(id, result) {
    const answer = this.#questions.get(id);
    this.#questions.delete(id);
    answer?.(result);
  }
}
