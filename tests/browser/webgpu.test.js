// The same model on WebGPU. There is no GPU on a test machine: SwiftShader computes the same in software, slowly.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, SWIFTSHADER, difference, edit, launch } from './harness.js';

/** Most of it is spent on compiling shaders in software. */
const patience = 4 * PATIENCE;
const FRAMES = 2;

describe('the page on WebGPU', { timeout: 4 * patience }, () => {
  let host;
  before(async () => (host = await launch(SWIFTSHADER)));
  after(() => host?.close());

  test('agrees with the CPU within 2/255', async (t) => {
    const settings = { label: 'happiness', seed: 3, steps: 2, guidance: 1.5 };
    // The same weights, asked for a shorter video.
    const shorten = edit((body) => {
      const manifest = JSON.parse(body);
      manifest.config.frames = FRAMES;
      return JSON.stringify(manifest);
    });
    const videos = [];
    for (const device of ['cpu', 'webgpu']) {
      const visitor = await host.visit(`?device=${device}`, {
        patience,
        prepare: (page) => page.route('**/models/*/manifest.json', shorten),
      });
      await visitor.state('idle');
      assert.equal(await visitor.get('device').getAttribute('data-kind'), device);
      const video = await visitor.video(settings);
      t.diagnostic(`${device}: ${JSON.stringify(video.timings)}`);
      assert.equal(video.frames.length, FRAMES);
      assert.deepEqual(visitor.complaints, []);
      // The frames in the picture's own resolution come after those of the model: the warp there is a kernel of its own on the GPU.
      const photos = await visitor.page.evaluate(() =>
        window.video.frames.map(({ photo }) => photo.rgba.reduce((characters, byte) => characters + String.fromCharCode(byte), '')),
      );
      assert.equal(photos.length, FRAMES);
      videos.push([...video.frames, ...photos.map((photo) => Buffer.from(photo, 'latin1'))]);
      await visitor.close();
    }
    const mean = difference(...videos);
    t.diagnostic(`mean absolute difference ${mean.toFixed(4)} of 255`);
    assert.ok(mean <= 2, `${mean} of 255`);
  });

  test('a software adapter is not taken unasked', async () => {
    const visitor = await host.visit('');
    await visitor.state('idle');
    assert.match(await visitor.get('device').innerText(), /CPU: only a software adapter/);
    await visitor.close();
  });

  test('a lost device is told and the page stays usable', async () => {
    // Keeps the device that the library opens, and destroys it when a generation starts.
    const lose = `const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (...all) { return (self.opened = await requestDevice.apply(this, all)); };
      self.addEventListener('message', ({ data }) => { if (data.type === 'generate') self.opened.destroy(); });`;
    const visitor = await host.visit('?device=webgpu', {
      patience,
      prepare: (page) => page.route('**/pkg/worker.js', edit((body) => `${body}\n${lose}`)),
    });
    await visitor.state('idle');
    await visitor.get('generate').click();
    await visitor.page.waitForSelector('body[data-state=error]');
    assert.match(await visitor.errorText(), /graphics device was lost/);
    assert.ok(await visitor.get('generate').isEnabled());
    assert.ok(await visitor.get('retry').isVisible());
    await visitor.close();
  });
});
