// The clock of the screens: which frame is shown when. It knows nothing of pictures.

import { byId, isPressed, press, wantsStillness } from './dom.js';

/** Between two pictures of most screens. */
const REFRESH_MS = 17;

export class Player {
  #button = byId('play', HTMLButtonElement);
  #scrubber = byId('scrubber', HTMLInputElement);
  #position = byId('position');
  #speed = byId('speed', HTMLSelectElement);
  #pingPong = byId('ping-pong', HTMLButtonElement);
  #onFrame;
  #count = 0;
  #fps = 8;
  /** Where in `order` the clock is. */
  #place = 0;
  #playing = false;
  #last = 0;
  #timer;
  #tick = 0;

  /** @param {(index: number) => void} onFrame draws */
  constructor(onFrame) {
    this.#onFrame = onFrame;
    this.#button.addEventListener('click', () => this.#setPlaying(!this.#playing));
    this.#scrubber.addEventListener('input', () => {
      this.#setPlaying(false);
      this.#place = this.#scrubber.valueAsNumber;
      this.#show();
    });
    this.#pingPong.addEventListener('click', () => {
      const frame = this.index;
      press(this.#pingPong, !isPressed(this.#pingPong));
      this.#place = frame;
    });
  }

  /** The frames in the order in which they are shown: there, or there and back. */
  get order() {
    const there = Array.from({ length: this.#count }, (_, index) => index);
    return isPressed(this.#pingPong) ? [...there, ...there.slice(1, -1).reverse()] : there;
  }

  /** The frame that is shown. */
  get index() {
    return this.order[this.#place] ?? 0;
  }

  get fps() {
    return this.#fps * Number(this.#speed.value);
  }

  /**
   * Loops `count` frames. Visitors who asked for less motion start it by hand.
   *
   * @param {number} count
   * @param {number} fps
   */
  start(count, fps) {
    this.#count = count;
    this.#fps = fps;
    this.#place = 0;
    this.#scrubber.max = `${count - 1}`;
    this.#enable(true);
    this.#show();
    this.#setPlaying(!wantsStillness());
  }

  /**
   * Goes on to more frames, without a start from the beginning.
   *
   * @param {number} count
   */
  extend(count) {
    this.#count = count;
    this.#scrubber.max = `${count - 1}`;
    this.#mark(this.index, count);
  }

  /**
   * Follows frames as they are made, without a clock of its own.
   *
   * @param {number} index
   * @param {number} count
   */
  follow(index, count) {
    this.#scrubber.max = `${count - 1}`;
    this.#place = index;
    this.#mark(index, count);
  }

  stop() {
    this.#setPlaying(false);
    this.#count = 0;
    this.#place = 0;
    this.#mark(0, 0);
    this.#enable(false);
  }

  #enable(on) {
    for (const control of [this.#button, this.#scrubber, this.#speed, this.#pingPong]) control.disabled = !on;
  }

  #setPlaying(playing) {
    this.#playing = playing;
    this.#button.dataset.playing = `${playing}`;
    this.#button.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#tick);
    if (!playing) return;
    this.#last = performance.now();
    this.#wait();
  }

  /**
   * Sleeps until shortly before the next frame is due: a page that asks for each picture of the screen is given 60 in a
   * second. Browsers ask hidden pages for none, so nothing runs there.
   */
  #wait() {
    const left = this.#last + 1000 / this.fps - performance.now();
    this.#timer = setTimeout(() => {
      this.#tick = requestAnimationFrame((now) => this.#advance(now));
    }, left - REFRESH_MS);
  }

  #advance(now) {
    const interval = 1000 / this.fps;
    const due = Math.floor((now - this.#last) / interval);
    if (due > 0) {
      // After a pause of the page the clock goes on, it does not catch up.
      this.#last = due > 2 ? now : this.#last + due * interval;
      this.#place = (this.#place + 1) % this.order.length;
      this.#show();
    }
    this.#wait();
  }

  #show() {
    this.#mark(this.index, this.#count);
    this.#onFrame(this.index);
  }

  #mark(index, count) {
    this.#scrubber.value = `${index}`;
    this.#scrubber.setAttribute('aria-valuetext', count ? `Frame ${index + 1} of ${count}` : 'No video');
    this.#position.textContent = count ? `${index + 1} / ${count}` : '';
  }
}
