#!/usr/bin/env node
// Whether an expression recogniser made by others names the labels of clips: real ones, repeated ones, generated ones.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { findClips, pick } from './clips.js';
import { ABOUT, LABELS, detectAndRecognise, load, recognise } from './recogniser.js';

/** @import { Clip } from './clips.js' */
/** @import { View } from './recogniser.js' */

const USAGE = `node recognise.js CLIPS [--out FILE] [--frame N] [--detect]

  CLIPS      what \`lfdm eval --clips-out\` writes, or a folder of <subject>/<label>/0001.png …
  --out      write a JSON report
  --frame    the frame to look at, counted from 0 [default: the one that clips.json names, or the middle one]
  --detect   also use the package's own face detector, which is slow and overlooks faces`;

/**
 * Squares around the face, in shares of the data's frames. People of the training split decided which ones.
 *
 * @type {View[]}
 */
const VIEWS = [0.5, 0.6].flatMap((side) => [0.525, 0.575].map((centre) => ({ side, centre: [0.5, centre] })));
const NOBODY = 'no face';

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { values, positionals } = parseArgs({
    options: {
      out: { type: 'string' },
      frame: { type: 'string' },
      detect: { type: 'boolean' },
      help: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const [root, ...others] = positionals;
  if (values.help) return console.log(USAGE);
  if (!root || others.length > 0) throw new Error(USAGE);
  if (values.frame && !/^\d+$/.test(values.frame)) throw new Error('--frame must be a whole number, 0 or more');
  const { origins, apex, crop } = await findClips(root);
  const views = VIEWS.map((view) => through(crop, view));
  const frame = values.frame ? Number(values.frame) : apex;
  await load();

  const judged = [];
  for (const [origin, clips] of origins) {
    const known = clips.filter(({ label }) => LABELS.includes(label));
    if (known.length === 0) {
      throw new Error(
        `${origin} in ${root} holds no clip of ${LABELS.join(', ')}; it takes <subject>/<label>/0001.png …`,
      );
    }
    const left = clips.length - known.length;
    if (left > 0) console.warn(`${origin}: leaving out ${left} clips of other labels`);
    const whole = await judge(known, frame, (path) => recognise(path, views));
    const detected = values.detect ? await judge(known, frame, detectAndRecognise) : null;
    judged.push({ origin, ...whole, detected });
  }
  const report = { recogniser: ABOUT, frame: frame ?? null, views, origins: judged };
  print(report);
  if (values.out) {
    await mkdir(dirname(values.out), { recursive: true });
    await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`);
  }
}

/**
 * A square of the data's frames in shares of a part of them.
 *
 * @param {number[]} part
 * @param {View} view
 * @returns {View}
 */
function through([left, top, whole], { side, centre: [x, y] }) {
  return { side: side / whole, centre: [(x - left) / whole, (y - top) / whole] };
}

/**
 * What `look` says of each clip, counted.
 *
 * @param {Clip[]} clips
 * @param {number | undefined} frame
 * @param {(path: string) => Promise<string | null>} look
 */
async function judge(clips, frame, look) {
  /** @type {Record<string, Record<string, number>>} */
  const said = Object.fromEntries(LABELS.map((label) => [label, {}]));
  for (const [index, clip] of clips.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${clips.length} `);
    const label = (await look(pick(clip, frame))) ?? NOBODY;
    said[clip.label][label] = (said[clip.label][label] ?? 0) + 1;
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return { clips: clips.length, ...shares(said), said };
}

/** Of clips in which a face was found, of clips named rightly among all and among those, and by label. */
function shares(said) {
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  const shown = LABELS.filter((label) => sum(said[label]) > 0);
  const total = (of) => sum(shown.map(of));
  const [clips, right] = [(label) => sum(said[label]), (label) => said[label][label] ?? 0];
  const found = total((label) => clips(label) - (said[label][NOBODY] ?? 0));
  return {
    faces: found / total(clips),
    accuracy: total(right) / total(clips),
    accuracy_of_faces: found > 0 ? total(right) / found : null,
    labels: Object.fromEntries(shown.map((label) => [label, right(label) / clips(label)])),
  };
}

function print({ recogniser, origins }) {
  const row = (name, cells) => console.log(name.padEnd(32) + cells.map((cell) => String(cell).padStart(10)).join(''));
  const percent = (share) => (share == null ? '-' : (100 * share).toFixed(1));
  const figures = (name, { clips, faces, accuracy, accuracy_of_faces: amongFaces, labels }) => {
    row(name, [clips, ...[faces, amongFaces, accuracy, ...LABELS.map((label) => labels[label])].map(percent)]);
  };
  console.log(`${recogniser.package} ${recogniser.version}: clips whose label it names, in percent`);
  row('', ['clips', 'faces', 'of these', 'of all', ...LABELS]);
  for (const { origin, detected, ...whole } of origins) {
    figures(origin, whole);
    if (detected) figures(`${origin}, detector`, detected);
  }
  for (const { origin, said } of origins) {
    console.log();
    row(`${origin}: shown, named`, LABELS);
    for (const label of LABELS) {
      row(
        `  ${label}`,
        LABELS.map((named) => said[label][named] ?? '.'),
      );
    }
  }
}
