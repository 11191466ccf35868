import { LfdmError } from './error.js';

/** More pixels than any phone camera's default; a decoded picture of this size takes 256 MB. */
const MAX_PIXELS = 64e6;
/** The model sees far less; a larger short side only costs memory, so it is reduced while decoding. */
const MAX_SHORT_SIDE = 1024;

/**
 * Turns a picture into upright RGBA bytes: EXIF rotation applied, colours and alpha as stored in the file.
 * Pictures with a short side over 1024 pixels are reduced to that first; smaller ones are not resampled.
 */
export async function decodeImage(source) {
  if (source?.data instanceof Uint8ClampedArray) {
    if (source.width * source.height * 4 !== source.data.length || !source.data.length) {
      throw new LfdmError('image', 'The image data does not match its width and height.');
    }
    return source;
  }
  if (!(source instanceof Blob)) {
    throw new LfdmError('options', 'image: expected a File, a Blob or ImageData.');
  }
  if (source.size === 0) throw new LfdmError('image', 'This file is empty. Choose another picture.');

  const { width, height } = await imageSize(source);
  if (width * height > MAX_PIXELS) {
    const megapixels = Math.round((width * height) / 1e6);
    throw new LfdmError(
      'image',
      `This picture has ${megapixels} megapixels; the limit here is ${MAX_PIXELS / 1e6}. Choose a smaller one.`,
    );
  }
  const scale = Math.min(1, MAX_SHORT_SIDE / Math.min(width, height));
  /** @type {ImageBitmapOptions} */
  const options = { imageOrientation: 'from-image', premultiplyAlpha: 'none', colorSpaceConversion: 'none' };
  if (scale < 1) {
    options.resizeWidth = Math.round(width * scale);
    options.resizeHeight = Math.round(height * scale);
    options.resizeQuality = 'high';
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(source, options);
  } catch (error) {
    throw unreadable(source, error);
  }
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  // Kept in main memory: a GPU canvas may change the last bit of a colour.
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (!context) throw unreadable(source);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** The upright size, from the header alone: browsers decode an unattached <img> only when it is drawn. */
async function imageSize(blob) {
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = url;
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () => reject(unreadable(blob));
    });
    // An SVG may have no size of its own.
    if (!image.naturalWidth || !image.naturalHeight) throw unreadable(blob);
    return { width: image.naturalWidth, height: image.naturalHeight };
  } finally {
    URL.revokeObjectURL(url);
  }
}

function unreadable(blob, error) {
  return new LfdmError(
    'image',
    'This file cannot be read as a picture. Use a JPEG, PNG or WebP file.',
    [blob.name, blob.type || 'unknown type', `${blob.size} bytes`, error?.message].filter(Boolean).join(', '),
  );
}
