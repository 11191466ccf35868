// A link that makes the same video again. Everything is in the part after `#`, which browsers do
// not send to the server.

/** @import { Settings } from '../types.d.ts' */

/** The sample in a link to a video of somebody's own photo. The photo is on their device only, which knows its name. */
export const OWN_PHOTO = 'own';

const NUMBERS = /** @type {const} */ (['strength', 'mixStrength', 'seed', 'steps', 'guidance', 'intensity']);
const WORDS = /** @type {const} */ (['model', 'sample', 'photo', 'label', 'mix', 'grid']);

/**
 * `#model=…&sample=…&label=…&seed=…&steps=…&guidance=…`, with `strength`, `mix` and `mixStrength` if the expression is
 * not as it is, with `intensity` if not all of the motion is shown, and with `grid` if several videos are compared.
 *
 * @param {Settings} settings
 */
export function formatLink(settings) {
  const fields = [...WORDS, ...NUMBERS].filter((name) => settings[name] != null);
  return `#${new URLSearchParams(fields.map((name) => [name, `${settings[name]}`]))}`;
}

/**
 * The settings in a link, less what is absent or not a number. Null if it holds none: other anchors are not ours.
 *
 * @param {string} hash
 * @returns {Settings | null}
 */
export function parseLink(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  /** @type {Settings} */
  const settings = {};
  for (const name of WORDS) if (given.get(name)) settings[name] = given.get(name) ?? undefined;
  for (const name of NUMBERS) {
    const value = given.get(name);
    if (value?.trim() && Number.isFinite(Number(value))) settings[name] = Number(value);
  }
  return Object.keys(settings).length ? settings : null;
}
