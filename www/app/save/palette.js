// The colours that all frames of a GIF share: with colours for each, a still background flickers.

/** Bits of a channel that decide which colour is the nearest. */
const BITS = 6;
const UNKNOWN = -1;

export class Palette {
  #nearest = new Int16Array(1 << (3 * BITS)).fill(UNKNOWN);

  /** @param {Uint8Array} colours red, green and blue of each, a power of two of them */
  constructor(colours) {
    this.colours = colours;
    /** Of an index. */
    this.bits = Math.max(2, Math.log2(colours.length / 3));
  }

  /**
   * The palette of a GIF that has been written already.
   *
   * @param {Uint8Array} gif
   */
  static of(gif) {
    const bits = (gif[10] & 7) + 1;
    return new Palette(gif.slice(13, 13 + 3 * (1 << bits)));
  }

  /**
   * The nearest colour of each pixel.
   *
   * @param {Uint8ClampedArray} rgba
   */
  indicesOf(rgba) {
    const indices = new Uint8Array(rgba.length / 4);
    const drop = 8 - BITS;
    for (let i = 0; i < indices.length; i++) {
      const [red, green, blue] = [rgba[4 * i] >> drop, rgba[4 * i + 1] >> drop, rgba[4 * i + 2] >> drop];
      const cell = (((red << BITS) | green) << BITS) | blue;
      if (this.#nearest[cell] === UNKNOWN) this.#nearest[cell] = this.#find(red, green, blue);
      indices[i] = this.#nearest[cell];
    }
    return indices;
  }

  /** The colour nearest to the middle of a cell. */
  #find(...cell) {
    const [red, green, blue] = cell.map((value) => (value + 0.5) * (1 << (8 - BITS)) - 0.5);
    let [best, least] = [0, Infinity];
    for (let i = 0; i < this.colours.length; i += 3) {
      const [r, g, b] = [this.colours[i] - red, this.colours[i + 1] - green, this.colours[i + 2] - blue];
      const distance = r * r + g * g + b * b;
      if (distance < least) [best, least] = [i / 3, distance];
    }
    return best;
  }
}
