#!/usr/bin/env node
// lfdm-judge: what networks that others made see in clips, real, rebuilt or generated: whether there is a face, what it
// expresses, and whose it is.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { findClips, pick } from './clips.js';
import { figures, print } from './figures.js';
import { LABELS } from './labels.js';
import { ABOUT, faceWithin, findFace, load } from './recogniser.js';

/** @import { Clip } from './clips.js' */
/** @import { Face, View } from './recogniser.js' */

const USAGE = `node judge.js CLIPS [--out FILE] [--frame N] [--squares]

  CLIPS      what \`lfdm eval --clips-out\` or \`lfdm animate --out\` writes: folders of <subject>/<label>/0001.png …
  --out      write a JSON report
  --frame    the frame to look at, counted from 0 [default: the one that clips.json names, or the middle one]
  --squares  look at squares in the middle of frames instead of at the face that is found: for heads framed as in
             the first data set, at sizes where the detector finds none

Prints, in percent of the clips: faces found; labels named rightly, also as a share of those of real clips; labels that
gained most from the person's frame 0 to the apex; and the distance between the faces of these two frames, which is
above 0.6 for two people. Frame 0 is that of the real clip, where there is one.`;

/**
 * Squares around the face, in shares of the data's frames. People of the training split decided which ones.
 *
 * @type {View[]}
 */
const VIEWS = [0.5, 0.6].flatMap((side) => [0.525, 0.575].map((centre) => ({ side, centre: [0.5, centre] })));

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
      squares: { type: 'boolean' },
      help: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const [root, ...others] = positionals;
  if (values.help) return console.log(USAGE);
  if (!root || others.length > 0) throw new Error(USAGE);
  if (values.frame && !/^\d+$/.test(values.frame)) throw new Error('--frame must be a whole number, 0 or more');
  const { origins, apex, crop } = await findClips(root);
  const frame = values.frame ? Number(values.frame) : apex;
  const views = values.squares ? VIEWS.map((view) => through(crop, view)) : null;
  await load();

  const look = remembered((path) => (views ? faceWithin(path, views) : findFace(path)));
  const real = origins.get('real') ?? [];
  const judged = [];
  for (const [origin, clips] of origins) {
    const seen = await judge(known(clips, origin, root), { frame, real, look });
    judged.push({ origin, ...figures(seen) });
  }
  const report = { recogniser: ABOUT, frame: frame ?? null, views, origins: judged };
  console.log(`${ABOUT.package} ${ABOUT.version}`);
  print(judged);
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
 * The clips of labels that the recogniser knows.
 *
 * @param {Clip[]} clips
 */
function known(clips, origin, root) {
  const known = clips.filter(({ label }) => LABELS.includes(label));
  if (known.length === 0) {
    throw new Error(
      `${origin} in ${root} holds no clip of ${LABELS.join(', ')}; it takes <subject>/<label>/0001.png …`,
    );
  }
  const left = clips.length - known.length;
  if (left > 0) console.warn(`${origin}: leaving out ${left} clips of other labels`);
  return known;
}

/**
 * Looks at the apex of each clip, and at frame 0 of the real one, or of itself where there is none.
 *
 * @param {Clip[]} clips
 * @param {{ frame: number | undefined, real: Clip[], look: (path: string) => Promise<Face | null> }} how
 */
async function judge(clips, { frame, real, look }) {
  const seen = [];
  for (const [index, clip] of clips.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${clips.length} `);
    const own = real.find(({ subject, label }) => subject === clip.subject && label === clip.label) ?? clip;
    seen.push({ label: clip.label, apex: await look(pick(clip, frame)), rest: await look(pick(own, 0)) });
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return seen;
}

/**
 * `look` that looks at no file twice.
 *
 * @template T
 * @param {(path: string) => Promise<T>} look
 */
function remembered(look) {
  /** @type {Map<string, Promise<T>>} */
  const answers = new Map();
  return (/** @type {string} */ path) => {
    const answer = answers.get(path) ?? look(path);
    answers.set(path, answer);
    return answer;
  };
}
