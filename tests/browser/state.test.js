// What the page remembers, what it returns to, and that everything stays within reach.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, SCREENS, difference, fixture, launch } from './harness.js';

const FRAMES = 3;
const QUICK = { steps: 1, guidance: 1 };
const ENDLESS = { steps: 300, guidance: 1 };

describe('the page remembers', { timeout: 2 * PATIENCE }, () => {
  let host;
  before(async () => (host = await launch({ together: true })));
  after(() => host?.close());

  const visit = (t, options) => host.visitDuring(t, { frames: FRAMES, ...options });
  const stepping = (visitor) =>
    visitor.page.waitForFunction(() => /step [1-9]/.test(document.getElementById('status').textContent));
  const bring = async (visitor) => {
    await visitor.upload(fixture('portrait.jpg'));
    await visitor.framed();
    await visitor.get('framing-use').click();
    await visitor.state('idle');
  };
  const focused = (visitor) => visitor.page.evaluate(() => document.activeElement.id);

  test('a photo, until it is forgotten; and the video of it, to the pixel', async (t) => {
    const visitor = await visit(t);
    assert.ok(await visitor.get('forget').isHidden());
    await bring(visitor);
    const { frames } = await visitor.video({ label: 'fear', seed: 3, ...QUICK });
    const link = visitor.page.url();
    await visitor.page.reload();
    const again = await visitor.made();
    assert.equal(again.label, 'fear');
    assert.equal(difference(frames, again.frames), 0);
    assert.ok(await visitor.get('own').locator('input').isChecked());

    // Framed anew it is another portrait: the old link is not followed with it.
    await visitor.get('adjust').click();
    await visitor.get('framing-use').click();
    await visitor.state('idle');
    await visitor.page.goto('about:blank');
    await visitor.page.goto(link);
    await visitor.page.waitForFunction(() => /never left/.test(document.getElementById('status').textContent));

    // A browser that does not forget it is not trusted to have.
    await visitor.page.evaluate(() => {
      const { delete: original } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.delete = () => {
        IDBObjectStore.prototype.delete = original;
        throw new Error('the disk is gone');
      };
    });
    await visitor.get('forget').click();
    await visitor.get('error').waitFor();
    assert.match(await visitor.errorText(), /could not forget the photo/);
    assert.ok(await visitor.get('own').isVisible());

    // Nor do other tabs keep it.
    const other = await visitor.page.context().newPage();
    await other.goto(link.split('#')[0]);
    await other.getByTestId('own').waitFor();
    await visitor.get('forget').focus();
    await visitor.page.keyboard.press('Enter');
    await visitor.get('own').waitFor({ state: 'hidden' });
    assert.equal(await focused(visitor), 'image-input');
    await other.getByTestId('own').waitFor({ state: 'hidden' });
    await other.close();
    await visitor.page.goto('about:blank');
    await visitor.page.goto(link.split('#')[0]);
    await visitor.state('idle');
    assert.ok(await visitor.get('own').isHidden());
    assert.ok(await visitor.get('forget').isHidden());
    assert.deepEqual(visitor.complaints, []);
  });

  test('without a database, or whatever else browsers refuse, a photo lasts as long as the page', async (t) => {
    const refuse = () => {
      const get = () => {
        throw new DOMException('denied', 'SecurityError');
      };
      Object.defineProperty(globalThis, 'caches', { get });
      Object.defineProperty(globalThis, 'indexedDB', { get });
      for (const name of ['serviceWorker', 'locks', 'storage']) {
        Object.defineProperty(Object.getPrototypeOf(navigator), name, { get });
      }
      Reflect.deleteProperty(Object.getPrototypeOf(navigator), 'clipboard');
    };
    const visitor = await visit(t, {
      prepare: (page) => page.addInitScript(refuse),
      changes: { 'pkg/worker.js': (body) => `(${refuse})();\n${body}` },
    });
    await bring(visitor);
    await visitor.video({ label: 'fear', seed: 3, ...QUICK });
    await visitor.get('copy-link').click();
    await visitor.page.getByText('You can copy it from the address bar').waitFor();
    await visitor.get('copy-image').click();
    await visitor.page.getByText('The image could not be copied').waitFor();
    await visitor.get('forget').click();
    await visitor.get('own').waitFor({ state: 'hidden' });
    assert.deepEqual(visitor.complaints, []);
  });

  test('nothing, if the database never answers: a link to the photo says so', async (t) => {
    const visitor = await visit(t, {
      query: '?device=cpu#sample=own&photo=abc&label=fear',
      prepare: (page) => page.addInitScript(() => (IDBFactory.prototype.open = () => /** @type {any} */ ({}))),
    });
    await visitor.page.waitForFunction(() => /never left/.test(document.getElementById('status').textContent));
    assert.ok(await visitor.get('generate').isEnabled());
  });

  test('what is being made: the address has it from the start', async (t) => {
    const visitor = await visit(t);
    await visitor.set({ ...ENDLESS, steps: 60, seed: 77 });
    await visitor.get('label-disgust').click();
    await visitor.get('generate').click();
    await stepping(visitor);
    assert.match(visitor.page.url(), /label=disgust&seed=77&steps=60/);
    await visitor.page.reload();
    await visitor.state('running');
    assert.equal(await visitor.get('seed').inputValue(), '77');
    await visitor.get('cancel').click();
    await visitor.state('idle');
  });

  test('the video before one that was cancelled, and the focus', async (t) => {
    const visitor = await visit(t);
    await visitor.set({ ...QUICK, seed: 5 });
    await visitor.get('all-seeds').click();
    await visitor.state('ready');
    await visitor.page.waitForFunction(() => document.querySelectorAll('#board button:enabled').length === 4);
    const address = visitor.page.url();
    await visitor.set(ENDLESS);
    await visitor.get('generate').click();
    await stepping(visitor);
    await visitor.get('label-fear').click();
    await visitor.get('queue-drop').click();
    assert.equal(await focused(visitor), 'cancel');
    await visitor.get('cancel').click();
    await visitor.state('ready');
    assert.equal(await focused(visitor), 'generate');
    assert.equal(await visitor.get('views').getAttribute('data-view'), 'grid');
    assert.equal(await visitor.get('board').locator('button:enabled').count(), 4);
    assert.equal(visitor.page.url(), address);
    assert.ok(await visitor.get('save-gif').isEnabled());

    // A wrong setting, mended.
    await visitor.set({ steps: 0 });
    await visitor.get('generate').click();
    await visitor.get('error').waitFor();
    await visitor.set(QUICK);
    await visitor.get('generate').click();
    await visitor.state('ready');
    assert.equal(await focused(visitor), 'generate');
    assert.deepEqual(visitor.complaints, []);
  });

  test('the settings of a video that is opened again', async (t) => {
    const visitor = await visit(t);
    await visitor.get('sample-2').click();
    await visitor.state('idle');
    await visitor.video({ label: 'anger', seed: 8, steps: 2, guidance: 1.5 });
    const said = await visitor.get('status').innerText();
    await bring(visitor);
    await visitor.video({ label: 'surprise', seed: 9, ...QUICK });
    await visitor.get('shelf').locator('button').last().click();
    assert.ok(await visitor.get('sample-2').locator('input').isChecked());
    assert.ok(await visitor.get('label-anger').locator('input').isChecked());
    const values = await Promise.all(['seed', 'steps', 'guidance'].map((id) => visitor.get(id).inputValue()));
    assert.deepEqual(values, ['8', '2', '1.5']);
    assert.equal(await visitor.get('status').innerText(), said);
    await visitor.get('shelf').locator('button').first().click();
    assert.ok(await visitor.get('own').locator('input').isChecked());
    // The portrait that the next video is made of.
    const { label, seed } = await visitor.video({ label: 'neutral', seed: 10, ...QUICK });
    assert.deepEqual([label, seed], ['neutral', 10]);
    assert.match(visitor.page.url(), /sample=own&photo=/);

    // A photo that was forgotten comes back with its video, and not to stay.
    await visitor.get('forget').click();
    await visitor.get('own').waitFor({ state: 'hidden' });
    await visitor.get('shelf').locator('button').first().click();
    await visitor.get('own').waitFor();
    await visitor.page.goto('about:blank');
    await visitor.page.goto(`${visitor.url}?device=cpu`);
    await visitor.state('idle');
    assert.ok(await visitor.get('own').isHidden());
    assert.deepEqual(visitor.complaints, []);
  });

  test('links beyond the limits: the model’s own number, and a question', async (t) => {
    const visitor = await visit(t, { query: '?device=cpu#label=fear&guidance=99&steps=9999' });
    const manifest = await visitor.page.evaluate(async () => (await fetch('models/faces-64/manifest.json')).json());
    assert.match(await visitor.get('status').innerText(), /steps, guidance; the model’s own are set instead/);
    assert.equal(await visitor.get('steps').inputValue(), `${manifest['default_steps']}`);
    assert.equal(await visitor.get('guidance').inputValue(), `${manifest['default_guidance']}`);

    const follow = (hash) => visitor.page.evaluate((hash) => (location.hash = hash), hash);
    await follow('#label=fear&seed=4&steps=1000&guidance=1');
    await visitor.get('question').waitFor();
    assert.match(await visitor.get('question').innerText(), /1000 steps/);
    const { y, height } = await visitor.get('question').boundingBox();
    assert.ok(y >= 0 && y + height <= visitor.page.viewportSize().height, 'it is on the screen');
    assert.equal(await visitor.page.evaluate(() => document.body.dataset.state), 'idle');
    await visitor.get('question-no').click();
    assert.ok(await visitor.get('question').isHidden());
    assert.equal(await focused(visitor), 'generate');
    await follow('#label=fear&seed=4&steps=10&guidance=1&grid=expressions');
    await visitor.get('question').waitFor();
    assert.match(await visitor.get('question').innerText(), /70 steps/);
    await visitor.get('question-yes').click();
    await visitor.state('running');
    await visitor.get('cancel').click();
    await visitor.state('idle', 'ready');
    assert.deepEqual(visitor.complaints, []);
  });

  test('of two files that are dropped, which one was taken', async (t) => {
    const visitor = await visit(t);
    await visitor.page.evaluate(async () => {
      const canvas = new OffscreenCanvas(80, 80);
      canvas.getContext('2d').fillRect(0, 0, 80, 80);
      const transfer = new DataTransfer();
      transfer.items.add(new File(['words'], 'letter.txt', { type: 'text/plain' }));
      for (const name of ['first.png', 'second.png']) {
        transfer.items.add(new File([await canvas.convertToBlob()], name, { type: 'image/png' }));
      }
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    });
    const { note } = await visitor.framed();
    assert.match(note, /Of 3 files this is first.png/);
  });

  for (const [screen, viewport] of Object.entries(SCREENS)) {
    test(`within reach: framing, errors, words; ${screen}`, async (t) => {
      const visitor = await visit(t, { viewport });
      const [picture, animate] = [
        await visitor.get('result').boundingBox(),
        await visitor.get('generate').boundingBox(),
      ];
      const ends = [picture.y + picture.height, animate.y + animate.height];
      assert.ok(Math.max(...ends) <= viewport.height, `picture and button are seen at once: ${ends}`);
      const isBeside = picture.x + picture.width <= animate.x || ends[0] <= animate.y;
      assert.ok(isBeside, 'the button does not cover the picture');

      await visitor.upload(fixture('portrait.jpg'));
      await visitor.framed();
      const dialog = await visitor.get('framing').boundingBox();
      const boxes = {};
      for (const id of [
        'framing-view',
        'framing-out',
        'framing-note',
        'framing-find',
        'framing-cancel',
        'framing-use',
      ]) {
        boxes[id] = await visitor.get(id).boundingBox();
      }
      for (const [id, { x, y, width, height }] of Object.entries(boxes)) {
        assert.ok(
          x >= 0 && y >= 0 && x + width <= viewport.width && y + height <= viewport.height,
          `${id} is on the screen: ${[x, y, width, height]}`,
        );
        for (const [other, box] of Object.entries(boxes)) {
          if (id >= other) continue;
          const apart =
            x + width <= box.x + 1 ||
            box.x + box.width <= x + 1 ||
            y + height <= box.y + 1 ||
            box.y + box.height <= y + 1;
          assert.ok(apart, `${id} and ${other} overlap`);
        }
      }
      const main = boxes['framing-use'];
      assert.ok(main.y + main.height < dialog.y + dialog.height - 4, 'the dialog does not cut its main button off');
      assert.ok(boxes['framing-note'].width > 180, 'the note has room for words');
      await visitor.get('framing-use').click();
      await visitor.state('idle');

      await visitor.upload({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
      await visitor.get('error').waitFor();
      const [error, button] = [await visitor.get('error').boundingBox(), await visitor.get('generate').boundingBox()];
      const apart = error.x + error.width <= button.x || error.y + error.height <= button.y;
      assert.ok(apart && error.y >= 0, `the error is not behind the button: ${error.y + error.height}, ${button.y}`);

      await visitor.get('maps').click();
      const cut = await visitor.page.evaluate(() =>
        [...document.querySelectorAll('.screen:not(.main-screen) figcaption')]
          .filter((caption) => {
            const [inner, outer] = [caption, caption.parentElement].map((part) => part.getBoundingClientRect());
            return inner.left < outer.left || inner.right > outer.right || caption.scrollWidth > caption.clientWidth;
          })
          .map(({ textContent }) => textContent),
      );
      assert.deepEqual(cut, [], 'the maps have their names');
      await visitor.get('maps').click();

      for (const id of ['ping-pong', 'sharp']) {
        assert.ok(await visitor.get(id).locator('span').isVisible(), `${id} has its word`);
      }
      const wider = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${wider} pixels wider than the screen`);
      assert.deepEqual(visitor.complaints, []);
    });
  }
});
