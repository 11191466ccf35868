// The page in another browser. Firefox is driven as it is installed, so what is checked here is what a visitor sees.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, difference, findFirefox, launch, openFirefox } from './harness.js';

const skip = findFirefox() ? false : 'there is no Firefox on PATH, and LFDM_FIREFOX names none';

describe('the page in Firefox', { timeout: 2 * PATIENCE, skip }, () => {
  let host;
  before(async () => (host = await launch({ open: openFirefox })));
  after(() => host?.close());

  test('makes a video, and its link makes the same one again', async (t) => {
    const visitor = await host.visitDuring(t, { moving: true });
    t.diagnostic(await visitor.page.evaluate(() => navigator.userAgent));
    assert.match(await visitor.get('device').innerText(), /CPU/);
    const video = await visitor.video({ label: 'happiness', seed: 7, steps: 2 });
    t.diagnostic(JSON.stringify(video.timings));
    assert.equal(video.frames.length, 16);
    const still = video.frames.map(() => video.frames[0]);
    assert.ok(difference(video.frames, still) > 0.2, 'the frames do not move');
    const picture = () => visitor.get('result').evaluate((canvas) => canvas.toDataURL());
    const shown = await picture();
    await visitor.page.waitForFunction((old) => document.getElementById('result').toDataURL() !== old, shown);

    const { hash } = new URL(visitor.page.url());
    const second = await host.visitDuring(t, { query: `?device=cpu${hash}`, state: null });
    const again = await second.made();
    assert.equal(difference(video.frames, again.frames), 0);
    assert.deepEqual([...visitor.complaints, ...second.complaints], []);
  });
});
