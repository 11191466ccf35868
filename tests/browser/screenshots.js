// `npm run screenshots`: the page's main states on every screen, light and dark, in `screenshots/`, to be looked at.
// `npm run screenshots -- welcome error` takes these states alone, and goes no further than the last of them.

import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { modelsOf } from '../../www/app/catalogue.js';
import { fixture, launch } from './harness.js';

const OUT = fileURLToPath(new URL('screenshots/', import.meta.url));
const SCREENS = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 390, height: 844 },
  landscape: { width: 844, height: 390 },
  small: { width: 320, height: 640 },
  // A window of 1280 x 900 at 200 %.
  zoomed: { width: 640, height: 450 },
};
/** What a state is about, and so is scrolled to; the others are seen from the top. */
const SHOWN = { save: 'save', error: 'error' };
/** Each goes on from where the one before ended. */
const STATES = {
  async welcome(visitor) {
    await visitor.get('badge').waitFor();
    await visitor.state('idle');
  },
  async framing(visitor) {
    await visitor.upload(fixture('portrait.jpg'));
    await visitor.framed();
  },
  async framed(visitor) {
    await visitor.get('framing-use').click();
    await visitor.state('idle');
  },
  async running(visitor) {
    await visitor.set({ steps: 500 });
    await visitor.get('generate').click();
    await visitor.page.waitForFunction(() => /step [3-9]/.test(document.getElementById('status').textContent));
    await visitor.get('label-fear').click();
  },
  async video(visitor) {
    await visitor.get('queue-drop').click();
    await visitor.get('cancel').click();
    await visitor.state('idle');
    await visitor.video({ label: 'happiness', seed: 7, steps: 4 });
    await pause(visitor);
  },
  async maps(visitor) {
    await visitor.get('maps').click();
  },
  async save(visitor) {
    await visitor.get('maps').click();
    await visitor.save('webm');
  },
  async comparison(visitor) {
    await visitor.set({ steps: 2 });
    await visitor.get('all-expressions').click();
    await visitor.page.waitForFunction(() => document.querySelectorAll('#board button:enabled').length === 7);
    await visitor.state('ready');
    await pause(visitor);
  },
  async error(visitor) {
    await visitor.upload({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
    await visitor.get('error').waitFor();
  },
  ...(modelsOf('figures').length && {
    async figures(visitor) {
      await visitor.get('collection-figures').click();
      await visitor.state('loading', 'idle');
      await visitor.state('idle');
    },
    async 'figures-framing'(visitor) {
      await visitor.upload(fixture('portrait.jpg'));
      await visitor.framed();
    },
  }),
};

/** On a frame with something to see. */
async function pause(visitor) {
  await visitor.get('play').click();
  await visitor.get('scrubber').fill('10');
}

/** One state on one screen. */
async function take(visitor, state, [screen, viewport], colorScheme) {
  const { page } = visitor;
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
  await page.evaluate((id) => {
    scrollTo(0, 0);
    if (id) document.getElementById(id).scrollIntoView({ block: 'center' });
  }, SHOWN[state]);
  // Canvases follow the size of the window one frame later.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await page.screenshot({ path: `${OUT}${state}-${screen}-${colorScheme}.png` });
}

const wanted = process.argv.slice(2);
const left = new Set(wanted);

await mkdir(OUT, { recursive: true });
const host = await launch();
try {
  const visitor = await host.visit('?device=cpu#model=faces-64', { deviceScaleFactor: 2 });
  for (const [state, reach] of Object.entries(STATES)) {
    await visitor.page.setViewportSize(SCREENS.desktop);
    await reach(visitor);
    if (wanted.length && !wanted.includes(state)) continue;
    left.delete(state);
    for (const screen of Object.entries(SCREENS)) {
      for (const colorScheme of ['light', 'dark']) await take(visitor, state, screen, colorScheme);
    }
    if (wanted.length && !left.size) break;
  }
} finally {
  await host.close();
}
