// A page with two collections, faces and figures: the switch between them, links, labels, and photos in both.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import { HEADINGS, MODELS, SAMPLES, collections, modelsOf, samplesOf } from '../../www/app/catalogue.js';
import { labelText } from '../../www/app/expression.js';
import { DIST, PATIENCE, SCREENS, append, difference, editManifest, fixture, launch } from './harness.js';
import { png } from './png.js';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [FACES] = modelsOf('faces');
/** The weights of the quickest model of faces, whose labels are called something else. */
const FIGURES = 'figures-stand-in';
const LABELS = ['clap', 'wave', 'arms-up', 'come-ahead', 'stop', 'cut-engine', 'salute'];
const KNOWN = Object.values(HEADINGS.figures).flat();
const [FIRST, SECOND] = samplesOf('figures').map(({ id }) => id);
const [, FACE] = samplesOf('faces').map(({ id }) => id);
const QUICK = { steps: 1, guidance: 1 };
/** What the page ships of figures is left out: these tests are about the page. */
const ALONE = `for (const name in MODELS) if (MODELS[name].collection === 'figures') delete MODELS[name];`;
const BOTH = `${ALONE}
  MODELS['${FIGURES}'] = { collection: 'figures', title: 'Stand-in, 64 × 64 pixels', previews: [], hero: [] };`;

