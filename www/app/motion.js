// The numbers behind a video, and what can be calculated from them: motion has neither resolution nor frame rate.

/** @import { Motion } from '../../pkg/index.d.ts' */

/**
 * The same motion, further or less far from the still picture.
 *
 * @param {Motion} motion
 * @param {number} intensity 0 is the still picture, 1 the motion as it is
 * @param {number} aspect height against width of a frame
 * @returns {Motion}
 */
export function scaled({ flow, occlusion }, intensity, aspect) {
  const { columns, rows } = gridOf(occlusion, aspect);
  const still = (/** @type {number} */ index) => {
    const cell = index >> 1;
    return index % 2 ? middle(Math.floor(cell / columns), rows) : middle(cell % columns, columns);
  };
  return {
    flow: flow.map((place, index) => still(index) + intensity * (place - still(index))),
    occlusion: occlusion.map((value) => limited(1 - intensity * (1 - value))),
  };
}

/**
 * How many cells there are in a row, and rows.
 *
 * @param {Float32Array} occlusion one number a cell
 * @param {number} aspect height against width of a frame
 */
export function gridOf({ length }, aspect) {
  const columns = Math.round(Math.sqrt(length / aspect));
  return { columns, rows: length / columns };
}

/**
 * The motions of a video that is played at `rate` times as many frames, on a smooth curve through those it has.
 *
 * @param {Motion[]} keys in playing order
 * @param {{ rate: number, way?: number }} how `way` is how many steps of the keys it takes to go back from the last one
 *   to the first; 0 for a video that ends with the last
 */
export function inBetween(keys, { rate, way = 0 }) {
  const last = keys.length - 1;
  const closed = way > 0;
  const count = Math.max(1, Math.round((closed ? last + way : keys.length) * rate));
  return Array.from({ length: count }, (_, frame) => {
    const place = frame / rate;
    // The way back is one step of the keys, however long it takes.
    return place <= last ? at(keys, place, closed) : at(keys, last + (closed ? (place - last) / way : 0), closed);
  });
}

/**
 * In how many steps a loop goes from its end to its beginning so that it goes no faster there than elsewhere: nothing
 * hops.
 *
 * @param {Motion[]} keys in playing order
 */
export function wayBack(keys) {
  return Math.max(1, Math.round(distance(keys[keys.length - 1], keys[0]) / meanStep(keys)));
}

/**
 * The motion at a place between keys, on a smooth curve through them (Catmull and Rom).
 *
 * @param {Motion[]} keys
 * @param {number} place 0 is the first, 1 the second
 * @param {boolean} closed whether the first follows the last
 * @returns {Motion}
 */
function at(keys, place, closed) {
  const [index, share] = [Math.floor(place), place % 1];
  if (!share) return keys[index % keys.length];
  const key = (/** @type {number} */ i) =>
    keys[closed ? (i + keys.length) % keys.length : Math.min(Math.max(i, 0), keys.length - 1)];
  const around = [key(index - 1), key(index), key(index + 1), key(index + 2)];
  const weights = curve(share);
  const mix = (/** @type {'flow' | 'occlusion'} */ name) =>
    around[0][name].map((_, i) => around.reduce((sum, motion, k) => sum + weights[k] * motion[name][i], 0));
  return { flow: mix('flow'), occlusion: mix('occlusion').map(limited) };
}

/** @param {number} t */
function curve(t) {
  return [
    0.5 * t * (t * (2 - t) - 1),
    0.5 * (t * t * (3 * t - 5) + 2),
    0.5 * t * (t * (4 - 3 * t) + 1),
    0.5 * t * t * (t - 1),
  ];
}

/**
 * Mean distance of the places that two motions look at, per axis.
 *
 * @param {Motion} one
 * @param {Motion} other
 */
export function distance(one, other) {
  return one.flow.reduce((sum, place, i) => sum + Math.abs(place - other.flow[i]), 0) / one.flow.length;
}

/** @param {Motion[]} keys */
function meanStep(keys) {
  const steps = keys.slice(1).map((key, index) => distance(keys[index], key));
  // A video that stands still has no steps to be compared with.
  return steps.reduce((sum, step) => sum + step, 0) / steps.length || Infinity;
}

/**
 * The middle of a cell, where -1 and 1 are the outer edges.
 *
 * @param {number} index
 * @param {number} count
 */
export function middle(index, count) {
  return (2 * index + 1) / count - 1;
}

/** @param {number} value */
function limited(value) {
  return Math.min(Math.max(value, 0), 1);
}
