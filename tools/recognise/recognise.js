#!/usr/bin/env node
// Whether an expression recogniser made by others names the label of clips: real ones, repeated ones, generated ones.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { findClips, pick } from './clips.js';
import { ABOUT, LABELS, detectAndRecognise, load, recognise } from './recogniser.js';

const USAGE = `node recognise.js CLIPS [--out FILE] [--frame N] [--detect]

  CLIPS      what \`lfdm eval --clips-out\` writes, or a folder of <subject>/<label>/0001.png …
  --out      JSON report
  --frame    which frame is looked at, counted from 0; without it the one that clips.json names, or the middle one
  --detect   also look through the package's own face detector, which overlooks faces but crops more tightly; takes its time`;

/** Squares around a face that fills half of the frame, in shares of its side. */
const VIEWS = [0.5, 0.55, 0.6].map((side) => ({ left: 0.5 - side / 2, top: 0.55 - side / 2, side }));
const NOBODY = 'no face';

const { root, out, frame, detect } = parse(process.argv.slice(2));
const { origins, apex } = await findClips(root);
await load();
const report = { recogniser: ABOUT, frame: frame ?? apex ?? null, views: VIEWS, origins: [] };
for (const [origin, clips] of origins) {
  const known = clips.filter(({ label }) => LABELS.includes(label));
  if (known.length === 0) fail(`${origin} in ${root} holds no clip of ${LABELS.join(', ')}: expected <subject>/<label>/0001.png …`);
  if (known.length < clips.length) console.warn(`${origin}: ${clips.length - known.length} clips of other labels are left out`);
  const whole = await judge(known, (path) => recognise(path, VIEWS));
  const detected = detect ? await judge(known, detectAndRecognise) : null;
  report.origins.push({ origin, ...whole, detected });
}
print(report);
if (out) {
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(report, null, 2)}\n`);
}

/** What `look` says of each clip, counted. */
async function judge(clips, look) {
  const said = Object.fromEntries(LABELS.map((label) => [label, {}]));
  for (const [index, clip] of clips.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${clips.length} `);
    const label = (await look(pick(clip, frame ?? apex))) ?? NOBODY;
    said[clip.label][label] = (said[clip.label][label] ?? 0) + 1;
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return { clips: clips.length, ...accuracy(said), said };
}

/** Shares of all clips, of those of each label, and of those with a face. */
function accuracy(said) {
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  const shown = LABELS.filter((label) => sum(said[label]) > 0);
  const total = (of) => shown.reduce((all, label) => all + of(label), 0);
  const [clips, right, missed] = [(label) => sum(said[label]), (label) => said[label][label] ?? 0, (label) => said[label][NOBODY] ?? 0];
  const found = total(clips) - total(missed);
  return {
    faces: found / total(clips),
    accuracy: total(right) / total(clips),
    accuracy_of_faces: found > 0 ? total(right) / found : null,
    labels: Object.fromEntries(shown.map((label) => [label, right(label) / clips(label)])),
  };
}

function print({ recogniser, origins }) {
  const percent = (share) => (share == null ? '-' : (100 * share).toFixed(1)).padStart(9);
  const row = (name, cells) => console.log(name.padEnd(32) + cells.map((cell) => String(cell).padStart(10)).join(''));
  console.log(`${recogniser.package} ${recogniser.version}, clips whose label it names, in percent\n`);
  row('', ['clips', 'faces', 'all', ...LABELS]);
  const figures = (name, { clips, faces, accuracy, labels }) =>
    row(name, [clips, percent(faces), percent(accuracy), ...LABELS.map((label) => percent(labels[label]))]);
  for (const { origin, detected, ...whole } of origins) {
    figures(origin, whole);
    if (detected) figures(`${origin}, detector`, detected);
  }
  for (const { origin, said } of origins) {
    console.log();
    row(`${origin}: shown, named`, LABELS);
    for (const label of LABELS) row(`  ${label}`, LABELS.map((named) => said[label][named] ?? '.'));
  }
}

function parse(arguments_) {
  const options = { out: { type: 'string' }, frame: { type: 'string' }, detect: { type: 'boolean' }, help: { type: 'boolean' } };
  try {
    const { values, positionals } = parseArgs({ args: arguments_, options, allowPositionals: true });
    if (values.help) {
      console.log(USAGE);
      process.exit();
    }
    if (positionals.length !== 1) fail(USAGE);
    const frame = values.frame === undefined ? undefined : Number(values.frame);
    if (frame !== undefined && !(Number.isInteger(frame) && frame >= 0)) fail('--frame must be 0 or more');
    return { root: positionals[0], out: values.out, frame, detect: values.detect ?? false };
  } catch (error) {
    return fail(`${error.message}\n\n${USAGE}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
