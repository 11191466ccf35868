// Choosing a portrait: a sample, or a picture of one's own from a file, the camera, the clipboard
// or a drop. Own pictures pass the framing step; whatever is chosen ends up as the pixels that the
// model is given.

import { LfdmError, decodeImage } from '../pkg/index.js';
import { Camera } from './camera.js';
import { sampleUrl, samplesOf } from './catalogue.js';
import { wholePicture } from './crop.js';
import { byId, canvasOf, context, fill, hide, make } from './dom.js';
import { firstGuess } from './first-guess.js';
import { Framing } from './framing.js';
import { forgetPhoto, keepPhoto, keptPhoto, whenForgotten } from './kept-photo.js';
import { OWN_PHOTO } from './link.js';

/** @import { CollectionName, Crop, OwnPortrait, Pixels, Portrait } from '../types.d.ts' */
/** @import { Sample } from './catalogue.js' */

export class Portraits {
  #list = byId('portraits');
  #own = byId('own');
  #ownRadio = byId('own-radio', HTMLInputElement);
  #ownActions = byId('own-actions');
  #input = byId('image-input', HTMLInputElement);
  #framing = new Framing();
  #camera = new Camera();
  /** @type {CollectionName} */
  #collection = 'faces';
  /** @type {HTMLElement[]} */
  #samples = [];
  /**
   * The visitor's photo, as it is framed in the collections that it has been used in.
   *
   * @type {Partial<Record<CollectionName, OwnPortrait>>}
   */
  #photos = {};
  /** What may be kept for later visits: not what was forgotten, which old videos still bring back. */
  #keepable = new WeakSet();
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
    this.#ownRadio.addEventListener('change', () => this.#presentOwn());
    byId('adjust').addEventListener('click', () => this.#picture && this.#frame(this.#picture, this.#photo?.crop));
    byId('forget').addEventListener('click', () => this.#forget());
    whenForgotten(() => this.#drop());
    this.#input.addEventListener('change', () => {
      if (this.#input.files?.length) this.#upload(this.#input.files[0]);
      // The same file can be chosen again.
      this.#input.value = '';
    });
    byId('use-camera').hidden = !Camera.isOffered();
    byId('use-camera').addEventListener('click', () => this.#shoot());
    addEventListener('paste', ({ clipboardData }) => this.#receive(clipboardData));
    this.#listenToDrops();
    /** Resolves once the photo of an earlier visit is there, if one was kept. */
    this.restored = this.#restore();
  }

  /** The visitor's photo as it is framed here, if it is. */
  get #photo() {
    return this.#photos[this.#collection] ?? null;
  }

  /** The visitor's photo as a whole. */
  get #picture() {
    return Object.values(this.#photos)[0]?.picture ?? null;
  }

  /**
   * Puts the portraits of a collection in the place of others. None of them is chosen yet.
   *
   * @param {CollectionName} collection
   */
  offer(collection) {
    this.#collection = collection;
    // What is on its way is no longer wanted.
    this.#latest = null;
    this.#framing.cancel();
    this.#addSamples();
    this.#showOwn();
  }

  /** Chooses the portrait to begin with: the visitor's photo if one was chosen before, or else the first sample. */
  chooseAny() {
    this.choose(this.#ownRadio.checked ? OWN_PHOTO : this.first);
  }

  /** The name of the first sample. */
  get first() {
    return samplesOf(this.#collection)[0].id;
  }

  /**
   * Whether there is a sample of this name, or the visitor's photo as it was framed under the name `photo`.
   *
   * @param {string} sample
   * @param {string | undefined} photo
   */
  offers(sample, photo) {
    return Boolean(sample === OWN_PHOTO ? this.#photo && this.#photo.photo === photo : this.#radioOf(sample));
  }

  /**
   * Chooses a portrait that is offered.
   *
   * @param {string} sample
   */
  choose(sample) {
    const radio = this.#radioOf(sample);
    if (radio) radio.checked = true;
    if (sample === OWN_PHOTO) this.#presentOwn();
    else this.#load(sample);
  }

  /**
   * @param {string} sample
   * @returns {HTMLInputElement | null}
   */
  #radioOf(sample) {
    return this.#list.querySelector(`input[value="${CSS.escape(sample)}"]`);
  }

  /**
   * Marks the portrait of a video that was made earlier as the chosen one.
   *
   * @param {Portrait} portrait
   */
  mark(portrait) {
    this.#latest = null;
    if (isOwn(portrait)) {
      if (portrait.photo !== this.#photo?.photo) this.#hold(portrait);
      this.#ownRadio.checked = true;
      return;
    }
    const radio = this.#radioOf(portrait.sample);
    if (radio) radio.checked = true;
  }

  /**
   * The latest choice wins, however long an earlier one takes to arrive.
   *
   * @param {string} id
   */
  async #load(id) {
    const sample = samplesOf(this.#collection).find((sample) => sample.id === id);
    if (!sample) return;
    await this.#attempt(async (isLatest) => {
      const response = await fetch(sampleUrl(sample.file)).catch(() => null);
      if (!response?.ok) {
        throw new LfdmError('download', 'This sample portrait could not be downloaded. Choose another one.');
      }
      const picture = await decodeImage(await response.blob());
      if (isLatest()) this.#onChoose(samplePortrait(sample, picture));
    });
  }

  /**
   * @param {File} file
   * @param {string} remark what to say of it beforehand
   */
  async #upload(file, remark = '') {
    await this.#attempt(async (isLatest) => {
      const picture = await decodeImage(file);
      if (isLatest()) await this.#frame(picture, undefined, remark);
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
   * @param {Crop} [earlier]
   * @param {string} remark
   */
  async #frame(picture, earlier, remark = '') {
    const crop = await this.#framing.frame(this.#collection, picture, { crop: earlier, remark });
    if (!crop) return;
    const photo = ownPortrait({ photo: randomName(), picture, crop });
    this.#keepable.add(picture);
    this.#hold(photo);
    this.#ownRadio.checked = true;
    this.#ownRadio.focus();
    this.#present(photo);
  }

  /**
   * Offers a photo among the portraits of this collection, on later visits too.
   *
   * @param {OwnPortrait} photo
   */
  #hold(photo) {
    const others = photo.picture === this.#picture ? this.#photos : {};
    this.#photos = { ...others, [this.#collection]: photo };
    this.#showOwn();
    if (this.#keepable.has(photo.picture)) keepPhoto({ picture: photo.picture, framings: this.#photos });
  }

  #showOwn() {
    const picture = this.#picture;
    if (!picture) return;
    const { data, width, height } = this.#photo?.pixels ?? cutOut(picture, wholePicture(picture));
    fill(byId('own-thumbnail', HTMLCanvasElement), canvasOf(data, width, height));
    this.#own.hidden = false;
    this.#ownActions.hidden = false;
  }

  async #restore() {
    const kept = await keptPhoto();
    // Meanwhile the visitor may have brought another one.
    if (!kept || this.#picture) return;
    const { picture, framings } = kept;
    const photos = Object.entries(framings).map(([name, framing]) => [name, ownPortrait({ picture, ...framing })]);
    this.#photos = Object.fromEntries(photos);
    this.#keepable.add(picture);
    this.#showOwn();
  }

  async #forget() {
    // What is still being framed is forgotten, too.
    if (this.#ownRadio.checked) this.#latest = null;
    try {
      // It is gone from the page when it is gone for good.
      await forgetPhoto();
    } catch (error) {
      this.#onError(
        new LfdmError(
          'image',
          'This browser could not forget the photo. Try again, or clear this page’s data in the browser’s settings.',
          error?.message,
        ),
      );
      return;
    }
    this.#drop();
  }

