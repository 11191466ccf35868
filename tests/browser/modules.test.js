// The two builds of the module: each browser gets the one that it can run, and both make the same video.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, append, difference, launch } from './harness.js';

const FRAMES = 4;

describe('the module', { timeout: PATIENCE }, () => {
  let host;
  before(async () => (host = await launch()));
  after(() => host?.close());

  /** A worker in a browser that does not know `f32x4.relaxed_madd`. */
  const older = append(`const { validate } = WebAssembly;
    WebAssembly.validate = (bytes) => !\`\${bytes}\`.includes('253,133,2') && validate(bytes);`);

  /** A short video twice with one worker, and once with two: `{ device, videos, asked }`. */
  const make = async (changes) => {
    const visitor = await host.visit('icon.svg', { frames: FRAMES, changes });
    const asked = [];
    visitor.page.on('request', (request) => asked.push(new URL(request.url()).pathname.split('/').at(-1)));
    const { device, videos } = await visitor.withPackage(async ({ Lfdm }, url) => {
      const pixels = Uint8ClampedArray.from({ length: 64 * 64 * 4 }, (_, i) => (i % 4 === 3 ? 255 : (i * 7) % 251));
      const image = { data: pixels, width: 64, height: 64 };
      const videos = [];
      let device;
      for (const threads of [1, 2]) {
        const lfdm = await Lfdm.load(url, { device: 'cpu', threads });
        device = lfdm.device;
        for (let turn = threads; turn <= 2; turn++) {
          const frames = [];
          for await (const event of lfdm.generate({ image, label: 'anger', seed: 3, steps: 2, guidance: 3 })) {
            if (event.type === 'frame') frames.push([...event.rgba]);
          }
          videos.push(frames);
        }
        lfdm.dispose();
      }
      return { device, videos };
    });
    assert.deepEqual(visitor.complaints, []);
    await visitor.close();
    return { device, videos, modules: asked.filter((name) => name.endsWith('.wasm')) };
  };

  test('with relaxed SIMD makes the video of the one without', async (t) => {
    const relaxed = await make();
    assert.equal(relaxed.device.relaxedSimd, true);
    assert.deepEqual(new Set(relaxed.modules), new Set(['lfdm_relaxed_bg.wasm']));

    const plain = await make({ 'pkg/worker.js': older });
    assert.equal(plain.device.relaxedSimd, false);
    assert.deepEqual(new Set(plain.modules), new Set(['lfdm_bg.wasm']));

    for (const { videos } of [relaxed, plain]) {
      assert.equal(videos[0].length, FRAMES);
      for (const video of videos) assert.deepEqual(video, videos[0], 'one seed is one video');
    }
    const apart = difference(relaxed.videos[0], plain.videos[0]);
    t.diagnostic(`${apart.toFixed(6)}/255 apart`);
    assert.ok(apart < 2, `${apart}`);
  });
});
