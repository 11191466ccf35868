// What is on the screens: a portrait, one video with its flow and occlusion, or several videos side by side.

import { Board, TELLING_FRAME } from './board.js';
import { byId, context, fill, fit, hide, isPressed, press } from './dom.js';
import { expressionText } from './expression.js';
import { footageOf } from './footage.js';
import { OWN_PHOTO } from './link.js';
import { Player } from './player.js';
import { motionOf, stillOf } from './take.js';

/** @import { GenerateEvent } from '../../pkg/index.d.ts' */
/** @import { Comparison, Footage, Portrait, Shown, Video } from '../types.d.ts' */
/** @import { Take } from './take.js' */

/** Videos that stay on the shelf; each holds three pictures per frame. */
const SHELF = 12;

export class Stage {
  #screens = {
    result: byId('result', HTMLCanvasElement),
    portrait: byId('portrait', HTMLCanvasElement),
    flow: byId('flow', HTMLCanvasElement),
    occlusion: byId('occlusion', HTMLCanvasElement),
  };
  #views = byId('views');
  #tiles = byId('board');
  #badge = byId('badge');
  #back = byId('back');
  #sharp = byId('sharp');
  #whole = byId('whole');
  #player = new Player((index) => this.#draw(index));
  #board = new Board(this.#tiles, (take) => this.#open(take));
  #shelf = new Board(byId('shelf'), (take) => this.#open(take));
  #onChange;
  #onOpen;

  /** @type {Shown} */
  #shown = { kind: 'nothing' };
  /**
   * The latest one; videos that were opened lead back to it.
   *
   * @type {Comparison | null}
   */
  #comparison = null;
  /**
   * What a video in the making took the place of.
   *
   * @type {{ shown: Shown, comparison: Comparison | null }}
   */
  #before = { shown: { kind: 'nothing' }, comparison: null };
  /** Whether videos to come are shown sharp, until another portrait is chosen. */
  #sharpNext = false;

  /**
   * @param {{ onChange: () => void, onOpen: (take: Take) => void }} events `onChange` is called when something else is
   *   shown, and `video` says what; `onOpen` when the visitor opens a video that was made before
   */
  constructor({ onChange, onOpen }) {
    this.#onChange = onChange;
    this.#onOpen = onOpen;
    this.#back.addEventListener('click', () => this.#openComparison());
    this.#sharp.addEventListener('click', () => this.#setSharp(!isPressed(this.#sharp)));
    this.#whole.addEventListener('click', () => this.#setWhole(!isPressed(this.#whole)));
  }

  /**
   * The finished video on the screen, or the comparison; null if there is nothing to save or share.
   *
   * @returns {Video | null}
   */
  get video() {
    const shown = this.#shown;
    if (shown.kind === 'video' && shown.take.done) return { take: shown.take };
    if (shown.kind === 'comparison' && shown.comparison.takes.some(isDone)) return { comparison: shown.comparison };
    return null;
  }

  /** The video made ahead, while it is on the screen. */
  get example() {
    return this.#shown.kind === 'example' ? this.#shown.take : null;
  }

  /** @param {Portrait} portrait */
  showPortrait(portrait) {
    // A visitor's own picture has more to show than the model's frames; the samples are as small as those.
    this.#sharpNext = portrait.sample === OWN_PHOTO;
    this.#show({ kind: 'portrait', portrait });
  }

  /**
   * Plays a video made ahead, until there is one of the visitor's own.
   *
   * @param {Take} take
   */
  showExample(take) {
    this.#sharpNext = false;
    this.#show({ kind: 'example', take });
    this.#play(take);
  }

  /**
   * Videos are about to be made: one, or those of a comparison.
   *
   * @param {Take[]} takes
   * @param {Comparison | null} comparison
   */
  begin(takes, comparison) {
    for (const take of takes) take.sharp = this.#sharpNext;
    this.#before = { shown: this.#shown, comparison: this.#comparison };
    this.#comparison = comparison;
    if (comparison) this.#showOnBoard(comparison);
    this.#show(comparison ? { kind: 'comparison', comparison } : { kind: 'video', take: takes[0] });
  }

  /**
   * Shows what an event of the generation brings in pictures.
   *
   * @param {Take} take
   * @param {GenerateEvent} event
   */
  receive(take, event) {
    if (event.type === 'step' && event.preview && this.#isShown(take)) {
      fill(this.#screens.flow, motionOf(event.preview, TELLING_FRAME));
    }
    if (event.type !== 'frame') return;
    take.add(event);
    if (this.#isShown(take)) {
      this.#player.follow(event.index, event.total);
      this.#draw(event.index);
    } else if (this.#comparison && !this.#comparison.takes.some(isDone)) {
      this.#board.draw(event.index);
    }
  }

  /**
   * `take` is complete.
   *
   * @param {Take} take
   */
  finish(take) {
    take.done = true;
    this.#putOnShelf(take);
    if (this.#isShown(take)) {
      this.#render();
      this.#play(take);
    } else if (this.#comparison?.takes.includes(take)) {
      this.#board.refresh(take);
      // The clock starts with the first and runs on for the others.
      const isFirst = this.#comparison.takes.filter(isDone).length === 1;
      if (isFirst && this.#shown.kind === 'comparison') this.#play(take);
    }
    this.#onChange();
  }

  /** A generation ended early: what is complete stays, and otherwise what was there before it comes back. */
  abandon() {
    const comparison = this.#comparison;
    if (comparison?.takes.some(isDone)) {
      for (const take of comparison.takes.filter((take) => !take.done)) this.#board.remove(take);
      comparison.takes = this.#board.takes;
      this.#onChange();
      return;
    }
    this.#comparison = this.#before.comparison;
    if (this.#comparison) this.#showOnBoard(this.#comparison);
    // Unless the visitor has opened something else meanwhile.
    if (takesOf(this.#shown).some(isDone)) return;
    this.#show(this.#before.shown);
    const complete = takesOf(this.#shown).find(isDone);
    if (complete) this.#play(complete);
  }

  /** @param {Take} take */
  #open(take) {
    this.#sharpNext = take.sharp;
    this.#show({ kind: 'video', take });
    this.#play(take);
    this.#onOpen(take);
  }

  /**
   * What is on the screen as something to save, where one video is `side` pixels wide.
   *
   * @param {Video} video
   * @param {number} side
   * @returns {Footage}
   */
  footage(video, side) {
    return { ...footageOf(video, side), order: this.#player.order, fps: this.#player.fps };
  }

  /** @param {Comparison} comparison */
  #showOnBoard({ takes, caption, columns }) {
    this.#board.show(takes, caption);
    this.#tiles.dataset.columns = `${columns}`;
  }

  #openComparison() {
    const comparison = this.#comparison;
    if (!comparison) return;
    this.#show({ kind: 'comparison', comparison });
    const complete = comparison.takes.find(isDone);
    if (complete) this.#play(complete);
    this.#tiles.querySelector('button')?.focus();
  }

  /** @param {Take} take */
  #putOnShelf(take) {
    this.#shelf.add(take, take.title, { first: true });
    this.#shelf.drawStill(take);
    byId('shelf-empty').hidden = true;
    const [oldest] = this.#shelf.takes;
    if (this.#shelf.takes.length > SHELF) this.#shelf.remove(oldest);
  }

  /** @param {Shown} shown */
  #show(shown) {
    this.#player.stop();
    this.#shown = shown;
    this.#drawStill();
    this.#render();
    this.#onChange();
  }

  /** @param {Take} take */
  #play(take) {
    this.#player.start(take.frames.length, take.fps);
  }

  /** Brings everything but the pictures in step with what is shown. */
  #render() {
    const { kind } = this.#shown;
    const take = this.#shown.kind === 'video' ? this.#shown.take : null;
    this.#views.dataset.view = kind === 'comparison' ? 'grid' : 'single';
    this.#badge.hidden = kind !== 'example';
    hide(this.#back, !(take && this.#comparison), this.#screens.result);
    // Offered only where there is more of the picture.
    this.#whole.hidden = !(take?.done && take.isPart);
    press(this.#whole, Boolean(take?.whole));
    press(this.#sharp, this.#sharpNext);
    this.#screens.result.setAttribute('aria-label', describe(this.#shown));
  }

  /** The portrait on the screens that have it, and nothing on the others until there are frames. */
  #drawStill() {
    const shown = this.#shown;
    if (shown.kind === 'nothing' || shown.kind === 'comparison') return;
    const { canvas, square } = shown.kind === 'portrait' ? stillOf(shown.portrait) : shown.take.still;
    fill(this.#screens.result, canvas, square);
    fill(this.#screens.portrait, canvas, square);
    for (const screen of [this.#screens.flow, this.#screens.occlusion]) {
      context(screen).clearRect(0, 0, screen.width, screen.height);
    }
  }

  /** @param {number} index */
  #draw(index) {
    const shown = this.#shown;
    if (shown.kind === 'comparison') {
      this.#board.draw(index);
    } else if ('take' in shown && shown.take.frames.length) {
      const { flow, occlusion } = shown.take.frame(index);
      fit(this.#screens.result, shown.take.picture(index));
      fill(this.#screens.flow, flow);
      fill(this.#screens.occlusion, occlusion);
    }
  }

  /** @param {Take} take */
  #isShown(take) {
    return this.#shown.kind === 'video' && this.#shown.take === take;
  }

  /**
   * Whether the video is shown within the picture that it is a part of.
   *
   * @param {boolean} on
   */
  #setWhole(on) {
    if (this.#shown.kind !== 'video') return;
    this.#shown.take.whole = on;
    this.#render();
    this.#draw(this.#player.index);
  }

  /**
   * For what is on the screen, and for what comes next.
   *
   * @param {boolean} on
   */
  #setSharp(on) {
    this.#sharpNext = on;
    for (const take of takesOf(this.#shown)) {
      take.sharp = on;
      if (take.done && this.#shelf.takes.includes(take)) this.#shelf.drawStill(take);
    }
    this.#render();
    this.#draw(this.#player.index);
  }
}

/** @param {Take} take */
function isDone(take) {
  return take.done;
}

/** @param {Shown} shown */
function takesOf(shown) {
  if (shown.kind === 'comparison') return shown.comparison.takes;
  return 'take' in shown ? [shown.take] : [];
}

/** @param {Shown} shown */
function describe(shown) {
  if (shown.kind === 'example') {
    return `An example that this model made earlier: ${expressionText(shown.take.request)}, a looping video`;
  }
  if (shown.kind === 'video' && shown.take.done) {
    return `The portrait showing ${expressionText(shown.take.request)}, a looping video`;
  }
  return 'The chosen portrait';
}
