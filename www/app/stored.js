// What the browser keeps of the models, and how to get rid of it.

import { removeStoredModels, storedModels } from '../pkg/index.js';
import { byId } from './dom.js';

const MEGABYTE = 1e6;

export class Stored {
  #line = byId('stored');
  #text = byId('stored-text');
  #button = byId('stored-remove');

  constructor() {
    this.#button.addEventListener('click', () => this.#remove());
  }

  /** To be called once a model is there. `storage` says whether it could be kept, and why not. */
  async refresh({ reason }) {
    const bytes = (await storedModels()).reduce((sum, model) => sum + model.bytes, 0);
    this.#line.hidden = !bytes && !reason;
    this.#button.hidden = !bytes;
    this.#text.textContent = bytes
      ? `Your browser keeps ${(bytes / MEGABYTE).toFixed(1)} MB of models, so that the next visit needs no download.`
      : `The model is not kept for the next visit: ${reason}`;
  }

  async #remove() {
    this.#button.disabled = true;
    await removeStoredModels();
    this.#button.disabled = false;
    this.#button.hidden = true;
    this.#text.textContent = 'Removed. This visit goes on; the next one downloads the model again.';
  }
}
