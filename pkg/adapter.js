// What a model would run on: a real GPU if there is one, otherwise the CPU, and in that case why,
// and what would change it.

import { within } from './deadline.js';
import { LfdmError } from './error.js';

/** @import { DeviceInfo, DeviceKind } from './index.d.ts' */
/** @typedef {{ bytes: number }} File */

const SOFTWARE_ADAPTER = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i;

/** A driver that hangs would keep everybody waiting; a good one answers in less than a second. */
const ADAPTER_MS = 10_000;

/** Weights are f32 in memory and f16 in files. */
const WIDENED = 2;

/** Channels of an attention head that fit the memory of a workgroup: those of linear attention. */
const WIDEST_HEAD = 48;

/**
 * The device that `wish` comes to for a model of these files. An explicit wish is obeyed, software adapters included;
 * otherwise a GPU that is missing, made of software or too small for the model means the CPU.
 *
 * @param {'auto' | DeviceKind} wish
 * @param {File[]} files
 * @param {number} head channels of an attention head of the model
 * @returns {Promise<DeviceInfo>}
 */
export async function probeDevice(wish, files = [], head = 0) {
  if (wish === 'cpu') return cpuInfo();
  const adapter = await probeAdapter(files, head);
  const missing =
    adapter.missing ??
    (adapter.software && wish !== 'webgpu' ? `only a software adapter was found (${adapter.name})` : null);
  if (missing) {
    const advice = adviceFor(adapter);
    if (wish === 'webgpu') {
      throw new LfdmError(
        'device',
        `WebGPU cannot be used: ${missing}. Use the CPU instead. ${advice}`,
        navigator.userAgent,
      );
    }
    return cpuInfo(missing, advice);
  }
  const { name, software, f16, limits } = adapter;
  return { kind: 'webgpu', name, software, f16, limits };
}

/**
 * @param {string} [reason]
 * @param {string} [advice]
 * @returns {DeviceInfo}
 */
export function cpuInfo(reason, advice) {
  return { kind: 'cpu', name: 'CPU', software: false, f16: false, reason, advice };
}

/**
 * @param {File[]} files
 * @param {number} head
 * @returns {Promise<{ name: string, software: boolean, f16: boolean, limits?: DeviceInfo['limits'], missing?: string,
 *   small?: boolean }>} `missing` says why it is no use, and `small` that it is too small
 */
async function probeAdapter(files, head) {
  const none = { name: '', software: false, f16: false };
  if (!navigator.gpu) return { ...none, missing: 'this browser has no WebGPU' };
  let adapter;
  try {
    adapter = await within(ADAPTER_MS, navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }));
  } catch (error) {
    return { ...none, missing: `the browser could not say which graphics adapter there is (${error.message})` };
  }
  if (!adapter) return { ...none, missing: 'no graphics adapter was found' };
  const info = adapter.info ?? {};
  const words = [info.description, info.vendor, info.architecture, info.device].filter(Boolean);
  const name = info.description || [info.vendor, info.architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  const software =
    Boolean(info.isFallbackAdapter ?? adapter.isFallbackAdapter) || SOFTWARE_ADAPTER.test(words.join(' '));
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const found = {
    name,
    software,
    f16: adapter.features.has('shader-f16'),
    limits: { maxBufferSize, maxStorageBufferBindingSize },
  };
  if (head > WIDEST_HEAD) {
    const missing = `the GPU takes attention heads of ${WIDEST_HEAD} channels, and those of this model have ${head}`;
    return { ...found, missing, small: true };
  }
  // No tensor is larger than the file it is in.
  const largest = WIDENED * Math.max(0, ...files.map(({ bytes }) => bytes));
  const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  if (largest > most) {
    const missing =
      `the graphics adapter (${name}) holds at most ${megabytes(most)} MB in one piece, ` +
      `and this model may need ${megabytes(largest)} MB`;
    return { ...found, missing, small: true };
  }
  return found;
}

export const DRIVER =
  'Update the browser and the graphics driver, and check that graphics acceleration is switched on in the browser’s ' +
  'settings.';

/**
 * What a visitor can do, in this browser, to have the model run on a GPU.
 *
 * @param {{ name: string, small?: boolean }} adapter
 */
function adviceFor({ name, small }) {
  if (small) return 'A smaller model may fit.';
  if (!isSecureContext) return 'Open the page over https: browsers offer WebGPU only there.';
  const agent = navigator.userAgent;
  if (/Firefox\//.test(agent)) {
    return (
      'Use a current Firefox on Windows or on a Mac; elsewhere set dom.webgpu.enabled in about:config, ' +
      'or use Chrome or Edge.'
    );
  }
  if (/Chrome\//.test(agent)) {
    const flag =
      /Linux/.test(agent) && !/Android/.test(agent)
        ? ' On Linux also enable chrome://flags/#enable-vulkan and chrome://flags/#enable-unsafe-webgpu.'
        : '';
    const version = navigator.gpu ? '' : 'Chrome and Edge have WebGPU since version 113, on Android since 121. ';
    return `${version}${DRIVER}${flag} chrome://gpu shows what is wrong.`;
  }
  if (/Safari\//.test(agent)) return 'Safari has WebGPU since version 26, on macOS 26 and iOS 26.';
  return name ? DRIVER : 'Use a current Chrome, Edge, Safari or Firefox.';
}

function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}
