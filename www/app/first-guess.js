// A first guess at the square of a picture that the model should be given, from where the face is.

import { around, aroundFigure } from './crop.js';
import { findFace } from './face-finder.js';

/** @import { CollectionName, Crop } from '../types.d.ts' */
/** @typedef {{ crop: Crop, isCut?: boolean }} Guess `isCut` says that legs are left out, since no square holds them */

/** The smallest face of a whole figure, against the shorter side of the picture. */
const OF_A_FIGURE = 0.05;

/**
 * Null if no face is found. Throws if the face finder cannot be downloaded.
 *
 * @param {CollectionName} collection
 * @param {HTMLCanvasElement} picture
 * @returns {Promise<Guess | null>}
 */
export async function firstGuess(collection, picture) {
  const face = await findFace(picture, collection === 'figures' ? OF_A_FIGURE : undefined);
  if (!face) return null;
  return collection === 'figures' ? aroundFigure(face, picture) : { crop: around(face, picture) };
}
