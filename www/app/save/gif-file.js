// A GIF written frame by frame: what is kept of a frame is what the file has of it, and its indices until the next.

import { compressed } from './lzw.js';

/** @import { Palette } from './palette.js' */
/** @typedef {{ left: number, top: number, width: number, height: number }} Box */

export class GifFile {
  #width;
  #height;
  #palette;
  /** Of a frame, in hundredths of a second. */
  #delay;
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #parts = [];
  /** The latest frame. @type {Uint8Array | null} */
  #latest = null;

  /**
   * @param {{ width: number, height: number, fps: number }} size
   * @param {Palette} palette
   */
  constructor({ width, height, fps }, palette) {
    this.#width = width;
    this.#height = height;
    this.#palette = palette;
    this.#delay = Math.max(1, Math.round(100 / fps));
    const flags = 0xf0 | (Math.log2(palette.colours.length / 3) - 1);
    this.#put([...letters('GIF89a'), ...word(width), ...word(height), flags, 0, 0, ...palette.colours]);
    // It loops for ever.
    this.#put([0x21, 0xff, 11, ...letters('NETSCAPE2.0'), 3, 1, 0, 0, 0]);
  }

  /** Bytes so far. */
  get size() {
    return this.#parts.reduce((sum, { length }) => sum + length, 0);
  }

  /** @param {Uint8ClampedArray} rgba */
  add(rgba) {
    const indices = this.#palette.indicesOf(rgba);
    const box = this.#latest ? this.#changed(this.#latest, indices) : this.#all;
    this.#latest = indices;
    const { bits } = this.#palette;
    const { left, top, width, height } = box;
    // What a frame does not cover stays as it was.
    this.#put([0x21, 0xf9, 4, 1 << 2, ...word(this.#delay), 0, 0]);
    this.#put([0x2c, ...word(left), ...word(top), ...word(width), ...word(height), 0, bits]);
    this.#parts.push(compressed(this.#cut(indices, box), bits));
  }

  finish() {
    this.#put([0x3b]);
    return new Blob(this.#parts, { type: 'image/gif' });
  }

  /** @returns {Box} */
  get #all() {
    return { left: 0, top: 0, width: this.#width, height: this.#height };
  }

  /**
   * The part of a frame outside which nothing has changed; one pixel if it is the same.
   *
   * @param {Uint8Array} before
   * @param {Uint8Array} indices
   * @returns {Box}
   */
  #changed(before, indices) {
    let [left, right, top, bottom] = [this.#width, 0, this.#height, 0];
    for (let i = 0; i < indices.length; i++) {
      if (indices[i] === before[i]) continue;
      const [x, y] = [i % this.#width, Math.floor(i / this.#width)];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), y];
    }
    if (left > right) return { left: 0, top: 0, width: 1, height: 1 };
    return { left, top, width: right - left + 1, height: bottom - top + 1 };
  }

  /**
   * @param {Uint8Array} indices
   * @param {Box} box
   */
  #cut(indices, { left, top, width, height }) {
    const part = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const start = (top + y) * this.#width + left;
      part.set(indices.subarray(start, start + width), y * width);
    }
    return part;
  }

  /** @param {number[]} bytes */
  #put(bytes) {
    this.#parts.push(Uint8Array.from(bytes));
  }
}

/** @param {string} text */
function letters(text) {
  return [...text].map((letter) => letter.charCodeAt(0));
}

/** @param {number} value */
function word(value) {
  return [value & 255, value >> 8];
}
