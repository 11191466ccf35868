import { context } from '../dom.js';
import { drawn } from './frames.js';

/** @import { Save } from '../../types.d.ts' */

/** How much of the work is drawing; the rest is the encoder's, which says nothing until it is done. */
const DRAWING = 0.4;

/**
 * A GIF that loops for ever, encoded in the model's worker.
 *
 * @type {Save}
 */
export async function saveGif(footage, { onProgress, encoder, signal }) {
  const { width, height, fps } = footage;
  const frames = [];
  for await (const { canvas, done } of drawn(footage, signal)) {
    frames.push(context(canvas).getImageData(0, 0, width, height).data);
    onProgress(done * DRAWING);
  }
  const model = await encoder();
  if (!model) throw new Error('no model has been loaded');
  return { blob: await model.encodeGif(frames, { width, height, fps }) };
}
