// Which model makes the videos: the one that suits the machine, until a link or the visitor names another.

import { MODELS } from './catalogue.js';
import { byId, make } from './dom.js';

/** The model that any machine can run. */
const QUICKEST = Object.keys(MODELS)[0];
const FINEST = Object.keys(MODELS).at(-1) ?? QUICKEST;
/** With less memory than this, as on the smallest phones, the finest model is not taken unasked. */
const AMPLE_GIB = 2;

export class ModelChoice {
  #select = byId('model', HTMLSelectElement);

  /**
   * A single model leaves nothing to choose, so nothing is shown.
   *
   * @param {{ onChoose: (name: string) => void }} events
   */
  constructor({ onChoose }) {
    const names = Object.keys(MODELS);
    this.#select.append(...names.map((name) => make('option', { value: name, textContent: MODELS[name].title })));
    this.#select.addEventListener('change', () => onChoose(this.#select.value));
    byId('model-setting').hidden = names.length < 2;
  }

  /** @param {string} name */
  show(name) {
    this.#select.value = name;
  }

  set disabled(disabled) {
    this.#select.disabled = disabled;
  }
}

/** @param {string} name */
export function isModel(name) {
  return Object.hasOwn(MODELS, name);
}

/** The finest model where there is memory enough, since both are as quick on a CPU; else the quickest. */
export function suitableModel() {
  return (navigator.deviceMemory ?? AMPLE_GIB) >= AMPLE_GIB ? FINEST : QUICKEST;
}
