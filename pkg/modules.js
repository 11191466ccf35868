// The two builds of the module. One has instructions of relaxed SIMD, which multiply and add in one
// rounding; a browser without them refuses a whole module for a single one. `www/sw.js` asks the same.

import { LfdmError } from './error.js';

/** Functions that return a vector: zeros, and their fused product and sum. */
const ZEROS = [65, 0, 253, 15];
const FUSED = [...ZEROS, ...ZEROS, ...ZEROS, 253, 133, 2];

/**
 * The module that this browser can run, and whether it is the one with relaxed SIMD.
 *
 * @param {{ plainUrl?: string, relaxedUrl?: string }} elsewhere their addresses, if they are not beside this file
 */
export function chooseModule({ plainUrl, relaxedUrl } = {}) {
  if (!runs(ZEROS)) {
    throw new LfdmError('browser', 'This browser cannot run the model: it lacks WebAssembly SIMD. A newer one can.');
  }
  const relaxedSimd = runs(FUSED);
  const given = relaxedSimd ? relaxedUrl : plainUrl;
  if (given) return { url: new URL(given), relaxedSimd: relaxedSimd && relaxedUrl !== plainUrl };
  // Bundlers look for addresses in this form.
  const url = relaxedSimd
    ? new URL('./lfdm_relaxed_bg.wasm', import.meta.url)
    : new URL('./lfdm_bg.wasm', import.meta.url);
  return { url, relaxedSimd };
}

/** Whether a module with this function alone would do. */
function runs(code) {
  const start = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0];
  return WebAssembly.validate(new Uint8Array([...start, 10, code.length + 4, 1, code.length + 2, 0, ...code, 11]));
}
