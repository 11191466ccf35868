// The square that is cut out of a picture, in its pixels, and how it moves. It never leaves the picture.

/** @import { Crop } from '../types.d.ts' */
/** @import { Face } from './face-finder.js' */
/** @typedef {{ width: number, height: number }} Size */

/** Where a face is in the pictures that the model learned from, against the side of the square. */
export const FACE = { x: 0.5, y: 0.52, size: 0.66 };

/**
 * Where figures are there: the side of the square in heights of the body, and in sides from above where the top of the
 * head is. Arms need the room.
 */
const WHOLE_FIGURE = { side: 1.58, top: 0.31 };
const HIPS_UP = { side: 0.92, top: 0.39 };
/** A body is so many heads high, as figures are drawn, and a head so many times as high as the face that is found. */
const HEADS = 7.5;
const HEAD = 1.27;
/** From the middle of the face that is found to the top of the head, against its size. */
const CROWN = 0.7;
/** So much of a body has to be in the picture: where its feet are is known no better. */
const SEEN = 0.95;

/** A smaller square would only be a blur. */
const SMALLEST_SIDE = 48;

/**
 * The largest square, in the middle.
 *
 * @param {Size} picture
 * @returns {Crop}
 */
export function wholePicture({ width, height }) {
  const side = Math.min(width, height);
  return { x: (width - side) / 2, y: (height - side) / 2, side };
}

/**
 * The square in which a found face is where the model expects it.
 *
 * @param {Face} face
 * @param {Size} picture
 */
export function around(face, picture) {
  const side = limited(face.size / FACE.size, picture);
  return inside({ x: face.x - FACE.x * side, y: face.y - FACE.y * side, side }, picture);
}

/**
 * The square in which the figure that a found face belongs to is as the model expects it: all of it if that fits, else
 * from the hips up.
 *
 * @param {Face} face
 * @param {Size} picture
 */
export function aroundFigure(face, picture) {
  const top = face.y - CROWN * face.size;
  const body = HEADS * HEAD * face.size;
  const isCut = SEEN * body > Math.min(picture.width, picture.height - top);
  const framing = isCut ? HIPS_UP : WHOLE_FIGURE;
  const side = limited(framing.side * body, picture);
  return { isCut, crop: inside({ x: face.x - side / 2, y: top - framing.top * side, side }, picture) };
}

/**
 * Moves the square by a share of its side.
 *
 * @param {Crop} crop
 * @param {number} dx
 * @param {number} dy
 * @param {Size} picture
 */
export function moved(crop, dx, dy, picture) {
  return inside({ ...crop, x: crop.x + dx * crop.side, y: crop.y + dy * crop.side }, picture);
}

/**
 * Enlarges what is seen by `factor`; the point `at`, in shares of the square, stays where it is.
 *
 * @param {Crop} crop
 * @param {number} factor
 * @param {Size} picture
 */
export function zoomed(crop, factor, picture, at = { x: 0.5, y: 0.5 }) {
  const side = limited(crop.side / factor, picture);
  return inside({ x: crop.x + at.x * (crop.side - side), y: crop.y + at.y * (crop.side - side), side }, picture);
}

/**
 * How far the square is zoomed in, from 0 (the largest) to 1 (the smallest), evenly to the eye.
 *
 * @param {Crop} crop
 * @param {Size} picture
 */
export function zoomOf({ side }, picture) {
  const [smallest, largest] = limits(picture);
  return smallest === largest ? 0 : Math.log(largest / side) / Math.log(largest / smallest);
}

/**
 * @param {Crop} crop
 * @param {number} zoom
 * @param {Size} picture
 */
export function withZoom(crop, zoom, picture) {
  const [smallest, largest] = limits(picture);
  return zoomed(crop, crop.side / (largest * (smallest / largest) ** zoom), picture);
}

/**
 * @param {Size} picture
 * @returns {[smallest: number, largest: number]}
 */
function limits({ width, height }) {
  const largest = Math.min(width, height);
  return [Math.min(SMALLEST_SIDE, largest), largest];
}

/**
 * @param {number} side
 * @param {Size} picture
 */
function limited(side, picture) {
  const [smallest, largest] = limits(picture);
  return Math.min(Math.max(side, smallest), largest);
}

/**
 * @param {Crop} crop
 * @param {Size} picture
 * @returns {Crop}
 */
function inside({ x, y, side }, { width, height }) {
  return { x: Math.min(Math.max(x, 0), width - side), y: Math.min(Math.max(y, 0), height - side), side };
}
