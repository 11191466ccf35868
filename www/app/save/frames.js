import { context, make } from '../dom.js';

/** @import { Footage } from '../../types.d.ts' */

/**
 * The frames of a footage in playing order, on one canvas: yields how far it is, from 0 to 1, after each is drawn.
 *
 * @param {Footage} footage
 */
export function* drawn(footage) {
  const canvas = make('canvas', { width: footage.width, height: footage.height });
  for (const [place, index] of footage.order.entries()) {
    footage.draw(context(canvas), index);
    yield { canvas, place, done: (place + 1) / footage.order.length };
  }
}

/** Lets the page breathe between frames. */
export const breath = () => new Promise((resolve) => setTimeout(resolve));
