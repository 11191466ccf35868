// Opening what the model runs on, and whether there is memory for it.

import { within } from './deadline.js';
import { LfdmError } from './error.js';
import { openDevice } from './lfdm.js';

/**
 * Memory at its peak, about twice what the official model at its full size was measured to take
 * (docs/import.md): the module; the weights unpacked, the model built of them, and the file at
 * hand, in units of the files; what a video's pixels take on the way.
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
/** What a device is taken to have where the browser does not say. */
const USUAL_GIB = 4;
/** Opening a device compiles the kernels of its trial, slowly in software; one that takes longer never comes. */
const OPEN_MS = 60_000;
/** A guided step has work for two, and frames for many, but phones and pages need cores of their own. */
const MOST_THREADS = 4;

/**
 * The GPUDevice that the library opened, if it did.
 *
 * @type {GPUDevice | null}
 */
export let gpu = null;

/**
 * Opens the device that `probeDevice` named.
 *
 * @param {import('./index.d.ts').DeviceKind} kind
 * @param {(message: string) => void} onLost
 */
export async function open(kind, onLost) {
  if (kind === 'cpu') return openDevice('cpu');
  const restore = watchDevice(onLost);
  try {
    return await within(OPEN_MS, openDevice('webgpu'));
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    throw new LfdmError('device', 'The GPU could not be opened. Use the CPU instead.', error.message);
  } finally {
    restore();
  }
}

/**
 * How many workers share the work of a model on the CPU: as many as the cores, or as `wish` says, if their memory
 * allows it; a worker without a frame of its own would be of no use.
 *
 * @param {number | undefined} wish
 */
export function threadsFor(wish, files, config) {
  const budget = SHARE * (navigator.deviceMemory ?? USUAL_GIB) * 2 ** 30;
  const held = Math.floor(budget / neededBytes(files, config));
  const wanted = wish ?? Math.min(navigator.hardwareConcurrency ?? 1, MOST_THREADS);
  return Math.max(1, Math.min(wanted, held, config.frames));
}

/** Refuses a model that this machine cannot hold, before any of it is downloaded. */
export function checkMemory(files, config) {
  const needed = neededBytes(files, config);
  const installed = navigator.deviceMemory;
  const bounded = installed !== undefined && installed < PLENTY_GIB;
  const available = Math.min(ADDRESSABLE_BYTES, bounded ? SHARE * installed * 2 ** 30 : Infinity);
  if (needed <= available) return;
  const message =
    `This model needs about ${gigabytes(needed)} GB of memory, and this ${bounded ? 'device' : 'browser'} has ` +
    `${gigabytes(available)} GB for it. Use a smaller model or a computer with more memory.`;
  const details =
    `files: ${sum(files)} bytes, needed: ${needed}, available: ${available}, ` +
    `deviceMemory: ${installed ?? 'unknown'}`;
  throw new LfdmError('memory', message, details);
}

/** Memory of one worker at its peak. */
function neededBytes(files, { frames, image_size: [height, width] }) {
  return MODULE_BYTES + PEAK_PER_FILE_BYTE * sum(files) + PEAK_PER_PIXEL * frames * height * width;
}

/** The library opens its own GPUDevice; this is the only place from which it can be watched. */
function watchDevice(onLost) {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    device.lost.then(({ message, reason }) => onLost(message || reason));
    gpu = device;
    return device;
  };
  return () => (GPUAdapter.prototype.requestDevice = requestDevice);
}

function sum(files) {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(1);
}
