// The helpers of a page, which its models share: a second model has the same cores as the first. They are workers of
// the page; a leader has a line to each of those that it borrows, and speaks with them over that alone.

import { spawn } from './spawn.js';

/** By the program that they run. @type {Map<string, Set<Helper>>} */
const pools = new Map();

/** What one leader has of them. */
export class Loan {
  /** In the order of the leader's lines. @type {Helper[]} */
  #helpers = [];

  /**
   * @param {{ workerUrl?: string }} program
   * @param {{ lines: MessagePort[], module: WebAssembly.Module }} wanted one helper for each line
   * @param {(place: number) => void} onLost a helper of the leader's is gone
   */
  constructor(program, { lines, module }, onLost) {
    const pool = poolOf(program);
    for (const [place, line] of lines.entries()) {
      const helper = [...pool].find((helper) => !this.#helpers.includes(helper)) ?? new Helper(program, pool);
      this.#helpers.push(helper);
      helper.seat(this, { line, module }, () => onLost(place));
    }
  }

  /** The leader cannot use this one. @param {number} place */
  giveUp(place) {
    this.#helpers[place].stop();
  }

  /** The leader is gone. */
  end() {
    for (const helper of this.#helpers) helper.leave(this);
  }
}

function poolOf(program) {
  const key = JSON.stringify(program);
  const pool = pools.get(key) ?? new Set();
  pools.set(key, pool);
  return pool;
}

/** A helper as the page sees it: it is there for as long as a leader has a seat. */
class Helper {
  #worker;
  #pool;
  /** @type {Map<Loan, { seat: number, onLost: () => void }>} */
  #seats = new Map();
  #next = 0;

  /**
   * @param {{ workerUrl?: string }} program
   * @param {Set<Helper>} pool
   */
  constructor({ workerUrl }, pool) {
    this.#pool = pool;
    pool.add(this);
    const construct = () =>
      new Worker(new URL('./helper.js', import.meta.url), { type: 'module', name: 'lfdm-helper' });
    this.#worker = spawn(construct, workerUrl && new URL('./helper.js', workerUrl).href);
    this.#worker.onerror = (event) => {
      // It must not reach the page as an error of its own.
      event.preventDefault();
      this.stop();
    };
  }

  /**
   * @param {Loan} loan
   * @param {{ line: MessagePort, module: WebAssembly.Module }} means
   * @param {() => void} onLost
   */
  seat(loan, { line, module }, onLost) {
    const seat = this.#next++;
    this.#seats.set(loan, { seat, onLost });
    this.#worker.postMessage({ seat, module, port: line }, [line]);
  }

  /** @param {Loan} loan */
  leave(loan) {
    const { seat } = this.#seats.get(loan) ?? {};
    this.#seats.delete(loan);
    if (this.#seats.size) this.#worker.postMessage({ seat });
    else this.stop();
  }

  stop() {
    this.#worker.terminate();
    this.#pool.delete(this);
    for (const { onLost } of this.#seats.values()) onLost();
    this.#seats.clear();
  }
}
