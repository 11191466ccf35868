// `npm run previews`: renders what the page shows before it can make videos itself,
// `www/previews/<model>/`, with the native program (LFDM_BIN) and the browser's WebP encoder. To be
// repeated, and looked at, whenever the model changes.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { MODELS, SAMPLES } from '../../www/app/catalogue.js';
import { REPOSITORY, openBrowser } from './harness.js';

/** Of the first few, the one whose mouths are cleanest: an example should show what the model can do. */
const SEED = 7;
const QUALITY = 0.9;
/** Between the pictures of a contact sheet. */
const GAP = 2;
const WWW = join(REPOSITORY, 'www');

const scratch = await mkdtemp(join(tmpdir(), 'lfdm-previews-'));
const browser = await openBrowser();
const page = await browser.newPage();
try {
  for (const [model, { previews, teaser }] of Object.entries(MODELS)) {
    const out = join(WWW, 'previews', model);
    await mkdir(out, { recursive: true });
    for (const label of previews) {
      const sheet = await contactSheet(model, label);
      await save(join(out, `${label}.webp`), await strip(model, sheet, 1));
      if (label === teaser) await save(join(out, 'teaser.webp'), await strip(model, sheet, 3));
    }
  }
} finally {
  await browser.close();
  await rm(scratch, { recursive: true });
}

/** Frames, flow and occlusion as `lfdm animate --sheet` draws them: a column of names, then the pictures, with gaps. */
async function contactSheet(model, label) {
  const sheet = join(scratch, `${label}.png`);
  const paths = ['--model', join(WWW, 'models', model), '--image', join(WWW, 'samples', `${SAMPLES[0].id}.png`)];
  const program = process.env.LFDM_BIN ?? 'lfdm';
  await promisify(execFile)(program, [
    'animate',
    ...paths,
    '--label',
    label,
    '--seed',
    `${SEED}`,
    '--out',
    join(scratch, label),
    '--sheet',
    sheet,
  ]);
  return readFile(sheet, 'base64');
}

/** The first `rows` rows of a sheet without names and gaps, as WebP in base64. */
async function strip(model, sheet, rows) {
  const { config } = JSON.parse(await readFile(join(WWW, 'models', model, 'manifest.json'), 'utf8'));
  return page.evaluate(
    async ({ sheet, rows, frames, side, gap, quality }) => {
      const bytes = Uint8Array.from(atob(sheet), (character) => character.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const canvas = Object.assign(document.createElement('canvas'), { width: frames * side, height: rows * side });
      const left = picture.width - frames * (side + gap);
      for (let row = 0; row < rows; row++) {
        for (let frame = 0; frame < frames; frame++) {
          /** @type {[number, number, number, number]} */
          const from = [left + frame * (side + gap), row * (side + gap), side, side];
          canvas.getContext('2d').drawImage(picture, ...from, frame * side, row * side, side, side);
        }
      }
      return canvas.toDataURL('image/webp', quality).split(',')[1];
    },
    { sheet, rows, frames: config.frames, side: config.image_size[0], gap: GAP, quality: QUALITY },
  );
}

async function save(path, base64) {
  const bytes = Buffer.from(base64, 'base64');
  await writeFile(path, bytes);
  console.log(`${path.slice(REPOSITORY.length)}: ${bytes.length} bytes`);
}
