// How often the model calls WebGPU: a call costs tens of microseconds, whatever it asks for, so these numbers are time.
// They are the same on every device, and SwiftShader stands for all; what it would compute makes no difference.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { IDLE_GPU, IN_HASTE, PATIENCE, SWIFTSHADER, append, launch } from './harness.js';

/** Most of it is spent on compiling shaders in software. */
const patience = 4 * PATIENCE;
/** A GPU decodes all frames together, so their number changes no count. */
const FRAMES = 2;
const STEPS = 3;

/**
 * At most so many calls in each phase of the second clip. All pipelines are made while the model loads, those of frames
 * at the size of a photo too. The runtime gives large buffers back when a thousand others have been asked for: those of
 * the frames are made anew in each clip.
 */
const BOUNDS = {
  encoded: { dispatches: 70, submits: 4, buffers: 0 },
  step: { dispatches: 150, submits: 2, buffers: 1 },
  frame: { dispatches: 80, submits: 3, buffers: 3 },
  pipelines: 60,
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
      frames: FRAMES,
      changes: { 'pkg/worker.js': append(`${IDLE_GPU}\n(${census})();`) },
    });
    const { opened, clips } = await visitor.withPackage(async ({ Lfdm }, url, STEPS) => {
      const lfdm = await Lfdm.load(url.replace('faces-64', 'faces-128'), { device: 'webgpu' });
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).map((_, i) => i % 251), width: 64, height: 64 };
      const opened = (await lfdm.memory()).calls;
      const clips = [];
      for (let clip = 0; clip < 2; clip++) {
        const request = { image, label: lfdm.manifest.labels[1], seed: 1, steps: STEPS };
        for await (const _ of lfdm.generate(request));
        clips.push((await lfdm.memory()).calls);
      }
      lfdm.dispose();
      return { opened, clips };
    }, STEPS);

    const pipelinesOf = (phases) => phases.reduce((sum, phase) => sum + phase.pipelines, 0);
    const pipelines = pipelinesOf(opened);
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
    assert.equal(pipelinesOf(clips.flat()), 0, 'nothing is compiled once the model is there');
    const [, second] = clips;
    assert.equal(second.length, 1 + STEPS + FRAMES);
    for (const phase of second) {
      for (const [call, most] of Object.entries(BOUNDS[phase.type])) {
        assert.ok(phase[call] <= most, `${phase.type}: ${phase[call]} ${call}, at most ${most}`);
      }
    }
    const steps = second.filter(({ type }) => type === 'step');
    assert.ok(
      steps.every(({ dispatches, submits }) => dispatches > 50 && submits > 0),
      'the counter counts',
    );
    // All frames are decoded with the first.
    assert.equal(second.at(-1).dispatches, 0);
  });
});

/** Runs in the worker: counts calls from event to event, and adds the counts to the answer of `memory`. */
function census() {
  const nothing = () => ({
    dispatches: 0,
    submits: 0,
    pipelines: 0,
    buffers: 0,
    kernels: {},
    since: performance.now(),
  });
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
