// Choosing a portrait: a sample, or a picture of one's own from a file, the camera, the clipboard
// or a drop. Own pictures pass the framing step; whatever is chosen ends up as the pixels that the
// model is given.

import { LfdmError, decodeImage } from '../pkg/index.js';
import { Camera } from './camera.js';
import { SAMPLES, sampleUrl } from './catalogue.js';
import { byId, canvasOf, context, fill, make } from './dom.js';
import { Framing } from './framing.js';
import { OWN_PHOTO } from './link.js';

/** @import { Crop, Pixels, Portrait } from '../types.d.ts' */
/** @typedef {Required<Portrait>} OwnPortrait a picture of the visitor's */

export class Portraits {
  #list = byId('portraits');
  #own = byId('own');
  #ownRadio = byId('own-radio', HTMLInputElement);
  #adjust = byId('adjust');
  #framing = new Framing();
  #camera = new Camera();
  /** @type {OwnPortrait | null} */
  #photo = null;
  /** @type {symbol | null} */
  #latest = null;
  #onChoose;
  #onError;

  /**
   * @param {{ onChoose: (portrait: Portrait) => void, onError: (error: unknown) => void }} events `onChoose` gets every
   *   portrait
   */
  constructor({ onChoose, onError }) {
    this.#onChoose = onChoose;
    this.#onError = onError;
    this.#addSamples();
    this.#ownRadio.addEventListener('change', () => this.#photo && this.#present(this.#photo));
    this.#adjust.addEventListener('click', () => this.#photo && this.#frame(this.#photo.picture, this.#photo.crop));
    const input = byId('image-input', HTMLInputElement);
    input.addEventListener('change', () => {
      if (input.files?.length) this.#upload(input.files[0]);
      // The same file can be chosen again.
      input.value = '';
    });
    byId('use-camera').hidden = !Camera.isOffered();
    byId('use-camera').addEventListener('click', () => this.#shoot());
    addEventListener('paste', ({ clipboardData }) => this.#receive(clipboardData));
    this.#listenToDrops();
  }

  /**
   * Chooses a sample; returns false if none has this name.
   *
   * @param {string} sample
   */
  choose(sample) {
    /** @type {HTMLInputElement | null} */
    const radio = this.#list.querySelector(`input[value="${CSS.escape(sample)}"]`);
    if (!radio || radio === this.#ownRadio) return false;
    radio.checked = true;
    this.#load(sample);
    return true;
  }

  /**
   * The latest choice wins, however long an earlier one takes to arrive.
   *
   * @param {string} sample
   */
  async #load(sample) {
    await this.#attempt(async (isLatest) => {
      const response = await fetch(sampleUrl(sample)).catch(() => null);
      if (!response?.ok) {
        throw new LfdmError('download', 'This sample portrait could not be downloaded. Choose another one.');
      }
      const pixels = await decodeImage(await response.blob());
      if (isLatest()) this.#onChoose({ sample, pixels });
    });
  }

  /** @param {File} file */
  async #upload(file) {
    await this.#attempt(async (isLatest) => {
      const picture = await decodeImage(file);
      if (isLatest()) await this.#frame(picture);
    });
  }

  async #shoot() {
    await this.#attempt(async (isLatest) => {
      const picture = await this.#camera.takePicture();
      if (picture && isLatest()) await this.#frame(picture);
    });
  }

  /** @param {(isLatest: () => boolean) => Promise<void>} work */
  async #attempt(work) {
    const choice = (this.#latest = Symbol());
    const isLatest = () => choice === this.#latest;
    try {
      await work(isLatest);
    } catch (error) {
      if (isLatest()) this.#onError(error);
    }
  }

  /**
   * @param {Pixels} picture
   * @param {Crop | null} earlier
   */
  async #frame(picture, earlier = null) {
    const crop = await this.#framing.frame(picture, earlier);
    if (!crop) return;
    const photo = (this.#photo = { sample: OWN_PHOTO, picture, crop, pixels: cutOut(picture, crop) });
    const { data, width, height } = photo.pixels;
    fill(byId('own-thumbnail', HTMLCanvasElement), canvasOf(data, width, height));
    this.#own.hidden = false;
    this.#adjust.hidden = false;
    this.#ownRadio.checked = true;
    this.#ownRadio.focus();
    this.#present(photo);
  }

  /** @param {OwnPortrait} photo */
  #present(photo) {
    this.#latest = null;
    this.#onChoose(photo);
  }

  #addSamples() {
    for (const room of this.#list.querySelectorAll('i')) room.remove();
    SAMPLES.forEach(({ id, alt }, index) => {
      const input = make('input', { type: 'radio', name: 'portrait', value: id, checked: index === 0 });
      // A click on the one that is chosen already chooses it again, after an error or instead of a video.
      input.addEventListener('click', () => this.#load(id));
      const image = make('img', { width: 106, height: 106, src: sampleUrl(id), alt: `Sample portrait: ${alt}` });
      this.#own.before(
        make('label', { className: 'portrait-option', dataset: { testid: `sample-${index}` } }, input, image),
      );
    });
  }

  /** @param {DataTransfer | null} transfer */
  #receive(transfer) {
    if (document.querySelector('dialog[open]')) return;
    const files = [...(transfer?.files ?? [])];
    const file = files.find(({ type }) => type.startsWith('image/')) ?? files[0];
    if (file) this.#upload(file);
    else if (transfer?.types.includes('text/uri-list')) {
      this.#onError(
        new LfdmError('image', 'Only the picture’s address arrived. Save the picture first, then drop the file.'),
      );
    }
  }

  #listenToDrops() {
    let depth = 0;
    const over = (change) => {
      depth = Math.max(0, depth + change);
      document.body.classList.toggle('dropping', depth > 0);
    };
    addEventListener('dragenter', () => over(1));
    addEventListener('dragleave', () => over(-1));
    addEventListener('dragover', (event) => event.preventDefault());
    addEventListener('drop', (event) => {
      event.preventDefault();
      over(-depth);
      this.#receive(event.dataTransfer);
    });
  }
}

/**
 * The pixels of `crop`, at the picture's own resolution.
 *
 * @param {Pixels} picture
 * @param {Crop} crop
 */
function cutOut(picture, { x, y, side }) {
  const size = Math.round(side);
  const canvas = make('canvas', { width: size, height: size });
  const target = context(canvas);
  target.imageSmoothingQuality = 'high';
  target.drawImage(canvasOf(picture.data, picture.width, picture.height), x, y, side, side, 0, 0, size, size);
  return target.getImageData(0, 0, size, size);
}
