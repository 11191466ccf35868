// What is on the screens: a portrait, one video with its flow and occlusion, or several videos side by side.

import { Board, TELLING_FRAME } from './board.js';
import { MODELS } from './catalogue.js';
import { byId, context, fill, fit, hide, isPressed, make, press } from './dom.js';
import { expressionText } from './expression.js';
import { footageOf } from './footage.js';
import { listenToHolding } from './hold.js';
import { Player } from './player.js';
import { motionOf, stillOf } from './take.js';

/** @import { GenerateEvent } from '../../pkg/index.d.ts' */
/** @import { Comparison, Footage, Portrait, Shown, Video } from '../types.d.ts' */
/** @import { Take } from './take.js' */

/** Videos that stay on the shelf; each holds three pictures per frame. */
const SHELF = 12;
/** Longer side of a picture that is copied. */
const STILL_SIDE = 1024;

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
  #hold = byId('before', HTMLButtonElement);
  #held = false;
  #maps = byId('maps');
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
    this.#maps.addEventListener('click', () => this.#setMaps(!isPressed(this.#maps)));
    for (const held of [this.#hold, this.#screens.result]) listenToHolding(held, (on) => this.#setHeld(on));
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
    // Any picture has more to show than the model's frames.
    this.#sharpNext = true;
    this.#show({ kind: 'portrait', portrait });
  }

  /**
   * Plays a video made ahead, until there is one of the visitor's own.
   *
   * @param {Take} take
   */
  showExample(take) {
    this.#show({ kind: 'example', take });
    this.#play(take);
  }

  /** More frames of the example have come. */
  extendExample() {
    if (this.example) this.#player.extend(this.example.frames.length);
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
    return { ...footageOf(video, side), ...this.pace };
  }

  /**
   * The picture on the screen as a PNG.
   *
   * @returns {Promise<Blob>}
   */
  async still() {
    const { width, height, pictures } = footageOf(/** @type {Video} */ (this.video), STILL_SIDE);
    const canvas = make('canvas', { width, height });
    for await (const picture of pictures([this.#player.index], new AbortController().signal)) {
      context(canvas).drawImage(picture, 0, 0);
    }
    return new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no PNG'))), 'image/png'),
    );
  }

  /** The order in which frames are shown, and how many in a second. */
  get pace() {
    return { order: this.#player.order, fps: this.#player.fps };
  }

  /**
   * A frame of a video has changed.
   *
   * @param {Take} take
   * @param {number} index
   */
  redraw(take, index) {
    if (this.#isShown(take) && this.#player.index === index) this.#draw(index);
  }

  /**
   * All frames of a video have changed.
   *
   * @param {Take} take
   */
  refresh(take) {
    if (this.#shelf.takes.includes(take)) this.#shelf.drawStill(take);
    if (this.#isShown(take)) this.#draw(this.#player.index);
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
    this.#held = false;
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
    hide(this.#back, !(take && this.#comparison), byId('play'));
    // Offered only where there is more of the picture.
    this.#whole.hidden = !(take?.done && take.isPart);
    press(this.#whole, Boolean(take?.whole));
    press(this.#sharp, this.#sharpNext);
    this.#hold.disabled = !take?.done && kind !== 'example';
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
    } else if ('take' in shown && shown.take.frames.length && !this.#held) {
      const { flow, occlusion } = shown.take.frame(index);
      fit(this.#screens.result, shown.take.picture(index));
      // Examples have pictures alone.
      if (flow) fill(this.#screens.flow, flow);
      if (occlusion) fill(this.#screens.occlusion, occlusion);
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
   * While it is held, the portrait is seen instead of the video.
   *
   * @param {boolean} on
   */
  #setHeld(on) {
    const shown = this.#shown;
    if (on === this.#held || !('take' in shown) || (on && !shown.take.done)) return;
    this.#held = on;
    this.#views.dataset.held = `${on}`;
    if (on) fit(this.#screens.result, shown.take.before);
    else this.#draw(this.#player.index);
  }

  /**
   * Portrait, motion and occlusion beside the video.
   *
   * @param {boolean} on
   */
  #setMaps(on) {
    press(this.#maps, on);
    this.#views.dataset.maps = `${on}`;
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
    const { model, request } = shown.take;
    const isFigure = MODELS[model].collection === 'figures';
    return `The ${isFigure ? 'figure performing' : 'portrait showing'} ${expressionText(request)}, a looping video`;
  }
  return 'The chosen portrait';
}
