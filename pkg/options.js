// The options that this side of the worker reads itself; those of the model are checked by Rust, with the same words.

import { LfdmError } from './error.js';

const MAX_THREADS = 64;

const MAX_SEED = 2n ** 64n - 1n;

const LOAD = {
  device: (value) => ['auto', 'webgpu', 'cpu'].includes(value) || 'is not one of auto, webgpu, cpu',
  signal: isSignal,
  onProgress: (value) => typeof value === 'function' || 'is not a function',
  reload: isBoolean,
  workerUrl: isAddress,
  wasmUrl: (value) =>
    isAddress(value) === true || areAddresses(value) || 'is neither an address nor { plain, relaxed }',
  checkMemory: isBoolean,
  threads: (value) =>
    (Number.isInteger(value) && value >= 1 && value <= MAX_THREADS) || `is not a whole number from 1 to ${MAX_THREADS}`,
};
const GENERATE = {
  image: () => true,
  signal: isSignal,
  bitmaps: isBoolean,
  label: () => true,
  strengths: () => true,
  seed: isSeed,
  steps: () => true,
  guidance: () => true,
  contrast: () => true,
  sampler: () => true,
  previews: () => true,
  photoSize: () => true,
  motions: isBoolean,
};
const PAINT = {
  image: () => true,
  signal: isSignal,
  bitmaps: isBoolean,
  photoSize: () => true,
  motions: (value) => (Array.isArray(value) && value.every(isMotion)) || 'is not a list of flows and occlusions',
};

const GIF = {
  width: isSide,
  height: isSide,
  fps: (value) => (value >= 1 && value <= 100) || 'is not a number from 1 to 100',
};

export function loadOptions(options) {
  return checked(options, LOAD);
}

export function generateOptions(options) {
  return checked(options, GENERATE);
}

export function paintOptions(options) {
  return checked(options, PAINT);
}

/**
 * Addresses as the worker, which may have been started elsewhere, understands them.
 *
 * @param {Pick<import('./index.d.ts').LoadOptions, 'workerUrl' | 'wasmUrl'>} options
 */
export function programUrls({ workerUrl, wasmUrl }) {
  const isPair = typeof wasmUrl === 'object' && 'plain' in wasmUrl;
  const { plain, relaxed = plain } = isPair ? wasmUrl : { plain: wasmUrl };
  return { workerUrl: absolute(workerUrl), plainUrl: absolute(plain), relaxedUrl: absolute(relaxed) };
}

/** @param {string | URL | undefined} url */
function absolute(url) {
  return url && new URL(url, location.href).href;
}

/** The frames of a GIF and how to write them, or an error that names what is wrong. */
export function gifOptions(frames, options, { imageSize: [modelHeight, modelWidth], fps: modelFps }) {
  const { width = modelWidth, height = modelHeight, fps = modelFps } = checked(options, GIF);
  const isFrame = (frame) => frame instanceof Uint8ClampedArray && frame.length === 4 * width * height;
  if (!Array.isArray(frames) || !frames.length || !frames.every(isFrame)) {
    throw new LfdmError('options', `frames: expected RGBA arrays of ${width} × ${height} pixels each.`);
  }
  return { frames, width, height, fps };
}

export function modelUrl(url) {
  if (typeof url !== 'string' && !(url instanceof URL)) {
    throw new LfdmError('options', 'url: expected the address of a model, which is a folder with manifest.json.');
  }
  try {
    return new URL(url, globalThis.location?.href).href.replace(/\/?$/, '/');
  } catch {
    throw refusal('url', url, 'is not an address');
  }
}

/** The options that are set, or an error that names the field. */
function checked(options, fields) {
  if (typeof options !== 'object' || options === null) throw new LfdmError('options', 'options: expected an object.');
  const set = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of set) {
    if (!Object.hasOwn(fields, name)) {
      throw new LfdmError('options', `${name}: no such option; the options are ${Object.keys(fields).join(', ')}.`);
    }
    const verdict = fields[name](value);
    if (verdict !== true) throw refusal(name, value, verdict);
  }
  return Object.fromEntries(set);
}

function refusal(name, value, verdict) {
  const shown = typeof value === 'string' ? `"${value}"` : typeof value === 'object' ? 'this object' : String(value);
  return new LfdmError('options', `${name}: ${shown} ${verdict}.`);
}

function isMotion(value) {
  return value?.flow instanceof Float32Array && value.occlusion instanceof Float32Array;
}

function isSignal(value) {
  return value instanceof AbortSignal || 'is not an AbortSignal';
}

function isSeed(value) {
  const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
  return (isWhole && value >= 0 && value <= MAX_SEED) || 'is not a whole number from 0 on; from 2^53 on, use a bigint';
}

function isSide(value) {
  return (Number.isInteger(value) && value >= 1 && value <= 65_535) || 'is not a whole number from 1 to 65535';
}

function isAddress(value) {
  return typeof value === 'string' || value instanceof URL || 'is not an address';
}

/** Addresses of the two builds of the module. */
function areAddresses(value) {
  return [value?.plain, value?.relaxed ?? ''].every((url) => isAddress(url) === true);
}

function isBoolean(value) {
  return typeof value === 'boolean' || 'is neither true nor false';
}
