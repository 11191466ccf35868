// The same model on WebGPU. There is no GPU on a test machine: SwiftShader computes the same in software, slowly.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { MODELS } from '../../www/app/catalogue.js';
import { IN_HASTE, MANIFESTS, PATIENCE, SWIFTSHADER, append, difference, editManifest, launch } from './harness.js';

/** A graphics device gets the finest, if a link names none. */
const [QUICKEST] = Object.keys(MODELS);
/** Most of it is spent on compiling shaders in software. */
const patience = 4 * PATIENCE;
const FRAMES = 2;
/** Minutes without a GPU, so only on request. */
const skipMany = process.env.LFDM_GPU_BUFFERS ? false : 'LFDM_GPU_BUFFERS is not set';
/** Lets the worker collect its garbage: buffers that nobody holds any longer go with it. */
const COLLECTABLE = '--js-flags=--expose-gc';

/** The seed of videos during which the device is lost. */
const LOSING = 99;
/** Keeps the device that the library opens, and destroys it when such a video starts. */
const lose = append(`const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...all) {
    return (self.opened = await requestDevice.apply(this, all));
  };
  self.addEventListener('message', ({ data: { type, options } }) => {
    if (type === 'generate' && Number(options.seed) === ${LOSING}) self.opened.destroy();
  });`);

describe('the page on WebGPU', { timeout: 4 * patience }, () => {
  let host;
  before(async () => (host = await launch({ flags: [...SWIFTSHADER, COLLECTABLE] })));
  after(() => host?.close());

  for (const model of Object.keys(MODELS)) {
    // Every kernel runs in one guided step; what follows of several is arithmetic of the CPU, and SwiftShader takes
    // many seconds for each.
    const settings = model === QUICKEST ? { steps: 1, guidance: 1.5 } : { steps: 4 };
    const skip = model === QUICKEST ? IN_HASTE : skipMany;
    test(`${model} agrees with the CPU within 2/255; when the device is lost, that is told`, { skip }, async (t) => {
      const videos = [];
      for (const device of ['cpu', 'webgpu']) {
        const changes = { 'pkg/worker.js': lose };
        const visitor = await host.visit(`?device=${device}#model=${model}`, { patience, frames: FRAMES, changes });
        await visitor.state('idle');
        assert.equal(await visitor.get('device').getAttribute('data-kind'), device);
        const video = await visitor.video({ label: 'happiness', seed: 3, ...settings });
        t.diagnostic(`${device}: ${JSON.stringify(video.timings)}`);
        assert.equal(video.frames.length, FRAMES);
        assert.deepEqual(visitor.complaints, []);
        // The frames in the picture's own resolution come after those of the model: they have kernels of their own.
        const photos = await visitor.page.evaluate(() =>
          window.video.frames.map(({ photo }) =>
            photo.rgba.reduce((characters, byte) => characters + String.fromCharCode(byte), ''),
          ),
        );
        assert.equal(photos.length, FRAMES);
        videos.push([...video.frames, ...photos.map((photo) => Buffer.from(photo, 'latin1'))]);
        if (device === 'webgpu') await isUsableAfterLoss(visitor);
        await visitor.close();
      }
      const mean = difference(...videos);
      t.diagnostic(`mean absolute difference ${mean.toFixed(4)} of 255`);
      assert.ok(mean <= 2, `${mean} of 255`);
    });
  }

  /** The device is lost in every run: an error says so, and what can be done. */
  async function isUsableAfterLoss(visitor) {
    await visitor.set({ seed: LOSING });
    await visitor.get('generate').click();
    await visitor.page.waitForSelector('body[data-state=error]');
    assert.match(await visitor.errorText(), /GPU was lost/);
    assert.ok(await visitor.get('generate').isEnabled());
    assert.ok(await visitor.get('retry').isVisible());
    assert.ok(await visitor.get('use-cpu').isVisible());
  }

  test('ten generations in a row leave the GPU buffers as they were', { skip: skipMany }, async (t) => {
    // Counts what the library opens, and puts the count into the answer that has the size of the module's memory.
    const census = `const buffers = [];
      const gone = new WeakSet();
      const { createBuffer } = GPUDevice.prototype;
      GPUDevice.prototype.createBuffer = function (descriptor) {
        const buffer = createBuffer.call(this, descriptor);
        buffers.push(new WeakRef(buffer));
        return buffer;
      };
      const { destroy } = GPUBuffer.prototype;
      GPUBuffer.prototype.destroy = function () {
        gone.add(this);
        destroy.call(this);
      };
      const post = self.postMessage;
      self.postMessage = (message, ...more) => {
        if (message.result?.wasm) {
          gc();
          const left = buffers.map((buffer) => buffer.deref()).filter((buffer) => buffer && !gone.has(buffer));
          message.result.gpu = [left.length, left.reduce((sum, { size }) => sum + size, 0), buffers.length];
        }
        post.call(self, message, ...more);
      };`;
    const visitor = await host.visitDuring(t, {
      query: 'icon.svg',
      state: null,
      patience,
      frames: FRAMES,
      changes: { 'pkg/worker.js': append(census) },
    });
    const counts = await visitor.withPackage(async ({ Lfdm }, url) => {
      const lfdm = await Lfdm.load(url, { device: 'webgpu' });
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
      const counts = [];
      // The same video each time: cubecl keeps up to 512 sets of the numbers that kernels were
      // started with, in a buffer each, and another video may bring new ones.
      const request = { image, label: lfdm.manifest.labels[0], seed: 1, steps: 1, guidance: 1 };
      for (let run = 0; run < 10; run++) {
        const since = performance.now();
        for await (const _ of lfdm.generate(request));
        const { gpu, wasm } = await lfdm.memory();
        counts.push([...gpu, wasm, performance.now() - since]);
      }
      lfdm.dispose();
      return counts;
    });
    for (const [left, bytes, made, wasm, ms] of counts) {
      t.diagnostic(
        `${left} buffers of ${made}, ${(bytes / 1e6).toFixed(1)} MB; ` +
          `module ${(wasm / 1e6).toFixed(0)} MB; ${Math.round(ms)} ms`,
      );
    }
    const [third, ...later] = counts.slice(2);
    assert.ok(third[0] > 10 && third[1] > 1e6, `${third}`);
    for (const [left, bytes, , wasm] of later) {
      assert.ok(
        left <= third[0] && bytes <= third[1] && wasm <= third[3],
        `${left} buffers, ${bytes} bytes, module ${wasm}: ${third}`,
      );
    }
  });

  test('a model with heads too wide for the GPU says so', async (t) => {
    const widen = editManifest(({ config }) => (config.diffusion.unet.head_dim = 64));
    const changes = { [MANIFESTS]: widen };
    const visitor = await host.visitDuring(t, { query: 'icon.svg', state: null, changes });
    const said = await visitor.withPackage(({ Lfdm }, url) =>
      Lfdm.load(url, { device: 'webgpu' }).catch(({ code, message }) => `${code}: ${message}`),
    );
    assert.match(said, /^device: WebGPU cannot be used: the GPU takes attention heads of 48 channels, .* have 64/);
  });

  test('a software adapter is not taken unasked, and the visitor is told what to do', async (t) => {
    const visitor = await host.visitDuring(t, { query: '' });
    assert.match(await visitor.get('device').innerText(), /CPU: only a software adapter was found \(.*SwiftShader/i);
    assert.match(await visitor.get('device-advice').innerText(), /graphics driver.*chrome:\/\/gpu/);
  });
});
