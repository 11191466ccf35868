// `npm run previews`: renders what the page shows before it can make videos itself, `www/previews/<model>/`, with the
// page's own package and the browser's WebP encoder. To be repeated, and looked at, whenever a model or the first
// sample of its collection changes. `npm run previews -- faces-64` renders those of
// one model, and `npm run previews -- card` the card of a link to the page, of the strips that are there.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { MODELS, modelsOf, samplesOf } from '../../www/app/catalogue.js';
import { REPOSITORY, launch } from './harness.js';

/** Of the first few, the ones whose mouths are cleanest: an example should show what the model can do [default: 1] */
const SEEDS = { 'faces-64': 7, 'faces-128': 1 };
/** Sides of a frame: for the form, and for the largest screen of a page. */
const SMALL = 112;
const LARGE = 384;
const QUALITY = { small: 0.85, large: 0.8 };

const wanted = process.argv.slice(2);
const host = await launch();
const visitor = await host.visit('?device=cpu');
await visitor.state('idle');
/** The card of a link: every other frame of two strips, so that it stays small. */
const CARD = { width: 480, height: 252, strips: 2, skip: 2, fps: 4, title: ['A portrait', 'comes alive'] };

try {
  if (wanted.includes('card')) {
    await save(join(REPOSITORY, 'www/previews/card.gif'), await card(modelsOf('faces').at(-1)));
  }
  for (const [model, { previews, hero }] of Object.entries(MODELS)) {
    if (wanted.length && !wanted.includes(model)) continue;
    const out = join(REPOSITORY, 'www/previews', model);
    await mkdir(out, { recursive: true });
    for (const label of previews) {
      const { small, large } = await render(model, label);
      await save(join(out, `${label}.webp`), small);
      if (hero.includes(label)) await save(join(out, `hero-${label}.webp`), large);
    }
  }
} finally {
  await host.close();
}

/** The frames of one video side by side, small and large, as WebP in base64. */
function render(model, label) {
  return visitor.page.evaluate(
    async ({ model, label, sample, seed, sizes, quality }) => {
      const { Lfdm, decodeImage } = await import(new URL('pkg/index.js', location.href).href);
      const url = new URL(`models/${model}`, location.href).href;
      window.lfdm = window.lfdm?.url === url ? window.lfdm : { url, model: await Lfdm.load(url, { device: 'cpu' }) };
      const picture = await decodeImage(new URL(`samples/${sample.file}`, location.href));
      const { x, y, side } = sample.crop ?? { x: 0, y: 0, side: picture.width };
      const portrait = new OffscreenCanvas(side, side).getContext('2d');
      portrait.putImageData(new ImageData(picture.data, picture.width, picture.height), -x, -y);
      const image = portrait.getImageData(0, 0, side, side);
      const { frames } = window.lfdm.model.manifest;
      const strips = Object.fromEntries(
        Object.entries(sizes).map(([name, size]) => [
          name,
          Object.assign(document.createElement('canvas'), { width: frames * size, height: size }),
        ]),
      );
      for await (const event of window.lfdm.model.generate({ image, label, seed, photoSize: sizes.large })) {
        if (event.type !== 'frame') continue;
        const { rgba, width, height } = event.photo;
        const frame = await createImageBitmap(new ImageData(rgba, width, height));
        for (const [name, size] of Object.entries(sizes)) {
          const target = strips[name].getContext('2d');
          target.imageSmoothingQuality = 'high';
          target.drawImage(frame, event.index * size, 0, size, size);
        }
      }
      return Object.fromEntries(
        Object.entries(strips).map(([name, strip]) => [
          name,
          strip.toDataURL('image/webp', quality[name]).split(',')[1],
        ]),
      );
    },
    {
      model,
      label,
      sample: samplesOf(MODELS[model].collection)[0],
      seed: SEEDS[model] ?? 1,
      sizes: { small: SMALL, large: LARGE },
      quality: QUALITY,
    },
  );
}

/** The hero beside the page's title, as a GIF in base64: the one moving format that most cards show. */
function card(model) {
  const strips = MODELS[model].hero.slice(0, CARD.strips).map((label) => `previews/${model}/hero-${label}.webp`);
  return visitor.page.evaluate(
    async ({ model, strips, width, height, skip, fps, title }) => {
      const { Lfdm } = await import(new URL('pkg/index.js', location.href).href);
      const lfdm = await Lfdm.load(new URL(`models/${model}`, location.href), { device: 'cpu' });
      const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      const frames = [];
      for (const url of strips) {
        const strip = await createImageBitmap(await (await fetch(url)).blob());
        for (let x = 0; x < strip.width; x += strip.height) {
          if ((x / strip.height) % skip) continue;
          context.fillStyle = '#f6f3ee';
          context.fillRect(0, 0, width, height);
          context.drawImage(strip, x, 0, strip.height, strip.height, 0, 0, height, height);
          context.fillStyle = '#211d19';
          context.font = '500 36px Georgia, serif';
          title.forEach((line, index) => context.fillText(line, height + 22, 118 + 42 * index));
          frames.push(context.getImageData(0, 0, width, height).data);
        }
      }
      const bytes = new Uint8Array(await (await lfdm.encodeGif(frames, { width, height, fps })).arrayBuffer());
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      return btoa(text);
    },
    { model, ...CARD, strips },
  );
}

async function save(path, base64) {
  const bytes = Buffer.from(base64, 'base64');
  await writeFile(path, bytes);
  console.log(`${path.slice(REPOSITORY.length)}: ${bytes.length} bytes`);
}
