// What is on the screen as something to save, frame by frame as it is there.

import { context, make } from './dom.js';
import { expressionName } from './expression.js';

/** @import { Comparison, Footage, Video } from '../types.d.ts' */
/** @import { Take } from './take.js' */

/** How wide the samples of a video's colours are. */
const SAMPLE_SIDE = 160;
/** Room for a caption below each video of a comparison. */
const CAPTION = 28;

/**
 * @param {Video} video
 * @param {number} side how wide one video is
 * @returns {Omit<Footage, 'order' | 'fps'>}
 */
export function footageOf(video, side) {
  const footage = framed(video, side);
  const { name, width, height } = footage;
  return { name, width, height, pictures: (indices) => drawn(footage, indices), samples: () => samplesOf(video) };
}

/**
 * Small pictures that have all colours of a video.
 *
 * @param {Video} video
 */
export function samplesOf(video) {
  const { length } = (video.take ?? video.comparison.takes[0]).frames;
  return drawn(framed(video, SAMPLE_SIDE), [...Array(length).keys()]);
}

/** @param {Video} video */
function framed({ take, comparison }, side) {
  return take ? single(take, side) : sideBySide(comparison, side);
}

/**
 * @param {ReturnType<framed>} footage
 * @param {number[]} indices
 */
async function* drawn({ width, height, draw }, indices) {
  const canvas = make('canvas', { width, height });
  const target = context(canvas);
  target.imageSmoothingQuality = 'high';
  for (const index of indices) {
    draw(target, index);
    yield canvas;
  }
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
  const { takes, draw, ...grid } = layoutOf(comparison, side);
  return {
    ...grid,
    /** @type {Draw} */
    draw: (context, index) =>
      draw(
        context,
        takes.map((take) => take.picture(index)),
      ),
  };
}

/**
 * How the videos of a comparison that are complete lie side by side, each above its caption.
 *
 * @param {Comparison} comparison
 * @param {number} side how large one video is
 */
export function layoutOf(comparison, side) {
  const takes = comparison.takes.filter(({ done }) => done);
  const columns = Math.min(comparison.columns, takes.length);
  return {
    name: `lfdm-${comparison.name}`,
    takes,
    width: columns * side,
    height: Math.ceil(takes.length / columns) * (side + CAPTION),
    /**
     * @param {CanvasRenderingContext2D} context
     * @param {HTMLCanvasElement[]} pictures one of each video
     */
    draw(context, pictures) {
      const { width, height } = context.canvas;
      context.fillStyle = '#fff';
      context.fillRect(0, 0, width, height);
      const text = { fillStyle: '#222', font: '14px sans-serif', textAlign: 'center', textBaseline: 'middle' };
      Object.assign(context, text);
      pictures.forEach((picture, place) => {
        const [x, y] = [(place % columns) * side, Math.floor(place / columns) * (side + CAPTION)];
        const scale = side / Math.max(picture.width, picture.height);
        const [width, height] = [picture.width * scale, picture.height * scale];
        context.drawImage(picture, x + (side - width) / 2, y + (side - height) / 2, width, height);
        context.fillText(comparison.caption(takes[place]), x + side / 2, y + side + CAPTION / 2);
      });
    },
  };
}
