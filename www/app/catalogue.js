// What the page can offer before anything is downloaded: its models, and the pictures that come with it.

/** @import { CollectionName, Crop } from '../types.d.ts' */
/**
 * @typedef {{ collection: CollectionName, id: string, alt: string, file: string, thumbnail?: string, crop?: Crop }}
 *   Sample
 */

/**
 * The models of `www/models/`; those of a collection from the quickest to the finest. The page offers the collections
 * that have a model here, the first one to begin with. `previews` are the labels that `www/previews/<model>/` has a
 * strip for: of the first sample, small for the form, and large for the `hero`, which plays before there is a video of
 * the visitor's own and has only those that are clean. docs/development.md says how they are made.
 *
 * @type {Record<string, { collection: CollectionName, title: string, previews: string[], hero: string[] }>}
 */
export const MODELS = {
  'faces-64': {
    collection: 'faces',
    title: 'Quick, 64 × 64 pixels',
    previews: ['neutral', 'anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise'],
    hero: ['happiness', 'sadness', 'anger'],
  },
  'faces-128': {
    collection: 'faces',
    title: 'Fine, 128 × 128 pixels',
    previews: ['neutral', 'anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise'],
    hero: ['happiness', 'sadness', 'anger'],
  },
};

/**
 * The labels of a collection under their headings, where it has so many; in this order they are shown before the
 * model has arrived. A model may have fewer, or others, which follow without a heading.
 *
 * @type {Record<CollectionName, Record<string, string[]>>}
 */
export const HEADINGS = {
  faces: {},
  figures: {
    Actions: ['wave', 'clap', 'throw', 'box', 'squat', 'kick', 'jump', 'bow', 'turn', 'arms-up'],
    Signals: ['come-ahead', 'slow-down', 'stop', 'spread-wings', 'fold-wings', 'move-left', 'move-right', 'cut-engine'],
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
    collection: 'faces',
    id: 'mona-lisa',
    alt: 'Mona Lisa, painted by Leonardo da Vinci',
    file: 'mona-lisa.jpg',
    thumbnail: 'mona-lisa-small.webp',
    crop: { x: 154, y: 76, side: 367 },
  },
  { collection: 'faces', id: '3628', alt: 'woman with auburn hair', file: '3628.jpg' },
  { collection: 'faces', id: '3666', alt: 'man with grey curls', file: '3666.jpg' },
  { collection: 'faces', id: '3652', alt: 'woman with long black hair and glasses', file: '3652.jpg' },
  { collection: 'faces', id: '3637', alt: 'older woman with short white hair', file: '3637.jpg' },
  { collection: 'faces', id: '3676', alt: 'man with short grey hair, at night', file: '3676.jpg' },
  { collection: 'faces', id: '3647', alt: 'man with black hair', file: '3647.jpg' },
  { collection: 'figures', id: 'figure-3605', alt: 'man in jeans, on a lawn', file: 'figures/3605.webp' },
  { collection: 'figures', id: 'figure-3603', alt: 'woman in a blue top and a skirt', file: 'figures/3603.webp' },
  { collection: 'figures', id: 'figure-3601', alt: 'somebody in a black hat', file: 'figures/3601.webp' },
  { collection: 'figures', id: 'figure-3604', alt: 'man with a beard, from the hips up', file: 'figures/3604.webp' },
  {
    collection: 'figures',
    id: 'figure-3602',
    alt: 'man in a black jumper, from the hips up',
    file: 'figures/3602.webp',
  },
  { collection: 'figures', id: 'figure-3600', alt: 'somebody in a beret, from the hips up', file: 'figures/3600.webp' },
];

/** @returns {CollectionName[]} those that there is a model of */
export const collections = () => [...new Set(Object.values(MODELS).map(({ collection }) => collection))];
/** @param {CollectionName} name */
export const modelsOf = (name) => Object.keys(MODELS).filter((model) => MODELS[model].collection === name);
/** @param {CollectionName} name */
export const samplesOf = (name) => SAMPLES.filter(({ collection }) => collection === name);

/** @param {string} model */
export const modelUrl = (model) => new URL(`../models/${model}/`, import.meta.url);
/** @param {string} file */
export const sampleUrl = (file) => new URL(`../samples/${file}`, import.meta.url).href;
/**
 * @param {string} model
 * @param {string} name
 */
export const previewUrl = (model, name) => new URL(`../previews/${model}/${name}.webp`, import.meta.url).href;
