// Making videos with the model, and saying how far they are.

import { comparisonOf, requestsOf } from './comparisons.js';
import { byId } from './dom.js';
import { expressionOf } from './expression.js';
import { Take, photoSizeOf } from './take.js';

/** @import { Lfdm } from '../../pkg/index.d.ts' */
/** @import { Job, Request } from '../types.d.ts' */
/** @import { Stage } from './stage.js' */
/** @import { Status } from './status.js' */
/** @typedef {{ index: number, count: number, name: string }} Place which of several videos one is, from 0 */

/** Painting all frames takes about as long as this many steps. */
const PAINTING = 2;
export class Making {
  #stage;
  #status;

  /**
   * @param {Stage} stage
   * @param {Status} status
   */
  constructor(stage, status) {
    this.#stage = stage;
    this.#status = status;
  }

  /**
   * Makes all videos of a job, one after the other.
   *
   * @param {Job} job
   * @param {{ lfdm: Lfdm, model: string, signal: AbortSignal }} means
   */
  async makeAll({ portrait, request, compare }, { lfdm, model, signal }) {
    const requests = requestsOf({ portrait, request, compare }, lfdm.manifest.labels);
    const takes = requests.map((request) => new Take(request, portrait, { model, fps: lfdm.manifest.fps }));
    const comparison = compare && comparisonOf(compare, request, takes);
    this.#stage.begin(takes, comparison);
    this.#status.set('running', 'Looking at the portrait…');
    // On a phone, the screens and the line that says what happens are then seen together.
    byId('views').scrollIntoView({ block: matchMedia('(max-width: 860px)').matches ? 'start' : 'nearest' });
    for (const [index, take] of takes.entries()) {
      const place = comparison && { index, count: takes.length, name: comparison.caption(take) };
      await this.#make(take, place, lfdm, signal);
    }
  }

  /**
   * @param {Take} take
   * @param {Place | null} place
   * @param {Lfdm} lfdm
   * @param {AbortSignal} signal
   */
  async #make(take, place, lfdm, signal) {
    const frames = [];
    let timings;
    const options = {
      image: take.portrait.pixels,
      photoSize: photoSizeOf(place?.count ?? 1),
      previews: !place,
      motions: true,
      signal,
      ...optionsOf(take.request),
    };
    for await (const event of lfdm.generate(options)) {
      this.#stage.receive(take, event);
      // A cancelled run still reports the step it is finishing.
      if (event.type === 'step' && !signal.aborted) {
        const step = event.index + 1;
        this.#report(place, step / (event.total + PAINTING), `Imagining the motion, step ${step} of ${event.total}`);
      } else if (event.type === 'frame') {
        frames.push(event);
        const { steps } = take.request;
        const share = (steps + (PAINTING * frames.length) / event.total) / (steps + PAINTING);
        if (!signal.aborted) this.#report(place, share, `Painting frame ${frames.length} of ${event.total}`);
      } else if (event.type === 'done') {
        timings = event.timings;
      } else if (event.type === 'restarted') {
        this.#status.say('The GPU was lost. Starting again…');
      }
    }
    take.status = `${take.title}, made in ${((timings?.totalMs ?? 0) / 1000).toFixed(1)} s`;
    this.#stage.finish(take);
    if (!place) {
      this.#status.set('ready', take.status);
    } else if (place.index + 1 === place.count) {
      this.#status.set('ready', `${place.count} videos, side by side. Choose one to see it alone.`);
    }
    document.dispatchEvent(new CustomEvent('lfdm:video', { detail: { ...take.request, frames, timings } }));
  }

  /**
   * @param {Place | null} place
   * @param {number} share of this video that is made
   * @param {string} message
   */
  #report(place, share, message) {
    if (!place) return this.#status.progress(share, message);
    const { index, count, name } = place;
    this.#status.progress((index + share) / count, `${name} (${index + 1} of ${count}): ${message}`);
  }
}

/**
 * A request in the package's words.
 *
 * @param {Request} request
 */
function optionsOf(request) {
  const { seed, steps, guidance } = request;
  return { ...expressionOf(request), seed, steps, guidance };
}
