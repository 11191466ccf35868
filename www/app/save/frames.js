import { context, make } from '../dom.js';

/** @import { Footage } from '../../types.d.ts' */

/**
 * The frames of a footage in playing order, on one canvas: yields how far it is, from 0 to 1, after each is drawn.
 *
 * @param {Footage} footage
 * @param {AbortSignal} signal
 */
export async function* drawn(footage, signal) {
  const { width, height, order } = footage;
  const canvas = make('canvas', { width, height });
  const target = context(canvas);
  target.imageSmoothingQuality = 'high';
  let place = 0;
  for await (const picture of footage.pictures(order, signal)) {
    target.drawImage(picture, 0, 0, width, height);
    yield { canvas, place, done: ++place / order.length };
    // Lets the page breathe between frames.
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
  }
}
