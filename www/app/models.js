// Which model makes the videos: the one that suits the device, until a link or the visitor names another.

import { MODELS } from './catalogue.js';
import { byId, make } from './dom.js';

/** @import { DeviceInfo } from '../../pkg/index.d.ts' */

/** The model that any device can run. */
export const QUICKEST = Object.keys(MODELS)[0];
const FINEST = Object.keys(MODELS).at(-1) ?? QUICKEST;
/** With less memory than this, as on small phones, the finest model is not taken unasked. */
const AMPLE_GIB = 4;

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

/**
 * The finest model on a GPU, the quickest elsewhere.
 *
 * @param {DeviceInfo | null} device
 */
export function suitableModel(device) {
  const ample = (navigator.deviceMemory ?? AMPLE_GIB) >= AMPLE_GIB;
  return device?.kind === 'webgpu' && ample ? FINEST : QUICKEST;
}
