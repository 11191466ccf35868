// What visitors do with the page: their own pictures, several wishes at once, links, keyboards.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { FAKE_CAMERA, MANIFESTS, PATIENCE, difference, editManifest, fixture, launch } from './harness.js';
import { png } from './png.js';

const FRAMES = 4;
const QUICK = { steps: 1, guidance: 1 };

describe('visitors', { timeout: 2 * PATIENCE }, () => {
  let host;
  before(async () => (host = await launch({ together: true, flags: FAKE_CAMERA })));
  after(() => host?.close());

  const visit = (t, options) => host.visitDuring(t, options);

  test('see an example move before the model is there, without a jump', async (t) => {
    let release = (/** @type {unknown} */ _) => {};
    const held = new Promise((resolve) => (release = resolve));
    const prepare = async (page) => {
      await page.addInitScript(() => {
        window.jumps = 0;
        new PerformanceObserver((list) => {
          for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.jumps += value;
        }).observe({ type: 'layout-shift', buffered: true });
      });
    };
    const changes = { 'models/*/weights-0.safetensors': async (body) => (await held, body) };
    const visitor = await visit(t, { state: null, moving: true, prepare, changes });
    await visitor.get('badge').waitFor();
    assert.match(await visitor.get('badge').innerText(), /Example.*by this model/);
    const picture = () => visitor.get('result').evaluate((canvas) => canvas.toDataURL());
    const first = await picture();
    await visitor.page.waitForFunction((old) => document.getElementById('result').toDataURL() !== old, first);
    assert.equal(await visitor.page.evaluate(() => document.body.dataset.state), 'loading');
    const paint = await visitor.page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    );
    t.diagnostic(`first paint after ${Math.round(paint)} ms`);
    assert.ok(paint > 0 && paint < 5000);
    assert.ok(await visitor.get('save-gif').isDisabled(), 'an example is nothing to save');
    release();
    await visitor.state('idle');
    assert.ok(await visitor.get('badge').isVisible(), 'the example goes on');
    const jumps = await visitor.page.evaluate(() => window.jumps);
    t.diagnostic(`layout shift ${jumps.toFixed(4)}`);
    assert.ok(jumps < 0.02, `${jumps}`);
    assert.deepEqual(visitor.complaints, []);
  });

  test('see the motion while it is imagined, and their own photo sharp', async (t) => {
    const visitor = await visit(t, { frames: FRAMES, moving: true });
    await visitor.page.evaluate(() => {
      window.motions = new Set();
      const { flow, status } = Object.fromEntries(['flow', 'status'].map((id) => [id, document.getElementById(id)]));
      const look = () => /Imagining/.test(status.textContent) && window.motions.add(flow.toDataURL());
      new MutationObserver(look).observe(status, { childList: true, characterData: true, subtree: true });
    });
    await visitor.upload(fixture('portrait.jpg'));
    await visitor.framed();
    await visitor.get('framing-whole').click();
    await visitor.get('framing-use').click();
    await visitor.state('idle');
    assert.equal(await visitor.get('sharp').getAttribute('aria-pressed'), 'true', 'on for photos');
    await visitor.video({ label: 'surprise', seed: 3, steps: 3, guidance: 1 });
    assert.ok((await visitor.page.evaluate(() => window.motions.size)) >= 2, 'the motion becomes clearer');

    await visitor.get('play').click();
    const detail = () =>
      visitor.get('result').evaluate((canvas) => {
        const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let sum = 0;
        for (let i = 4; i < width * height * 4; i += 4) sum += Math.abs(data[i] - data[i - 4]);
        return sum / (width * height);
      });
    const sharp = await detail();
    await visitor.get('sharp').click();
    const small = await detail();
    t.diagnostic(`mean step between neighbours: sharp ${sharp.toFixed(2)}, the model's frames ${small.toFixed(2)}`);
    assert.ok(sharp > 1.1 * small, `${sharp} against ${small}`);
    await visitor.get('sharp').click();
    assert.equal(await detail(), sharp);

    await visitor.get('sharp').click();
    await visitor.get('sample-1').click();
    // On for samples too, once this one is there.
    await visitor.page.waitForFunction(() => document.getElementById('sharp').getAttribute('aria-pressed') === 'true');
    assert.deepEqual(visitor.complaints, []);
  });

  test('see the face alive in their whole picture', async (t) => {
    const visitor = await visit(t, { frames: FRAMES });
    // A green picture, wider than high, with a face in its right half.
    const wide = png(300, 200, (x, y) => (x >= 150 && y >= 25 && y < 175 ? [200, 150, 120, 255] : [20, 160, 60, 255]));
    await visitor.upload({ name: 'wide.png', mimeType: 'image/png', buffer: wide });
    await visitor.framed();
    for (let zoom = 0; zoom < 3; zoom++) await visitor.get('framing-view').press('+');
    await visitor.get('framing-use').click();
    await visitor.state('idle');
    assert.ok(await visitor.get('whole').isHidden(), 'nothing to show yet');
    await visitor.video({ label: 'happiness', seed: 1, ...QUICK });
    const pixel = (x, y) =>
      visitor
        .get('result')
        .evaluate((canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data], [x, y]);
    await visitor.get('whole').click();
    // 512 wide, so 341 high, with nothing above and below.
    assert.equal((await pixel(256, 40))[3], 0);
    const corner = await pixel(6, 100);
    assert.ok(Math.abs(corner[0] - 20) < 6 && Math.abs(corner[1] - 160) < 6 && corner[3] === 255, `${corner}`);
    await visitor.get('whole').click();
    assert.equal((await pixel(256, 40))[3], 255);
    await visitor.get('sample-1').click();
    await visitor.get('whole').waitFor({ state: 'hidden' });
    assert.deepEqual(visitor.complaints, []);
  });

  describe('find what they need in the form', () => {
    let visitor;
    before(async () => {
      visitor = await host.visit('?device=cpu');
      await visitor.state('idle');
    });
    after(() => visitor?.close());

    test('roll the dice for a seed', async () => {
      const seeds = new Set();
      for (let roll = 0; roll < 3; roll++) {
        await visitor.get('dice').click();
        seeds.add(await visitor.get('seed').inputValue());
      }
      assert.ok(seeds.size > 1, `${[...seeds]}`);
      assert.ok([...seeds].every((seed) => /^\d+$/.test(seed)));
    });

    test('see what is stored, and remove it', async () => {
      await visitor.get('stored').waitFor();
      assert.match(await visitor.get('stored').innerText(), /keeps 7\.\d MB/);
      await visitor.get('stored-remove').click();
      await visitor.page.waitForFunction(() =>
        document.getElementById('stored-text').textContent.startsWith('Removed'),
      );
      assert.equal(await visitor.withPackage(async ({ storedModels }) => (await storedModels()).length), 0);
      assert.deepEqual(visitor.complaints, []);
    });
  });

  test('who asked for less motion starts the video by hand', async (t) => {
    const visitor = await visit(t);
    await visitor.get('badge').waitFor();
    assert.equal(await visitor.get('play').getAttribute('aria-label'), 'Play');
    await visitor.get('play').click();
    await visitor.page.waitForFunction(() => document.getElementById('position').textContent.startsWith('3'));
  });

  describe('bring a picture of their own', () => {
    // One page for all of them: each leaves it as it was.
    let visitor;
    before(async () => {
      visitor = await host.visit('?device=cpu');
      await visitor.state('idle');
    });
    after(() => visitor?.close());

    const photo = async () => (await readFile(fixture('portrait.jpg'))).toString('base64');
    const hand = (visitor, how) =>
      visitor.page.evaluate(
        async ([how, base64]) => {
          const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], 'photo.jpg', { type: 'image/jpeg' }));
          if (how === 'paste') {
            window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }));
          } else {
            for (const type of ['dragenter', 'dragover', 'drop']) {
              document.body.dispatchEvent(
                new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }),
              );
            }
          }
        },
        [how, how && base],
      );
    let base;
    before(async () => (base = await photo()));

    test('by drop and by paste; another dialog is not disturbed', async () => {
      for (const how of ['drop', 'paste']) {
        await hand(visitor, how);
        const { note } = await visitor.framed();
        assert.match(note, /first guess/);
        await hand(visitor, 'paste');
        await visitor.page.keyboard.press('Escape');
        await visitor.page.waitForSelector('#framing:not([open])', { state: 'attached' });
        assert.ok(
          await visitor.get('sample-0').locator('input').isChecked(),
          'Escape keeps the portrait that was chosen',
        );
      }
      await visitor.get('image-input').setInputFiles(fixture('portrait.jpg'));
      await visitor.framed();
      await visitor.get('framing-use').click();
      assert.ok(await visitor.get('own').locator('input').isChecked());
      assert.deepEqual(visitor.complaints, []);
    });

    test('from the camera, which is off again afterwards', async () => {
      await visitor.page.evaluate(() => {
        const { getUserMedia } = MediaDevices.prototype;
        MediaDevices.prototype.getUserMedia = async function (...all) {
          return (window.stream = await getUserMedia.apply(this, all));
        };
      });
      await visitor.get('use-camera').click();
      await visitor.page.waitForSelector('#camera-shoot:enabled');
      await visitor.get('camera-shoot').click();
      const { note } = await visitor.framed();
      assert.match(note, /No face found/, 'the test picture has none');
      assert.deepEqual(
        await visitor.page.evaluate(() => window.stream.getTracks().map(({ readyState }) => readyState)),
        ['ended'],
      );
      await visitor.get('framing-use').click();
      await visitor.state('idle');
      assert.deepEqual(visitor.complaints, []);
    });

    test('a camera that is refused is explained', async () => {
      await visitor.page.evaluate(() => {
        MediaDevices.prototype.getUserMedia = async () => {
          throw new DOMException('denied', 'NotAllowedError');
        };
      });
      await visitor.get('use-camera').click();
      await visitor.page.waitForSelector('#error:not([hidden])');
      assert.match(await visitor.errorText(), /Allow it/);
      await visitor.get('sample-1').click();
      await visitor.page.waitForFunction(() => document.body.dataset.state === 'idle');
    });

    test('frame the face: first guess, pointer, wheel, pinch, keyboard, and what the model gets', async () => {
      await visitor.upload({ name: 'wide.png', mimeType: 'image/png', buffer: await visitor.widePicture() });
      const { note, crop } = await visitor.framed();
      assert.match(note, /first guess/);
      const [x, y, side] = crop;
      assert.ok(side > 180 && side < 360, `${crop}`);
      assert.ok(
        Math.abs(x + side / 2 - 582) < 30 && Math.abs(y + side / 2 - 355) < 40,
        `the face is in the middle: ${crop}`,
      );

      const changes = async (act, what) => {
        const before = await visitor.crop();
        await act();
        const now = await visitor.crop();
        assert.ok(what(before, now), `${act}: ${before} to ${now}`);
      };
      const key = (name) => () => visitor.page.keyboard.press(name);
      await changes(key('-'), (was, now) => now[2] > was[2]);
      await changes(key('+'), (was, now) => now[2] < was[2]);
      await changes(key('+'), (was, now) => now[2] < was[2]);
      await changes(key('ArrowRight'), (was, now) => now[0] < was[0] && now[1] === was[1] && now[2] === was[2]);
      await changes(key('ArrowUp'), (was, now) => now[1] > was[1] && now[0] === was[0]);
      await changes(key('Shift+ArrowDown'), (was, now) => now[1] < was[1]);

      const box = await visitor.get('framing-view').boundingBox();
      const middle = [box.x + box.width / 2, box.y + box.height / 2];
      const { mouse } = visitor.page;
      await changes(
        async () => {
          await mouse.move(...middle);
          await mouse.down();
          await mouse.move(middle[0] + 40, middle[1] + 20, { steps: 4 });
          await mouse.up();
        },
        (was, now) => Math.abs(was[0] - now[0] - (40 / box.width) * was[2]) < 1 && was[1] > now[1],
      );
      await changes(
        () => mouse.wheel(0, -200).then(() => visitor.page.waitForTimeout(100)),
        (was, now) => Math.abs(now[2] / was[2] - 2 ** -0.5) < 0.02,
      );
      await changes(
        () =>
          visitor.get('framing-view').evaluate((view) => {
            view.setPointerCapture = () => {}; // These pointers are not real.
            const { left, top, width } = view.getBoundingClientRect();
            const point = (type, pointerId, share) =>
              view.dispatchEvent(
                new PointerEvent(type, {
                  pointerId,
                  clientX: left + width * share,
                  clientY: top + width / 2,
                  bubbles: true,
                }),
              );
            point('pointerdown', 11, 0.3);
            point('pointerdown', 12, 0.7);
            point('pointermove', 11, 0.4);
            point('pointermove', 12, 0.6);
            point('pointerup', 11, 0.4);
            point('pointerup', 12, 0.6);
          }),
        (was, now) => Math.abs(now[2] / was[2] - 2) < 0.1,
      );
      // It never leaves the picture.
      for (let i = 0; i < 60; i++) await visitor.page.keyboard.press('Shift+ArrowLeft');
      const [left, , width] = await visitor.crop();
      assert.ok(left >= 0 && left + width <= 800.1, `${left} + ${width}`);
      await visitor.get('framing-whole').click();
      assert.deepEqual(await visitor.crop(), [150, 0, 500]);
      await visitor.get('framing-find').click();
      await visitor.page.waitForFunction(
        (side) => Number(document.getElementById('framing').dataset.crop.split(' ')[2]) < side,
        400,
      );
      await visitor.get('framing-view').press('Enter');
      await visitor.state('idle');

      // Reframed, it starts from where it was.
      const kept = await visitor.crop();
      await visitor.get('adjust').click();
      assert.deepEqual(await visitor.crop(), kept);
      await visitor.get('framing-cancel').click();
      assert.deepEqual(visitor.complaints, []);
    });

    test('the model gets the pixels of the crop', async () => {
      // Four quarters; the crop is moved to the last one.
      const quarters = png(400, 400, (x, y) => [x < 200 ? 0 : 250, y < 200 ? 0 : 250, 60, 255]);
      await visitor.upload({ name: 'quarters.png', mimeType: 'image/png', buffer: quarters });
      await visitor.framed();
      for (let i = 0; i < 18; i++) await visitor.page.keyboard.press('+');
      for (let i = 0; i < 20; i++) await visitor.page.keyboard.press('Shift+ArrowLeft');
      for (let i = 0; i < 20; i++) await visitor.page.keyboard.press('Shift+ArrowUp');
      const [x, y, side] = await visitor.crop();
      assert.ok(x >= 200 && y >= 200 && Math.abs(x + side - 400) < 1, `${[x, y, side]}`);
      await visitor.page.keyboard.press('Enter');
      await visitor.state('idle');
      const colours = await visitor.get('portrait').evaluate((canvas) => {
        const at = (place) => [...canvas.getContext('2d').getImageData(place, place, 1, 1).data];
        return [at(8), at(128), at(248)];
      });
      for (const colour of colours) assert.deepEqual(colour, [250, 250, 60, 255]);
    });
  });

  test('a picture without the face finder is framed by hand', async (t) => {
    const visitor = await visit(t, { changes: { 'vendor/pico/*': () => null } });
    await visitor.upload(fixture('portrait.jpg'));
    const { note, crop } = await visitor.framed();
    assert.match(note, /by hand/);
    assert.deepEqual(crop, [0, 0, 128]);
    await visitor.get('framing-use').click();
    await visitor.state('idle');
  });

  test('make one video after another: a queue of one, cancelled or followed', async (t) => {
    const visitor = await visit(t, { frames: FRAMES });
    const made = [];
    await visitor.page.exposeFunction('sawVideo', (what) => made.push(what));
    await visitor.page.evaluate(() => {
      document.addEventListener('lfdm:video', (/** @type {any} */ { detail }) =>
        window.sawVideo(`${detail.label} ${detail.seed}`),
      );
    });
    await visitor.get('label-anger').click();
    await visitor.set({ ...QUICK, steps: 300, seed: 1 });
    await visitor.get('generate').click();
    await visitor.page.waitForFunction(() => /step [1-9]/.test(document.getElementById('status').textContent));

    // Another expression waits; a newer wish replaces it; it can be dropped.
    await visitor.set(QUICK);
    await visitor.get('label-fear').click();
    await visitor.get('queue').waitFor();
    assert.match(await visitor.get('queue').innerText(), /fear, seed 1/);
    await visitor.get('queue-drop').click();
    assert.ok(await visitor.get('queue').isHidden());
    await visitor.set({ seed: 2 });
    await visitor.get('generate').click();
    await visitor.get('label-surprise').click();
    assert.match(await visitor.get('queue').innerText(), /surprise, seed 2/);
    // A wrong number does not harm what runs.
    await visitor.set({ steps: 0 });
    await visitor.get('generate').click();
    assert.match(await visitor.errorText(), /Steps/);
    assert.equal(await visitor.page.evaluate(() => document.body.dataset.state), 'running');
    await visitor.set(QUICK);

    await visitor.get('cancel').click();
    await visitor.page.waitForFunction(() => document.body.dataset.state === 'ready');
    assert.deepEqual(made, ['surprise 2']);
    assert.ok(await visitor.get('cancel').isHidden());
    assert.ok(await visitor.get('error').isHidden());
    assert.deepEqual(visitor.complaints, []);
  });

  test('compare: all expressions, four seeds; open one and come back', async (t) => {
    const visitor = await visit(t, { frames: FRAMES, moving: true });
    await visitor.set({ ...QUICK, seed: 5 });
    await visitor.get('all-expressions').click();
    await visitor.state('ready');
    const tiles = visitor.get('board').locator('button:enabled');
    assert.equal(await tiles.count(), 7);
    assert.match(visitor.page.url(), /grid=expressions/);
    const shown = () =>
      visitor
        .get('board')
        .locator('canvas')
        .evaluateAll((all) => all.map((canvas) => canvas.toDataURL()));
    const before = await shown();
    assert.equal(new Set(before).size, 7, 'seven different pictures');
    await visitor.page.waitForFunction((old) => document.querySelector('#board canvas').toDataURL() !== old, before[0]);

    await visitor.get('tile-surprise-5').first().click();
    assert.equal(await visitor.get('views').getAttribute('data-view'), 'single');
    assert.match(await visitor.get('result').getAttribute('aria-label'), /surprise/);
    await visitor.get('back').click();
    assert.equal(await visitor.get('views').getAttribute('data-view'), 'grid');

    await visitor.get('all-seeds').click();
    await visitor.state('ready');
    await visitor.page.waitForFunction(() => document.querySelectorAll('#board button:enabled').length === 4);
    assert.deepEqual(await visitor.get('board').locator('span').allInnerTexts(), [
      'Seed 5',
      'Seed 6',
      'Seed 7',
      'Seed 8',
    ]);
    assert.equal(await visitor.get('shelf').locator('button').count(), 11);

    // One that is cancelled before its first video gives way to the one before.
    await visitor.set({ steps: 300 });
    await visitor.get('all-seeds').click();
    await visitor.state('running');
    await visitor.get('cancel').click();
    await visitor.state('ready');
    assert.equal(await visitor.get('board').locator('button:enabled').count(), 4);
    await visitor.get('shelf').locator('button').first().click();
    await visitor.get('back').click();
    assert.equal(await visitor.get('views').getAttribute('data-view'), 'grid');
    assert.deepEqual(visitor.complaints, []);
  });

  test('a link makes the same pixels again, of everything it names', async (t) => {
    const first = await visit(t, { frames: FRAMES });
    await first.get('sample-3').click();
    await first.state('idle');
    const video = await first.video({ label: 'surprise', seed: 123456, steps: 2, guidance: 2.5 });
    await first.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await first.get('copy-link').click();
    await first.page.waitForFunction(() => /Link copied/.test(document.getElementById('save-note').textContent));
    const link = await first.page.evaluate(() => navigator.clipboard.readText());
    const { hash, search } = new URL(link);
    assert.equal(search, '', 'the device is not part of the link');

    const second = await visit(t, { frames: FRAMES, query: `?device=cpu${hash}`, state: null });
    const again = await second.made();
    assert.deepEqual(
      { label: again.label, seed: again.seed, steps: again.steps, guidance: again.guidance },
      { label: 'surprise', seed: 123456, steps: 2, guidance: 2.5 },
    );
    assert.ok(await second.get('sample-3').locator('input').isChecked());
    assert.equal(difference(video.frames, again.frames), 0);
    assert.equal(again.frames.length, FRAMES);

    // In the same tab, too.
    await second.page.evaluate(() => {
      delete window.video;
      location.hash = location.hash.replace('seed=123456', 'seed=9');
    });
    assert.equal((await second.made()).seed, 9);
    assert.deepEqual([...first.complaints, ...second.complaints], []);
  });

  test('strengths are offered by models that learned them, followed, and kept in the address', async (t) => {
    const strengths = { sum: [0.3, 1.3], labels: 2 };
    const learned = editManifest((manifest) => {
      manifest.strengths = strengths;
      manifest.config.frames = FRAMES;
    });
    const visitor = await visit(t, { changes: { [MANIFESTS]: learned } });
    const { page } = visitor;
    assert.ok(await visitor.get('strengths').isVisible());
    assert.equal(await visitor.get('strength').getAttribute('max'), '1.3');
    assert.ok(await visitor.get('mix-strength').isHidden());
    const settings = { label: 'happiness', seed: 3, steps: 1 };
    const plain = await visitor.video(settings);
    assert.doesNotMatch(page.url(), /strength|mix/, 'a plain label has the address that it always had');

    await visitor.get('mix').selectOption('surprise');
    assert.equal(await visitor.get('strength-value').innerText(), '0.8', 'both together are no more than was learned');
    const mixed = await visitor.video({ ...settings, strength: 0.7, 'mix-strength': 0.6 });
    assert.ok(difference(plain.frames, mixed.frames) > 0.05, 'the mixture looks like the label');
    assert.match(await visitor.get('status').innerText(), /Happiness 0\.7 \+ surprise 0\.6, seed 3/);
    const hash = new URL(page.url()).hash;
    assert.match(hash, /label=happiness&mix=surprise&strength=0\.7&mixStrength=0\.6&seed=3/);

    // The label that is mixed in cannot be chosen twice, and the neutral face has no strength.
    await visitor.get('label-surprise').click();
    assert.equal(await visitor.get('mix').inputValue(), '');
    await visitor.get('label-neutral').click();
    assert.ok(await visitor.get('strength').isDisabled());

    await page.evaluate(
      (hash) => {
        delete window.video;
        location.hash = hash;
      },
      hash.replace('strength=0.7', 'strength=0.5'),
    );
    const { strength, mix, mixStrength } = await visitor.made();
    assert.deepEqual({ strength, mix, mixStrength }, { strength: 0.5, mix: 'surprise', mixStrength: 0.6 });
    assert.deepEqual(visitor.complaints, []);

    const other = await visit(t, { frames: FRAMES, query: `?device=cpu${hash}`, state: null });
    await other.state('idle');
    assert.match(await other.get('status').innerText(), /cannot use the link’s strength/);
    assert.ok(await other.get('strengths').isHidden(), 'this model learned plain labels only');
  });

  test('a link that cannot be followed says why, and makes no other video instead', async (t) => {
    const wrong = {
      '#model=faces-512&label=fear&seed=4': /no longer has the model faces-512/,
      '#model=faces-64&sample=own&label=fear&seed=4': /never left the device/,
      '#sample=nobody&label=fear&seed=4': /no sample nobody/,
      '#sample=3628&label=boredom&seed=4': /cannot use the link’s label/,
      '#sample=3628&label=fear&seed=-4': /cannot use the link’s seed/,
    };
    const visitor = await visit(t, { query: `?device=cpu${Object.keys(wrong)[0]}` });
    for (const [hash, sentence] of Object.entries(wrong)) {
      await visitor.page.evaluate((hash) => (location.hash = hash), hash);
      await visitor.page.waitForFunction(
        (source) => new RegExp(source, 'i').test(document.getElementById('status').textContent),
        sentence.source,
      );
      assert.equal(await visitor.page.evaluate(() => document.body.dataset.state), 'idle');
    }
    assert.deepEqual(visitor.complaints, []);
  });

  test('the player pauses, scrubs, changes speed and goes back and forth', async (t) => {
    const visitor = await visit(t, { moving: true });
    await visitor.video({ label: 'happiness', seed: 1, ...QUICK });
    const position = () => visitor.get('position').innerText();
    await visitor.get('play').click();
    const paused = await position();
    await visitor.page.waitForTimeout(400);
    assert.equal(await position(), paused);
    await visitor.get('scrubber').fill('11');
    assert.equal(await position(), '12 / 16');
    assert.equal(await visitor.get('scrubber').getAttribute('aria-valuetext'), 'Frame 12 of 16');
    const seen = async () => {
      const frames = visitor.page.evaluate(
        () =>
          new Promise((resolve) => {
            const frames = [];
            const position = document.getElementById('position');
            const observer = new MutationObserver(() => {
              frames.push([parseInt(position.textContent), performance.now()]);
              if (frames.length === 8) (observer.disconnect(), resolve(frames));
            });
            observer.observe(position, { childList: true });
          }),
      );
      await visitor.get('play').click();
      return frames;
    };
    await visitor.get('ping-pong').click();
    assert.equal(await visitor.get('ping-pong').getAttribute('aria-pressed'), 'true');
    await visitor.get('speed').selectOption('2');
    await visitor.page.evaluate(() => {
      const { requestAnimationFrame } = window;
      window.asked = 0;
      window.requestAnimationFrame = (draw) => ((window.asked += 1), requestAnimationFrame(draw));
    });
    const run = await seen();
    assert.deepEqual(
      run.map(([frame]) => frame),
      [13, 14, 15, 16, 15, 14, 13, 12],
    );
    const pace = (run.at(-1)[1] - run[0][1]) / 7;
    assert.ok(pace > 40 && pace < 110, `62.5 ms per frame at twice the speed, measured ${pace.toFixed(0)}`);
    const asked = await visitor.page.evaluate(() => window.asked);
    assert.ok(asked <= 2.5 * run.length, `between the frames it sleeps: asked ${asked} times for ${run.length}`);
  });
});
