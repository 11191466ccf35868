// The framing step: the picture lies under a fixed oval, or under lines for a figure, and is moved and zoomed by
// pointer, wheel, pinch or keyboard until it fits. A face detector makes the first guess; it is downloaded when the
// first picture is framed.

import { byId, canvasOf, fill, make } from './dom.js';
import { moved, wholePicture, withZoom, zoomOf, zoomed } from './crop.js';
import { firstGuess } from './first-guess.js';

/** @import { CollectionName, Crop, Pixels } from '../types.d.ts' */
/** @import { Guess } from './first-guess.js' */

const KEY_STEP = 0.02;
const KEY_ZOOM = 1.05;
/** Wheel deltas are pixels; this many of them double the size. */
const WHEEL_DOUBLING = 400;

/** What is said of the first guess. */
const NOTES = {
  faces: {
    looking: 'Looking for the face…',
    found: 'This is a first guess. Move the picture if the face does not fill the oval.',
    cut: '',
    none: 'No face found. Place it by hand.',
    failed: 'The face finder could not be downloaded. Place the face by hand.',
  },
  figures: {
    looking: 'Looking for the person…',
    found: 'This is a first guess, from where the face is. Move the picture if the person does not fit.',
    cut: 'A first guess. No square holds all of the person, so this one leaves the legs out.',
    none: 'No face found, so this is the whole picture. Place the person by hand.',
    failed: 'The face finder could not be downloaded. Place the person by hand.',
  },
};

export class Framing {
  #dialog = byId('framing', HTMLDialogElement);
  #view = byId('framing-view');
  #canvas = byId('framing-canvas', HTMLCanvasElement);
  #zoom = byId('framing-zoom', HTMLInputElement);
  #note = byId('framing-note');
  /** @type {Map<number, { x: number, y: number }>} */
  #pointers = new Map();
  /** What is being framed, and the crop so far. */
  #picture = make('canvas', {});
  #crop = wholePicture(this.#picture);
  #remark = '';
  /** @type {CollectionName} */
  #collection = 'faces';
  /** @type {((crop: Crop | null) => void) | null} */
  #settle = null;

