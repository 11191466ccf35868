// What the face or the figure does: a label, how strong it is, and perhaps a second one mixed in.

import { capitalised } from './dom.js';

/** @import { Expression, Manifest } from '../../pkg/index.d.ts' */
/** @import { Request } from '../types.d.ts' */

/** The label that strengths count from, so it has none of its own. */
export const NEUTRAL = 'neutral';

/**
 * A label as it is written in a sentence, such as `arms up`.
 *
 * @param {string} label
 */
export function labelText(label) {
  return label.replaceAll('-', ' ');
}

/**
 * The request in the package's words. A label that is neither weaker nor stronger nor mixed is just the label.
 *
 * @param {Request} request
 * @returns {Expression}
 */
export function expressionOf({ label, strength = 1, mix, mixStrength = 0 }) {
  const mixed = mix && mix !== label ? { [mix]: mixStrength } : {};
  if (strength === 1 && !mixed[mix ?? '']) return { label };
  return { strengths: { ...mixed, [label]: strength } };
}

/**
 * The request in a few words, such as `happiness 0.7 + surprise 0.4`.
 *
 * @param {Request} request
 */
export function expressionText(request) {
  return partsOf(request)
    .map(([label, strength]) => (strength === 1 ? labelText(label) : `${labelText(label)} ${strength}`))
    .join(' + ');
}

/** @param {Request} request */
export function expressionTitle(request) {
  return capitalised(expressionText(request));
}

/**
 * The request as part of a file's name, such as `happiness-0.7-surprise-0.4`.
 *
 * @param {Request} request
 */
export function expressionName(request) {
  return partsOf(request)
    .flatMap(([label, strength]) => (strength === 1 ? [label] : [label, strength]))
    .join('-');
}

/**
 * Whether a model learned from more than plain labels; it would have to guess what others are.
 *
 * @param {Manifest} manifest
 */
export function knowsStrengths({ labels, strengths: { sum, labels: mixed } }) {
  return labels.includes(NEUTRAL) && (sum[0] < sum[1] || mixed > 1);
}

/**
 * @param {Request} request
 * @returns {[string, number][]}
 */
function partsOf(request) {
  const { label, strengths } = expressionOf(request);
  if (!strengths) return [[label, 1]];
  // The label itself comes first, whatever is mixed in.
  const { [request.label]: strength, ...mixed } = strengths;
  return [[request.label, strength], ...Object.entries(mixed)];
}
