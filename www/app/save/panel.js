// The row of buttons that save what is on the screen, or hand it on.

import { LfdmError } from '../../pkg/index.js';
import { byId, hide, make } from '../dom.js';
import { Painter } from '../painter.js';
import { smoothFootage } from '../smooth.js';
import { saveGif } from './gif.js';
import { saveStrip } from './strip.js';
import { saveVideo } from './video.js';

/** @import { Footage, Save, SaveOptions, Video } from '../../types.d.ts' */
/** @import { Session } from '../session.js' */
/** @import { Stage } from '../stage.js' */
/** @typedef {{ blob: Blob, name: string, remark: string }} Made */

/**
 * `side` is how large one video is in the file at most, and `gridSide` how large each of several; `fps` is the most
 * that the format is good for. A strip has the frames as they were made. GIFs grow so fast that they have a size of
 * their own.
 *
 * @type {Record<string, { side: number, gridSide: number, fps: number, save: Save }>}
 */
const FORMATS = {
  gif: { side: 640, gridSide: 160, fps: 12.5, save: saveGif },
  webm: { side: Infinity, gridSide: 256, fps: Infinity, save: saveVideo('webm') },
  mp4: { side: Infinity, gridSide: 256, fps: Infinity, save: saveVideo('mp4') },
  png: { side: 256, gridSide: 128, fps: 0, save: saveStrip },
};
/** What every program takes, if this browser can write it; else what it can. */
const SHARED = ['mp4', 'webm', 'gif'];
/** Up to this size the frames on the screen are good enough for a file that asks for no others. */
const AS_MADE = 512;
/** Long enough for the slowest disk; the file is in memory until then. */
const KEEP_MS = 60_000;

export class SavePanel {
  #panel = byId('save');
  #note = byId('save-note');
  #bar = byId('save-progress', HTMLProgressElement);
  #halt = byId('save-stop');
  #share = byId('share', HTMLButtonElement);
  #copy = byId('copy-image', HTMLButtonElement);
  #size = byId('save-size', HTMLSelectElement);
  #gifSize = byId('save-gif-size', HTMLSelectElement);
  #fps = byId('save-fps', HTMLSelectElement);
  #rounds = byId('save-rounds', HTMLSelectElement);
  #closed = byId('save-closed', HTMLInputElement);
  /** @type {NodeListOf<HTMLButtonElement>} */
  #buttons = document.querySelectorAll('#save button[data-format]');
  #stage;
  #session;
  #onError;
  /** @type {AbortController | null} */
  #busy = null;
  /**
   * A file that waits for another click: browsers share only what was just asked for.
   *
   * @type {Made | null}
   */
  #ready = null;

  /**
   * @param {{ stage: Stage, session: Session, onError: (error: unknown, retry: () => void) => void }} parts
   */
  constructor({ stage, session, onError }) {
    this.#stage = stage;
    this.#session = session;
    this.#onError = onError;
    for (const button of this.#buttons) button.addEventListener('click', () => this.#save(button.dataset.format ?? ''));
    this.#share.hidden = !sharedFormat();
    this.#share.addEventListener('click', () => this.#handOn());
    this.#copy.addEventListener('click', () => this.#copyImage());
    this.#halt.addEventListener('click', () => this.#busy?.abort());
    for (const option of [this.#size, this.#gifSize, this.#fps, this.#rounds, this.#closed]) {
      option.addEventListener('change', () => this.refresh());
    }
  }

  /** To be called when what can be saved has changed. */
  refresh() {
    const { video } = this.#stage;
    for (const button of [...this.#buttons, this.#share, this.#copy]) button.disabled = !video;
    this.#setReady(null);
    if (!this.#busy) this.#note.textContent = '';
  }

  /** @param {string} format */
  async #save(format) {
    const made = await this.#make(format, () => this.#save(format));
    if (!made) return;
    download(made.blob, made.name);
    this.#note.textContent = `Saved ${made.name}, ${Math.ceil(made.blob.size / 1000)} kB. ${made.remark}`;
  }

  async #handOn() {
    const format = sharedFormat();
    if (!format) return;
    const made = this.#ready ?? (await this.#make(format, () => this.#handOn()));
    if (!made) return;
    this.#setReady(null);
    try {
      await navigator.share({ files: [fileOf(made)] });
      this.#note.textContent = '';
    } catch (error) {
      if (error.name === 'NotAllowedError') {
        this.#setReady(made);
        this.#note.textContent = `${made.name} is ready, ${Math.ceil(made.blob.size / 1000)} kB.`;
      } else if (error.name !== 'AbortError') {
        download(made.blob, made.name);
        this.#note.textContent = `It could not be shared, so ${made.name} was saved instead.`;
      }
    }
  }

  /** @param {Made | null} made */
  #setReady(made) {
    this.#ready = made;
    byId('share-text').textContent = made ? 'Share it now' : 'Share';
  }

  /** The frame on the screen, as a picture. Safari wants the promise of it at once, within the click. */
  async #copyImage() {
    const { video } = this.#stage;
    if (!video) return;
    const picture = this.#stage.still();
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
      this.#note.textContent = 'Image copied.';
    } catch {
      // There is no clipboard at all for pages without https.
      this.#note.textContent = 'The image could not be copied: this browser does not allow it.';
    }
  }

