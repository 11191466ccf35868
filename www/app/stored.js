// What the browser keeps of the models, and how to get rid of it.

import { removeStoredModels, storedModels } from '../pkg/index.js';
import { byId } from './dom.js';

/** @import { StorageInfo } from '../../pkg/index.d.ts' */

const MEGABYTE = 1e6;

export class Stored {
  #line = byId('stored');
  #text = byId('stored-text');
  #button = byId('stored-remove', HTMLButtonElement);

  constructor() {
    this.#button.addEventListener('click', () => this.#remove());
  }

  /**
   * To be called once a model is there.
   *
   * @param {StorageInfo} storage whether the model could be kept, and why not
   */
  async refresh({ reason }) {
    const bytes = (await storedModels()).reduce((sum, model) => sum + model.bytes, 0);
    this.#line.hidden = !bytes && !reason;
    this.#button.hidden = !bytes;
    this.#text.textContent = bytes
      ? `Your browser keeps ${(bytes / MEGABYTE).toFixed(1)} MB of models, so your next visit needs no download.`
      : `The model could not be kept for your next visit: ${reason}.`;
  }

  async #remove() {
    this.#button.disabled = true;
    await removeStoredModels();
    this.#button.disabled = false;
    this.#button.hidden = true;
    this.#text.textContent = 'Removed. You can keep using the page; your next visit downloads the model again.';
  }
}
