// What goes wrong in the middle, and what many runs leave behind.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { IDLE_GPU, IN_HASTE, MANIFESTS, PATIENCE, SWIFTSHADER, append, editManifest, launch } from './harness.js';

const WORKER = 'pkg/worker.js';
const FRAMES = 2;

describe('recovery', { timeout: 2 * PATIENCE }, () => {
  let host;
  before(async () => (host = await launch({ together: true })));
  after(() => host?.close());

  /** A page with nothing but the package, and videos of two frames. */
  const blank = async (t, changes = {}) => {
    const visitor = await host.visit('icon.svg', { frames: FRAMES, changes });
    t.after(() => visitor.close());
    return visitor;
  };

  for (const [name, trap] of Object.entries({
    // An allocation that cannot be: Rust aborts, and the trap reaches JavaScript through its caller.
    'a trap in the module': `const { default: start } = await import('./lfdm.js');
      const { __wbindgen_export, __wbindgen_malloc = __wbindgen_export } = await start();
      __wbindgen_malloc(-1, 1);`,
    // What the panic hook does, before the trap.
    'a panic that the hook reports': `panic("panicked at src/pipeline.rs:1:1:\\nforced");`,
  })) {
    test(`${name} becomes an error with details, and the next call works`, async (t) => {
      const force = atFirst(`self.addEventListener('message', async ({ data }) => {
        if (data.type === 'generate') { ${trap} }
      });`);
      const visitor = await blank(t, { [WORKER]: force });
      const result = await visitor.withPackage(async ({ Lfdm, LfdmError }, url) => {
        const lfdm = await Lfdm.load(url, { device: 'cpu' });
        const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
        const run = async () => {
          const types = [];
          for await (const { type } of lfdm.generate({ image, label: 'anger', steps: 3 })) types.push(type);
          return types;
        };
        const error = await run().catch((error) => error);
        const told = [error instanceof LfdmError, error.code, error.message, error.details];
        const types = await run();
        lfdm.dispose();
        const disposed = await run().catch(({ code }) => code);
        return { told, types, disposed };
      });
      const [known, code, message, details] = result.told;
      assert.ok(known);
      assert.equal(code, 'crash');
      assert.match(message, /stopped unexpectedly/);
      assert.match(details, /unreachable|wasm|panicked at/);
      assert.deepEqual(result.types, ['encoded', 'step', 'step', 'step', 'frame', 'frame', 'done']);
      assert.equal(result.disposed, 'disposed');
    });
  }

  test('a model that does not fit is refused before it is downloaded', async (t) => {
    const huge = editManifest(({ files }) => files.forEach((file) => (file.bytes = 3_000_000_000)));
    const visitor = await blank(t, { [MANIFESTS]: huge });
    const requested = [];
    visitor.page.on('request', (request) => requested.push(request.url()));
    const error = await visitor.withPackage(async ({ Lfdm }, url) => {
      const { code, message, details } = await Lfdm.load(url, { device: 'cpu' }).catch((error) => error);
      return { code, message, details };
    });
    assert.equal(error.code, 'memory');
    assert.match(error.message, /needs about 18\.1 GB of memory.*Use a smaller model/);
    assert.match(error.details, /deviceMemory/);
    assert.ok(!requested.some((url) => url.endsWith('.safetensors')));
  });

  test('ten generations in a row leave the memory as it was, and the page free', { skip: IN_HASTE }, async (t) => {
    const visitor = await blank(t);
    const { memory, tasks, frames } = await visitor.withPackage(async ({ Lfdm }, url) => {
      const tasks = [];
      const observer = new PerformanceObserver((list) =>
        tasks.push(...list.getEntries().map(({ duration }) => duration)),
      );
      observer.observe({ type: 'longtask' });
      const lfdm = await Lfdm.load(url, { device: 'cpu' });
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
      const memory = [(await lfdm.memory()).wasm];
      let frames = 0;
      for (let seed = 0; seed < 10; seed++) {
        const options = { image, label: lfdm.manifest.labels[seed % 7], seed, steps: 1, guidance: 2, bitmaps: true };
        for await (const { type, bitmap } of lfdm.generate(options)) {
          frames += Number(type === 'frame' && bitmap.width === 64);
          bitmap?.close();
        }
        memory.push((await lfdm.memory()).wasm);
      }
      lfdm.dispose();
      return { memory, tasks, frames };
    });
    t.diagnostic(`wasm memory in MB: ${memory.map((bytes) => (bytes / 1e6).toFixed(0)).join(', ')}`);
    t.diagnostic(`long tasks on the main thread in ms: ${tasks.map(Math.round).join(', ') || 'none'}`);
    assert.equal(frames, 10 * FRAMES);
    assert.ok(memory[3] > memory[0] / 2 && memory[3] > 1e6, `${memory}`);
    assert.deepEqual(memory.slice(4), memory.slice(4).fill(memory[3]), `${memory}`);
    // The goal is 100 ms; a busy test machine stops any thread for longer at times.
    assert.ok(Math.max(0, ...tasks) < 500, `${tasks}`);
  });

  test('options of this side are refused by their names', async (t) => {
    const visitor = await blank(t);
    const messages = await visitor.withPackage(async ({ Lfdm }, url) => {
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
      const lfdm = await Lfdm.load(url, { device: 'cpu' });
      const run = async (options) => {
        for await (const event of lfdm.generate(options)) return `accepted: ${event.type}`;
      };
      /** @type {[string, () => Promise<unknown>][]} */
      const cases = [
        ['device', () => Lfdm.load(url, { device: 'gpu' })],
        ['signal', () => Lfdm.load(url, { signal: {} })],
        ['onProgress', () => Lfdm.load(url, { onProgress: 'log' })],
        ['progress', () => Lfdm.load(url, { progress() {} })],
        ['url', () => Lfdm.load('http://:::')],
        ['bitmaps', () => run({ image, label: 'anger', bitmaps: 'yes' })],
        ['signal', () => run({ image, label: 'anger', signal: 5 })],
        ['image', () => run({ label: 'anger' })],
        ['lable', () => run({ image, lable: 'anger' })],
        ['options', () => run()],
      ];
      const messages = [];
      for (const [field, call] of cases) {
        messages.push(
          await call().then(
            (value) => [field, 'accepted', `${value}`],
            ({ code, message }) => [field, code, message],
          ),
        );
      }
      lfdm.dispose();
      return messages;
    });
    for (const [field, code, message] of messages) {
      assert.equal(code, 'options', `${field}: ${message}`);
      assert.ok(message.startsWith(`${field}:`), message);
    }
  });
});

