// The page by keyboard alone, and by the rules of axe, in each of its main states.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, fixture, launch } from './harness.js';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FRAMES = 3;

describe('access', { timeout: 2 * PATIENCE }, () => {
  let host;
  before(async () => (host = await launch({ together: true })));
  after(() => host?.close());

  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing in the main states, ${colorScheme}`, async (t) => {
      // Nothing moves: colours in transition are nobody's fault.
      const visitor = await host.visitDuring(t, { frames: FRAMES, colorScheme });
      await visitor.page.evaluate(AXE);
      const check = async (state) => {
        const { violations } = await visitor.page.evaluate(() => window.axe.run());
        const found = violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`,
        );
        assert.deepEqual(found, [], state);
      };
      await check('idle');
      await visitor.upload(fixture('portrait.jpg'));
      await visitor.framed();
      await check('framing');
      await visitor.get('framing-use').click();
      await visitor.state('idle');
      await visitor.video({ label: 'surprise', seed: 1, steps: 1, guidance: 1 });
      await check('a video');
      await visitor.set({ steps: 0 });
      await visitor.get('generate').click();
      await visitor.page.waitForSelector('body[data-state=error]');
      await check('an error');
      await visitor.set({ steps: 1 });
      await visitor.get('all-seeds').click();
      await visitor.state('running');
      await check('a comparison in the making');
      await visitor.state('ready');
      await check('a comparison');
      assert.deepEqual(visitor.complaints, []);
    });
  }

  test('everything can be done by keyboard', async (t) => {
    const visitor = await host.visitDuring(t, { frames: FRAMES, moving: true });
    const { keyboard } = visitor.page;
    const focused = () => visitor.page.evaluate(() => document.activeElement.id || document.activeElement.name);
    /** Tabs on until the element with this id or name has the focus. */
    const reach = async (target, key = 'Tab') => {
      for (let presses = 0; presses < 60; presses++) {
        if ((await focused()) === target) return;
        await keyboard.press(key);
      }
      assert.fail(`${target} is not reached by ${key}`);
    };
    // The focus goes in the order of reading: video, portraits, expressions, settings, button.
    await reach('play');
    await keyboard.press('Space');
    assert.equal(await visitor.get('play').getAttribute('aria-label'), 'Play');
    await reach('portrait');
    await keyboard.press('ArrowRight');
    assert.ok(await visitor.get('sample-1').locator('input').isChecked());
    await reach('image-input');
    await reach('label');
    await keyboard.press('ArrowRight');
    assert.ok(await visitor.get('label-sadness').locator('input').isChecked());
    await reach('seed');
    await keyboard.press('Control+A');
    await keyboard.type('42');
    await reach('dice');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('Enter'); // "Advanced" opens.
    await reach('steps');
    await keyboard.press('Control+A');
    await keyboard.type('1');
    await keyboard.press('Enter');
    const video = await visitor.made();
    assert.deepEqual(
      { label: video.label, seed: video.seed, steps: video.steps },
      { label: 'sadness', seed: 42, steps: 1 },
    );

    await reach('scrubber', 'Shift+Tab');
    // A running clock stops when the value changes; one of the two changes it.
    await keyboard.press('End');
    await keyboard.press('Home');
    await keyboard.press('ArrowRight');
    assert.equal(await visitor.get('position').innerText(), `2 / ${FRAMES}`);
    await reach('copy-link');
    await keyboard.press('Shift+Tab');
    await keyboard.press('Shift+Tab');
    const [download] = await Promise.all([visitor.page.waitForEvent('download'), keyboard.press('Enter')]);
    assert.match(download.suggestedFilename(), /sadness-seed42\.png$/);

    await visitor.upload(fixture('portrait.jpg'));
    await visitor.framed();
    assert.equal(await focused(), 'framing-view', 'the dialog takes the focus to the picture');
    await keyboard.press('-');
    await reach('framing-use');
    await keyboard.press('Enter');
    await visitor.state('idle');
    assert.equal(await focused(), 'own-radio', 'and gives it to what was chosen');
    assert.deepEqual(visitor.complaints, []);
  });
});
