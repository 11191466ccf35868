// One job at a time and at most one waiting. A newer wish replaces the one that waits; cancelling the running job lets
// the waiting one follow.

export class Queue {
  #work;
  #onChange;
  #running = null;
  #waiting = null;

  /** `work(job, signal)` does a job and handles its own errors; it resolves to false if what waits should be dropped. */
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

  async #run(job) {
    const stop = new AbortController();
    const running = (this.#running = { job, stop });
    this.#onChange();
    running.over = this.#work(job, stop.signal);
    const goOn = await running.over;
    this.#running = null;
    const next = goOn === false ? null : this.#waiting;
    this.#waiting = null;
    if (next) this.#run(next);
    else this.#onChange();
  }
}