describe('collections', { timeout: 2 * PATIENCE }, () => {
  let host;
  before(
    async () =>
      (host = await launch({ together: true, mounts: { [`models/${FIGURES}/`]: `${DIST}/models/${FACES}` } })),
  );
  after(() => host?.close());

  /**
   * A visitor of a page that has both, unless `catalogue` changes it otherwise.
   *
   * @param {import('node:test').TestContext} t
   * @param {import('./harness.js').VisitOptions & { catalogue?: string, query?: string,
   *   state?: string | null }} options
   */
  const visit = (t, { catalogue = BOTH, changes = {}, ...options } = {}) =>
    host.visitDuring(t, {
      frames: 2,
      ...options,
      changes: {
        'app/catalogue.js': append(catalogue),
        [`models/${FIGURES}/manifest.json`]: editManifest((manifest) =>
          Object.assign(manifest, { name: FIGURES, labels: LABELS }),
        ),
        ...changes,
      },
    });
  /** What is on the page of a collection. */
  const look = (visitor) =>
    visitor.page.evaluate(() => {
      const all = (what) => [...document.querySelectorAll(what)];
      return {
        shown: document.querySelector('input[name=collection]:checked').value,
        portraits: all('#portraits img').map(({ src }) => src.split('samples/')[1]),
        portrait: document.querySelector('input[name=portrait]:checked')?.value,
        labels: all('input[name=label]').map(({ value }) => value),
        words: all('[data-of]')
          .filter((part) => !part.hasAttribute('hidden'))
          .map(({ dataset }) => dataset.of),
        legends: all('legend').map((legend) => legend.innerText.trim()),
      };
    });
  const switchTo = async (visitor, name) => {
    await visitor.get(`collection-${name}`).click();
    await visitor.state('loading', 'idle');
    await visitor.state('idle');
    // The first sample is on its way, too.
    await visitor.page.waitForSelector('#generate:enabled');
  };
  const focused = (visitor) => visitor.page.evaluate(() => document.activeElement.value || document.activeElement.id);
  /** A sample of figures in the middle of a wider picture. */
  const wideFigure = async (visitor, { file }) =>
    Buffer.from(
      await visitor.page.evaluate(async (url) => {
        const figure = await createImageBitmap(await (await fetch(url)).blob());
        const canvas = new OffscreenCanvas(1000, 640);
        const context = canvas.getContext('2d');
        context.drawImage(figure, 0, 0, 40, 40, 0, 0, 1000, 640);
        context.drawImage(figure, 300, 100);
        const png = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
        return png.reduce((characters, byte) => characters + String.fromCharCode(byte), '');
      }, `samples/${file}`),
      'latin1',
    );

  test('every sample is listed once, and every model is of a collection that has samples', () => {
    assert.equal(new Set(SAMPLES.map(({ id }) => id)).size, SAMPLES.length);
    for (const { collection } of Object.values(MODELS)) assert.ok(samplesOf(collection).length, collection);
    assert.equal(new Set(KNOWN).size, 18);
  });

  test('the page begins with the switch, or without it, as the catalogue has it: nothing moves', async () => {
    const [tag] = /<fieldset[^>]*id="collections"[^>]*>/.exec(await readFile(`${DIST}/index.html`, 'utf8')) ?? [];
    assert.equal(/\shidden\b/.test(tag), collections().length < 2, tag);
    assert.equal(collections()[0], 'faces', 'what the page says before the catalogue is read');
  });

  test('of one alone there is no choice, and no word of the other', async (t) => {
    const visitor = await visit(t, { catalogue: ALONE });
    assert.ok(await visitor.get('collections').isHidden());
    const { words, portraits, labels } = await look(visitor);
    assert.ok(words.length > 5 && words.every((of) => of === 'faces'), `${words}`);
    assert.equal(portraits.length, samplesOf('faces').length);
    assert.ok(labels.includes('happiness'));
    // A link to what this page does not have.
    await visitor.page.evaluate((id) => (location.hash = `#sample=${id}&label=wave&seed=2`), FIRST);
    await visitor.page.waitForFunction(() => /there is no sample/i.test(document.getElementById('status').innerText));
    assert.deepEqual(visitor.complaints, []);
  });

  test('the visitor switches: pictures, labels, words and model follow, and so does a reload', async (t) => {
    const visitor = await visit(t);
    assert.ok(await visitor.get('collections').isVisible());
    assert.equal((await look(visitor)).shown, 'faces');

    await switchTo(visitor, 'figures');
    const figures = await look(visitor);
    assert.equal(figures.shown, 'figures');
    assert.deepEqual(
      figures.portraits,
      samplesOf('figures').map(({ file }) => file),
    );
    assert.equal(figures.portrait, FIRST);
    assert.ok(
      figures.words.every((of) => of === 'figures'),
      `${figures.words}`,
    );
    assert.deepEqual(figures.legends.slice(1), ['Figure', 'Movement']);
    assert.ok((await visitor.page.locator('#model-note').innerText()).includes('rendered figures'));
    assert.ok(await visitor.page.locator('#badge').isHidden(), 'no example of faces');
    assert.ok(visitor.page.url().endsWith(`#model=${FIGURES}`), visitor.page.url());

    const video = await visitor.video({ label: 'come-ahead', seed: 5, ...QUICK });
    assert.match(visitor.page.url(), new RegExp(`model=${FIGURES}&sample=${FIRST}&label=come-ahead&seed=5`));
    assert.match(await visitor.get('status').innerText(), /^Come ahead, seed 5/);
    assert.equal(
      await visitor.get('result').getAttribute('aria-label'),
      'The figure performing come ahead, a looping video',
    );
    await visitor.page.reload();
    const again = await visitor.made();
    assert.equal(difference(video.frames, again.frames), 0);
    assert.equal((await look(visitor)).shown, 'figures');

    // Not while a video is being made; then back.
    await visitor.set({ steps: 300 });
    await visitor.get('generate').click();
    await visitor.state('running');
    assert.ok(await visitor.get('collection-faces').locator('input').isDisabled());
    await visitor.get('cancel').click();
    await visitor.state('idle', 'ready');
    await switchTo(visitor, 'faces');
    const { shown, portrait, labels, legends } = await look(visitor);
    assert.deepEqual([shown, portrait], ['faces', samplesOf('faces')[0].id]);
    assert.ok(labels.includes('happiness'));
    assert.deepEqual(legends.slice(1), ['Portrait', 'Expression']);
    assert.match((await visitor.video({ label: 'fear', seed: 6, ...QUICK })).label, /fear/);

    // The shelf has both. What is of the other collection is shown, and the form stays as it is.
    await visitor.get('shelf').locator('button').last().click();
    assert.match(visitor.page.url(), new RegExp(`model=${FIGURES}`));
    assert.match(await visitor.get('status').innerText(), /by the model “Stand-in/);
    assert.deepEqual([(await look(visitor)).shown, (await look(visitor)).portrait], ['faces', portrait]);
    assert.ok(await visitor.get('label-fear').locator('input').isChecked());
    assert.deepEqual(visitor.complaints, []);
  });

  test('labels have headings, words and drawings of their own, before the model is there too', async (t) => {
    const visitor = await visit(t, { query: `?device=cpu#model=${FIGURES}`, state: null });
    // Whether the model is on its way or has come, the page never shows another's.
    assert.ok((await look(visitor)).labels.every((label) => [...KNOWN, 'salute'].includes(label)));
    await visitor.state('idle');
    const { labels } = await look(visitor);
    assert.deepEqual(labels, ['wave', 'clap', 'arms-up', 'come-ahead', 'stop', 'cut-engine', 'salute']);
    const groups = await visitor.page
      .locator('#labels [role=group]')
      .evaluateAll((all) => all.map((group) => [group.getAttribute('aria-label'), group.innerText.split(/\s*\n\s*/)]));
    assert.deepEqual(groups, [
      ['Actions', ['Actions', 'Wave', 'Clap', 'Arms up']],
      ['Signals', ['Signals', 'Come ahead', 'Stop', 'Cut engine']],
    ]);
    assert.equal(labelText('cut-engine'), 'cut engine');

    const drawings = await visitor.page.evaluate(
      async ([known, unknown]) => {
        const { labelIcon } = await import(new URL('app/icons.js', location.href).href);
        const draw = (label) => labelIcon('figures', label).innerHTML;
        return { known: known.map(draw), unknown: draw(unknown), face: labelIcon('faces', 'wave').innerHTML };
      },
      [KNOWN, 'salute'],
    );
    const different = new Set([...drawings.known, drawings.unknown, drawings.face]);
    assert.equal(different.size, KNOWN.length + 2, 'each label has its own');
    await visitor.get('all-expressions').click();
    await visitor.state('running');
    await visitor.get('all-expressions').click();
    assert.match(await visitor.get('queue').innerText(), /Next: all movements, seed/);
    await visitor.get('queue-drop').click();
    await visitor.get('cancel').click();
    await visitor.state('idle', 'ready');
    assert.deepEqual(visitor.complaints, []);
  });

  test('links name the collection by model or sample; old ones are about faces', async (t) => {
    const settings = 'seed=5&steps=1&guidance=1';
    const first = await visit(t, { query: `?device=cpu#sample=${SECOND}&label=stop&${settings}`, state: null });
    const figure = await first.made();
    assert.equal((await look(first)).portrait, SECOND);
    assert.match(first.page.url(), new RegExp(`model=${FIGURES}`));

    // An old link, opened there, and then the first one again.
    await first.page.evaluate((hash) => {
      delete window.video;
      location.hash = hash;
    }, `#sample=${FACE}&label=surprise&${settings}`);
    const face = await first.made();
    assert.equal(face.label, 'surprise');
    assert.deepEqual([(await look(first)).shown, (await look(first)).portrait], ['faces', FACE]);
    assert.match(first.page.url(), new RegExp(`model=${FACES}`));
    await first.page.evaluate((hash) => {
      delete window.video;
      location.hash = hash;
    }, `#model=${FIGURES}&sample=${SECOND}&label=stop&${settings}`);
    const again = await first.made();
    assert.equal(difference(figure.frames, again.frames), 0);

    // On a page of its own, the old link gives the same video; and a face is no figure.
    const old = await visit(t, { query: `?device=cpu#sample=${FACE}&label=surprise&${settings}`, state: null });
    assert.equal(difference(face.frames, (await old.made()).frames), 0);
    const mixed = await visit(t, { query: `?device=cpu#model=${FIGURES}&sample=${FACE}&label=fear&${settings}` });
    assert.match(await mixed.get('status').innerText(), new RegExp(`^There is no sample ${FACE}`));
    assert.equal((await look(mixed)).portrait, FIRST);
    assert.equal(await mixed.page.evaluate(() => window.video), undefined, 'it would be another video');
    assert.deepEqual([...first.complaints, ...old.complaints, ...mixed.complaints], []);
  });

  test('a link that is opened while a face is being made', async (t) => {
    const visitor = await visit(t);
    await visitor.set({ steps: 300 });
    await visitor.get('generate').click();
    await visitor.state('running');
    const link = `#model=${FIGURES}&sample=${SECOND}&label=wave&seed=1&steps=1&guidance=1`;
    await visitor.page.evaluate((hash) => (location.hash = hash), link);
    assert.equal((await visitor.made()).label, 'wave');
    assert.deepEqual((await look(visitor)).portrait, SECOND);
    assert.deepEqual(visitor.complaints, []);
  });

  test('a photo works in both, each with its own framing, which a reload keeps', async (t) => {
    const visitor = await visit(t);
    const [sample] = samplesOf('figures');
    await visitor.upload({ name: 'f.png', mimeType: 'image/png', buffer: await wideFigure(visitor, sample) });
    await visitor.framed();
    await visitor.get('framing-whole').click();
    await visitor.get('framing-use').click();
    await visitor.state('idle');
    const face = await visitor.video({ label: 'fear', seed: 3, ...QUICK });
    const ofFace = visitor.page.url();

    await switchTo(visitor, 'figures');
    assert.equal((await look(visitor)).portrait, 'own', 'it stays chosen');
    const figure = await visitor.video({ label: 'wave', seed: 3, ...QUICK });
    const ofFigure = visitor.page.url();
    const [before, now] = [ofFace, ofFigure].map((url) => new URLSearchParams(url.split('#')[1]).get('photo'));
    assert.ok(before && now && before !== now, `${before}, ${now}`);
    assert.ok(difference(face.frames, figure.frames) > 1);
    // Nobody was asked: the square was found around the figure, and can be changed.
    await visitor.get('adjust').click();
    const [x, y, side] = await visitor.crop();
    assert.ok(x > 200 && x < 400 && side > 440 && side < 640, `${[x, y, side]}`);
    await visitor.get('framing-cancel').click();

    await visitor.page.reload();
    assert.equal(difference(figure.frames, (await visitor.made()).frames), 0);
    await visitor.page.goto('about:blank');
    await visitor.page.goto(ofFace);
    assert.equal(difference(face.frames, (await visitor.made()).frames), 0);

    // It is forgotten everywhere at once.
    await visitor.get('forget').click();
    await visitor.get('own').waitFor({ state: 'hidden' });
    await switchTo(visitor, 'figures');
    assert.equal((await look(visitor)).portrait, FIRST);
    await visitor.page.reload();
    await visitor.state('idle');
    assert.ok(await visitor.get('own').isHidden());
    assert.deepEqual(visitor.complaints, []);
  });

  test('a photo that the page kept when it had faces alone is still there', async (t) => {
    const visitor = await visit(t);
    await visitor.page.evaluate(async () => {
      const opening = indexedDB.open('lfdm-page', 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('photo');
      const database = await new Promise((resolve) => (opening.onsuccess = () => resolve(opening.result)));
      const picture = { data: new Uint8ClampedArray(200 * 100 * 4).fill(99), width: 200, height: 100 };
      const put = database.transaction('photo', 'readwrite').objectStore('photo');
      const kept = { photo: 'earlier1', picture, crop: { x: 10, y: 20, side: 60 } };
      await new Promise((resolve) => (put.put(kept, 'latest').onsuccess = resolve));
      database.close();
    });
    await visitor.page.goto('about:blank');
    await visitor.page.goto(`${visitor.url}?device=cpu#sample=own&photo=earlier1&label=fear&seed=1&steps=1&guidance=1`);
    await visitor.made();
    await visitor.get('adjust').click();
    assert.deepEqual(await visitor.crop(), [10, 20, 60]);
    assert.deepEqual(visitor.complaints, []);
  });

  test('framing is around the figure, never a face: found, cut, not found, and by hand', async (t) => {
    const visitor = await visit(t, { query: `?device=cpu#model=${FIGURES}` });
    const frame = async (buffer) => {
      await visitor.upload({ name: 'f.png', mimeType: 'image/png', buffer });
      return visitor.framed();
    };
    // Of the first sample, the feet are 478 of 512 pixels down and the head begins at 150.
    const whole = await frame(await wideFigure(visitor, samplesOf('figures')[0]));
    assert.match(whole.note, /first guess, from where the face is/);
    const [x, y, side] = whole.crop;
    assert.ok(x < 300 + 200 && x + side > 300 + 290, `arms: ${whole.crop}`);
    assert.ok(y < 100 + 150 - side / 5 && y + side > 100 + 478, `from head to foot, with room above: ${whole.crop}`);
    assert.equal(await visitor.page.locator('#framing-title').innerText(), 'Place the person');
    assert.ok(await visitor.page.locator('.guide .line').isVisible());
    assert.ok(await visitor.page.locator('.guide ellipse').isHidden());

    await visitor.get('framing-whole').click();
    assert.deepEqual(await visitor.crop(), [180, 0, 640]);
    await visitor.get('framing-find').click();
    await visitor.page.waitForFunction(() => !document.getElementById('framing').dataset.crop.endsWith('640.0'));
    assert.deepEqual(await visitor.crop(), whole.crop);
    await visitor.page.keyboard.press('Escape');

    // Legs that are not in the picture.
    const cut = await frame(await readFile(fixture('portrait.jpg')));
    assert.match(cut.note, /leaves the legs out/);
    assert.deepEqual(cut.crop, [0, 0, 128], 'a face alone is all of its picture');
    await visitor.page.keyboard.press('Escape');

    const none = await frame(png(300, 200, () => [120, 120, 120, 255]));
    assert.match(none.note, /whole picture. Place the person by hand/);
    assert.deepEqual(none.crop, [50, 0, 200]);
    await visitor.get('framing-view').press('+');
    assert.ok((await visitor.crop())[2] < 200);
    await visitor.get('framing-use').click();
    await visitor.state('idle');
    assert.equal((await look(visitor)).portrait, 'own');
    assert.deepEqual(visitor.complaints, []);
  });

  test('a photo without the face finder is the whole picture, and goes on', async (t) => {
    const visitor = await visit(t, { changes: { 'vendor/pico/*': () => null } });
    await visitor.upload(fixture('portrait.jpg'));
    await visitor.framed();
    await visitor.get('framing-use').click();
    await visitor.state('idle');
    await switchTo(visitor, 'figures');
    await visitor.get('adjust').click();
    assert.deepEqual(await visitor.crop(), [0, 0, 128]);
  });

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`the switch by keyboard, and by the rules of axe, ${colorScheme}`, async (t) => {
      const visitor = await visit(t, { colorScheme });
      const { keyboard } = visitor.page;
      const check = async (state) => {
        const { violations } = await visitor.page.evaluate(() => window.axe.run());
        assert.deepEqual(
          violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`),
          [],
          state,
        );
      };
      await visitor.page.evaluate(AXE);
      for (let left = 40; left && (await focused(visitor)) !== 'faces'; left--) await keyboard.press('Tab');
      await keyboard.press('ArrowRight');
      await visitor.state('loading', 'idle');
      await visitor.state('idle');
      assert.equal((await look(visitor)).shown, 'figures');
      assert.equal(await focused(visitor), 'figures', 'the focus stays');
      const named = visitor.page
        .getByRole('group', { name: 'What to animate' })
        .getByRole('radio', { name: 'Figures' });
      assert.ok(await named.isChecked());
      await keyboard.press('Tab');
      assert.equal(await focused(visitor), FIRST);
      await visitor.page.waitForSelector('#generate:enabled');
      await check('figures');
      await visitor.upload(fixture('portrait.jpg'));
      await visitor.framed();
      await check('framing');
      assert.deepEqual(visitor.complaints, []);
    });
  }

  for (const [screen, viewport] of Object.entries(SCREENS)) {
    test(`within reach: switch, labels, framing; ${screen}`, async (t) => {
      const visitor = await visit(t, { viewport, query: `?device=cpu#model=${FIGURES}` });
      const [picture, animate] = [
        await visitor.get('result').boundingBox(),
        await visitor.get('generate').boundingBox(),
      ];
      const ends = [picture.y + picture.height, animate.y + animate.height];
      assert.ok(Math.max(...ends) <= viewport.height, `picture and button are seen at once: ${ends}`);
      for (const name of ['faces', 'figures']) {
        const { height, width } = await visitor.get(`collection-${name}`).boundingBox();
        assert.ok(height >= 40 && width >= 90, `${name}: ${width} × ${height}`);
      }
      const cut = await visitor.page.evaluate(() => {
        const parts = [...document.querySelectorAll('.label-option span, .collections label')];
        const wide = parts.filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth);
        return [document.documentElement.scrollWidth - innerWidth, ...wide.map(({ textContent }) => textContent)];
      });
      assert.deepEqual([Math.max(0, Number(cut[0])), ...cut.slice(1)], [0], 'nothing is cut off');

      await visitor.upload(fixture('portrait.jpg'));
      await visitor.framed();
      for (const id of ['framing-view', 'framing-note', 'framing-find', 'framing-cancel', 'framing-use']) {
        const { x, y, width, height } = await visitor.get(id).boundingBox();
        const isOn = x >= 0 && y >= 0 && x + width <= viewport.width && y + height <= viewport.height;
        assert.ok(isOn, `${id} is on the screen: ${[x, y, width, height]}`);
      }
      assert.deepEqual(visitor.complaints, []);
    });
  }
});
