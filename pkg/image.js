import { LfdmError } from './error.js';
import { TELLING_BYTES, explain } from './formats.js';
import { explained } from './policy.js';

/** More pixels than any phone camera's default; a decoded picture of this size takes 256 MB. */
const MAX_PIXELS = 64e6;
/** The model sees far less; a larger short side only costs memory, so it is reduced while decoding. */
const MAX_SHORT_SIDE = 1024;
/** Drawings have no pixels of their own. They get as many as a photo, but no canvas is made wider than this. */
const MAX_DRAWN_SIDE = 4096;

/** @typedef {{ width: number, height: number }} Size */

/**
 * Turns a picture into upright RGBA bytes that look as an `<img>` does: EXIF rotation applied, colours in sRGB.
 * Pictures with a short side over 1024 pixels are reduced to that first; smaller ones are not resampled.
 *
 * @type {typeof import('./index.d.ts').decodeImage}
 */
export function decodeImage(source) {
  return readImage(source);
}

/**
 * The same, until `signal` is aborted.
 *
 * @param source
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('./index.d.ts').Pixels>}
 */
export async function readImage(source, signal) {
  signal?.throwIfAborted();
  if (globalThis.ImageData && source instanceof ImageData && !isPlain(source)) return inSrgb(source);
  if (source?.data instanceof Uint8ClampedArray) return checkedPixels(source);
  if (source instanceof Blob) return decodeFile(source);
  if (typeof source === 'string' || source instanceof URL) return decodeFile(await fetched(source, signal));
  const size = await sizeOf(source);
  if (!size) {
    throw new LfdmError(
      'options',
      'image: expected a File, a Blob, ImageData, a canvas, an <img>, a video, or the address of a picture.',
    );
  }
  return pixelsOf(source, reduced(size));
}

function checkedPixels(pixels) {
  const { data, width, height } = pixels;
  if (width * height * 4 === data.length && data.length) return pixels;
  throw new LfdmError('image', 'The image data does not match its width and height.');
}

/** Whether these are bytes in sRGB, as they nearly always are. @param {ImageData} pixels */
function isPlain({ data, colorSpace = 'srgb' }) {
  return data instanceof Uint8ClampedArray && colorSpace === 'srgb';
}

/** @param {ImageData} pixels of another colour space, or of floats */
function inSrgb(pixels) {
  const { width, height } = pixels;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (!context) throw new LfdmError('image', 'This picture cannot be drawn. Choose another one.', 'no canvas');
  context.putImageData(pixels, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/**
 * @param {string | URL} address
 * @param {AbortSignal} [signal]
 */
async function fetched(address, signal) {
  const since = performance.now();
  try {
    const response = await fetch(address, { signal });
    if (response.ok) return await response.blob();
  } catch {
    signal?.throwIfAborted();
  }
  const broken = new LfdmError('image', 'The picture could not be downloaded. Check its address.', `${address}`);
  throw await explained(broken, since);
}

/** The size of what a canvas can draw: `<img>`, canvas, bitmap, video and its frames. Undefined for anything else. */
async function sizeOf(source) {
  if (globalThis.HTMLImageElement && source instanceof HTMLImageElement) {
    await source.decode().catch(() => {
      throw new LfdmError('image', 'This <img> shows no picture.', source.currentSrc);
    });
  }
  const width = source?.naturalWidth ?? source?.videoWidth ?? source?.displayWidth ?? source?.width;
  const height = source?.naturalHeight ?? source?.videoHeight ?? source?.displayHeight ?? source?.height;
  return typeof width === 'number' && typeof height === 'number' ? { width, height } : undefined;
}

/** @param {Blob} file */
async function decodeFile(file) {
  if (file.size === 0) throw new LfdmError('image', 'This file is empty. Choose another picture.');
  const url = URL.createObjectURL(file);
  const since = performance.now();
  try {
    const image = await loaded(url);
    if (!image) throw await explained(await unreadable(file), since);
    const size = { width: image.naturalWidth, height: image.naturalHeight };
    // A drawing may have no size of its own.
    if (!size.width || !size.height) throw await unreadable(file);
    if (file.type === 'image/svg+xml') return pixelsOf(image, enlarged(size));
    const bitmap = await bitmapOf(file, size);
    try {
      return pixelsOf(bitmap, { width: bitmap.width, height: bitmap.height });
    } finally {
      bitmap.close();
    }
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** An `<img>` knows the upright size from the header alone: unattached, it is decoded only when it is drawn. */
async function loaded(url) {
  const image = new Image();
  return new Promise((/** @type {(image: HTMLImageElement | null) => void} */ resolve) => {
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = url;
  });
}

/**
 * @param {Blob} file
 * @param {Size} size
 */
async function bitmapOf(file, size) {
  const { width, height } = reduced(size);
  /** @type {ImageBitmapOptions} */
  const options = { imageOrientation: 'from-image', premultiplyAlpha: 'none' };
  if (width < size.width) Object.assign(options, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
  try {
    return await createImageBitmap(file, options);
  } catch (error) {
    throw await unreadable(file, error);
  }
}

/**
 * @param {Size} size
 * @returns {Size}
 */
function reduced({ width, height }) {
  if (width * height > MAX_PIXELS) {
    const megapixels = Math.round((width * height) / 1e6);
    throw new LfdmError(
      'image',
      `This picture has ${megapixels} megapixels; the limit here is ${MAX_PIXELS / 1e6}. Choose a smaller one.`,
    );
  }
  return scaled({ width, height }, Math.min(1, MAX_SHORT_SIDE / Math.min(width, height)));
}

/** @param {Size} size of a drawing */
function enlarged({ width, height }) {
  const scale = Math.min(MAX_SHORT_SIDE / Math.min(width, height), MAX_DRAWN_SIDE / Math.max(width, height));
  return scaled({ width, height }, scale);
}

/**
 * @param {Size} size
 * @param {number} scale
 */
function scaled({ width, height }, scale) {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * @param {CanvasImageSource} source
 * @param {Size} size
 */
function pixelsOf(source, { width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  // Kept in main memory: a GPU canvas may change the last bit of a colour.
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  try {
    if (!context) throw new Error('no canvas');
    context.imageSmoothingQuality = 'high';
    context.drawImage(source, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } catch (error) {
    const isForeign = error.name === 'SecurityError';
    throw new LfdmError(
      'image',
      isForeign
        ? 'This picture comes from another site, which does not let pages read it. Save it, then choose the file.'
        : 'This picture cannot be drawn. Choose another one.',
      `${width} x ${height}: ${error}`,
    );
  }
}

/**
 * @param {Blob & { name?: string }} file
 * @param {Error} [error]
 */
async function unreadable(file, error) {
  const start = new Uint8Array(await file.slice(0, TELLING_BYTES).arrayBuffer());
  return new LfdmError(
    'image',
    explain(start),
    [file.name, file.type || 'unknown type', `${file.size} bytes`, error?.message].filter(Boolean).join(', '),
  );
}
