// What the model runs on: a real GPU if there is one, otherwise the CPU, and in that case why, and what would change it.

import { LfdmError } from './error.js';
import { open_device } from './lfdm.js';

const SOFTWARE_ADAPTER = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i;

/** Weights are f32 in memory and f16 in files. */
const WIDENED = 2;
/**
 * Memory at its peak, about twice what the official model at its full size was measured to take (docs/import.md): the module;
 * the weights unpacked, the model built of them, and the file at hand, in units of the files; what a video's pixels take on the way.
 */
const MODULE_BYTES = 64 * 2 ** 20;
const PEAK_PER_FILE_BYTE = 6;
const PEAK_PER_PIXEL = 200;
/** A module's memory has 32-bit addresses. */
const ADDRESSABLE_BYTES = 4 * 2 ** 30;
/** Of the device's memory, which the page shares with everything else. */
const SHARE = 0.75;
/** `navigator.deviceMemory` is capped: from here on it only says "plenty". */
const PLENTY_GIB = 8;

/** The GPUDevice that the library opened, if it did. */
export let gpu = null;

/**
 * Opens the device for a model of these files. An explicit wish is obeyed, software adapters included; otherwise a GPU that
 * is missing, made of software or too small for the model means the CPU. Resolves to `{ handle, info }`.
 */
export async function chooseDevice(wish, files, onLost) {
  if (wish === 'cpu') return cpu();
  const adapter = await probeAdapter(files);
  const missing = adapter.missing ?? (adapter.software && wish !== 'webgpu' ? `only a software adapter was found (${adapter.name})` : null);
  if (missing) {
    const advice = adviceFor(adapter);
    if (wish === 'webgpu') {
      throw new LfdmError('device', `WebGPU cannot be used: ${missing}. Use the CPU instead. ${advice}`, navigator.userAgent);
    }
    return cpu(missing, advice);
  }
  const restore = watchDevice(onLost);
  try {
    const { name, software, f16, limits } = adapter;
    return { handle: await open_device('webgpu'), info: { kind: 'webgpu', name, software, f16, limits } };
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    if (wish === 'webgpu') throw new LfdmError('device', 'The graphics device could not be opened.', error.message);
    return cpu(`the graphics device could not be opened (${error.message})`, DRIVER);
  } finally {
    restore();
  }
}

/** Refuses a model that this machine cannot hold, before any of it is downloaded. */
export function checkMemory(files, { frames, image_size: [height, width] }) {
  const needed = MODULE_BYTES + PEAK_PER_FILE_BYTE * sum(files) + PEAK_PER_PIXEL * frames * height * width;
  const installed = navigator.deviceMemory;
  const bounded = installed !== undefined && installed < PLENTY_GIB;
  const available = Math.min(ADDRESSABLE_BYTES, bounded ? SHARE * installed * 2 ** 30 : Infinity);
  if (needed <= available) return;
  const message =
    `This model needs about ${gigabytes(needed)} GB of memory, and this ${bounded ? 'device' : 'browser'} has ` +
    `${gigabytes(available)} GB for it. Use a smaller model or a computer with more memory.`;
  const details = `files: ${sum(files)} bytes, needed: ${needed}, available: ${available}, deviceMemory: ${installed ?? 'unknown'}`;
  throw new LfdmError('memory', message, details);
}

async function cpu(reason, advice) {
  return { handle: await open_device('cpu'), info: { kind: 'cpu', name: 'CPU', software: false, f16: false, reason, advice } };
}

async function probeAdapter(files) {
  if (!navigator.gpu) return { missing: 'this browser has no WebGPU' };
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return { missing: 'no graphics adapter was found' };
  const info = adapter.info ?? {};
  const words = [info.description, info.vendor, info.architecture, info.device].filter(Boolean);
  const name = info.description || [info.vendor, info.architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  const software = Boolean(info.isFallbackAdapter ?? adapter.isFallbackAdapter) || SOFTWARE_ADAPTER.test(words.join(' '));
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const found = { name, software, f16: adapter.features.has('shader-f16'), limits: { maxBufferSize, maxStorageBufferBindingSize } };
  // No tensor is larger than the file it is in.
  const largest = WIDENED * Math.max(...files.map(({ bytes }) => bytes));
  const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  if (largest > most) {
    found.missing = `the graphics adapter (${name}) holds at most ${megabytes(most)} MB in one piece, and this model may need ${megabytes(largest)} MB`;
    found.small = true;
  }
  return found;
}

const DRIVER =
  'Update the browser and the graphics driver, and see that graphics acceleration is switched on in the browser’s settings.';

/** What a visitor can do, in this browser, to have the model run on a GPU. */
function adviceFor({ name, small }) {
  if (small) return 'A smaller model may fit.';
  if (!isSecureContext) return 'Open the page over https: browsers offer WebGPU only there.';
  const agent = navigator.userAgent;
  if (/Firefox\//.test(agent)) {
    return 'Use a current Firefox on Windows or on a Mac; elsewhere set dom.webgpu.enabled in about:config, or use Chrome or Edge.';
  }
  if (/Chrome\//.test(agent)) {
    const flag = /Linux/.test(agent) && !/Android/.test(agent) ? ' On Linux also enable chrome://flags/#enable-vulkan and chrome://flags/#enable-unsafe-webgpu.' : '';
    const version = navigator.gpu ? '' : 'Chrome and Edge have WebGPU since version 113, on Android since 121. ';
    return `${version}${DRIVER}${flag} chrome://gpu says what is in the way.`;
  }
  if (/Safari\//.test(agent)) return 'Safari has WebGPU since version 26, on macOS 26 and iOS 26.';
  return name ? DRIVER : 'Use a current Chrome, Edge, Safari or Firefox.';
}

/** The library opens its own GPUDevice; this is the only place from which it can be watched. */
function watchDevice(onLost) {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...all) {
    gpu = await requestDevice.apply(this, all);
    gpu.lost.then(({ message, reason }) => onLost(message || reason));
    return gpu;
  };
  return () => (GPUAdapter.prototype.requestDevice = requestDevice);
}

function sum(files) {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(1);
}

function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}
