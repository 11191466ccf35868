// What is on the screens: a portrait, one video with its flow and occlusion, or several videos beside each other.

import { Board, TELLING_FRAME } from './board.js';
import { byId, capitalised, context, fill, fit, make } from './dom.js';
import { OWN_PHOTO } from './link.js';
import { Player } from './player.js';
import { motionOf } from './take.js';

/** Videos that stay on the shelf; each holds three pictures per frame. */
const SHELF = 12;
const CAPTION = 28;

export class Stage {
  #screens = Object.fromEntries(['result', 'portrait', 'flow', 'occlusion'].map((id) => [id, byId(id)]));
  #views = byId('views');
  #badge = byId('badge');
  #back = byId('back');
  #sharp = byId('sharp');
  #whole = byId('whole');
  #player = new Player((index) => this.#draw(index));
  #board = new Board(byId('board'), (take) => this.open(take));
  #shelf = new Board(byId('shelf'), (take) => this.open(take));
  #take = null;
  #grid = null;
  #onChange;

  /** `onChange()` is called when something else is shown; `video` says what. */
  constructor({ onChange }) {
    this.#onChange = onChange;
    this.#back.addEventListener('click', () => this.#openGrid());
    this.#sharp.addEventListener('click', () => this.#setSharp(!pressed(this.#sharp)));
    this.#whole.addEventListener('click', () => this.#setWhole(!pressed(this.#whole)));
  }

