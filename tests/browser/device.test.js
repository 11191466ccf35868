// GPUs that do not answer, cannot be opened, fail or get lost: there is always the CPU. No test machine has such a GPU,
// so the package is told of one, which computes on the CPU.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, append, fixture, launch } from './harness.js';

const LIMIT = { timeout: PATIENCE / 2 };
const FRAMES = 3;
const QUICKEST = 'faces-64';
const VIDEO = { label: 'happiness', seed: 3, steps: 1, guidance: 1 };

/** The page and its worker see this as `navigator.gpu`. */
const gpu = (requestAdapter) =>
  append(`const limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 };
  const acme = { info: { description: 'Acme X1' }, features: new Set(), limits };
  Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: ${requestAdapter} } });`);
const ACME = { 'pkg/adapter.js': gpu('async () => acme') };
/** Opens that GPU: `open` is an expression. */
const opening = (open) => ({
  ...ACME,
  'pkg/device.js': (body) =>
    body
      .replace("openDevice('webgpu')", open)
      .replace('const restore = watchDevice(onLost);', 'const restore = () => {};')
      .replace(/OPEN_MS = [\d_]+/, 'OPEN_MS = 300'),
});
const GOOD = opening("openDevice('cpu')");
/** A device as the model's thread holds it, to which the first thing that it checks is wrong. */
const REFUSING = `gpu = {
  lost: new Promise(() => {}),
  queue: { onSubmittedWorkDone: async () => {} },
  pushErrorScope: () => {},
  popErrorScope: async () => new Error('forced'),
}`;
/** What the model's thread says once it runs on the GPU and is asked for `type`. */
const atMessage = (type, message) =>
  append(`const answer = self.onmessage;
  let onGpu = false;
  const post = self.postMessage;
  self.postMessage = (event, ...more) => {
    if (event.type === 'device') onGpu = event.kind === 'webgpu';
    post.call(self, event, ...more);
    if (onGpu && event.type === '${type}') post.call(self, ${message});
  };`);

