// A page with more than one model: which one is taken, changing it, and links that name one.

import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { MODELS } from '../../www/app/catalogue.js';
import { DIST, PATIENCE, append, difference, editManifest, launch } from './harness.js';

const [QUICKEST] = Object.keys(MODELS);
/** The quickest model under another name, with shorter videos and other defaults. */
const OTHER = 'faces-other';
const OTHERS = `models/${OTHER}/manifest.json`;
const FRAMES = 2;
const STEPS = 2;

describe('models', { timeout: 2 * PATIENCE }, () => {
  let host;
  before(async () => {
    const mounts = ['models', 'previews'].map((folder) => [`${folder}/${OTHER}/`, `${DIST}/${folder}/${QUICKEST}`]);
    host = await launch({ together: true, mounts: Object.fromEntries(mounts) });
  });
  after(() => host?.close());

  /**
   * A visitor of a page that has both.
   *
   * @param {import('node:test').TestContext} t
   * @param {import('./harness.js').VisitOptions & { query?: string, state?: string | null }} options
   */
  const visit = (t, { changes, ...options } = {}) =>
    host.visitDuring(t, {
      frames: 2 * FRAMES,
      ...options,
      changes: {
        'app/catalogue.js': append(`for (const name in MODELS) if (name !== '${QUICKEST}') delete MODELS[name];
          MODELS['${OTHER}'] = { ...MODELS['${QUICKEST}'], title: 'Other' };`),
        [OTHERS]: editManifest((manifest) => {
          Object.assign(manifest, { name: OTHER, default_steps: STEPS, fps: 4 });
          manifest.config.frames = FRAMES;
        }),
        ...changes,
      },
    });

  test('the catalogue lists what is there', async () => {
    for (const [name, { title, previews, hero }] of Object.entries(MODELS)) {
      const manifest = JSON.parse(await readFile(`${DIST}/models/${name}/manifest.json`, 'utf8'));
      assert.equal(manifest.name, name);
      const [height, width] = manifest.config.image_size;
      assert.ok(title.includes(`${width} × ${height}`), title);
      assert.ok([...previews, ...hero].every((label) => manifest.labels.includes(label)));
      const files = [...previews, ...hero.map((label) => `hero-${label}`)];
      for (const file of files) await access(`${DIST}/previews/${name}/${file}.webp`);
    }
  });

  test('one model is no choice', { skip: Object.keys(MODELS).length > 1 && 'the page has several' }, async (t) => {
    const visitor = await host.visitDuring(t);
    assert.ok(await visitor.get('model').isHidden());
  });

  test('are changed by the visitor, one video at a time', async (t) => {
    const visitor = await visit(t);
    assert.equal(await visitor.get('model').inputValue(), QUICKEST, 'the quickest with little memory');
    const settings = { label: 'happiness', seed: 7 };
    const first = await visitor.video({ ...settings, steps: 1 });
    assert.match(visitor.page.url(), new RegExp(`model=${QUICKEST}`));

    await visitor.get('model').selectOption(OTHER);
    await visitor.state('loading');
    assert.ok(await visitor.get('generate').isDisabled());
    await visitor.state('idle');
    assert.equal(await visitor.get('steps').inputValue(), `${STEPS}`, 'its own defaults');
    const second = await visitor.video(settings);
    assert.equal(second.frames.length, FRAMES);
    assert.match(visitor.page.url(), new RegExp(`model=${OTHER}`));
    assert.equal(await visitor.get('scrubber').getAttribute('max'), `${FRAMES - 1}`);

    // The shelf has both, each with the link of its own model.
    await visitor.get('shelf').locator('button').last().click();
    assert.match(visitor.page.url(), new RegExp(`model=${QUICKEST}`));
    assert.equal(await visitor.get('scrubber').getAttribute('max'), `${first.frames.length - 1}`);

    await visitor.set({ steps: 300 });
    await visitor.get('generate').click();
    await visitor.state('running');
    assert.ok(await visitor.get('model').isDisabled(), 'not while a video is being made');
    await visitor.get('cancel').click();
    await visitor.state('idle', 'ready');
    assert.ok(await visitor.get('model').isEnabled());
    assert.deepEqual(visitor.complaints, []);
  });

  test('are named by links, also by one that is opened while another video is being made', async (t) => {
    const settings = `sample=3628&label=surprise&seed=5&steps=${STEPS}&guidance=1`;
    const first = await visit(t, { query: `?device=cpu#model=${OTHER}&${settings}`, state: null });
    const video = await first.made();
    assert.equal(video.frames.length, FRAMES);
    assert.equal(await first.get('model').inputValue(), OTHER);

    const second = await visit(t, { query: `?device=cpu#model=${QUICKEST}` });
    assert.equal(await second.page.evaluate(() => window.video), undefined, 'a model alone is no video');
    await second.set({ steps: 300 });
    await second.get('generate').click();
    await second.state('running');
    await second.page.evaluate((hash) => (location.hash = hash), `#model=${OTHER}&${settings}`);
    const again = await second.made();
    assert.equal(difference(video.frames, again.frames), 0);
    assert.deepEqual([...first.complaints, ...second.complaints], []);
  });

  test('change once more while a change waits: the last one counts', async (t) => {
    const visitor = await visit(t);
    await visitor.set({ steps: 300 });
    await visitor.get('generate').click();
    await visitor.state('running');
    for (const hash of [`#model=${OTHER}`, `#model=${QUICKEST}&sample=3628&label=fear&seed=2&steps=1&guidance=1`]) {
      await visitor.page.evaluate((hash) => (location.hash = hash), hash);
    }
    const { frames } = await visitor.made();
    assert.equal(await visitor.get('model').inputValue(), QUICKEST);
    assert.notEqual(frames.length, FRAMES);
    assert.match(visitor.page.url(), new RegExp(`model=${QUICKEST}`));
    assert.deepEqual(visitor.complaints, []);
  });

  test('that cannot be had leave the way back open', async (t) => {
    const visitor = await visit(t, { changes: { [OTHERS]: () => 404 } });
    await visitor.get('model').selectOption(OTHER);
    await visitor.page.waitForSelector('body[data-state=error]');
    assert.match(await visitor.errorText(), /not on this server/);
    await visitor.get('model').selectOption(QUICKEST);
    await visitor.state('loading', 'idle');
    await visitor.state('idle');
    assert.ok(await visitor.get('error').isHidden());
    await visitor.video({ label: 'fear', steps: 1, guidance: 1 });
  });

  test('without examples show the portrait, and a face for every label', async (t) => {
    const visitor = await visit(t);
    await visitor.page.waitForSelector('#badge:not([hidden])');
    await visitor.page.evaluate(async (name) => {
      const { MODELS } = await import(new URL('app/catalogue.js', location.href).href);
      Object.assign(MODELS[name], { previews: [], hero: [] });
    }, OTHER);
    await visitor.get('model').selectOption(OTHER);
    await visitor.state('loading');
    await visitor.state('idle');
    assert.ok(await visitor.page.locator('#badge').isHidden(), 'no example of another model');
    const [labels, faces] = await visitor.page.evaluate(() =>
      ['label', 'label svg'].map((what) => document.querySelectorAll(`#labels ${what}`).length),
    );
    assert.ok(labels > 0 && faces === labels, `${faces} faces of ${labels} labels`);
    assert.deepEqual(visitor.complaints, []);
  });

  test('suit the machine: the finest where there is memory enough, or nobody says how much', async (t) => {
    const pretend = (deviceMemory) => {
      Object.defineProperty(Navigator.prototype, 'deviceMemory', { configurable: true, get: () => deviceMemory });
    };
    for (const [memory, expected] of [
      [8, OTHER],
      [undefined, OTHER],
      [2, OTHER],
      [1, QUICKEST],
    ]) {
      let chosen = Promise.resolve('');
      const prepare = async (page) => {
        await page.addInitScript(pretend, memory);
        const asked = page.waitForResponse((response) => /models\/[^/]+\/manifest/.test(response.url()));
        chosen = asked.then((response) => response.url());
      };
      const visitor = await visit(t, { prepare, state: null });
      assert.ok((await chosen).includes(`/${expected}/`));
      assert.equal(await visitor.get('model').inputValue(), expected, `${memory} GB`);
      await visitor.close();
    }
  });
});
