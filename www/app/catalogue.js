// What the page can offer before anything is downloaded: its models, and the portraits that come with it.

/**
 * The models of `www/models/`, from the quickest to the finest. `previews` are the labels that
 * `www/previews/<model>/` has a strip for; its `teaser.webp` shows the first sample.
 * docs/development.md says how they are made.
 *
 * @type {Record<string, { title: string, previews: string[], teaser: string }>}
 */
export const MODELS = {
  'faces-64': {
    title: 'Quick, 64 × 64 pixels',
    previews: ['neutral', 'anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise'],
    teaser: 'happiness',
  },
  'faces-128': {
    title: 'Fine, 128 × 128 pixels',
    previews: ['neutral', 'anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise'],
    teaser: 'happiness',
  },
};

export const SAMPLES = [
  { id: '411', alt: 'woman with red hair' },
  { id: '425', alt: 'older man with grey hair' },
  { id: '422', alt: 'woman with short curls and glasses' },
  { id: '418', alt: 'man with fair hair' },
  { id: '433', alt: 'woman with short dark hair' },
  { id: '427', alt: 'woman with long black hair' },
];

/** @param {string} model */
export const modelUrl = (model) => new URL(`../models/${model}/`, import.meta.url);
/** @param {string} id */
export const sampleUrl = (id) => new URL(`../samples/${id}.png`, import.meta.url).href;
/**
 * @param {string} model
 * @param {string} name
 */
export const previewUrl = (model, name) => new URL(`../previews/${model}/${name}.webp`, import.meta.url).href;