  /**
   * Null if there is nothing to make it of, or it was stopped.
   *
   * @param {string} format
   * @param {() => void} retry
   * @returns {Promise<Made | null>}
   */
  async #make(format, retry) {
    const { video } = this.#stage;
    if (this.#busy || !video) return null;
    const { signal } = (this.#busy = new AbortController());
    this.#panel.ariaBusy = 'true';
    this.#halt.hidden = false;
    this.#bar.value = 0;
    const kind = format.toUpperCase();
    // Whatever is chosen meanwhile, this file is finished with the model that it was begun with.
    const loan = this.#session.borrow();
    try {
      const { save } = FORMATS[format];
      const footage = this.#footage(format, video, new Painter(loan));
      /** @type {SaveOptions['onProgress']} */
      const onProgress = (fraction, bytes) => {
        this.#bar.value = fraction;
        const percent = Math.round(fraction * 100);
        const size = bytes ? `, about ${(bytes / 1e6).toFixed(1)} MB in all` : '';
        this.#note.textContent = `Writing the ${kind}: ${percent} % of ${footage.order.length} frames${size}…`;
      };
      onProgress(0);
      const options = { rounds: Number(this.#rounds.value), onProgress, encoder: () => loan.loading, signal };
      const { blob, extension = format, remark = '' } = await save(footage, options);
      this.#bar.value = 1;
      return { blob, name: `${footage.name}.${extension}`, remark };
    } catch (error) {
      this.#note.textContent = signal.aborted ? 'Stopped.' : '';
      if (signal.aborted) return null;
      const unsaved = `The ${kind} could not be written. Try another format.`;
      this.#onError(error instanceof LfdmError ? error : new LfdmError('browser', unsaved, `${error}`), retry);
      return null;
    } finally {
      loan.end();
      this.#busy = null;
      this.#panel.ariaBusy = 'false';
      hide(this.#halt, true, this.#share.hidden ? this.#copy : this.#share);
    }
  }

  /**
   * @param {string} format
   * @param {Video} video
   * @param {Painter} painter
   * @returns {Footage}
   */
  #footage(format, video, painter) {
    const limits = FORMATS[format];
    const chosen = format === 'gif' ? this.#gifSize : this.#size;
    const side = video.comparison ? limits.gridSide : Math.min(limits.side, Number(chosen.value));
    const { order, fps: playedFps } = this.#stage.pace;
    const wanted = Number(this.#fps.value);
    const fps = wanted ? Math.min(limits.fps, wanted) : playedFps;
    const closed = this.#closed.checked;
    const isAsMade = !limits.fps || (fps === playedFps && !closed && side <= AS_MADE);
    const takes = video.take ? [video.take] : video.comparison.takes.filter(({ done }) => done);
    if (isAsMade || !takes.every((take) => painter.knows(take))) return this.#stage.footage(video, side);
    return smoothFootage(video, painter, { side, order, fps, playedFps, closed });
  }
}

/** The best format that this browser hands to other programs; undefined if it hands on none. */
function sharedFormat() {
  return SHARED.find((format) => {
    const file = fileOf({ blob: new Blob([], { type: typeOf(format) }), name: `video.${format}` });
    return navigator.canShare?.({ files: [file] });
  });
}

/** @param {string} format */
function typeOf(format) {
  return format === 'gif' ? 'image/gif' : `video/${format}`;
}

/** @param {Omit<Made, 'remark'>} made */
function fileOf({ blob, name }) {
  return new File([blob], name, { type: blob.type });
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function download(blob, name) {
  const url = URL.createObjectURL(blob);
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP_MS);
}