  /** The finished video on the screen, `{ take }`, or the comparison, `{ grid }`; null if there is none to save or share. */
  get video() {
    if (this.#views.dataset.view === 'grid')
      return this.#grid?.takes.some(({ done }) => done) ? { grid: this.#grid } : null;
    return this.#take?.done && !this.#take.teaser ? { take: this.#take } : null;
  }

  /** The video made ahead, while it is on the screen. */
  get teaser() {
    return this.#take?.teaser ? this.#take : null;
  }

  showPortrait({ pixels, sample }) {
    this.#reset();
    // A visitor's own picture has more to show than the model's frames; the samples are as small as those.
    this.#markSharp(sample === OWN_PHOTO);
    const { data, width, height } = pixels;
    const picture = make('canvas', { width, height });
    context(picture).putImageData(new ImageData(data, width, height), 0, 0);
    const side = Math.min(width, height);
    const square = [Math.floor((width - side) / 2), Math.floor((height - side) / 2), side, side];
    fill(this.#screens.result, picture, square);
    fill(this.#screens.portrait, picture, square);
    this.#describe('The chosen portrait');
    this.#onChange();
  }

  /** A video made ahead, until there is one of the visitor's own. */
  showTeaser(take) {
    take.teaser = true;
    this.showPortrait(take.portrait);
    this.#take = take;
    this.#badge.hidden = false;
    this.#describe(`An example made earlier by this model: ${take.request.label}, a looping video`);
    this.#player.start(take.frames.length, take.fps);
  }

  /** Videos are about to be made: one, or several to `compare`, which is one of `COMPARISONS`. */
  begin(takes, compare = null) {
    this.#grid = null;
    const sharp = pressed(this.#sharp);
    this.showPortrait(takes[0].portrait);
    this.#markSharp(sharp);
    for (const take of takes) take.sharp = sharp;
    if (compare) {
      this.#grid = { takes, ...compare };
      this.#board.show(takes, compare.caption);
      byId('board').dataset.columns = compare.columns;
      this.#setView('grid');
    } else {
      this.#take = takes[0];
    }
    this.#onChange();
  }

  /** Shows an event of the generation; what is not about pictures is none of the stage's business. */
  receive(take, event) {
    if (event.type === 'step' && event.preview && this.#take === take) {
      fill(this.#screens.flow, motionOf(event.preview, TELLING_FRAME));
    }
    if (event.type !== 'frame') return;
    take.add(event);
    if (this.#take === take) {
      this.#player.follow(event.index, event.total);
      this.#draw(event.index);
    } else if (this.#grid && !this.#grid.takes.some(({ done }) => done)) {
      this.#board.draw(event.index);
    }
  }

  /** `take` is complete. */
  finish(take) {
    take.done = true;
    this.#shelf.add(take, take.title, { first: true });
    this.#shelf.drawStill(take);
    byId('shelf-empty').hidden = true;
    const [oldest] = this.#shelf.takes;
    if (this.#shelf.takes.length > SHELF) this.#shelf.remove(oldest);
    if (this.#take === take) {
      this.#play(take);
    } else if (this.#grid?.takes.includes(take)) {
      this.#board.refresh(take);
      // The clock starts with the first and runs on for the others.
      const first = this.#grid.takes.filter(({ done }) => done).length === 1;
      if (first && this.#views.dataset.view === 'grid') this.#player.start(take.frames.length, take.fps);
    }
    this.#onChange();
  }

  /** A generation ended early: what is complete stays. */
  abandon() {
    if (this.#grid?.takes.some(({ done }) => done)) {
      for (const take of this.#grid.takes.filter(({ done }) => !done)) this.#board.remove(take);
      this.#grid.takes = this.#board.takes;
      this.#onChange();
      return true;
    }
    return false;
  }

  open(take) {
    this.#player.stop();
    this.#setView('single');
    this.#badge.hidden = true;
    this.#take = take;
    this.#markSharp(take.sharp);
    fill(this.#screens.portrait, take.still, take.square);
    this.#back.hidden = !this.#grid;
    this.#play(take);
    this.#onChange();
  }

  #openGrid() {
    this.#player.stop();
    this.#take = null;
    this.#whole.hidden = true;
    this.#back.hidden = true;
    this.#setView('grid');
    const complete = this.#grid.takes.find(({ done }) => done);
    this.#player.start(complete.frames.length, complete.fps);
    this.#onChange();
    byId('board').querySelector('button')?.focus();
  }

  /**
   * What is on the screen as something to save: `draw(context, index)` paints a frame of `width` by `height` pixels, where
   * one video is `side` pixels wide.
   */
  footage(side) {
    const { take, grid } = this.video;
    const common = { order: this.#player.order, fps: this.#player.fps };
    if (take) {
      const { label, seed } = take.request;
      const [width, height] = [Math.min(1, 1 / take.aspect), Math.min(1, take.aspect)].map((share) =>
        Math.round(side * share),
      );
      const draw = (target, index) => target.drawImage(take.picture(index), 0, 0, width, height);
      return { ...common, width, height, name: `lfdm-${label}-seed${seed}`, draw: smooth(draw) };
    }
    const takes = grid.takes.filter(({ done }) => done);
    const columns = Math.min(grid.columns, takes.length);
    const [width, height] = [columns * side, Math.ceil(takes.length / columns) * (side + CAPTION)];
    const draw = (target, index) => {
      target.fillStyle = '#fff';
      target.fillRect(0, 0, width, height);
      Object.assign(target, {
        fillStyle: '#222',
        font: '14px sans-serif',
        textAlign: 'center',
        textBaseline: 'middle',
      });
      takes.forEach((take, place) => {
        const [x, y] = [(place % columns) * side, Math.floor(place / columns) * (side + CAPTION)];
        target.drawImage(take.picture(index), x, y, side, side);
        target.fillText(grid.caption(take), x + side / 2, y + side + CAPTION / 2);
      });
    };
    return { ...common, width, height, name: `lfdm-${grid.name}`, draw: smooth(draw) };
  }

  #play(take) {
    this.#offerWhole();
    this.#describe(`The portrait showing ${take.request.label}, a looping video`);
    this.#player.start(take.frames.length, take.fps);
  }

  #reset() {
    this.#player.stop();
    this.#take = null;
    this.#badge.hidden = true;
    this.#back.hidden = true;
    this.#whole.hidden = true;
    this.#setView('single');
    for (const { width, height } of [this.#screens.flow, this.#screens.occlusion]) {
      for (const name of ['flow', 'occlusion']) context(this.#screens[name]).clearRect(0, 0, width, height);
    }
  }

  #setView(view) {
    this.#views.dataset.view = view;
  }

  #draw(index) {
    if (this.#views.dataset.view === 'grid') {
      this.#board.draw(index);
    } else if (this.#take?.frames.length) {
      const { flow, occlusion } = this.#take.frame(index);
      fit(this.#screens.result, this.#take.picture(index));
      fill(this.#screens.flow, flow);
      fill(this.#screens.occlusion, occlusion);
    }
  }

  /** Whether the video is shown within the picture that it is a part of; offered only where there is more of it. */
  #setWhole(on) {
    this.#whole.setAttribute('aria-pressed', on);
    this.#take.whole = on;
    this.#draw(this.#player.index);
  }

  #offerWhole() {
    this.#whole.hidden = !(this.#take?.done && this.#take.isPart);
    this.#whole.setAttribute('aria-pressed', Boolean(this.#take?.whole));
  }

  #markSharp(on) {
    this.#sharp.setAttribute('aria-pressed', on);
  }

  /** For what is on the screen; what comes next keeps to it until another portrait is chosen. */
  #setSharp(on) {
    this.#markSharp(on);
    const grid = this.#views.dataset.view === 'grid';
    for (const take of grid ? this.#grid.takes : this.#take ? [this.#take] : []) {
      take.sharp = on;
      if (take.done && this.#shelf.takes.includes(take)) this.#shelf.drawStill(take);
    }
    this.#draw(this.#player.index);
  }

  #describe(text) {
    this.#screens.result.setAttribute('aria-label', text);
  }
}

/** The comparisons that the page offers. */
export const COMPARISONS = {
  expressions: ({ seed }) => ({
    kind: 'expressions',
    name: `expressions-seed${seed}`,
    columns: 4,
    caption: ({ request }) => capitalised(request.label),
  }),
  seeds: ({ label, seed }, count) => ({
    kind: 'seeds',
    name: `${label}-seeds${seed}-${seed + count - 1}`,
    columns: 2,
    caption: ({ request }) => `Seed ${request.seed}`,
  }),
};

function smooth(draw) {
  return (target, index) => {
    target.imageSmoothingQuality = 'high';
    draw(target, index);
  };
}

function pressed(toggle) {
  return toggle.getAttribute('aria-pressed') === 'true';
}
