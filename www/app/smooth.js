// Videos as a file wants them: as large as the picture allows, at any frame rate, ending where they began.

import { canvasOf, context, make } from './dom.js';
import { layoutOf, nameOf, samplesOf, sizeOf } from './footage.js';
import { inBetween, scaled, wayBack } from './motion.js';

/** @import { Motion } from '../../pkg/index.d.ts' */
/** @import { Comparison, Footage, Video } from '../types.d.ts' */
/** @import { Painter } from './painter.js' */
/** @import { Take } from './take.js' */

/**
 * `order` and `playedFps` are as on the screen; `side` and `fps` are the file's. A video that is `closed` ends where it
 * began.
 *
 * @typedef {{ side: number, order: number[], fps: number, playedFps: number, closed: boolean }} How
 */

/** Sides of a photo that the model's worker warps, at most. */
const LARGEST_PHOTO = 2048;
/** Frames of a comparison that are painted at once: each of its videos has to wait for the others. */
const AT_ONCE = 12;

/**
 * @param {Video} video
 * @param {Painter} painter
 * @param {How} how
 * @returns {Footage}
 */
export function smoothFootage({ take, comparison }, painter, how) {
  return take ? smoothTake(take, painter, how) : smoothComparison(comparison, painter, how);
}

/**
 * @param {Take} take
 * @param {Painter} painter
 * @param {How} how
 */
function smoothTake(take, painter, { side, fps, ...how }) {
  const [motions] = inTime([take], { fps, ...how });
  return {
    name: nameOf(take),
    ...sizeOf(take, side),
    fps,
    order: [...motions.keys()],
    samples: () => samplesOf({ take }),
    /** @type {Footage['pictures']} */
    pictures: (indices, signal) =>
      painted(
        take,
        painter,
        indices.map((index) => motions[index]),
        { side, signal },
      ),
  };
}

/**
 * @param {Comparison} comparison
 * @param {Painter} painter
 * @param {How} how
 */
function smoothComparison(comparison, painter, { side, fps, ...how }) {
  const { name, takes, width, height, draw } = layoutOf(comparison, side);
  const motions = inTime(takes, { fps, ...how });
  return {
    name,
    width,
    height,
    fps,
    order: [...motions[0].keys()],
    samples: () => samplesOf({ comparison }),
    /** @type {Footage['pictures']} */
    async *pictures(indices, signal) {
      const canvas = make('canvas', { width, height });
      for (let from = 0; from < indices.length; from += AT_ONCE) {
        const some = indices.slice(from, from + AT_ONCE);
        /** @type {HTMLCanvasElement[][]} */
        const columns = [];
        for (const [i, take] of takes.entries()) {
          const wanted = some.map((index) => motions[i][index]);
          columns.push(await copies(painted(take, painter, wanted, { side, signal })));
        }
        for (const place of some.keys()) {
          draw(
            context(canvas),
            columns.map((column) => column[place]),
          );
          yield canvas;
        }
      }
    },
  };
}

/**
 * The motions of each video, frame by frame of the file: as many of each, so that they begin and end together.
 *
 * @param {Take[]} takes
 * @param {Omit<How, 'side'>} how
 */
function inTime(takes, { order, fps, playedFps, closed }) {
  const keys = takes.map((take) =>
    order.map((index) => scaled(take.motions[index], take.intensity, take.motionAspect)),
  );
  const way = closed ? Math.max(...keys.map(wayBack)) : 0;
  return keys.map((keys) => inBetween(keys, { rate: fps / playedFps, way }));
}

/**
 * What the screen would show of a video at `motions`. The canvas may be the same each time.
 *
 * @param {Take} take
 * @param {Painter} painter
 * @param {Motion[]} motions
 * @param {{ side: number, signal: AbortSignal }} options
 */
async function* painted(take, painter, motions, { side, signal }) {
  const photoSize = take.sharp || take.whole ? photoSizeOf(take, side) : undefined;
  for await (const { rgba, photo, width, height } of painter.paint(take, motions, { photoSize, signal })) {
    const result = canvasOf(rgba, width, height);
    yield take.compose({ result, photo: photo && canvasOf(photo.rgba, photo.width, photo.height) }, side);
  }
}

/** @param {AsyncIterable<HTMLCanvasElement>} pictures */
async function copies(pictures) {
  const all = [];
  for await (const picture of pictures) {
    const { width, height } = picture;
    const copy = make('canvas', { width, height });
    context(copy).drawImage(picture, 0, 0);
    all.push(copy);
  }
  return all;
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
