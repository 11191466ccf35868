// Several workers on the CPU: the same pixels however many there are, and whatever becomes of them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, append, launch } from './harness.js';

const FRAMES = 5;

/** A test that hangs ends by itself, with its page, and the next one starts with another. */
const LIMIT = { timeout: PATIENCE / 2 };

describe('threads', { timeout: 4 * PATIENCE }, () => {
  let host;
  before(async () => (host = await launch({ together: true })));
  after(() => host?.close());

  /** A page with nothing but the package, and short videos. */
  const blank = async (t, changes = {}) => {
    const visitor = await host.visit('icon.svg', { frames: FRAMES, changes });
    t.after(() => visitor.close());
    return visitor;
  };

  /** Runs `use` in the page; its `make(lfdm, options)` makes a video: `{ hash, types, threads }`. */
  const videos = (visitor, use, argument) =>
    visitor.withPackage(
      `async ({ Lfdm }, url, argument) => {
        const pixels = Uint8ClampedArray.from({ length: 90 * 70 * 4 }, (_, i) => (i % 4 === 3 ? 255 : (i * 7) % 251));
        const image = { data: pixels, width: 90, height: 70 };
        const make = async (lfdm, options = {}) => {
          const types = [];
          let threads;
          const pictures = [];
          const request = { image, label: 'anger', seed: 3, steps: 3, guidance: 3, previews: true, photoSize: 80 };
          for await (const event of lfdm.generate({ ...request, ...options })) {
            types.push(event.type + (event.index ?? ''));
            threads ??= event.threads;
            const { rgba, flow, occlusion, photo, preview } = event;
            pictures.push(...[rgba, flow, occlusion, photo?.rgba, preview?.rgba].filter(Boolean));
          }
          const digest = await crypto.subtle.digest('SHA-256', await new Blob(pictures).arrayBuffer());
          return { hash: [...new Uint8Array(digest)].join(), types: types.join(' '), threads };
        };
        return (${use})({ Lfdm, url, image, make }, argument);
      }`,
      argument,
    );

  /** The video of one thread, that all others are compared with. */
  let alone;
  before(async () => {
    const visitor = await host.visit('icon.svg', { frames: FRAMES });
    alone = await videos(visitor, async ({ Lfdm, url, make }) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 1 });
      const video = await make(lfdm);
      lfdm.dispose();
      return { ...video, told: lfdm.device.threads };
    });
    await visitor.close();
    assert.deepEqual([alone.told, alone.threads], [1, 1]);
    assert.match(alone.types, /^encoded step0 step1 step2 frame0 frame1 frame2 frame3 frame4 done$/);
  });

  for (const threads of [2, 3]) {
    test(`${threads} make the pixels that one makes, in the same order`, LIMIT, async (t) => {
      const visitor = await blank(t);
      const requested = [];
      visitor.page.on('request', (request) => requested.push(request.url()));
      const [told, ...made] = await videos(
        visitor,
        async ({ Lfdm, url, make }, threads) => {
          const lfdm = await Lfdm.load(url, { device: 'cpu', threads });
          const made = [await make(lfdm), await make(lfdm), await make(lfdm, { guidance: 1 }), await make(lfdm)];
          lfdm.dispose();
          return [lfdm.device.threads, ...made];
        },
        threads,
      );
      assert.equal(told, threads);
      for (const video of [made[0], made[1], made[3]]) {
        assert.equal(video.types, alone.types);
        assert.equal(video.hash, alone.hash);
      }
      assert.notEqual(made[2].hash, alone.hash);
      t.diagnostic(`threads that took part: ${made.map(({ threads }) => threads)}`);
      assert.equal(made[3].threads, threads, 'all of them took part');
      const weights = requested.filter((url) => url.endsWith('.safetensors'));
      assert.equal(new Set(weights).size, weights.length, 'weights are downloaded once');
      assert.equal(requested.filter((url) => url.endsWith('.wasm')).length, 1, 'the module is compiled once');
      assert.deepEqual(visitor.complaints, []);
    });
  }

  test('two videos at once are those that one makes after the other', LIMIT, async (t) => {
    const visitor = await blank(t);
    const [first, second, later] = await videos(visitor, async ({ Lfdm, url, make }) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 3 });
      // By then the helpers are there.
      await make(lfdm);
      const other = { seed: 4, label: 'happiness' };
      const [first, second] = await Promise.all([make(lfdm), make(lfdm, other)]);
      const later = await make(lfdm, other);
      lfdm.dispose();
      return [first, second, later];
    });
    assert.equal(first.hash, alone.hash);
    assert.equal(second.hash, later.hash);
    assert.notEqual(second.hash, first.hash);
    assert.deepEqual(visitor.complaints, []);
  });

  test('a stop in the middle stops all of them, and the next video is whole', LIMIT, async (t) => {
    const visitor = await blank(t);
    const { stopped, made } = await videos(visitor, async ({ Lfdm, url, image, make }) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 2 });
      const stopped = [];
      const made = [await make(lfdm)];
      for (const [last, index] of [
        ['encoded', undefined],
        ['step', 1],
        ['frame', 0],
        ['frame', 2],
      ]) {
        const stop = new AbortController();
        const options = { image, label: 'joy', seed: 9, steps: 4, guidance: 3, signal: stop.signal };
        options.label = lfdm.manifest.labels[1];
        let after = 0;
        try {
          for await (const event of lfdm.generate(options)) {
            after += Number(stop.signal.aborted);
            if (event.type === last && event.index === index) stop.abort('enough');
          }
        } catch (reason) {
          stopped.push([reason, after <= 1]);
        }
        made.push(await make(lfdm));
      }
      lfdm.dispose();
      return { stopped, made };
    });
    assert.deepEqual(stopped, Array(4).fill(['enough', true]));
    for (const { hash, types } of made) assert.deepEqual([hash, types], [alone.hash, alone.types]);
    assert.deepEqual(visitor.complaints, []);
  });

  const atJob = (code) => (body) => body.replace('compute({ run, job }) {', `compute({ run, job }) { ${code}`);
  const impatient = (body) => body.replace(/(PATIENCE\w*) = [\d_]+/g, '$1 = 1');
  for (const [name, changed] of Object.entries({
    'cannot be downloaded': () => 404,
    'has an error in its script': append(`throw new Error('forced');`),
    'never starts': append('self.onmessage = () => {};'),
    'cannot load the model': (body) => body.replace('add(name', 'add(`no ${name}`'),
    'throws at a job': atJob(`throw new Error('forced');`),
    // An allocation that cannot be: Rust aborts, and the trap reaches its caller.
    'traps at a job': atJob(`(wasm.__wbindgen_malloc ?? wasm.__wbindgen_export)(-1, 1);`),
    'panics at a job': atJob(`fail('panicked at src/pipeline.rs:1:1: forced');`),
    'falls silent at a job': atJob('return new Promise(() => {});'),
  })) {
    test(`a helper that ${name} is missed by nobody`, LIMIT, async (t) => {
      let served = 0;
      const helper = (body) => ((served += 1), changed(body));
      const visitor = await blank(t, { 'pkg/pool.js': impatient, 'pkg/helper.js': helper });
      const made = await videos(visitor, async ({ Lfdm, url, make }) => {
        const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 3 });
        const made = [await make(lfdm), await make(lfdm)];
        const { wasm } = await lfdm.memory();
        lfdm.dispose();
        return [...made, wasm];
      });
      const wasm = made.pop();
      for (const { hash, types, threads } of made) {
        assert.deepEqual([hash, types, threads], [alone.hash, alone.types, 1]);
      }
      assert.ok(wasm > 1e6);
      assert.equal(served, 2);
      assert.deepEqual(
        visitor.complaints.filter((complaint) => !/404|forced/.test(complaint)),
        [],
      );
    });
  }

  test('models share their helpers, one program each, and each makes its own videos', LIMIT, async (t) => {
    const visitor = await blank(t);
    const helpers = () => visitor.page.workers().filter((worker) => worker.url().endsWith('helper.js')).length;
    const gone = async () => {
      // A worker that computes ends a little after it has been told to.
      for (let left = 100; helpers() && left; left--) await visitor.page.waitForTimeout(100);
      assert.equal(helpers(), 0, 'none is left');
    };
    const hold = (wishes) =>
      visitor.withPackage(async ({ Lfdm }, url, wishes) => {
        window.models ??= {};
        for (const [name, threads] of Object.entries(wishes)) {
          if (threads) window.models[name] = await Lfdm.load(url.replace('64', name), { device: 'cpu', threads });
          else window.models[name].dispose();
        }
        return Object.values(window.models).map(({ device }) => device.threads);
      }, wishes);
    const make = (names) =>
      videos(visitor, ({ make }, names) => Promise.all(names.map((name) => make(window.models[name]))), names);
    const seen = ({ hash, types }) => [hash, types];

    await hold({ 128: 1 });
    const [fine] = await make(['128']);
    await hold({ 128: 0 });
    await gone();

    assert.deepEqual(await hold({ 64: 3, 128: 3 }), [3, 3]);
    assert.equal(helpers(), 2, 'not two for each');
    await make(['64', '128']);
    const [first, second] = await make(['64', '128']);
    assert.deepEqual([seen(first), seen(second)], [seen(alone), seen(fine)]);
    assert.deepEqual([first.threads, second.threads], [3, 3], 'both of them helped both');

    await hold({ 64: 0 });
    assert.equal(helpers(), 2);
    assert.deepEqual(seen((await make(['128']))[0]), seen(fine), 'the other one goes on');
    await hold({ 128: 0 });
    await gone();
    assert.deepEqual(visitor.complaints, []);
  });

  test('several videos leave the memory of all as it was', LIMIT, async (t) => {
    const visitor = await blank(t);
    const memory = await videos(visitor, async ({ Lfdm, url, make }) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 3 });
      const memory = [];
      for (let seed = 0; seed < 8; seed++) {
        await make(lfdm, { seed, steps: 2 });
        memory.push((await lfdm.memory()).wasm);
      }
      lfdm.dispose();
      return memory;
    });
    t.diagnostic(`modules in MB: ${memory.map((bytes) => (bytes / 1e6).toFixed(0)).join(', ')}`);
    // Which helper does which job depends on the moment, so that one may grow later than another.
    assert.ok(memory.at(-1) <= 1.1 * memory[3], `${memory}`);
  });

  test('their number is checked, and bounded by the frames and by memory', LIMIT, async (t) => {
    const visitor = await blank(t);
    const { messages, told } = await visitor.withPackage(async ({ Lfdm }, url) => {
      const messages = [];
      for (const threads of [0, -1, 1.5, 65, '2', NaN, null]) {
        const error = await Lfdm.load(url, { device: 'cpu', threads }).catch((error) => error);
        messages.push([error.code, error.message]);
      }
      const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 64 });
      lfdm.dispose();
      return { messages, told: lfdm.device.threads };
    });
    for (const [code, message] of messages) {
      assert.equal(code, 'options');
      assert.match(message, /^threads: .* is not a whole number from 1 to 64\.$/);
    }
    assert.equal(told, FRAMES);

    const halfOfOne = (body) => body.replaceAll('navigator.deviceMemory', '0.5');
    const small = await blank(t, { 'pkg/device.js': halfOfOne });
    const few = await small.withPackage(async ({ Lfdm }, url) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 5 });
      lfdm.dispose();
      return lfdm.device.threads;
    });
    assert.ok(few >= 1 && few < 5, `${few}`);
  });
});
