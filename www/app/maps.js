// Pictures of motion, as `src/viz.rs` paints them: for motion that the page has changed itself.

import { canvasOf } from './dom.js';
import { gridOf, middle } from './motion.js';

/** @import { Motion } from '../../pkg/index.d.ts' */
/** @typedef {[red: number, green: number, blue: number]} Colour from 0 to 1 */

/** The displacement that has full colour, as in Rust. */
const FULL_COLOUR = 0.125;
/**
 * Segments of the Middlebury wheel: how many hues, the first, and what is added to it along the way.
 *
 * @type {[hues: number, first: Colour, change: Colour][]}
 */
const SEGMENTS = [
  [15, [1, 0, 0], [0, 1, 0]],
  [6, [1, 1, 0], [-1, 0, 0]],
  [4, [0, 1, 0], [0, 0, 1]],
  [11, [0, 1, 1], [0, -1, 0]],
  [13, [0, 0, 1], [1, 0, 0]],
  [6, [1, 0, 1], [0, 0, -1]],
];
const WHEEL = SEGMENTS.flatMap(([hues, first, change]) =>
  Array.from({ length: hues }, (_, hue) => /** @type {Colour} */ (first.map((v, i) => v + (change[i] * hue) / hues))),
);

/**
 * Flow and occlusion of a frame as canvases of its size.
 *
 * @param {Motion} motion
 * @param {{ width: number, height: number }} size of the frame
 */
export function mapsOf({ flow, occlusion }, { width, height }) {
  const { columns, rows } = gridOf(occlusion, height / width);
  const grid = { columns, rows, width, height };
  // Displacements are enlarged, not places: those are cut off at the border.
  const x = enlarged((column, row) => flow[2 * (row * columns + column)] - middle(column, columns), grid);
  const y = enlarged((column, row) => flow[2 * (row * columns + column) + 1] - middle(row, rows), grid);
  const kept = enlarged((column, row) => occlusion[row * columns + column], grid);
  return {
    flow: painted(grid, (pixel) => colourOf(x[pixel] / FULL_COLOUR, y[pixel] / FULL_COLOUR)),
    occlusion: painted(grid, (pixel) => [kept[pixel], kept[pixel], kept[pixel]]),
  };
}

/** @typedef {{ columns: number, rows: number, width: number, height: number }} Grid cells, and pixels of the picture */

/**
 * The values of cells for each pixel, bilinear.
 *
 * @param {(column: number, row: number) => number} value
 * @param {Grid} grid
 */
function enlarged(value, { columns, rows, width, height }) {
  const [across, down] = [taps(columns, width), taps(rows, height)];
  return Float32Array.from({ length: width * height }, (_, pixel) => {
    const [left, right, x] = across[pixel % width];
    const [top, bottom, y] = down[Math.floor(pixel / width)];
    const above = value(left, top) * (1 - x) + value(right, top) * x;
    const below = value(left, bottom) * (1 - x) + value(right, bottom) * x;
    return above * (1 - y) + below * y;
  });
}

/**
 * The two cells that each pixel of a side lies between, and how near it is to the second.
 *
 * @param {number} cells
 * @param {number} pixels
 * @returns {[number, number, number][]}
 */
function taps(cells, pixels) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const place = Math.min(Math.max(((pixel + 0.5) * cells) / pixels - 0.5, 0), cells - 1);
    const low = Math.floor(place);
    return [low, Math.min(low + 1, cells - 1), place - low];
  });
}

/**
 * @param {Grid} grid
 * @param {(pixel: number) => Colour} colour
 */
function painted({ width, height }, colour) {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.set(
      colour(pixel).map((value) => 255 * value),
      4 * pixel,
    );
  }
  return canvasOf(data, width, height);
}

/**
 * The wheel's colour of a displacement, of which 1 has full colour and more no more.
 *
 * @param {number} x
 * @param {number} y
 * @returns {Colour}
 */
function colourOf(x, y) {
  const place = ((Math.atan2(-y, -x) / Math.PI + 1) / 2) * (WHEEL.length - 1);
  const [low, share] = [Math.floor(place), place % 1];
  const [one, other] = [WHEEL[low % WHEEL.length], WHEEL[(low + 1) % WHEEL.length]];
  const strength = Math.min(Math.hypot(x, y), 1);
  const channel = (/** @type {0 | 1 | 2} */ i) => 1 - strength * (1 - (1 - share) * one[i] - share * other[i]);
  return [channel(0), channel(1), channel(2)];
}
