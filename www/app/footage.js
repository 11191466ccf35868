// What is on the screen as something to save, frame by frame as it is there.

import { context, make } from './dom.js';
import { expressionName } from './expression.js';

/** @import { Comparison, Footage, Video } from '../types.d.ts' */
/** @import { Take } from './take.js' */

/** Room for a caption below each video of a comparison. */
const CAPTION = 28;

/**
 * @param {Video} video
 * @param {number} side how wide one video is
 * @returns {Omit<Footage, 'order' | 'fps'>}
 */
export function footageOf({ take, comparison }, side) {
  const { draw, ...footage } = take ? single(take, side) : sideBySide(comparison, side);
  const { width, height } = footage;
  return {
    ...footage,
    async *pictures(indices) {
      const canvas = make('canvas', { width, height });
      const target = context(canvas);
      target.imageSmoothingQuality = 'high';
      for (const index of indices) {
        draw(target, index);
        yield canvas;
      }
    },
  };
}

/**
 * The longer side of a file's frames is `side`.
 *
 * @param {Take} take
 * @param {number} side
 */
export function sizeOf({ aspect }, side) {
  return { width: Math.round(side * Math.min(1, 1 / aspect)), height: Math.round(side * Math.min(1, aspect)) };
}

/** @param {Take} take */
export function nameOf({ request }) {
  return `lfdm-${expressionName(request)}-seed${request.seed}`;
}

/**
 * @param {Take} take
 * @param {number} side
 */
function single(take, side) {
  const { width, height } = sizeOf(take, side);
  return {
    name: nameOf(take),
    width,
    height,
    /** @type {Draw} */
    draw: (context, index) => context.drawImage(take.picture(index), 0, 0, width, height),
  };
}

/** @typedef {(context: CanvasRenderingContext2D, index: number) => void} Draw */

/**
 * @param {Comparison} comparison
 * @param {number} side
 */
function sideBySide(comparison, side) {
  const takes = comparison.takes.filter(({ done }) => done);
  const columns = Math.min(comparison.columns, takes.length);
  return {
    name: `lfdm-${comparison.name}`,
    width: columns * side,
    height: Math.ceil(takes.length / columns) * (side + CAPTION),
    /** @type {Draw} */
    draw(context, index) {
      const { width, height } = context.canvas;
      context.fillStyle = '#fff';
      context.fillRect(0, 0, width, height);
      const text = { fillStyle: '#222', font: '14px sans-serif', textAlign: 'center', textBaseline: 'middle' };
      Object.assign(context, text);
      takes.forEach((take, place) => {
        const [x, y] = [(place % columns) * side, Math.floor(place / columns) * (side + CAPTION)];
        context.drawImage(take.picture(index), x, y, side, side);
        context.fillText(comparison.caption(take), x + side / 2, y + side + CAPTION / 2);
      });
    },
  };
}
