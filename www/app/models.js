// Which model makes the videos: the one that suits the machine, until a link or the visitor names another.

import { MODELS, modelsOf } from './catalogue.js';
import { byId, make } from './dom.js';

/** @import { CollectionName } from '../types.d.ts' */

/** With less memory than this, as on the smallest phones, the finest model is not taken unasked. */
const AMPLE_GIB = 2;

export class ModelChoice {
  #select = byId('model', HTMLSelectElement);

  /** @param {{ onChoose: (name: string) => void }} events */
  constructor({ onChoose }) {
    this.#select.addEventListener('change', () => onChoose(this.#select.value));
  }

  /**
   * Offers the models of a collection. A single one leaves nothing to choose, so nothing is shown.
   *
   * @param {CollectionName} collection
   */
  offer(collection) {
    const names = modelsOf(collection);
    this.#select.replaceChildren(
      ...names.map((name) => make('option', { value: name, textContent: MODELS[name].title })),
    );
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

/**
 * The finest model of a collection where there is memory enough, since all are as quick on a CPU; else the quickest,
 * which any machine can run.
 *
 * @param {CollectionName} collection
 */
export function suitableModel(collection) {
  const [quickest, ...others] = modelsOf(collection);
  return (navigator.deviceMemory ?? AMPLE_GIB) >= AMPLE_GIB ? (others.at(-1) ?? quickest) : quickest;
}
