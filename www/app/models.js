// Which model makes the videos: the one that suits the device, until a link or the visitor names another.

import { probeDevice } from '../pkg/index.js';
import { MODELS } from './catalogue.js';
import { byId, make } from './dom.js';

/** @import { DeviceKind } from '../../pkg/index.d.ts' */

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
 * The finest model on a graphics device, the quickest elsewhere.
 *
 * @param {'auto' | DeviceKind} device what the address asks for
 */
export async function suitableModel(device) {
  const names = Object.keys(MODELS);
  const [quickest, finest] = [names[0], names[names.length - 1]];
  if (quickest === finest) return quickest;
  // What is wrong with a device is said when the model is loaded.
  const { kind } = await probeDevice(device).catch(() => ({ kind: 'cpu' }));
  const ample = (navigator.deviceMemory ?? AMPLE_GIB) >= AMPLE_GIB;
  return kind === 'webgpu' && ample ? finest : quickest;
}
