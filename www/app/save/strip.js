import { context, make } from '../dom.js';
import { drawn } from './frames.js';

/** @import { Save } from '../../types.d.ts' */

/** Canvases of some browsers end here. */
const WIDEST = 8192;

/**
 * All frames side by side, there but not back, in one PNG; in rows where they would be too wide.
 *
 * @type {Save}
 */
export async function saveStrip(footage, { onProgress, signal }) {
  const there = { ...footage, order: [...new Set(footage.order)].sort((a, b) => a - b) };
  const columns = Math.min(there.order.length, Math.floor(WIDEST / footage.width));
  const rows = Math.ceil(there.order.length / columns);
  const strip = make('canvas', { width: columns * footage.width, height: rows * footage.height });
  const target = context(strip);
  for await (const { canvas, place, done } of drawn(there, signal)) {
    target.drawImage(canvas, (place % columns) * footage.width, Math.floor(place / columns) * footage.height);
    onProgress(done);
  }
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => strip.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error(`no PNG of ${strip.width} x ${strip.height} pixels`);
  return { blob };
}
