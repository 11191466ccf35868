// The recogniser: face-api (https://github.com/vladmandic/face-api, MIT), whose weights travel in the package.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { PNG } from 'pngjs';

import { LABELS, NAMES } from './labels.js';

const require = createRequire(import.meta.url);
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
const { tf } = faceapi;
const PACKAGE = require('@vladmandic/face-api/package.json');

/** @typedef {{ side: number, centre: number[] }} View a square of an image, in shares of it */
/** @typedef {Record<string, number>} Expressions the probability of each label */
/**
 * What is seen in a picture. The descriptor says whose face it is: 128 numbers, and two people are more than about 0.6
 * apart.
 *
 * @typedef {{ expressions: Expressions, descriptor?: Float32Array }} Face
 */

/** Whom the report quotes. */
export const ABOUT = { package: PACKAGE.name, version: PACKAGE.version, licence: PACKAGE.license };

/** Pixels that the expression network sees. */
const INPUT = 112;
/** Pixels that the detector is shown at least: it overlooks faces as small as those of our models. */
const DETECTOR_INPUT = 512;
const MIN_CONFIDENCE = 0.3;

export async function load() {
  const folder = (name) => dirname(require.resolve(`${name}/package.json`));
  wasm.setWasmPaths(`${join(folder('@tensorflow/tfjs-backend-wasm'), 'dist')}/`);
  // One image is too little work to share: more threads would wait for each other.
  wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
  const models = join(folder(PACKAGE.name), 'model');
  const { faceExpressionNet, faceLandmark68Net, faceRecognitionNet, ssdMobilenetv1 } = faceapi.nets;
  for (const net of [faceExpressionNet, faceLandmark68Net, faceRecognitionNet, ssdMobilenetv1]) {
    await net.loadFromDisk(models);
  }
}

/**
 * The face that the detector finds and aligns, or `null`.
 *
 * @param {string} path
 * @returns {Promise<Face | null>}
 */
export async function findFace(path) {
  return withImage(path, async (image) => {
    const size = image.shape.slice(0, 2).map((side) => Math.max(side, DETECTOR_INPUT));
    const enlarged = tf.image.resizeBilinear(image, size).toInt();
    const options = new faceapi.SsdMobilenetv1Options({ minConfidence: MIN_CONFIDENCE });
    const found = await faceapi
      .detectSingleFace(enlarged, options)
      .withFaceLandmarks()
      .withFaceExpressions()
      .withFaceDescriptor();
    return found ? { expressions: mean([found.expressions]), descriptor: found.descriptor } : null;
  });
}

/**
 * A face known to be within `views` of an image, whose expressions are averaged.
 *
 * @param {string} path
 * @param {View[]} views
 * @returns {Promise<Face>}
 */
export async function faceWithin(path, views) {
  return withImage(path, async (image) => {
    const boxes = views.map(({ side, centre: [x, y] }) => [y - side / 2, x - side / 2, y + side / 2, x + side / 2]);
    const crops = tf.image.cropAndResize(
      image.expandDims(0),
      boxes,
      boxes.map(() => 0),
      [INPUT, INPUT],
    );
    const both = tf.concat([crops, crops.reverse(2)]).toInt();
    return { expressions: mean(await faceapi.nets.faceExpressionNet.predictExpressions(tf.unstack(both))) };
  });
}

/** Lends the pixels, `[height, width, 3]` of 255, and frees whatever was made of them. */
async function withImage(path, use) {
  const { width, height, data } = await read(path);
  tf.engine().startScope();
  try {
    return await use(tf.tensor(new Float32Array(data), [height, width, 4]).slice([0, 0, 0], [-1, -1, 3]));
  } finally {
    tf.engine().endScope();
  }
}

async function read(path) {
  const bytes = await readFile(path);
  try {
    return PNG.sync.read(bytes);
  } catch (error) {
    throw new Error(`${path} is not a PNG that can be read: ${error.message}`);
  }
}

/**
 * @param {Record<string, number>[]} predictions
 * @returns {Expressions}
 */
function mean(predictions) {
  const of = (name) => predictions.reduce((sum, prediction) => sum + prediction[name], 0) / predictions.length;
  return Object.fromEntries(LABELS.map((label) => [label, of(NAMES[label])]));
}
