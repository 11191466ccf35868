// Faces or figures: what the page is about. Where there are models of one alone, there is nothing to choose.

import { collections } from './catalogue.js';
import { byId } from './dom.js';

/** @import { CollectionName } from '../types.d.ts' */

export class CollectionChoice {
  #panel = byId('collections', HTMLFieldSetElement);
  /**
   * Null before the first one is shown.
   *
   * @type {CollectionName | null}
   */
  shown = null;

  /** @param {{ onChoose: (name: CollectionName) => void }} events */
  constructor({ onChoose }) {
    this.#panel.hidden = collections().length < 2;
    for (const radio of this.#radios) {
      radio.addEventListener('change', () => onChoose(/** @type {CollectionName} */ (radio.value)));
    }
  }

  get #radios() {
    return this.#panel.querySelectorAll('input');
  }

  /**
   * Has the page speak of it: what is for others is hidden.
   *
   * @param {CollectionName} name
   */
  show(name) {
    this.shown = name;
    for (const radio of this.#radios) radio.checked = radio.value === name;
    /** @type {NodeListOf<HTMLElement | SVGElement>} */
    const parts = document.querySelectorAll('[data-of]');
    for (const part of parts) part.toggleAttribute('hidden', part.dataset.of !== name);
  }

  set disabled(disabled) {
    this.#panel.disabled = disabled;
  }
}