describe('a lost device', { timeout: 4 * PATIENCE, skip: IN_HASTE }, () => {
  let host;
  before(async () => (host = await launch({ flags: SWIFTSHADER })));
  after(() => host?.close());

  test('is opened again once, and the run is repeated without anyone asking', async (t) => {
    // The device that the library opens is destroyed after the encoding, in the first worker only.
    const lose = `const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (...all) {
        return (self.opened = await requestDevice.apply(this, all));
      };
      const post = self.postMessage;
      self.postMessage = (message, ...more) => {
        post.call(self, message, ...more);
        if (message.type === 'encoded') self.opened.destroy();
      };`;
    const loseFirst = atFirst(lose);
    const visitor = await host.visit('icon.svg', {
      patience: 4 * PATIENCE,
      frames: 1,
      changes: { [WORKER]: (body) => append(IDLE_GPU)(loseFirst(body)) },
    });
    t.after(() => visitor.close());
    const { events, device } = await visitor.withPackage(async ({ Lfdm }, url) => {
      const lfdm = await Lfdm.load(url, { device: 'webgpu' });
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
      const events = [];
      for await (const { type, index, reason } of lfdm.generate({ image, label: 'anger', steps: 1, guidance: 1 })) {
        events.push([type, index ?? reason?.code].filter((part) => part !== undefined).join(' '));
      }
      lfdm.dispose();
      return { events, device: lfdm.device };
    });
    t.diagnostic(JSON.stringify(device));
    assert.equal(device.kind, 'webgpu');
    assert.equal(device.software, true);
    assert.ok(device.limits.maxBufferSize > 0);
    assert.deepEqual(events, ['encoded', 'restarted device-lost', 'step 0', 'frame 0', 'done']);
  });
});

/** A change of a script that says more at its end the first time that it is asked for. */
function atFirst(code) {
  let isFirst = true;
  return (body) => (isFirst ? ((isFirst = false), append(code)(body)) : body);
}
