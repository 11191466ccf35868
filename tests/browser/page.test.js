// The page on the CPU, as a visitor meets it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { MANIFESTS, PATIENCE, append, difference, fixture, launch } from './harness.js';
import { png } from './png.js';

/** @import { Change } from './harness.js' */

const FRAMES = 16;
/** A page of this origin that is not ours: nothing is loaded there. */
const BLANK = { query: 'icon.svg', state: null };

describe('the page on the CPU', { timeout: 3 * PATIENCE }, () => {
  let host;
  before(async () => (host = await launch({ together: true })));
  after(() => host?.close());

  const visit = (t, options) => host.visitDuring(t, options);

  test('makes videos: they move, differ by label, repeat by seed, and take uploads', async (t) => {
    const visitor = await visit(t, { moving: true });
    const settings = { label: 'happiness', seed: 7, steps: 2 };
    assert.match(await visitor.get('device').innerText(), /CPU/);
    assert.ok(await visitor.get('device-advice').isHidden(), 'the CPU was asked for');

    const seen = [];
    await visitor.page.exposeFunction('seeStatus', (text) => seen.push(text));
    await visitor.page.evaluate(() => {
      const status = document.getElementById('status');
      new MutationObserver(() => window.seeStatus(status.textContent)).observe(status, { childList: true });
    });
    const first = await visitor.video(settings);
    t.diagnostic(`2 steps, ${first.width}x${first.height}: ${JSON.stringify(first.timings)}`);
    assert.equal(first.frames.length, FRAMES);
    assert.ok(first.frames.every((frame) => frame.length === first.width * first.height * 4));
    for (const step of [1, 2]) {
      assert.ok(
        seen.some((text) => text.includes(`step ${step} of 2`)),
        `step ${step}: ${seen}`,
      );
    }

    const still = first.frames.map(() => first.frames[0]);
    assert.ok(difference(first.frames, still) > 0.2, 'the frames do not move');
    // The screen plays what was computed.
    const picture = () => visitor.get('result').evaluate((canvas) => canvas.toDataURL());
    const shown = await picture();
    await visitor.page.waitForFunction((old) => document.getElementById('result').toDataURL() !== old, shown);

    const again = await visitor.video(settings);
    assert.ok(
      first.frames.every((frame, index) => frame.equals(again.frames[index])),
      'the same seed gave another video',
    );
    const other = await visitor.video({ ...settings, label: 'surprise' });
    assert.ok(difference(first.frames, other.frames) > 0.1, 'two labels gave the same video');

    await visitor.upload(fixture('portrait.jpg'));
    await visitor.framed();
    await visitor.get('framing-use').click();
    await visitor.state('idle');
    const uploaded = await visitor.video(settings);
    assert.equal(uploaded.frames.length, FRAMES);
    assert.ok(difference(first.frames, uploaded.frames) > 5, 'the uploaded picture was not used');
    assert.deepEqual(visitor.complaints, []);
  });

  test('cancel stops within one step and leaves the page ready', async (t) => {
    const visitor = await visit(t);
    await visitor.set({ steps: 200 });
    await visitor.get('generate').click();
    await visitor.page.waitForFunction(() => /step [1-9]/.test(document.getElementById('status').textContent));
    const late = await visitor.page.evaluate(
      () =>
        new Promise((resolve) => {
          let steps = 0;
          new MutationObserver(() => {
            if (document.body.dataset.state === 'running') steps += 1;
            else resolve(steps);
          }).observe(document.getElementById('progress'), { attributes: true });
          document.getElementById('cancel').click();
        }),
    );
    await visitor.state('idle');
    assert.ok(late <= 1, `${late} steps after the click`);
    assert.ok(await visitor.get('generate').isEnabled());

    // By the package itself, without a screen between: what arrives after the abort.
    const stopped = await visitor.withPackage(async ({ Lfdm }, url) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu' });
      const stop = new AbortController();
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
      let late = 0;
      try {
        for await (const event of lfdm.generate({ image, label: 'anger', steps: 100, signal: stop.signal })) {
          if (stop.signal.aborted) late += 1;
          if (event.type === 'step' && event.index === 1) stop.abort();
        }
      } catch (error) {
        return { late, name: error.name };
      } finally {
        lfdm.dispose();
      }
    });
    assert.equal(stopped?.name, 'AbortError');
    assert.ok(stopped.late <= 1, `${stopped.late} events after the abort`);
  });

  test('unusable pictures are explained and the page goes on', async (t) => {
    const visitor = await visit(t, { frames: 2 });
    /** @type {[{ name: string, mimeType: string, buffer: Buffer }, RegExp][]} */
    const bad = [
      [{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') }, /cannot be read as a picture/],
      [{ name: 'empty.png', mimeType: 'image/png', buffer: Buffer.alloc(0) }, /empty/],
      [{ name: 'cut.png', mimeType: 'image/png', buffer: png(64, 64).subarray(0, 20) }, /cannot be read as a picture/],
      [{ name: 'huge.png', mimeType: 'image/png', buffer: png(12_000, 10_000) }, /120 megapixels/],
      [{ name: 'speck.png', mimeType: 'image/png', buffer: png(3, 3) }, /3 ?[x×] ?3/],
    ];
    for (const [file, sentence] of bad) {
      await visitor.upload(file);
      if (file.name === 'speck.png') {
        // Only the model knows how small is too small.
        await visitor.framed();
        await visitor.get('framing-use').click();
        await visitor.get('generate').click();
      }
      await visitor.page.waitForSelector('body[data-state=error]');
      assert.match(await visitor.errorText(), sentence);
      assert.ok(await visitor.get('error').isVisible());
      await visitor.get('sample-1').click();
      await visitor.page.waitForSelector('body[data-state=idle]');
      assert.ok(!(await visitor.get('error').isVisible()));
    }
    await visitor.video({ label: 'fear', steps: 1, guidance: 1 });
  });

  test('pictures arrive upright and with their colours as stored', async (t) => {
    const visitor = await visit(t, BLANK);
    const decode = (file) =>
      visitor.withPackage(async ({ decodeImage }, _, base64) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const { data, width, height } = await decodeImage(new Blob([bytes]));
        return { width, height, data: Array.from(data.subarray(0, 64)) };
      }, file.toString('base64'));
    const { width, height } = await decode(await readFile(fixture('rotated.jpg')));
    assert.deepEqual([width, height], [64, 96], 'EXIF orientation 6 turns 96x64 into 64x96');

    const opaque = (x, y) => [x * 16, y * 16, 255 - x * 16, 255];
    const straight = await decode(png(16, 16, opaque));
    for (let x = 0; x < 16; x++) assert.deepEqual(straight.data.slice(x * 4, x * 4 + 4), opaque(x, 0));

    const clear = await decode(png(16, 16, (x) => [200, 100, 50, x < 8 ? 128 : 0]));
    // A canvas keeps colours multiplied by alpha: half transparent ones may be off by one, which white then halves.
    [200, 100, 50, 128].forEach((value, channel) =>
      assert.ok(Math.abs(clear.data[channel] - value) <= 1, `${clear.data}`),
    );
    assert.equal(clear.data[15 * 4 + 3], 0, 'transparent');

    const large = await decode(png(4096, 2048));
    assert.deepEqual([large.width, large.height], [2048, 1024], 'a large picture is reduced');
  });

  test('settings out of range are named; the next good ones work', async (t) => {
    const visitor = await visit(t, { frames: 2 });
    /** @type {[object, RegExp][]} */
    const bad = [
      [{ steps: 0 }, /Steps/],
      [{ steps: 10_000 }, /Steps/],
      [{ steps: 2.5 }, /Steps/],
      [{ guidance: '' }, /Guidance/],
      [{ guidance: -1 }, /Guidance/],
      [{ seed: -1 }, /Seed/],
    ];
    for (const [settings, field] of bad) {
      await visitor.set({ steps: 1, guidance: 1, seed: 1, ...settings });
      await visitor.get('generate').click();
      await visitor.page.waitForSelector('body[data-state=error]');
      assert.match(await visitor.errorText(), field);
    }
    await visitor.video({ label: 'neutral', steps: 1, guidance: 1, seed: 1 });
    assert.ok(!(await visitor.get('error').isVisible()));
  });

  test('the package refuses wrong options by their names', async (t) => {
    const visitor = await visit(t, { ...BLANK, frames: 2 });
    const messages = await visitor.withPackage(async ({ Lfdm, LfdmError }, url) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu' });
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
      const good = { image, label: 'anger', steps: 1, seed: 0, guidance: 1 };
      const wrong = [
        { label: 'boredom' },
        { label: undefined },
        { strengths: { anger: 0.5 } },
        { strengths: { anger: -1 }, label: undefined },
        { strengths: { anger: NaN }, label: undefined },
        { strengths: { anger: 1.5, fear: 1 }, label: undefined },
        { strengths: 'anger', label: undefined },
        { steps: 0 },
        { steps: 10_000 },
        { steps: 1.5 },
        { steps: '5' },
        { guidance: NaN },
        { guidance: Infinity },
        { seed: -1 },
        { seed: 0.5 },
        { sampler: 'euler' },
        { contrast: 'sadness' },
        { stepz: 5 },
        { image: 5 },
      ];
      const messages = [];
      for (const options of wrong) {
        try {
          for await (const event of lfdm.generate({ ...good, ...options })) throw new Error(`accepted: ${event.type}`);
          messages.push('accepted');
        } catch (error) {
          messages.push(
            `${Object.keys(options)[0]} | ${error instanceof LfdmError ? error.code : error.name} | ${error.message}`,
          );
        }
      }
      // Still alive, and the largest seed is a BigInt.
      let frames = 0;
      for await (const event of lfdm.generate({ ...good, seed: 2n ** 64n - 1n })) {
        frames += Number(event.type === 'frame');
      }
      const last = async (options) => {
        let pixels;
        for await (const event of lfdm.generate({ ...good, ...options })) pixels = event.rgba ?? pixels;
        return `${pixels}`;
      };
      const mixed = { label: undefined, strengths: { anger: 0.6, surprise: 0.6 } };
      const [plain, whole, mixture, calmer] = [
        await last({}),
        await last({ label: undefined, strengths: { anger: 1 } }),
        await last(mixed),
        // With one step there is nothing to guide: it is the first, which is outside of the interval.
        await last({ ...mixed, steps: 3, guidance: 3, contrast: 'neutral' }),
      ];
      const guided = await last({ ...mixed, steps: 3, guidance: 3 });
      messages.push([plain === whole, plain !== mixture, calmer !== guided]);
      messages.push(frames);
      lfdm.dispose();
      return messages;
    });
    const frames = messages.pop();
    assert.deepEqual(messages.pop(), [true, true, true], 'strength 1 is the label, a mixture and a contrast are not');
    for (const line of messages) {
      const [field, code, message] = line.split(' | ');
      assert.equal(code, 'options', line);
      assert.ok(message.toLowerCase().includes(field), line);
    }
    assert.ok(messages[0].includes('happiness'), `the known labels are listed: ${messages[0]}`);
    assert.equal(frames, 2);
  });

  describe('weights that do not arrive intact', () => {
    const shard = 'models/faces-64/weights-0.safetensors';
    /** @type {Record<string, [string, Change, RegExp]>} */
    const damage = {
      'a missing shard': [shard, () => 404, /not on this server/],
      'a server that fails': [shard, () => 503, /could not be downloaded/],
      'no connection': [shard, () => null, /could not be downloaded/],
      'a shard cut short': [shard, (body) => body.subarray(0, body.length - 1000), /did not arrive intact/],
      'a shard that is too long': [shard, (body) => Buffer.concat([body, body]), /did not arrive intact/],
      'one flipped bit': [shard, (body) => flip(body, body.length - 1), /did not arrive intact/],
      'a missing manifest': [MANIFESTS, () => 404, /not on this server/],
      'a host that answers everything with a page': [MANIFESTS, () => '<!doctype html>', /no model at this address/],
    };
    for (const [name, [path, change, sentence]] of Object.entries(damage)) {
      test(name, async (t) => {
        let isDamaged = true;
        const changes = { [path]: (body) => (isDamaged ? change(body) : body) };
        const visitor = await visit(t, { state: null, changes });
        await visitor.page.waitForSelector('body[data-state=error]');
        assert.match(await visitor.errorText(), sentence);
        assert.ok(await visitor.get('generate').isDisabled(), 'nothing half-loaded is used');
        isDamaged = false;
        await visitor.get('retry').click();
        await visitor.state('idle');
        assert.ok(await visitor.get('generate').isEnabled());
      });
    }
  });

  test('a crash of the module is told, and the next try starts it again', async (t) => {
    // The trap that a Rust panic ends in, in the middle of a generation.
    const trap = append(`self.addEventListener('message', ({ data }) => {
      if (data.type === 'generate') setTimeout(() => { throw new WebAssembly.RuntimeError('unreachable executed'); });
    });`);
    let isTrapped = true;
    const changes = { 'pkg/worker.js': (body) => (isTrapped ? trap(body) : body) };
    const visitor = await visit(t, { frames: 2, changes });
    await visitor.set({ steps: 2, guidance: 1 });
    await visitor.get('generate').click();
    await visitor.page.waitForSelector('body[data-state=error]');
    assert.match(await visitor.errorText(), /stopped unexpectedly/);
    isTrapped = false;
    // The same video once more.
    await visitor.get('retry').click();
    await visitor.state('ready');
  });

  test('without WebGPU the CPU is taken and named; asking for WebGPU is answered', async (t) => {
    const prepare = (page) => page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu'));
    // Workers do not run init scripts.
    const changes = { 'pkg/worker.js': (body) => `delete WorkerNavigator.prototype.gpu;\n${body}` };
    const visitor = await visit(t, { query: '', prepare, changes });
    assert.match(await visitor.get('device').innerText(), /CPU: this browser has no WebGPU/);
    assert.match(await visitor.get('device-advice').innerText(), /graphics driver.*chrome:\/\/gpu/);

    const insisting = await visit(t, { query: '?device=webgpu', state: null, prepare, changes });
    await insisting.page.waitForSelector('body[data-state=error]');
    assert.match(await insisting.errorText(), /WebGPU cannot be used: this browser has no WebGPU/);
    await insisting.get('use-cpu').click();
    await insisting.state('idle');
  });
});

function flip(body, index) {
  const copy = Buffer.from(body);
  copy[index] ^= 1;
  return copy;
}
