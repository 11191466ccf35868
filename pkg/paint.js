// Frames of motion that is given: the decoder alone, without a step of diffusion. Motion that was made before is
// painted weaker, stronger, or between two of its frames.

/** To the pool, a generation like any other (`pool.js`), which knows all of its motion from the start. */
export class Painting {
  #generation;
  #motions;
  #next = 0;
  #painted = new Map();

  /**
   * @param generation that has encoded the portrait and goes no further
   * @param {{ flow: Float32Array, occlusion: Float32Array }[]} motions
   */
  constructor(generation, motions) {
    this.#generation = generation;
    this.#motions = motions;
  }

  jobs() {
    const left = this.#motions.slice(this.#next);
    return left.map(({ flow, occlusion }, place) => ({ decode: { index: this.#next + place, flow, occlusion } }));
  }

  compute(job) {
    return this.#generation.compute(job);
  }

  supply({ painting }) {
    this.#painted.set(painting.index, painting);
  }

  /** The next frame, or `undefined` after the last. */
  async next() {
    if (this.#next === this.#motions.length) return undefined;
    if (!this.#painted.has(this.#next)) this.supply(await this.compute(this.jobs()[0]));
    const { index, rgba, photo } = this.#painted.get(this.#next);
    this.#painted.delete(this.#next);
    this.#next += 1;
    const total = this.#motions.length;
    return { type: 'frame', index, total, rgba, photo: photo && { ...sizeOf(photo), rgba: photo.rgba } };
  }
}

function sizeOf({ size: [height, width] }) {
  return { width, height };
}
