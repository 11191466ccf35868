// A question to the visitor, beside what the page says of itself. A newer one takes the place of the last.

import { byId, hide } from './dom.js';

export class Question {
  #panel = byId('question');
  #text = byId('question-text');
  /** @type {(() => void) | null} */
  #onYes = null;

  constructor() {
    byId('question-yes').addEventListener('click', () => {
      const act = this.#onYes;
      this.close();
      act?.();
    });
    byId('question-no').addEventListener('click', () => this.close());
  }

  /**
   * @param {string} text
   * @param {() => void} onYes
   */
  ask(text, onYes) {
    this.#onYes = onYes;
    this.#text.textContent = text;
    this.#panel.hidden = false;
    this.#panel.scrollIntoView({ block: 'nearest' });
  }

  close() {
    this.#onYes = null;
    hide(this.#panel, true, byId('generate'));
  }
}
