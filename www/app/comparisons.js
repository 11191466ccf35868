// The comparisons that the page offers: several videos of one portrait, side by side.

import { MODELS } from './catalogue.js';
import { NEUTRAL, expressionName, expressionText, expressionTitle } from './expression.js';

/** @import { CollectionName, Comparison, ComparisonKind, Job, Request } from '../types.d.ts' */
/** @import { Take } from './take.js' */

/** How many seeds are compared at once. */
const SEEDS = 4;
/** What the labels of a collection are. */
const LABELS = { faces: 'expressions', figures: 'movements' };
/** Of so many videos more have to go into a row. */
const MANY = 12;

/** @type {Record<ComparisonKind, (request: Request, takes: Take[]) => Omit<Comparison, 'kind' | 'takes'>>} */
const KINDS = {
  expressions: ({ seed }, takes) => ({
    name: `${LABELS[MODELS[takes[0].model].collection]}-seed${seed}`,
    columns: takes.length > MANY ? 6 : 4,
    caption: ({ request }) => expressionTitle(request),
  }),
  seeds: (request, { length }) => ({
    name: `${expressionName(request)}-seeds${request.seed}-${request.seed + length - 1}`,
    columns: 2,
    caption: ({ request }) => `Seed ${request.seed}`,
  }),
};

/**
 * @param {string | undefined} kind
 * @returns {kind is ComparisonKind}
 */
export function isComparison(kind) {
  return kind !== undefined && Object.hasOwn(KINDS, kind);
}

/**
 * What a job asks for, one request per video.
 *
 * @param {Job} job
 * @param {string[]} labels of the model
 */
export function requestsOf({ request, compare }, labels) {
  if (compare === 'expressions') {
    // Every expression by itself, as strong as the chosen one; the neutral face has no strength.
    const alone = { ...request, mix: undefined, mixStrength: undefined };
    return labels.map((label) => ({ ...alone, label, strength: label === NEUTRAL ? undefined : request.strength }));
  }
  if (compare === 'seeds') {
    return Array.from({ length: SEEDS }, (_, index) => ({ ...request, seed: request.seed + index }));
  }
  return [request];
}

/**
 * @param {ComparisonKind} kind
 * @param {Request} request
 * @param {Take[]} takes
 * @returns {Comparison}
 */
export function comparisonOf(kind, request, takes) {
  return { kind, takes, ...KINDS[kind](request, takes) };
}

/**
 * How many videos a job makes.
 *
 * @param {ComparisonKind | null} compare
 * @param {string[]} labels of the model
 */
export function videosOf(compare, labels) {
  if (!compare) return 1;
  return compare === 'seeds' ? SEEDS : labels.length;
}

/**
 * A job in a few words.
 *
 * @param {Job} job
 * @param {CollectionName} collection
 */
export function describe({ request, compare }, collection) {
  const [label, { seed }] = [expressionText(request), request];
  if (compare === 'expressions') return `all ${LABELS[collection]}, seed ${seed}`;
  if (compare === 'seeds') return `${label}, ${SEEDS} seeds from ${seed}`;
  return `${label}, seed ${seed}`;
}