describe('a GPU', { timeout: 4 * PATIENCE }, () => {
  let host;
  before(async () => (host = await launch({ together: true })));
  after(() => host?.close());

  const visit = (t, changes, options = {}) =>
    host.visitDuring(t, { query: `#model=${QUICKEST}`, frames: FRAMES, changes, ...options });
  const kind = (visitor) => visitor.get('device').getAttribute('data-kind');
  /** What the page complains of, but for the failure that the package tells of. */
  const others = ({ complaints }) => complaints.filter((text) => !/warning: lfdm: /.test(text));

  for (const [name, requestAdapter, reason] of /** @type {[string, string, RegExp][]} */ ([
    ['that never answers', '() => new Promise(() => {})', /no answer within 10 seconds/],
    ['whose request throws', '() => { throw new Error("forced"); }', /\(forced\)/],
    ['whose request is refused', 'async () => { throw new Error("forced"); }', /\(forced\)/],
  ])) {
    test(`${name} means the CPU, and nobody waits for it to choose a picture`, LIMIT, async (t) => {
      const visitor = await visit(t, { 'pkg/adapter.js': gpu(requestAdapter) }, { query: '', state: null });
      const own = visitor.upload(fixture('portrait.jpg')).then(() => visitor.framed());
      await visitor.page.waitForSelector('#framing[open]');
      if (/never/.test(name)) {
        assert.equal(await visitor.page.evaluate(() => document.body.dataset.state), 'loading');
      }
      await own;
      await visitor.get('framing-use').click();
      await visitor.state('idle');
      assert.match(await visitor.get('device').innerText(), /CPU: the browser could not say which graphics adapter/);
      assert.match(await visitor.get('device').innerText(), reason);
      assert.match(await visitor.get('device-why').innerText(), /^Now: the CPU, .*, because the browser could not say/);
      assert.equal(await visitor.get('device-choice').inputValue(), 'auto');
      assert.deepEqual(visitor.complaints, []);
    });
  }

  for (const [name, changes, reason] of /** @type {[string, object, RegExp][]} */ ([
    ['that cannot be opened', opening("Promise.reject(new Error('forced'))"), /could not be opened/],
    ['that never opens', opening('new Promise(() => {})'), /could not be opened/],
    [
      'whose shaders are refused at load',
      { ...GOOD, 'pkg/worker.js': atMessage('device', '{ type: "panic", message: "shader" }') },
      /failed while the model/,
    ],
    [
      'that refuses a shader while a model is loaded',
      { ...GOOD, 'pkg/device.js': (body) => GOOD['pkg/device.js'](body).replace('gpu = null', REFUSING) },
      /could not be opened/,
    ],
    [
      'that is lost whenever a model is loaded',
      { ...GOOD, 'pkg/worker.js': atMessage('device', '{ type: "device-lost", message: "forced" }') },
      /was lost while the model .* twice/,
    ],
  ])) {
    test(`${name} leaves the CPU, with a sentence or at the press of a button`, LIMIT, async (t) => {
      const unasked = await visit(t, changes);
      assert.equal(await kind(unasked), 'cpu');
      assert.match(await unasked.get('device').innerText(), reason);
      assert.match(await unasked.get('device-advice').innerText(), /graphics driver/);
      assert.deepEqual(others(unasked), []);

      const wanted = await visit(t, changes, { query: `?device=webgpu#model=${QUICKEST}`, state: null });
      await wanted.page.waitForSelector('body[data-state=error]');
      await wanted.get('use-cpu').click();
      await wanted.page.waitForSelector('body[data-state=idle]');
      assert.equal(await kind(wanted), 'cpu');
      assert.match(wanted.page.url(), /\?device=cpu/);
      assert.ok(await wanted.get('error').isHidden());
    });
  }

  for (const [name, message] of [
    ['is lost on every run', '{ type: "device-lost", message: "forced" }'],
    ['panics on every run', '{ type: "panic", message: "forced" }'],
  ]) {
    test(`that ${name}: the error offers the CPU, which makes the video`, LIMIT, async (t) => {
      const visitor = await visit(t, { ...GOOD, 'pkg/worker.js': atMessage('encoded', message) });
      assert.equal(await kind(visitor), 'webgpu');
      assert.match(await visitor.get('device-why').innerText(), /^Now: the GPU, Acme X1\.$/);
      await visitor.set({ steps: 1, seed: 3, guidance: 1 });
      await visitor.get('generate').click();
      await visitor.page.waitForSelector('body[data-state=error]');
      assert.ok(await visitor.get('retry').isVisible());
      await visitor.get('use-cpu').click();
      const { frames } = await visitor.made();
      assert.equal(frames.length, FRAMES);
      assert.equal(await kind(visitor), 'cpu');
      assert.equal(await visitor.get('device-choice').inputValue(), 'cpu');
      assert.deepEqual(visitor.complaints, []);
    });
  }

  test('is chosen, and left, on the page; a reload keeps the choice', LIMIT, async (t) => {
    const visitor = await visit(t, GOOD);
    assert.equal(await kind(visitor), 'webgpu');
    await visitor.get('device-choice').selectOption('cpu');
    await visitor.page.waitForSelector('[data-kind=cpu]');
    await visitor.state('idle');
    await visitor.video(VIDEO);
    await visitor.page.reload();
    await visitor.state('idle', 'running', 'ready');
    assert.equal(await visitor.get('device-choice').inputValue(), 'cpu');
    await visitor.get('device-choice').selectOption('webgpu');
    await visitor.page.waitForSelector('[data-kind=webgpu]');
    assert.match(visitor.page.url(), /\?device=webgpu/);
    assert.deepEqual(visitor.complaints, []);
  });

  test('is left while a file is written: the file is finished first', LIMIT, async (t) => {
    const visitor = await visit(t, GOOD);
    await visitor.video(VIDEO);
    await visitor.get('save-size').selectOption('512');
    await visitor.get('save-fps').selectOption('24');
    for (const [format, device] of [
      ['gif', 'cpu'],
      ['webm', 'webgpu'],
    ]) {
      const saved = visitor.save(format);
      await visitor.page.waitForSelector('#save[aria-busy=true]');
      await visitor.get('device-choice').selectOption(device);
      const { bytes } = await saved;
      assert.ok(bytes.length > 1000, `${format}: ${bytes.length} bytes`);
      await visitor.page.waitForSelector(`[data-kind=${device}]`);
      await visitor.state('idle');
    }
    assert.deepEqual(visitor.complaints, []);
  });

  test('that is not there can be asked for: the error offers the CPU', LIMIT, async (t) => {
    const visitor = await visit(t, { 'pkg/adapter.js': gpu('async () => null') });
    await visitor.get('device-choice').selectOption('webgpu');
    await visitor.page.waitForSelector('body[data-state=error]');
    assert.match(await visitor.errorText(), /WebGPU cannot be used: no graphics adapter was found/);
    await visitor.get('use-cpu').click();
    await visitor.page.waitForSelector('body[data-state=idle]');
    assert.equal(await kind(visitor), 'cpu');
  });
});
