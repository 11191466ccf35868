// Starting workers. Browsers start them only from the page's own origin; a script of another one, such as a CDN, is
// started by a line of our own that imports it.

import { LfdmError } from './error.js';
import { SERVING } from './policy.js';

/** The line for each script, made once. @type {Map<string, string>} */
const lines = new Map();

/**
 * The worker that `construct` makes: `new Worker(new URL('…', import.meta.url), …)`, as bundlers look for it.
 *
 * @param {() => Worker} construct
 * @param {string} [address] of the script, if it is somewhere else
 */
export function spawn(construct, address) {
  const [found, options] = argumentsOf(construct);
  const script = address ?? found;
  if (!address) {
    try {
      return construct();
    } catch (error) {
      if (error.name !== 'SecurityError' && !isUntrusted(error)) throw error;
    }
  }
  const isOwn = new URL(script).origin === globalThis.origin;
  try {
    return new Worker(trusted(isOwn ? script : importing(script, options.type)), options);
  } catch (error) {
    if (!isUntrusted(error)) throw error;
    throw new LfdmError(
      'setup',
      'This page enforces Trusted Types, and they forbid the worker. Its Content-Security-Policy needs ' +
        `trusted-types lfdm-web. ${SERVING}`,
      error.message,
    );
  }
}

/** What `construct` passes to `Worker`: only there do bundlers write where they have put the script. */
export function argumentsOf(construct) {
  const { Worker } = globalThis;
  let told = /** @type {[string, WorkerOptions]} */ (['', {}]);
  globalThis.Worker = /** @type {any} */ (
    class {
      constructor(url, options) {
        told = [new URL(url, globalThis.location?.href).href, options ?? {}];
      }
    }
  );
  try {
    construct();
  } finally {
    globalThis.Worker = Worker;
  }
  return told;
}

/** @type {{ createScriptURL(address: string): any } | undefined} */
let trust;

/** The address as a page wants it that enforces Trusted Types. @param {string} address */
function trusted(address) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  if (!trustedTypes) return address;
  try {
    trust ??= trustedTypes.createPolicy('lfdm-web', { createScriptURL: (/** @type {string} */ address) => address });
    return trust?.createScriptURL(address);
  } catch {
    // The page does not know the name. Where it enforces nothing, addresses need no trust.
    return address;
  }
}

/** Whether Trusted Types refused an address: to them it is of the wrong type. @param {Error} error */
function isUntrusted(error) {
  return error instanceof TypeError && 'trustedTypes' in globalThis;
}

/** @param {string} script */
function importing(script, type) {
  const key = `${type} ${script}`;
  let line = lines.get(key);
  if (!line) {
    const code = type === 'module' ? `import ${JSON.stringify(script)};` : `importScripts(${JSON.stringify(script)});`;
    line = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    lines.set(key, line);
  }
  return line;
}
