// `npm run previews`: renders what the page shows before it can make videos itself, `www/previews/<model>/`, with the
// page's own package and the browser's WebP encoder. To be repeated, and looked at, whenever a model or the first
// sample changes. `npm run previews -- faces-64` renders those of one model.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { MODELS, SAMPLES } from '../../www/app/catalogue.js';
import { REPOSITORY, launch } from './harness.js';

/** Of the first few, the one whose mouths are cleanest: an example should show what the model can do. */
const SEED = 7;
/** Sides of a frame: for the form, and for the largest screen of a page. */
const SMALL = 112;
const LARGE = 384;
const QUALITY = { small: 0.85, large: 0.8 };

const wanted = process.argv.slice(2);
const host = await launch();
const visitor = await host.visit('?device=cpu');
await visitor.state('idle');
try {
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
      const { x, y, side } = sample.crop;
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
    { model, label, sample: SAMPLES[0], seed: SEED, sizes: { small: SMALL, large: LARGE }, quality: QUALITY },
  );
}

async function save(path, base64) {
  const bytes = Buffer.from(base64, 'base64');
  await writeFile(path, bytes);
  console.log(`${path.slice(REPOSITORY.length)}: ${bytes.length} bytes`);
}
