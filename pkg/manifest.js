// What is wrong with a manifest that cannot be read: the page is too old for it, it is no model, or it is damaged.

import { notIntact } from './download.js';
import { LfdmError } from './error.js';

/** The one that this page reads, as does `src/bundle.rs`. */
const FORMAT = 1;

/**
 * @param {Uint8Array} bytes of `manifest.json`
 * @param {Error} error of reading it
 */
export function explainManifest(bytes, error) {
  const text = new TextDecoder().decode(bytes);
  let manifest;
  try {
    manifest = JSON.parse(text);
  } catch {
    // Half of one is damaged; a network that wants a sign-in first sends a page.
    if (text.trimStart().startsWith('{')) return notIntact(error.message);
  }
  if (!Number.isInteger(manifest?.format)) {
    return new LfdmError(
      'not-model',
      'There is no model at this address, but something else: perhaps the page of a network that wants you to ' +
        'sign in. Open any website, sign in if asked, and try again.',
      `${error.message}: ${text.slice(0, 200)}`,
    );
  }
  if (manifest.format > FORMAT || /unknown (field|variant)/.test(error.message)) {
    return new LfdmError(
      'outdated',
      'This model is newer than this page. Reload the page to get the program that can read it.',
      error.message,
    );
  }
  return notIntact(error.message);
}
