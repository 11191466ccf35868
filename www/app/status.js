// Saying what happens: one line, one bar, and errors as sentences with a next step. The states of the page, on `body`:
// loading (no model yet), idle, running, ready (a video is there), error.

import { LfdmError } from '../pkg/index.js';
import { byId, copyText, hide } from './dom.js';

/** @typedef {'loading' | 'idle' | 'running' | 'ready' | 'error'} State */

export class Status {
  #line = byId('status');
  #announcer = byId('announcer');
  #bar = byId('progress', HTMLProgressElement);
  #panel = byId('error');
  #retry = byId('retry');
  #useCpu = byId('use-cpu');
  #message = byId('error-message');
  #details = byId('error-text');
  /** @type {(() => void) | null} */
  #action = null;
  /** @type {(() => void) | null} */
  #cpuAction = null;

  constructor() {
    this.#retry.addEventListener('click', () => this.#answer(this.#action));
    this.#useCpu.addEventListener('click', () => this.#answer(this.#cpuAction));
    const copy = byId('copy-details');
    copy.addEventListener('click', async () => {
      const isCopied = await copyText(`${this.#message.textContent}\n${this.#details.textContent}`);
      if (isCopied) copy.textContent = 'Copied';
      else getSelection()?.selectAllChildren(this.#details);
    });
  }

  get state() {
    return document.body.dataset.state;
  }

  /**
   * @param {State} state
   * @param {string} message is also read out
   */
  set(state, message) {
    document.body.dataset.state = state;
    this.#line.textContent = message;
    this.#announcer.textContent = message;
    this.#bar.value = state === 'ready' ? 1 : 0;
  }

  /**
   * Too frequent to be read out.
   *
   * @param {number} fraction
   * @param {string} message
   */
  progress(fraction, message) {
    this.#bar.value = fraction;
    this.#line.textContent = message;
  }

  /** @param {string} message */
  say(message) {
    this.#line.textContent = message;
    // What is said again is not read out again.
    if (this.#announcer.textContent !== message) this.#announcer.textContent = message;
  }

  /**
   * @param {unknown} error
   * @param {{ retry?: (() => void) | null, onCpu?: (() => void) | null, state?: State | null,
   *   message?: string }} options
   *   `retry` is what "Try again" does, if trying again can help, and `onCpu` what "Use the CPU" does, if that can;
   *   with `state: null` the line and the bar stay with the video that is being made
   */
  error(error, { retry = null, onCpu = null, state = 'error', message = 'That did not work.' } = {}) {
    const known = error instanceof LfdmError;
    this.#message.textContent = known ? error.message : 'Something went wrong on this page. Try again.';
    const details = known ? error.details : `${(error instanceof Error && error.stack) || error}`;
    byId('error-details').hidden = !details;
    byId('copy-details').textContent = 'Copy details';
    this.#details.textContent = details ?? '';
    this.#action = retry;
    this.#retry.hidden = !retry;
    this.#cpuAction = onCpu;
    this.#useCpu.hidden = !onCpu;
    this.#panel.hidden = false;
    if (state) this.set(state, message);
    this.#panel.scrollIntoView({ block: 'nearest' });
  }

  clearError() {
    hide(this.#panel, true, byId('generate'));
    this.#action = null;
    this.#cpuAction = null;
  }

  /** @param {(() => void) | null} action of the button that was pressed */
  #answer(action) {
    this.clearError();
    action?.();
  }
}
