// Videos beside each other, each a button that opens it. Used for comparing and for the shelf of earlier videos.

import { fill, fit, make } from './dom.js';

const TILE = 192;
/** The frame that stands for a still video: by then the expression is there. */
export const TELLING_FRAME = 0.6;

export class Board {
  #list;
  #tiles = new Map();
  #onOpen;

  /** `list`: an element for the tiles. `onOpen(take)`. */
  constructor(list, onOpen) {
    this.#list = list;
    this.#onOpen = onOpen;
  }

  get takes() {
    return [...this.#tiles.keys()];
  }

  /** `caption(take)` is what tells this video from the others. */
  show(takes, caption) {
    this.clear();
    for (const take of takes) this.add(take, caption(take));
  }

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
    fill(canvas, take.still, take.square);
    this.refresh(take);
  }

  /** To be called when a video is complete: only then it can be opened. */
  refresh(take) {
    const { tile } = this.#tiles.get(take);
    tile.disabled = !take.done;
  }

  remove(take) {
    this.#tiles.get(take)?.item.remove();
    this.#tiles.delete(take);
  }

  clear() {
    this.#list.replaceChildren();
    this.#tiles.clear();
  }

  draw(index) {
    for (const [take, { canvas }] of this.#tiles) {
      if (take.frames.length) fit(canvas, take.picture(index));
    }
  }

  drawStill(take) {
    fit(this.#tiles.get(take).canvas, take.picture(Math.floor(take.frames.length * TELLING_FRAME)));
  }
}
