// Saying what happens: one line, one bar, and errors as sentences with a next step. The states of the page, on `body`:
// loading (no model yet), idle, running, ready (a video is there), error.

import { LfdmError } from '../pkg/index.js';
import { byId } from './dom.js';

const BAR_AT = { ready: 1 };

export class Status {
  #line = byId('status');
  #announcer = byId('announcer');
  #bar = byId('progress');
  #panel = byId('error');
  #retry = byId('retry');
  #action = null;

  constructor() {
    this.#retry.addEventListener('click', () => {
      const action = this.#action;
      this.clearError();
      action?.();
    });
    byId('copy-details').addEventListener('click', ({ currentTarget }) => {
      navigator.clipboard.writeText(`${byId('error-message').textContent}\n${this.#details.textContent}`).then(
        () => (currentTarget.textContent = 'Copied'),
        () => getSelection().selectAllChildren(this.#details),
      );
    });
  }

  get state() {
    return document.body.dataset.state;
  }

  /** `message` is also read out. */
  set(state, message) {
    document.body.dataset.state = state;
    this.#line.textContent = message;
    this.#announcer.textContent = message;
    this.#bar.value = BAR_AT[state] ?? 0;
  }

  /** Too frequent to be read out. */
  progress(fraction, message) {
    this.#bar.value = fraction;
    this.#line.textContent = message;
  }

  say(message) {
    this.#line.textContent = message;
    this.#announcer.textContent = message;
  }

  /** `retry`: what "Try again" does, if trying again can help. `state`: null leaves a running video to itself. */
  error(error, { retry = null, state = 'error', message = 'That did not work.' } = {}) {
    const known = error instanceof LfdmError;
    byId('error-message').textContent = known ? error.message : 'Something went wrong on this page. Try again.';
    const details = known ? error.details : `${error?.stack ?? error}`;
    byId('error-details').hidden = !details;
    byId('copy-details').textContent = 'Copy details';
    this.#details.textContent = details ?? '';
    this.#action = retry;
    this.#retry.hidden = !retry;
    byId('use-cpu').hidden = error.code !== 'device';
    this.#panel.hidden = false;
    if (state) this.set(state, message);
    this.#panel.scrollIntoView({ block: 'nearest' });
  }

  clearError() {
    this.#panel.hidden = true;
    this.#action = null;
  }

  get #details() {
    return byId('error-details').querySelector('code');
  }
}
