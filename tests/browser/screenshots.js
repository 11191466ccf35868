// `npm run screenshots`: the page's main states with the finest model, on a phone and a desktop,
// light and dark, in `screenshots/`, to be looked at. `npm run screenshots -- phone-dark` takes
// those alone.

import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { MODELS } from '../../www/app/catalogue.js';
import { fixture, launch } from './harness.js';

const OUT = fileURLToPath(new URL('screenshots/', import.meta.url));
const SCREENS = {
  desktop: { viewport: { width: 1280, height: 960 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};
/** Each goes on from where the one before ended. */
const STATES = {
  async welcome(visitor) {
    await visitor.get('badge').waitFor();
    await visitor.state('idle');
  },
  async video(visitor) {
    await visitor.get('sample-0').click();
    await visitor.state('idle');
    await visitor.video({ label: 'happiness', seed: 7, steps: 8 });
    await visitor.get('scrubber').fill('10');
  },
  async waiting(visitor) {
    await visitor.get('generate').click();
    await visitor.state('running');
    await visitor.get('label-fear').click();
    await visitor.page.waitForFunction(() => /step [3-9]/.test(document.getElementById('status').textContent));
  },
  async expressions(visitor) {
    await visitor.get('queue-drop').click();
    await visitor.get('cancel').click();
    await visitor.state('idle');
    await visitor.set({ steps: 4 });
    await visitor.get('all-expressions').click();
    await visitor.state('ready');
    await visitor.get('scrubber').fill('10');
  },
  async error(visitor) {
    await visitor.upload({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
    await visitor.get('error').waitFor();
  },
  async framing(visitor) {
    await visitor.upload(fixture('portrait.jpg'));
    await visitor.framed();
  },
};

const finest = Object.keys(MODELS).at(-1);
const wanted = process.argv.slice(2);

await mkdir(OUT, { recursive: true });
const host = await launch();
try {
  for (const [screen, options] of Object.entries(SCREENS)) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      if (wanted.length > 0 && !wanted.includes(`${screen}-${colorScheme}`)) continue;
      const visitor = await host.visit(`?device=cpu#model=${finest}`, { ...options, colorScheme });
      for (const [state, reach] of Object.entries(STATES)) {
        await reach(visitor);
        await visitor.page.evaluate(() => scrollTo(0, 0));
        await visitor.page.screenshot({ path: `${OUT}${screen}-${colorScheme}-${state}.png` });
      }
      await visitor.close();
    }
  }
} finally {
  await host.close();
}
