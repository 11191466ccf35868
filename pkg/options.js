// The options that this side of the worker reads itself; those of the model are checked by Rust, with the same words.

import { LfdmError } from './error.js';

const MAX_THREADS = 64;

const LOAD = {
  device: (value) => ['auto', 'webgpu', 'cpu'].includes(value) || 'is not one of auto, webgpu, cpu',
  signal: isSignal,
  onProgress: (value) => typeof value === 'function' || 'is not a function',
  reload: isBoolean,
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
  seed: () => true,
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

export function loadOptions(options) {
  return checked(options, LOAD);
}

export function generateOptions(options) {
  return checked(options, GENERATE);
}

export function paintOptions(options) {
  return checked(options, PAINT);
}

export function modelUrl(url) {
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

function isBoolean(value) {
  return typeof value === 'boolean' || 'is neither true nor false';
}
