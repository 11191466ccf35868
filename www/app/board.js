// Videos side by side, each a button that opens it. Used for comparing and for the shelf of earlier videos.

import { fill, fit, make } from './dom.js';

/** @import { Take } from './take.js' */

const TILE = 192;
/** The frame that stands for a still video: by then the expression is there. */
export const TELLING_FRAME = 0.6;

export class Board {
  #list;
  /** @type {Map<Take, { tile: HTMLButtonElement, canvas: HTMLCanvasElement, item: HTMLElement }>} */
  #tiles = new Map();
  #onOpen;

  /**
   * @param {HTMLElement} list for the tiles
   * @param {(take: Take) => void} onOpen
   */
  constructor(list, onOpen) {
    this.#list = list;
    this.#onOpen = onOpen;
  }

  get takes() {
    return [...this.#tiles.keys()];
  }

  /**
   * @param {Take[]} takes
   * @param {(take: Take) => string} caption tells a video from the others
   */
  show(takes, caption) {
    this.clear();
    for (const take of takes) this.add(take, caption(take));
  }

  /**
   * @param {Take} take
   * @param {string} caption
   * @param {{ first?: boolean }} options
   */
  add(take, caption, { first = false } = {}) {
    const canvas = make('canvas', { width: TILE, height: TILE });
    const tile = make(
      'button',
      {
        type: 'button',
        className: 'tile',
        ariaLabel: `Show ${take.title}`,
        dataset: { testid: `tile-${take.request.label}-${take.request.seed}` },
      },
      canvas,
      make('span', { textContent: caption }),
    );
    tile.addEventListener('click', () => this.#onOpen(take));
    const item = make('li', {}, tile);
    if (first) this.#list.prepend(item);
    else this.#list.append(item);
    this.#tiles.set(take, { tile, canvas, item });
    fill(canvas, take.still.canvas, take.still.square);
    this.refresh(take);
  }

  /**
   * To be called when a video is complete: only then can it be opened.
   *
   * @param {Take} take
   */
  refresh(take) {
    const { tile } = this.#tiles.get(take) ?? {};
    if (tile) tile.disabled = !take.done;
  }

  /** @param {Take} take */
  remove(take) {
    this.#tiles.get(take)?.item.remove();
    this.#tiles.delete(take);
  }

  clear() {
    this.#list.replaceChildren();
    this.#tiles.clear();
  }

  /** @param {number} index */
  draw(index) {
    for (const [take, { canvas }] of this.#tiles) {
      if (take.frames.length) fit(canvas, take.picture(index));
    }
  }

  /** @param {Take} take */
  drawStill(take) {
    const { canvas } = this.#tiles.get(take) ?? {};
    if (canvas) fit(canvas, take.picture(Math.floor(take.frames.length * TELLING_FRAME)));
  }
}
