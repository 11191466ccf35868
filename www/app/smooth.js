// A video as a file wants it: as large as the picture allows, at any frame rate, ending where it began.

import { canvasOf } from './dom.js';
import { inBetween, scaled } from './motion.js';
import { nameOf, samplesOf, sizeOf } from './footage.js';

/** @import { Footage } from '../types.d.ts' */
/** @import { Painter } from './painter.js' */
/** @import { Take } from './take.js' */

/** Sides of a photo that the model's worker warps, at most. */
const LARGEST_PHOTO = 2048;

/**
 * @param {Take} take
 * @param {Painter} painter
 * @param {{ side: number, order: number[], fps: number, playedFps: number, closed: boolean }} how `order` and
 *   `playedFps` are as on the screen; `fps` is the file's
 * @returns {Footage}
 */
export function smoothFootage(take, painter, { side, order, fps, playedFps, closed }) {
  const { width, height } = sizeOf(take, side);
  const keys = order.map((index) => scaled(take.motions[index], take.intensity, take.motionAspect));
  const motions = inBetween(keys, { rate: fps / playedFps, closed });
  return {
    name: nameOf(take),
    width,
    height,
    fps,
    order: motions.map((_, index) => index),
    samples: () => samplesOf({ take }),
    async *pictures(indices, signal) {
      const photoSize = take.sharp || take.whole ? photoSizeOf(take, Math.max(width, height)) : undefined;
      const wanted = indices.map((index) => motions[index]);
      for await (const { rgba, photo, ...size } of painter.paint(take, wanted, { photoSize, signal })) {
        const result = canvasOf(rgba, size.width, size.height);
        yield take.compose({ result, photo: photo && canvasOf(photo.rgba, photo.width, photo.height) }, side);
      }
    },
  };
}

/**
 * How large the model's square of the picture is where the longer side of the whole is `side`.
 *
 * @param {Take} take
 * @param {number} side
 */
function photoSizeOf({ whole, portrait: { picture, crop } }, side) {
  const share = whole && picture && crop ? crop.side / Math.max(picture.width, picture.height) : 1;
  return Math.min(LARGEST_PHOTO, Math.max(16, Math.round(side * share)));
}
