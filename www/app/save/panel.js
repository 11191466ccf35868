// The row of buttons that save what is on the screen.

import { LfdmError } from '../../pkg/index.js';
import { byId, make } from '../dom.js';
import { saveGif } from './gif.js';
import { saveStrip } from './strip.js';
import { saveVideo } from './video.js';

/** @import { Lfdm } from '../../../pkg/index.d.ts' */
/** @import { Awaitable, Save } from '../../types.d.ts' */
/** @import { Stage } from '../stage.js' */

/**
 * `side` is how wide one video is in the file; a comparison of several has smaller ones.
 *
 * @type {Record<string, { side: number, gridSide: number, save: Save }>}
 */
const FORMATS = {
  gif: { side: 256, gridSide: 160, save: saveGif },
  webm: { side: 512, gridSide: 256, save: saveVideo('webm') },
  mp4: { side: 512, gridSide: 256, save: saveVideo('mp4') },
  png: { side: 256, gridSide: 128, save: saveStrip },
};
/** Long enough for the slowest disk; the file is in memory until then. */
const KEEP_MS = 60_000;

export class SavePanel {
  #panel = byId('save');
  #note = byId('save-note');
  #bar = byId('save-progress', HTMLProgressElement);
  /** @type {NodeListOf<HTMLButtonElement>} */
  #buttons = document.querySelectorAll('#save button[data-format]');
  #stage;
  #encoder;
  #onError;
  #busy = false;

  /**
   * @param {{ stage: Stage, encoder: () => Awaitable<Lfdm | null>,
   *   onError: (error: unknown, retry: () => void) => void }} parts `encoder` resolves to the model, whose worker also
   *   makes GIFs
   */
  constructor({ stage, encoder, onError }) {
    this.#stage = stage;
    this.#encoder = encoder;
    this.#onError = onError;
    for (const button of this.#buttons) button.addEventListener('click', () => this.#save(button.dataset.format ?? ''));
  }

  /** To be called when what can be saved has changed. */
  refresh() {
    for (const button of this.#buttons) button.disabled = !this.#stage.video;
    if (!this.#busy) this.#note.textContent = '';
  }

  /** @param {string} format */
  async #save(format) {
    const { video } = this.#stage;
    if (this.#busy || !video) return;
    this.#busy = true;
    this.#panel.ariaBusy = 'true';
    this.#bar.value = 0;
    this.#note.textContent = `Writing the ${format.toUpperCase()}…`;
    try {
      const { side, gridSide, save } = FORMATS[format];
      const footage = this.#stage.footage(video, video.comparison ? gridSide : side);
      const onProgress = (fraction) => (this.#bar.value = fraction);
      const { blob, extension = format, remark = '' } = await save(footage, { onProgress, encoder: this.#encoder });
      this.#bar.value = 1;
      const file = `${footage.name}.${extension}`;
      download(blob, file);
      this.#note.textContent = `Saved ${file}, ${Math.ceil(blob.size / 1000)} kB. ${remark}`;
    } catch (error) {
      this.#note.textContent = '';
      const unsaved = `The ${format.toUpperCase()} could not be written. Try another format.`;
      this.#onError(error instanceof LfdmError ? error : new LfdmError('browser', unsaved, `${error}`), () =>
        this.#save(format),
      );
    } finally {
      this.#busy = false;
      this.#panel.ariaBusy = 'false';
    }
  }
}

function download(blob, name) {
  const url = URL.createObjectURL(blob);
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP_MS);
}
