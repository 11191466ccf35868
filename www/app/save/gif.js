import { context } from '../dom.js';
import { drawn } from './frames.js';
import { GifFile } from './gif-file.js';
import { Palette } from './palette.js';

/** @import { Lfdm } from '../../../pkg/index.d.ts' */
/** @import { Footage, Save } from '../../types.d.ts' */

/**
 * A GIF that loops for ever, of any length: no two of its frames are in memory at a time.
 *
 * @type {Save}
 */
export async function saveGif(footage, { onProgress, encoder, signal }) {
  const { width, height } = footage;
  const model = await encoder();
  if (!model) throw new Error('no model has been loaded');
  const file = new GifFile(footage, await paletteOf(footage, model));
  for await (const { canvas, done } of drawn(footage, signal)) {
    file.add(context(canvas).getImageData(0, 0, width, height).data);
    onProgress(done, file.size / done);
  }
  return { blob: file.finish() };
}

/**
 * The colours that the model's worker chooses for a small GIF of the same video.
 *
 * @param {Footage} footage
 * @param {Lfdm} model
 */
async function paletteOf(footage, model) {
  const frames = [];
  let size = { width: 0, height: 0 };
  for await (const canvas of footage.samples()) {
    size = { width: canvas.width, height: canvas.height };
    frames.push(context(canvas).getImageData(0, 0, size.width, size.height).data);
  }
  const gif = await model.encodeGif(frames, size);
  return Palette.of(new Uint8Array(await gif.arrayBuffer()));
}
