// Paints a video's motion again, changed: weaker, finer in time, larger. Nothing is imagined anew.

/** @import { Motion, PaintedEvent } from '../../pkg/index.d.ts' */
/** @import { Session } from './session.js' */
/** @import { Take } from './take.js' */

/** Frames that are asked for at once: large ones of many would fill a phone's memory. */
const BATCH = 24;

export class Painter {
  #session;

  /** @param {Pick<Session, 'lfdm' | 'model'>} session or a loan of it */
  constructor(session) {
    this.#session = session;
  }

  /**
   * Whether the model that made the video is there to paint it.
   *
   * @param {Take} take
   */
  knows(take) {
    return Boolean(take.motions.length && this.#session.lfdm && this.#session.model === take.model);
  }

  /**
   * @param {Take} take
   * @param {Motion[]} motions
   * @param {{ photoSize?: number, signal?: AbortSignal }} options
   * @returns {AsyncGenerator<PaintedEvent, void, void>}
   */
  async *paint(take, motions, { photoSize, signal } = {}) {
    const { lfdm } = this.#session;
    for (let from = 0; lfdm && from < motions.length; from += BATCH) {
      const batch = motions.slice(from, from + BATCH);
      for await (const event of lfdm.paint({ image: take.portrait.pixels, motions: batch, photoSize, signal })) {
        yield { ...event, index: from + event.index, total: motions.length };
      }
    }
  }
}