  /** The photo is forgotten. */
  #drop() {
    this.#keepable = new WeakSet();
    if (!this.#picture) return;
    const wasChosen = this.#ownRadio.checked;
    if (wasChosen) this.#latest = null;
    this.#photos = {};
    hide(this.#ownActions, true, this.#input);
    this.#own.hidden = true;
    if (wasChosen) this.choose(this.first);
  }

  /** The visitor's photo; in a collection that is new to it, as a first guess frames it. */
  async #presentOwn() {
    const [photo, picture] = [this.#photo, this.#picture];
    if (photo) return this.#present(photo);
    if (!picture) return;
    await this.#attempt(async (isLatest) => {
      const guess = await firstGuess(this.#collection, canvasOf(picture.data, picture.width, picture.height)).catch(
        () => null,
      );
      if (!isLatest()) return;
      this.#hold(ownPortrait({ photo: randomName(), picture, crop: guess?.crop ?? wholePicture(picture) }));
      if (this.#photo) this.#present(this.#photo);
    });
  }

  /** @param {OwnPortrait} photo */
  #present(photo) {
    this.#latest = null;
    this.#onChoose(photo);
  }

  #addSamples() {
    for (const old of [...this.#list.querySelectorAll('i'), ...this.#samples]) old.remove();
    const kind = this.#collection === 'figures' ? 'figure' : 'portrait';
    this.#samples = samplesOf(this.#collection).map(({ id, alt, file, thumbnail = file }, index) => {
      const checked = index === 0 && !this.#ownRadio.checked;
      const input = make('input', { type: 'radio', name: 'portrait', value: id, checked });
      // A click on the one that is chosen already chooses it again, after an error or instead of a video.
      input.addEventListener('click', () => this.#load(id));
      const image = make('img', { width: 106, height: 106, src: sampleUrl(thumbnail), alt: `Sample ${kind}: ${alt}` });
      return make('label', { className: 'portrait-option', dataset: { testid: `sample-${index}` } }, input, image);
    });
    this.#own.before(...this.#samples);
  }

  /** @param {DataTransfer | null} transfer */
  #receive(transfer) {
    if (document.querySelector('dialog[open]')) return;
    const files = [...(transfer?.files ?? [])];
    const file = files.find(({ type }) => type.startsWith('image/')) ?? files[0];
    if (file) this.#upload(file, files.length > 1 ? `Of ${files.length} files this is ${file.name}.` : '');
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
 * @param {Portrait} portrait
 * @returns {portrait is OwnPortrait}
 */
function isOwn(portrait) {
  return portrait.sample === OWN_PHOTO;
}

/**
 * @param {Omit<OwnPortrait, 'sample' | 'pixels'>} photo
 * @returns {OwnPortrait}
 */
function ownPortrait({ photo, picture, crop }) {
  return { sample: OWN_PHOTO, photo, picture, crop, pixels: cutOut(picture, crop) };
}

/**
 * @param {Sample} sample
 * @param {Pixels} picture
 * @returns {Portrait}
 */
function samplePortrait({ id, crop }, picture) {
  return crop ? { sample: id, picture, crop, pixels: cutOut(picture, crop) } : { sample: id, pixels: picture };
}

/** Says nothing of the photo. */
function randomName() {
  return Math.random().toString(36).slice(2, 10);
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
