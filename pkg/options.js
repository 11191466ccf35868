// What the options are, by type. What a model allows, Rust checks, with the same words.

import { LfdmError } from './error.js';

const MAX_THREADS = 64;

const MAX_SEED = 2n ** 64n - 1n;

/** Addresses of one file, with none beside it. */
const SINGLE = new Set(['data:', 'blob:']);

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
  label: isString,
  strengths: (value) => areNumbers(value) || 'is not an object with a number for each label',
  seed: isSeed,
  steps: isCount,
  guidance: isNumber,
  contrast: isString,
  sampler: (value) =>
    isString(value) === true || isDdim(value?.ddim) || 'is neither the name of a sampler nor { ddim: { eta, times } }',
  previews: isBoolean,
  photoSize: isCount,
  motions: isBoolean,
};
const PAINT = {
  image: () => true,
  signal: isSignal,
  bitmaps: isBoolean,
  photoSize: isCount,
  motions: (value) => (Array.isArray(value) && Array.from(value).every(isMotion)) || 'is not a list of motions',
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

/**
 * @param options
 * @param {Pick<import('./index.d.ts').Manifest, 'motionSize'>} manifest
 */
export function paintOptions(options, { motionSize: [height, width] }) {
  const set = checked(options, PAINT);
  for (const [index, { flow, occlusion }] of (set.motions ?? []).entries()) {
    if (flow.length !== 2 * height * width || occlusion.length !== height * width) {
      const cells = `${width} × ${height} cells`;
      throw new LfdmError('options', `motions: number ${index} is not of ${cells}, which is what this model moves.`);
    }
    if (![flow, occlusion].every((values) => values.every(Number.isFinite))) {
      throw new LfdmError('options', `motions: number ${index} holds values that are not finite numbers.`);
    }
  }
  return set;
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
  const address = parsed(url);
  if (!address) throw refusal('url', url, 'is not an address');
  if (SINGLE.has(address.protocol)) throw refusal('url', `${address.protocol}…`, 'is no address of a folder');
  return address.href.replace(/\/?$/, '/');
}

/** @param {string | URL} url */
function parsed(url) {
  try {
    return new URL(url, globalThis.location?.href);
  } catch {
    return null;
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
  const isOpaque = typeof value === 'object' || typeof value === 'function';
  const shown = typeof value === 'string' ? `"${value}"` : isOpaque ? `this ${typeof value}` : String(value);
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
  const isOne = value instanceof URL || (typeof value === 'string' && parsed(value) !== null);
  return isOne || 'is not an address';
}

/** Addresses of the two builds of the module. */
function areAddresses(value) {
  return [value?.plain, value?.relaxed ?? ''].every((url) => isAddress(url) === true);
}

function isString(value) {
  return typeof value === 'string' || 'is not a string';
}

function isNumber(value) {
  return Number.isFinite(value) || 'is not a number';
}

function isCount(value) {
  return (Number.isSafeInteger(value) && value >= 1) || 'is not a whole number from 1 on';
}

function areNumbers(value) {
  return typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'number');
}

function isDdim(value) {
  return Number.isFinite(value?.eta) && typeof value.times === 'string';
}

function isBoolean(value) {
  return typeof value === 'boolean' || 'is neither true nor false';
}
