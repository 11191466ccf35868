// What was seen in many clips, counted.

import { LABELS } from './labels.js';

/** @import { Expressions, Face } from './recogniser.js' */

const NEUTRAL = 'neutral';
const NOBODY = 'no face';

/**
 * A clip as it was seen: its apex, and the person's own frame 0.
 *
 * @typedef {{ label: string, apex: Face | null, rest: Face | null }} Seen
 */

/**
 * Shares of the clips: `faces` were found, `accuracy` named rightly. Of those that show more than a neutral face,
 * `gained` have the label whose probability grew most from the person's frame 0 to the apex. `identity` is the mean
 * distance between the two descriptors, over `identities` clips.
 *
 * @param {Seen[]} clips
 */
export function figures(clips) {
  const said = Object.fromEntries(LABELS.map((label) => [label, {}]));
  for (const { label, apex } of clips) {
    const named = apex ? strongest(apex.expressions) : NOBODY;
    said[label][named] = (said[label][named] ?? 0) + 1;
  }
  const found = clips.filter(({ apex }) => apex);
  const right = (clips) => clips.filter(({ label, apex }) => apex && strongest(apex.expressions) === label);
  const acted = clips.filter(({ label }) => label !== NEUTRAL);
  const distances = clips.flatMap(({ apex, rest }) => {
    return apex?.descriptor && rest?.descriptor ? [distance(apex.descriptor, rest.descriptor)] : [];
  });
  return {
    clips: clips.length,
    faces: share(found, clips),
    accuracy: share(right(clips), clips),
    accuracy_of_faces: share(right(found), found),
    gained: share(acted.filter(hasGained), acted),
    identity: distances.length ? distances.reduce((sum, distance) => sum + distance) / distances.length : null,
    identities: distances.length,
    labels: Object.fromEntries(
      LABELS.map((label) => [label, clips.filter((clip) => clip.label === label)])
        .filter(([, shown]) => shown.length > 0)
        .map(([label, shown]) => [label, share(right(/** @type {Seen[]} */ (shown)), shown)]),
    ),
    said,
  };
}

/** Prints a line for each origin, and below what was taken for what. */
export function print(origins) {
  const real = origins.find(({ origin }) => origin === 'real');
  const percent = (share) => (share == null ? '-' : (100 * share).toFixed(1));
  row('', ['clips', 'faces', 'named', 'of real', 'gained', 'distance', ...LABELS]);
  for (const { origin, clips, faces, accuracy, gained, identity, labels } of origins) {
    const ofReal = real && real.accuracy > 0 ? accuracy / real.accuracy : null;
    const cells = [faces, accuracy, ofReal, gained].map(percent);
    row(origin, [clips, ...cells, identity?.toFixed(3) ?? '-', ...LABELS.map((label) => percent(labels[label]))]);
  }
  for (const { origin, said } of origins) {
    console.log();
    row(`${origin}: shown, named`, [...LABELS, NOBODY]);
    for (const label of LABELS) {
      row(
        `  ${label}`,
        [...LABELS, NOBODY].map((named) => said[label][named] ?? '.'),
      );
    }
  }
}

function row(name, cells) {
  console.log(name.padEnd(32) + cells.map((cell) => String(cell).padStart(10)).join(''));
}

/** @param {Seen} clip */
function hasGained({ label, apex, rest }) {
  if (!apex || !rest) return false;
  const gain = Object.fromEntries(LABELS.map((name) => [name, apex.expressions[name] - rest.expressions[name]]));
  return strongest(gain) === label;
}

/** @param {Expressions} of */
function strongest(of) {
  return LABELS.reduce((best, label) => (of[label] > of[best] ? label : best));
}

function distance(a, b) {
  return Math.hypot(...a.map((value, index) => value - b[index]));
}

function share(part, whole) {
  return whole.length > 0 ? part.length / whole.length : null;
}
