// The slider below a finished video: how much of its motion to show. The frames are painted again; none is imagined.

import { byId } from './dom.js';
import { scaled } from './motion.js';
import { Painter } from './painter.js';
import { PHOTO_SIZE } from './take.js';

/** @import { Session } from './session.js' */
/** @import { Stage } from './stage.js' */
/** @import { Take } from './take.js' */

export class Intensity {
  #panel = byId('intensity-setting');
  #input = byId('intensity', HTMLInputElement);
  #output = byId('intensity-value');
  #stage;
  #session;
  #on;
  #stop = new AbortController();

  /**
   * @param {Stage} stage
   * @param {Session} session
   * @param {{ onChange: () => void, onError: (error: unknown) => void }} on `onChange` is called when a video is shown
   *   with another intensity
   */
  constructor(stage, session, on) {
    this.#stage = stage;
    this.#session = session;
    this.#on = on;
    this.#input.addEventListener('input', () => this.#follow());
  }

  /** To be called when something else is shown, or can be painted. */
  refresh() {
    const take = this.#take;
    this.#panel.hidden = !take;
    if (!take) return;
    this.#input.value = `${take.intensity}`;
    this.#say();
  }

  /**
   * Shows a video with this intensity; resolves when all of it is painted, or the slider has been moved on.
   *
   * @param {Take} take
   * @param {number} intensity
   */
  async show(take, intensity) {
    this.#stop.abort();
    const { signal } = (this.#stop = new AbortController());
    take.intensity = intensity;
    this.refresh();
    this.#on.onChange();
    try {
      if (intensity === 1) take.restore();
      else await this.#paint(take, intensity, signal);
      if (!signal.aborted) this.#stage.refresh(take);
    } catch (error) {
      if (!signal.aborted) this.#on.onError(error);
    }
  }

  /**
   * @param {Take} take
   * @param {number} intensity
   * @param {AbortSignal} signal
   */
  async #paint(take, intensity, signal) {
    const motions = take.motions.map((motion) => scaled(motion, intensity, take.motionAspect));
    const loan = this.#session.borrow();
    try {
      for await (const event of new Painter(loan).paint(take, motions, { photoSize: PHOTO_SIZE, signal })) {
        take.replace(event.index, event, motions[event.index]);
        this.#stage.redraw(take, event.index);
      }
    } finally {
      loan.end();
    }
  }

  get #take() {
    const { take } = this.#stage.video ?? {};
    return take && new Painter(this.#session).knows(take) ? take : null;
  }

  #follow() {
    this.#say();
    const take = this.#take;
    if (take) this.show(take, this.#input.valueAsNumber);
  }

  #say() {
    this.#output.textContent = `${Math.round(this.#input.valueAsNumber * 100)} %`;
  }
}
