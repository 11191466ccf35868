// What is on the screen as something to save.

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
  return {
    ...footage,
    draw(context, index) {
      context.imageSmoothingQuality = 'high';
      draw(context, index);
    },
  };
}

/**
 * @param {Take} take
 * @param {number} side
 * @returns {Omit<Footage, 'order' | 'fps'>}
 */
function single(take, side) {
  const width = Math.round(side * Math.min(1, 1 / take.aspect));
  const height = Math.round(side * Math.min(1, take.aspect));
  return {
    name: `lfdm-${expressionName(take.request)}-seed${take.request.seed}`,
    width,
    height,
    draw: (context, index) => context.drawImage(take.picture(index), 0, 0, width, height),
  };
}

/**
 * @param {Comparison} comparison
 * @param {number} side
 * @returns {Omit<Footage, 'order' | 'fps'>}
 */
function sideBySide(comparison, side) {
  const takes = comparison.takes.filter(({ done }) => done);
  const columns = Math.min(comparison.columns, takes.length);
  return {
    name: `lfdm-${comparison.name}`,
    width: columns * side,
    height: Math.ceil(takes.length / columns) * (side + CAPTION),
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
