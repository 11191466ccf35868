// The official model at its full size in a page: minutes, and only when LFDM_FULL_SIZE names its bundle (`cargo test
// --release --features native --test full_size -- --ignored` writes one there).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { IDLE_GPU, PATIENCE, SWIFTSHADER, append, launch } from './harness.js';

const bundle = process.env.LFDM_FULL_SIZE;
const skip = bundle ? false : 'LFDM_FULL_SIZE names no bundle';

describe('the official model at full size', { timeout: 4 * PATIENCE, skip }, () => {
  let host;
  before(async () => {
    host = await launch({ flags: SWIFTSHADER, mounts: { 'models/full-size/': bundle } });
  });
  after(() => host?.close());

  test('loads what generation needs, and takes a step', async (t) => {
    const visitor = await host.visit('?device=cpu');
    await visitor.state('idle');
    const requested = [];
    visitor.page.on('request', (request) => requested.push(request.url()));
    const result = await visitor.withPackage(async ({ Lfdm }, url) => {
      const since = performance.now();
      const size = 128;
      let bytes = 0;
      const lfdm = await Lfdm.load(url.replace('faces-64', 'full-size'), {
        device: 'cpu',
        onProgress: ({ loaded }) => (bytes = loaded),
      });
      const times = { loaded: performance.now() - since };
      const image = {
        data: new Uint8ClampedArray(size * size * 4).map((_, i) => (i % 4 === 3 ? 255 : i % 251)),
        width: size,
        height: size,
      };
      const stop = new AbortController();
      try {
        for await (const { type } of lfdm.generate({ image, label: 'happiness', steps: 10, signal: stop.signal })) {
          times[type] = performance.now() - since;
          if (type === 'step') stop.abort();
        }
      } catch (error) {
        if (error.name !== 'AbortError') throw error;
      }
      return { bytes, times, frames: lfdm.manifest.frames };
    });

    const manifest = JSON.parse(readFileSync(`${bundle}/manifest.json`, 'utf8'));
    const needed = manifest.files.filter(({ part }) => part === 'generation');
    const fetched = requested.filter((url) => /full-size.*safetensors$/.test(url)).map((url) => url.split('/').at(-1));
    assert.deepEqual(fetched.sort(), needed.map(({ name }) => name).sort());
    assert.equal(
      result.bytes,
      needed.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    assert.equal(result.frames, 40);
    assert.ok(result.times.step > result.times.encoded);

    const seconds = (from, to) => ((to - from) / 1000).toFixed(1);
    const { loaded, encoded, step } = result.times;
    t.diagnostic(
      `${(result.bytes / 1e6).toFixed(1)} MB loaded in ${seconds(0, loaded)} s, ` +
        `encoded in ${seconds(loaded, encoded)} s, one step in ${seconds(encoded, step)} s`,
    );
    t.diagnostic(`the page's process had ${largestRenderer().toFixed(2)} GB at most`);
    await visitor.close();
  });

  test('takes all its steps and frames on WebGPU with buffers of less than 2 GB', async (t) => {
    // A GPU that takes all that is asked of it, and computes nothing: a step would take SwiftShader many minutes.
    const visitor = await host.visitDuring(t, {
      query: 'icon.svg',
      state: null,
      patience: 0,
      changes: { 'pkg/worker.js': append(`${IDLE_GPU}\n(${weigh})();`) },
    });
    const { frames, held, most } = await visitor.withPackage(async ({ Lfdm }, url) => {
      const lfdm = await Lfdm.load(url.replace('faces-64', 'full-size'), { device: 'webgpu' });
      const image = { data: new Uint8ClampedArray(128 * 128 * 4).fill(200), width: 128, height: 128 };
      let frames = 0;
      for await (const { type } of lfdm.generate({ image, label: 'happiness', steps: 3 })) {
        if (type === 'frame') frames += 1;
      }
      return { frames, ...(await lfdm.memory()).buffers };
    });
    t.diagnostic(`buffers of ${(most / 1e9).toFixed(2)} GB at most, ${(held / 1e9).toFixed(2)} GB in the end`);
    assert.equal(frames, 40);
    assert.ok(most > 1e8 && most < 2e9, `${most} bytes`);
  });
});

/** Runs in the worker: adds what its GPU's buffers hold, and held at most, to the answer of `memory`. */
function weigh() {
  const buffers = { held: 0, most: 0 };
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    buffers.held += descriptor.size;
    buffers.most = Math.max(buffers.most, buffers.held);
    return createBuffer.call(this, descriptor);
  };
  const { destroy } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    buffers.held -= this.size;
    return destroy.call(this);
  };
  const post = self.postMessage;
  self.postMessage = (message, ...more) => {
    if (message.result?.wasm) message.result.buffers = buffers;
    post.call(self, message, ...more);
  };
}

/** The most memory that a page's process has had, in GB. */
function largestRenderer() {
  const pids = execFileSync('pgrep', ['-f', 'type=renderer']).toString().trim().split('\n');
  const peak = (pid) => {
    try {
      return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
    } catch {
      return 0; // It has ended since.
    }
  };
  return Math.max(...pids.map(peak)) / 1e6;
}