  constructor() {
    byId('framing-use').addEventListener('click', () => this.#close(true));
    byId('framing-cancel').addEventListener('click', () => this.#close(false));
    byId('framing-find').addEventListener('click', () => this.#guess({ asked: true }));
    byId('framing-whole').addEventListener('click', () => this.#show(wholePicture(this.#picture)));
    byId('framing-in').addEventListener('click', () => this.#show(zoomed(this.#crop, KEY_ZOOM ** 2, this.#picture)));
    byId('framing-out').addEventListener('click', () => this.#show(zoomed(this.#crop, KEY_ZOOM ** -2, this.#picture)));
    this.#zoom.addEventListener('input', () =>
      this.#show(withZoom(this.#crop, this.#zoom.valueAsNumber, this.#picture)),
    );
    // Escape, or the system's way back.
    this.#dialog.addEventListener('close', () => this.#finish(null));
    this.#view.addEventListener('keydown', (event) => this.#key(event));
    this.#view.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.#view.addEventListener('pointerdown', (event) => this.#press(event));
    this.#view.addEventListener('pointermove', (event) => this.#drag(event));
    for (const end of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      this.#view.addEventListener(end, ({ pointerId }) => this.#pointers.delete(pointerId));
    }
  }

  /**
   * Asks where the face or the figure is. Resolves to null if the visitor changed their mind.
   *
   * @param {CollectionName} collection
   * @param {Pixels} pixels
   * @param {{ crop?: Crop | null, remark?: string }} options `crop` is where an earlier framing of the same picture
   *   ended; `remark` is said first
   * @returns {Promise<Crop | null>}
   */
  async frame(collection, pixels, { crop = null, remark = '' } = {}) {
    this.#finish(null);
    this.#collection = collection;
    this.#remark = remark;
    this.#picture = canvasOf(pixels.data, pixels.width, pixels.height);
    this.#pointers.clear();
    this.#say('');
    this.#show(crop ?? wholePicture(this.#picture));
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#view.focus();
    if (!crop) this.#guess({ asked: false });
    return new Promise((resolve) => (this.#settle = resolve));
  }

  /** Closes the dialog, if it is open, as the visitor could. */
  cancel() {
    if (this.#dialog.open) this.#close(false);
  }

  /** @param {boolean} use */
  #close(use) {
    const crop = use ? this.#crop : null;
    this.#finish(crop);
    this.#dialog.close();
  }

  /** @param {Crop | null} crop */
  #finish(crop) {
    this.#settle?.(crop);
    this.#settle = null;
  }

  async #guess({ asked }) {
    const [picture, collection, before] = [this.#picture, this.#collection, this.#crop];
    const notes = NOTES[collection];
    this.#say(notes.looking);
    /** @type {Guess | null} */
    let guess;
    try {
      guess = await firstGuess(collection, picture);
    } catch {
      if (picture === this.#picture) this.#say(notes.failed);
      return;
    }
    if (picture !== this.#picture) return;
    // A visitor who has begun to place it by hand is not interrupted.
    if (guess && (asked || this.#crop === before)) this.#show(guess.crop);
    if (!guess) this.#say(notes.none);
    else this.#say(guess.isCut ? notes.cut : notes.found);
  }

  /** @param {string} note */
  #say(note) {
    this.#note.textContent = [this.#remark, note].filter(Boolean).join(' ');
  }

  /** @param {Crop} crop */
  #show(crop) {
    this.#crop = crop;
    fill(this.#canvas, this.#picture, [crop.x, crop.y, crop.side, crop.side]);
    this.#zoom.value = `${zoomOf(crop, this.#picture)}`;
    this.#dialog.dataset.crop = [crop.x, crop.y, crop.side].map((value) => value.toFixed(1)).join(' ');
  }

  /**
   * Arrows move the picture, as dragging does.
   *
   * @param {KeyboardEvent} event
   */
  #key(event) {
    const step = KEY_STEP * (event.shiftKey ? 5 : 1);
    const actions = {
      ArrowLeft: () => moved(this.#crop, step, 0, this.#picture),
      ArrowRight: () => moved(this.#crop, -step, 0, this.#picture),
      ArrowUp: () => moved(this.#crop, 0, step, this.#picture),
      ArrowDown: () => moved(this.#crop, 0, -step, this.#picture),
      '+': () => zoomed(this.#crop, KEY_ZOOM, this.#picture),
      '=': () => zoomed(this.#crop, KEY_ZOOM, this.#picture),
      '-': () => zoomed(this.#crop, 1 / KEY_ZOOM, this.#picture),
    };
    if (event.key === 'Enter') {
      event.preventDefault();
      this.#close(true);
    } else if (actions[event.key] && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.#show(actions[event.key]());
    }
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
    this.#show(zoomed(this.#crop, 2 ** (-pixels / WHEEL_DOUBLING), this.#picture, this.#share(event)));
  }

  /** @param {PointerEvent} event */
  #press(event) {
    this.#view.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#share(event));
  }

  /**
   * One pointer moves; two also zoom by how far apart they are, about their middle.
   *
   * @param {PointerEvent} event
   */
  #drag(event) {
    if (!this.#pointers.has(event.pointerId)) return;
    const before = spread([...this.#pointers.values()]);
    this.#pointers.set(event.pointerId, this.#share(event));
    const after = spread([...this.#pointers.values()]);
    let crop = moved(this.#crop, before.x - after.x, before.y - after.y, this.#picture);
    if (before.distance && after.distance) crop = zoomed(crop, after.distance / before.distance, this.#picture, after);
    this.#show(crop);
  }

  /**
   * Where a pointer is, in shares of the square.
   *
   * @param {MouseEvent} event
   */
  #share({ clientX, clientY }) {
    const { left, top, width, height } = this.#view.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }
}

/** The middle of all points, and the distance between the first two. */
function spread(points) {
  const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [first, second] = points;
  return { x: mean('x'), y: mean('y'), distance: second ? Math.hypot(second.x - first.x, second.y - first.y) : 0 };
}
