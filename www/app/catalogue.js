// What the page can offer before anything is downloaded: its models, and the portraits that come with it.

/** @import { Crop } from '../types.d.ts' */
/** @typedef {{ id: string, alt: string, file: string, thumbnail?: string, crop?: Crop }} Sample */

/**
 * The models of `www/models/`, from the quickest to the finest. `previews` are the labels that
 * `www/previews/<model>/` has a strip for: of the first sample, small for the form, and large for the `hero`, which
 * plays before there is a video of the visitor's own and has only those that are clean. docs/development.md says how
 * they are made.
 *
 * @type {Record<string, { title: string, previews: string[], hero: string[] }>}
 */
export const MODELS = {
  'faces-64': {
    title: 'Quick, 64 × 64 pixels',
    previews: ['neutral', 'anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise'],
    hero: ['happiness', 'sadness', 'anger'],
  },
  'faces-128': {
    title: 'Fine, 128 × 128 pixels',
    previews: ['neutral', 'anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise'],
    hero: ['happiness', 'sadness', 'anger'],
  },
};

/**
 * The files of `www/samples/`, whose README says where they come from. `crop` is where the page's own face finder
 * frames the face of a larger picture, and `thumbnail` shows that; without them the whole picture is the portrait.
 *
 * @type {Sample[]}
 */
export const SAMPLES = [
  {
    id: 'mona-lisa',
    alt: 'Mona Lisa, painted by Leonardo da Vinci',
    file: 'mona-lisa.jpg',
    thumbnail: 'mona-lisa-small.webp',
    crop: { x: 154, y: 76, side: 367 },
  },
  { id: '3628', alt: 'woman with auburn hair', file: '3628.jpg' },
  { id: '3666', alt: 'man with grey curls', file: '3666.jpg' },
  { id: '3652', alt: 'woman with long black hair and glasses', file: '3652.jpg' },
  { id: '3637', alt: 'older woman with short white hair', file: '3637.jpg' },
  { id: '3676', alt: 'man with short grey hair, at night', file: '3676.jpg' },
  { id: '3647', alt: 'man with black hair', file: '3647.jpg' },
];

/** @param {string} model */
export const modelUrl = (model) => new URL(`../models/${model}/`, import.meta.url);
/** @param {string} file */
export const sampleUrl = (file) => new URL(`../samples/${file}`, import.meta.url).href;
/**
 * @param {string} model
 * @param {string} name
 */
export const previewUrl = (model, name) => new URL(`../previews/${model}/${name}.webp`, import.meta.url).href;
