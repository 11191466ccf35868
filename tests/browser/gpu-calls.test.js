// How often the model calls WebGPU: a call costs tens of microseconds, whatever it asks for, so these numbers are time.
// They are the same on every device, and SwiftShader stands for all.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { IN_HASTE, PATIENCE, SWIFTSHADER, edit, launch, shorten } from './harness.js';

/** Most of it is spent on compiling shaders in software. */
const patience = 4 * PATIENCE;
/** A GPU decodes all frames together, so their number changes no count. */
const FRAMES = 2;
const STEPS = 3;

/** At most so many calls in each phase of the second clip; pipelines are those of both clips and of loading. */
const BOUNDS = {
  encoded: { dispatches: 2000, submits: 200, buffers: 2000 },
  step: { dispatches: 2000, submits: 200, buffers: 2000 },
  frames: { dispatches: 2000, submits: 200, buffers: 2000 },
  pipelines: 2000,
};

describe('calls of WebGPU', { timeout: 4 * patience, skip: IN_HASTE }, () => {
  let host;
  before(async () => (host = await launch({ flags: SWIFTSHADER })));
  after(() => host?.close());

  test('are few in every phase', async (t) => {
    const visitor = await host.visitDuring(t, {
      query: 'icon.svg',
      state: null,
      patience,
      async prepare(page) {
        await page.route('**/models/*/manifest.json', shorten(FRAMES));
        await page.route(
          '**/pkg/worker.js',
          edit((body) => `${body}\n;(${census})();`),
        );
      },
    });
    const { opened, clips } = await visitor.withPackage(async ({ Lfdm }, url, STEPS) => {
      const lfdm = await Lfdm.load(url.replace('faces-64', 'faces-128'), { device: 'webgpu' });
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).map((_, i) => i % 251), width: 64, height: 64 };
      const opened = (await lfdm.memory()).calls;
      const clips = [];
      for (let clip = 0; clip < 2; clip++) {
        for await (const _ of lfdm.generate({ image, label: lfdm.manifest.labels[1], seed: 1, steps: STEPS }));
        clips.push((await lfdm.memory()).calls);
      }
      lfdm.dispose();
      return { opened, clips };
    }, STEPS);

    const pipelines = [...opened, ...clips.flat()].reduce((sum, phase) => sum + phase.pipelines, 0);
    for (const [clip, phases] of clips.entries()) {
      for (const { type, dispatches, submits, buffers, pipelines, ms, kernels } of phases) {
        const [names, rest] = [kernels.slice(0, 8), kernels.slice(8)];
        const others = rest.reduce((sum, [, count]) => sum + count, 0);
        t.diagnostic(
          `clip ${clip + 1}, ${type}: ${dispatches} dispatches, ${submits} submits, ${pipelines} pipelines made, ` +
            `${buffers} buffers made, ${Math.round(ms)} ms; ` +
            `${names.map(([name, count]) => `${count} ${name}`).join(', ')}, ${others} others`,
        );
      }
    }
    t.diagnostic(`${pipelines} pipelines`);
    assert.ok(pipelines <= BOUNDS.pipelines, `${pipelines} pipelines`);
    const second = Object.groupBy(clips[1], ({ type }) => (type === 'frame' ? 'frames' : type));
    for (const type of ['encoded', 'step', 'frames']) {
      for (const [call, most] of Object.entries(BOUNDS[type])) {
        const counts = second[type].map((phase) => phase[call]);
        // Frames come one by one, and all are decoded with the first.
        const found = type === 'frames' ? counts.reduce((sum, count) => sum + count) : Math.max(...counts);
        assert.ok(found <= most, `${type}: ${found} ${call}, at most ${most}`);
      }
    }
    assert.ok(second.step.every(({ dispatches }) => dispatches > 50), 'the counter counts');
  });
});

/** Runs in the worker: counts the library's calls from event to event, and adds the counts to the answer of `memory`. */
function census() {
  const nothing = () => ({ dispatches: 0, submits: 0, pipelines: 0, buffers: 0, kernels: {}, since: performance.now() });
  let phase = nothing();
  let phases = [];
  const wrap = (prototype, name, before) => {
    const original = prototype[name];
    prototype[name] = function (...all) {
      const result = original.apply(this, all);
      before(this, all, result);
      return result;
    };
  };
  /** @type {WeakMap<object, string>} */
  const names = new WeakMap();
  wrap(GPUDevice.prototype, 'createShaderModule', (_, [{ code }], module) => {
    // A hand-written kernel begins with what it is; the library names its functions.
    const [, title] = /^\/\/ (.*?)[.,:]/.exec(code) ?? [];
    names.set(module, title ?? /fn (\w+)\(\s*@builtin/.exec(code)?.[1] ?? 'unknown');
  });
  for (const name of ['createComputePipeline', 'createComputePipelineAsync']) {
    wrap(GPUDevice.prototype, name, (_, [{ compute, label }], pipeline) => {
      phase.pipelines += 1;
      names.set(pipeline, label === 'main' ? names.get(compute.module) : label);
    });
  }
  wrap(GPUDevice.prototype, 'createBuffer', () => (phase.buffers += 1));
  wrap(GPUQueue.prototype, 'submit', () => (phase.submits += 1));
  wrap(GPUComputePassEncoder.prototype, 'setPipeline', (pass, [pipeline]) => names.set(pass, names.get(pipeline)));
  wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', (pass) => {
    const name = names.get(pass);
    phase.dispatches += 1;
    phase.kernels[name] = (phase.kernels[name] ?? 0) + 1;
  });
  const post = self.postMessage;
  self.postMessage = (message, ...more) => {
    if (['opened', 'encoded', 'step', 'frame'].includes(message.type)) {
      const kernels = Object.entries(phase.kernels).sort(([, a], [, b]) => b - a);
      phases.push({ type: message.type, ...phase, kernels, ms: performance.now() - phase.since });
      phase = nothing();
    }
    if (message.result?.wasm) {
      message.result.calls = phases;
      phases = [];
    }
    post.call(self, message, ...more);
  };
}
