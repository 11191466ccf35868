// A first guess at where the face is. The detector is pico (Markuš et al., Object Detection with Pixel Intensity
// Comparisons Organized in Decision Trees, 2013): a cascade of small decision trees, each of which compares pairs of
// pixels. Its trained cascade for frontal faces is `vendor/pico/facefinder`; this file reads and runs it.

import { context, make } from './dom.js';

/** @typedef {{ x: number, y: number, size: number }} Face */
/** @typedef {ReturnType<typeof readCascade>} Cascade */

const CASCADE = new URL('../vendor/pico/facefinder', import.meta.url);

/** Sizes of the smallest face against the shorter side of the picture: one that is worth animating. */
const SMALLEST = 0.15;
/** The picture is searched at the size at which such a face has this many pixels, which is enough, and quick. */
const SMALLEST_PIXELS = 36;
const GROWTH = 1.08;
/** How far the window moves, against its own size. */
const STRIDE = 0.08;
/** Detections that overlap this much are one face. */
const SAME_FACE = 0.2;
/** The summed score under which a face is a guess not worth showing. */
const CONFIDENT = 20;

/** @type {Promise<Cascade> | null} */
let cascade = null;

/**
 * The most certain frontal face in a canvas: centre and diameter in the canvas's pixels, or null.
 * Throws if the detector cannot be downloaded.
 *
 * @param {HTMLCanvasElement} picture
 * @param {number} smallest size of a face against the shorter side of the picture
 * @returns {Promise<Face | null>}
 */
export async function findFace(picture, smallest = SMALLEST) {
  cascade ??= download().catch((error) => {
    cascade = null; // Asked again, it is tried again.
    throw error;
  });
  const { pixels, width, height, scale } = grey(picture, SMALLEST_PIXELS / smallest);
  const [face] = cluster(search(await cascade, pixels, width, height, smallest));
  if (!face || face.score < CONFIDENT) return null;
  return { x: face.x / scale, y: face.y / scale, size: face.size / scale };
}

async function download() {
  const response = await fetch(CASCADE);
  if (!response.ok) throw new Error(`${CASCADE.pathname}: HTTP ${response.status}`);
  return readCascade(await response.arrayBuffer());
}

/**
 * The file, little endian: 8 bytes of training notes, depth and number of trees as i32; then, per
 * tree, 2^depth - 1 nodes (four i8: two offsets, y before x, in 1/256 of the window), 2^depth
 * leaves as f32, and the threshold so far as f32.
 *
 * @param {ArrayBuffer} buffer
 */
export function readCascade(buffer) {
  const view = new DataView(buffer);
  const depth = view.getInt32(8, true);
  const trees = view.getInt32(12, true);
  const leaves = 2 ** depth;
  const nodes = [];
  const scores = [];
  const thresholds = [];
  let offset = 16;
  const float = () => view.getFloat32((offset += 4) - 4, true);
  for (let tree = 0; tree < trees; tree++) {
    nodes.push(new Int8Array(buffer, offset, 4 * (leaves - 1)));
    offset += 4 * (leaves - 1);
    scores.push(Float32Array.from({ length: leaves }, float));
    thresholds.push(float());
  }
  return { depth, leaves, nodes, scores, thresholds };
}

/**
 * Every window that the whole cascade accepts.
 *
 * @param {Cascade} cascade
 * @param {Uint8Array} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} smallest
 */
export function search(cascade, pixels, width, height, smallest = SMALLEST) {
  const found = [];
  const shorter = Math.min(width, height);
  for (let size = shorter * smallest; size <= shorter; size *= GROWTH) {
    const stride = Math.max(1, Math.floor(size * STRIDE));
    const margin = Math.floor(size / 2) + 1;
    for (let y = margin; y <= height - margin; y += stride) {
      for (let x = margin; x <= width - margin; x += stride) {
        const score = classify(cascade, pixels, width, x, y, size);
        if (score > 0) found.push({ x, y, size, score });
      }
    }
  }
  return found;
}

/** The score of one window, or -1 as soon as a tree rejects it, which the first few do almost everywhere. */
function classify({ depth, leaves, nodes, scores, thresholds }, pixels, stride, x, y, size) {
  const at = (dy, dx) => pixels[((256 * y + dy * size) >> 8) * stride + ((256 * x + dx * size) >> 8)];
  let score = 0;
  for (let tree = 0; tree < nodes.length; tree++) {
    const tests = nodes[tree];
    let node = 1;
    for (let level = 0; level < depth; level++) {
      const test = 4 * (node - 1);
      const right = at(tests[test], tests[test + 1]) <= at(tests[test + 2], tests[test + 3]);
      node = 2 * node + Number(right);
    }
    score += scores[tree][node - leaves];
    if (score <= thresholds[tree]) return -1;
  }
  return score - thresholds.at(-1);
}

/**
 * Joins windows on the same face: mean place and size, summed score; the best first.
 *
 * @param {(Face & { score: number })[]} found
 */
export function cluster(found) {
  const rest = found.toSorted((a, b) => b.score - a.score);
  const faces = [];
  while (rest.length) {
    const members = rest.filter((other) => overlap(rest[0], other) > SAME_FACE);
    for (const member of members) rest.splice(rest.indexOf(member), 1);
    const mean = (key) => members.reduce((sum, member) => sum + member[key], 0) / members.length;
    const score = members.reduce((sum, member) => sum + member.score, 0);
    faces.push({ x: mean('x'), y: mean('y'), size: mean('size'), score });
  }
  return faces.toSorted((a, b) => b.score - a.score);
}

/** Intersection over union of two square windows. */
function overlap(a, b) {
  const common = (axis) =>
    Math.max(
      0,
      Math.min(a[axis] + a.size / 2, b[axis] + b.size / 2) - Math.max(a[axis] - a.size / 2, b[axis] - b.size / 2),
    );
  const shared = common('x') * common('y');
  return shared / (a.size ** 2 + b.size ** 2 - shared);
}

/**
 * @param {HTMLCanvasElement} picture
 * @param {number} side the shorter one, at most
 */
function grey(picture, side) {
  const scale = Math.min(1, side / Math.min(picture.width, picture.height));
  const width = Math.round(picture.width * scale);
  const height = Math.round(picture.height * scale);
  const target = context(make('canvas', { width, height }));
  target.imageSmoothingQuality = 'high';
  target.drawImage(picture, 0, 0, width, height);
  const { data } = target.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
  }
  return { pixels, width, height, scale };
}
