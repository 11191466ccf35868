// One job at a time and at most one waiting. A newer wish replaces the one that waits; cancelling the running job lets
// the waiting one follow.

/** @template Job */
export class Queue {
  #work;
  #onChange;
  /** @type {{ job: Job, stop: AbortController, over: Promise<boolean> } | null} */
  #running = null;
  /** @type {Job | null} */
  #waiting = null;

  /**
   * @param {(job: Job, signal: AbortSignal) => Promise<boolean>} work does a job and handles its
   *   own errors; it resolves to false if what waits should be dropped
   */
  constructor(work, onChange = () => {}) {
    this.#work = work;
    this.#onChange = onChange;
  }

  get running() {
    return this.#running?.job ?? null;
  }

  get waiting() {
    return this.#waiting;
  }

  /** @param {Job} job */
  add(job) {
    if (this.#running) {
      this.#waiting = job;
      this.#onChange();
    } else {
      this.#run(job);
    }
  }

  cancel() {
    this.#running?.stop.abort();
  }

  dropWaiting() {
    this.#waiting = null;
    this.#onChange();
  }

  /** Ends what runs and drops what waits; resolves when both are gone. */
  async clear() {
    this.#waiting = null;
    this.cancel();
    await this.#running?.over;
  }

  /** @param {Job} job */
  async #run(job) {
    const stop = new AbortController();
    this.#running = { job, stop, over: Promise.resolve(true) };
    this.#onChange();
    const over = this.#work(job, stop.signal);
    this.#running.over = over;
    const goOn = await over;
    this.#running = null;
    const next = goOn ? this.#waiting : null;
    this.#waiting = null;
    if (next) this.#run(next);
    else this.#onChange();
  }
}
