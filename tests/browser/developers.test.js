// The package in other people's pages: from another origin, under policies, in Node, and called in the wrong way.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { DIST, PATIENCE, REPOSITORY, launch } from './harness.js';
import { serve } from './server.js';

const LIMIT = { timeout: PATIENCE / 2 };
const run = promisify(execFile);

/** What a page does with the package: one short video. */
const video = async ({ Lfdm }, url, options) => {
  try {
    const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 2, ...options });
    const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
    let frames = 0;
    for (let runs = 0; runs < 2; runs++) {
      frames = 0;
      for await (const { type } of lfdm.generate({ image, label: 'anger', steps: 1, guidance: 1 })) {
        frames += Number(type === 'frame');
      }
    }
    lfdm.dispose();
    return { frames, threads: lfdm.device.threads };
  } catch (error) {
    return { code: error.code, name: error.name, message: error.message, details: error.details };
  }
};

describe('the package elsewhere', { timeout: 4 * PATIENCE }, () => {
  let host;
  /** Another origin. */
  let cdn;
  /** Of the page's server, by path: headers, or null for a missing file. */
  let answers = {};
  const intercept = async (_, response, path) => {
    if (path === 'blank.html') {
      response.writeHead(200, { 'content-type': 'text/html', ...answers[path] });
      response.end('<!doctype html><link rel="icon" href="data:,">');
      return true;
    }
    if (path === 'never.png') return true;
    const answer = answers[path];
    if (answer === undefined) return false;
    response.writeHead(answer ? 200 : 404, { 'content-type': 'text/javascript', ...answer });
    response.end(answer ? await readFile(`${DIST}/${path}`) : 'not found');
    return true;
  };
  before(async () => {
    host = await launch({ intercept });
    cdn = await serve(DIST, {
      prefix: '/npm/lfdm/',
      intercept: (_, response) => void response.setHeader('access-control-allow-origin', '*'),
    });
  });
  after(async () => {
    await host?.close();
    await cdn?.close();
  });
  afterEach(() => (answers = {}));

  const visit = async (t) => {
    const visitor = await host.visit('blank.html');
    t.after(() => visitor.close());
    return visitor;
  };
  /** `use(package, modelUrl, options)` in a page, with the package of the server at `base`. */
  const call = (visitor, use, options = {}, base = visitor.url) => {
    const names = `await import('${base}pkg/index.js'), '${visitor.url}models/faces-64', ${JSON.stringify(options)}`;
    return visitor.page.evaluate(`(async () => (${use})(${names}))()`);
  };

  test('a CDN serves it: worker, helpers and module of another origin', LIMIT, async (t) => {
    const result = await call(await visit(t), video, {}, cdn.url);
    assert.deepEqual(result, { frames: 16, threads: 2 });
  });

  test('worker and module can lie elsewhere: workerUrl and wasmUrl', LIMIT, async (t) => {
    answers['pkg/worker.js'] = answers['pkg/lfdm_bg.wasm'] = answers['pkg/lfdm_relaxed_bg.wasm'] = null;
    const options = { workerUrl: `${cdn.url}pkg/worker.js`, wasmUrl: `${cdn.url}pkg/lfdm_bg.wasm` };
    assert.deepEqual(await call(await visit(t), video, options), { frames: 16, threads: 2 });
  });

  test('a worker that is missing, or something else, is named with its address', LIMIT, async (t) => {
    const visitor = await visit(t);
    answers['pkg/worker.js'] = null;
    const missing = await call(visitor, video);
    assert.equal(missing.code, 'setup');
    assert.match(missing.message, /some\/where\/pkg\/worker\.js is not there \(HTTP 404\)/);
    answers['pkg/worker.js'] = { 'content-type': 'text/html' };
    const page = await call(visitor, video);
    assert.equal(page.code, 'setup');
    assert.match(page.message, /worker\.js is not a script there \(text\/html\)/);
    answers = { 'pkg/error.js': null };
    const part = await call(await visit(t), async () => 'never', {}).catch((error) => `${error}`);
    assert.match(part, /error\.js|import/);
    answers = { 'pkg/pool.js': null };
    const imported = await call(visitor, video);
    assert.match(imported.message, /does not start; a file that it imports may be missing/);
  });

  test('policies are told from broken connections', LIMIT, async (t) => {
    const policy = (text) => ({ 'content-security-policy': text });
    answers['pkg/worker.js'] = policy("script-src 'self'");
    const wasm = await call(await visit(t), video);
    assert.equal(wasm.code, 'setup', wasm.message);
    assert.match(wasm.message, /forbids WebAssembly.*script-src 'self' 'wasm-unsafe-eval'/);

    answers['pkg/worker.js'] = policy("connect-src 'none'");
    const connect = await call(await visit(t), video);
    assert.equal(connect.code, 'setup', connect.message);
    assert.match(connect.message, /policy forbids http.*needs connect-src/);

    answers = { 'blank.html': policy("script-src 'self' 'unsafe-eval'; worker-src 'none'") };
    const worker = await call(await visit(t), video);
    assert.equal(worker.code, 'setup', worker.message);
    assert.match(worker.message, /policy forbids .*needs worker-src/);

    answers = { 'blank.html': policy("img-src 'self'") };
    const picture = await call(await visit(t), ({ decodeImage }) =>
      decodeImage(new Blob(['<svg xmlns="http://www.w3.org/2000/svg"/>'], { type: 'image/svg+xml' })).catch(
        ({ code, message }) => ({ code, message }),
      ),
    );
    assert.equal(picture.code, 'setup', picture.message);
    assert.match(picture.message, /policy forbids blob: addresses: it needs img-src with blob:/);
  });

  test('Trusted Types are served by a policy of ours, and asked for it', LIMIT, async (t) => {
    const enforced = (names) => ({ 'content-security-policy': `require-trusted-types-for 'script'; ${names}` });
    answers = { 'blank.html': enforced('trusted-types lfdm-web') };
    assert.deepEqual(await call(await visit(t), video), { frames: 16, threads: 2 });
    const elsewhere = await call(await visit(t), video, { workerUrl: `${cdn.url}pkg/worker.js` });
    assert.deepEqual(elsewhere, { frames: 16, threads: 2 });
    answers = { 'blank.html': enforced('trusted-types another') };
    const refused = await call(await visit(t), video);
    assert.equal(refused.code, 'setup', refused.message);
    assert.match(refused.message, /Trusted Types.*needs trusted-types lfdm-web/);
  });

  test('a download of a picture ends with its signal', LIMIT, async (t) => {
    const told = await call(await visit(t), async ({ Lfdm }, url) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 1 });
      const told = [];
      for (const make of ['generate', 'paint']) {
        const stop = new AbortController();
        const options = make === 'generate' ? { label: 'anger' } : { motions: [] };
        const next = lfdm[make]({ image: 'never.png', signal: stop.signal, ...options }).next();
        setTimeout(() => stop.abort('enough'), 100);
        told.push(await next.catch((reason) => reason));
      }
      lfdm.dispose();
      return told;
    });
    assert.deepEqual(told, ['enough', 'enough']);
  });

  test('wrong calls are refused in words', LIMIT, async (t) => {
    const messages = await call(await visit(t), async ({ Lfdm }, url) => {
      const lfdm = await Lfdm.load(url, { device: 'cpu', threads: 1 });
      const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
      const make = async (seed) => {
        for await (const _ of lfdm.generate({ image, label: 'anger', seed, steps: 1 })) return 'accepted';
      };
      const wish = async (options) => {
        for await (const _ of lfdm.generate({ image, label: 'anger', ...options })) return 'accepted';
      };
      const [rows, columns] = lfdm.manifest.motionSize;
      const motion = (cells = rows * columns, value = 0) => ({
        flow: new Float32Array(2 * cells).fill(value),
        occlusion: new Float32Array(cells).fill(1),
      });
      const paint = async (motions) => {
        for await (const _ of lfdm.paint({ image, motions })) return 'accepted';
      };
      const frame = new Uint8ClampedArray(64 * 64 * 4);
      /** @type {Record<string, () => Promise<unknown>>} */
      const calls = {
        nothing: () => Lfdm.load(),
        negative: () => make(-1),
        half: () => make(0.5),
        huge: () => make(2 ** 60),
        'big enough': () => make(2n ** 60n),
        'no frames': () => lfdm.encodeGif(),
        'other frames': () => lfdm.encodeGif([new Uint8ClampedArray(5)]),
        'no options': () => lfdm.encodeGif([frame, frame]),
        wasm: () => Lfdm.load(url, { wasmUrl: 5 }),
        'half an address': () => Lfdm.load(url, { wasmUrl: 'http://' }),
        'an address of one file': () => Lfdm.load('data:application/json,{}'),
        'function as label': () => wish({ label: () => 'anger' }),
        'symbol as label': () => wish({ label: Symbol('anger') }),
        'list of strengths': () => wish({ label: undefined, strengths: { anger: '1' } }),
        'half a step': () => wish({ steps: 1.5 }),
        'text as guidance': () => wish({ guidance: '3' }),
        'half a photo': () => wish({ photoSize: 100.5 }),
        'a sampler of its own': () => wish({ sampler: { ddim: { eta: NaN, times: 'trailing' } } }),
        'too much noise': () => wish({ sampler: { ddim: { eta: 7, times: 'trailing' } } }),
        'nothing at all': () => wish({ seed: undefined, steps: undefined, signal: undefined }),
        'good motion': () => paint([motion()]),
        'motion of another grid': () => paint([motion(), motion(9)]),
        'motion that is no number': () => paint([motion(rows * columns, NaN)]),
        'a list with holes': () => paint(Array(2)),
      };
      const told = {};
      for (const [name, call] of Object.entries(calls)) {
        told[name] = await call().then(
          (value) => (value instanceof Blob ? value.type : value),
          ({ code, message }) => `${code} ${message}`,
        );
      }
      lfdm.dispose();
      return told;
    });
    assert.match(messages.nothing, /^options url: expected the address of a model/);
    for (const seed of ['negative', 'half', 'huge']) {
      assert.match(messages[seed], /^options seed: .* is not a whole number from 0 on/);
    }
    assert.equal(messages['big enough'], 'accepted');
    for (const frames of ['no frames', 'other frames']) {
      assert.match(messages[frames], /^options frames: expected RGBA arrays of 64 × 64 pixels/);
    }
    assert.equal(messages['no options'], 'image/gif');
    assert.match(messages.wasm, /^options wasmUrl: 5 is neither/);
    assert.match(messages['half an address'], /^options wasmUrl: "http:\/\/" is neither/);
    assert.match(messages['an address of one file'], /^options url: .*data:.* is no address of a folder/);
    assert.match(messages['function as label'], /^options label: this function is not a string/);
    assert.match(messages['symbol as label'], /^options label: Symbol\(anger\) is not a string/);
    assert.match(messages['list of strengths'], /^options strengths: this object is not an object with a number/);
    assert.match(messages['half a step'], /^options steps: 1\.5 is not a whole number from 1 on/);
    assert.match(messages['text as guidance'], /^options guidance: "3" is not a number/);
    assert.match(messages['half a photo'], /^options photoSize: 100\.5 is not a whole number/);
    assert.match(messages['a sampler of its own'], /^options sampler: this object is neither the name of a sampler/);
    assert.match(messages['too much noise'], /^options sampler: eta 7 is not possible/);
    for (const name of ['nothing at all', 'good motion']) assert.equal(messages[name], 'accepted');
    assert.match(messages['motion of another grid'], /^options motions: number 1 is not of \d+ × \d+ cells/);
    assert.match(messages['motion that is no number'], /^options motions: number 0 holds values that are not finite/);
    assert.match(messages['a list with holes'], /^options motions: this object is not a list of motions/);
  });

  test('Node may import it, as servers that render pages do, and is told that calls need a browser', async () => {
    const code = `
      const { Lfdm, probeDevice, storedModels } = await import(${JSON.stringify(`${REPOSITORY}/pkg/index.js`)});
      const told = [];
      for (const call of [() => Lfdm.load('/model/'), () => probeDevice()]) {
        await call().catch((error) => told.push(error.name + ' ' + error.code + ' ' + error.message));
      }
      console.log(JSON.stringify([told, await storedModels()]));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code]);
    const [told, stored] = JSON.parse(stdout);
    assert.equal(told.length, 2);
    for (const message of told) assert.match(message, /^LfdmError browser lfdm-web runs in a browser only/);
    assert.deepEqual(stored, []);
  });

  for (const version of ['5.0.4', '5.6.3', '5.9.3']) {
    test(`TypeScript ${version} reads the types as they are`, LIMIT, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'lfdm-types-'));
      t.after(() => rm(folder, { recursive: true }));
      const modules = join(folder, 'node_modules');
      await cp(join(REPOSITORY, 'pkg/index.d.ts'), join(modules, 'lfdm-web/index.d.ts'));
      await cp(join(REPOSITORY, 'pkg/package.json'), join(modules, 'lfdm-web/package.json'));
      await writeFile(
        join(folder, 'main.ts'),
        `import { Lfdm } from 'lfdm-web';
         export async function show(lfdm: Lfdm, image: HTMLCanvasElement, to: CanvasRenderingContext2D) {
           for await (const event of lfdm.generate({ image, label: 'anger' })) {
             if (event.type === 'frame') to.putImageData(new ImageData(event.rgba, event.width, event.height), 0, 0);
           }
         }`,
      );
      const flags = [
        '--noEmit',
        '--strict',
        '--target',
        'es2022',
        '--module',
        'esnext',
        '--moduleResolution',
        'bundler',
      ];
      const compiler = ['--yes', '--prefer-offline', '--package', `typescript@${version}`, 'tsc'];
      const { stdout } = await run('npx', [...compiler, ...flags, 'main.ts'], { cwd: folder }).catch((error) => error);
      assert.equal(stdout, '');
    });
  }

  test('the types that stand in for a build name all that a build has', async () => {
    const [stand, built] = await Promise.all(
      ['tests/browser/types/pkg/lfdm.d.ts', 'pkg/lfdm.d.ts'].map((path) => readFile(join(REPOSITORY, path), 'utf8')),
    );
    const methods = (types) =>
      [...types.matchAll(/^export class (\w+) \{$([^]*?)^\}$/gm)]
        .flatMap(([, name, body]) => [...body.matchAll(/^ +(\w+)\(/gm)].map(([, method]) => `${name}.${method}`))
        .filter((method) => !method.endsWith('.free') && !method.endsWith('.constructor'))
        .sort();
    assert.ok(methods(built).includes('Generation.next'));
    assert.deepEqual(methods(stand), methods(built));
    const functions = (types) => [...types.matchAll(/^export function (\w+)\(/gm)].map(([, name]) => name).sort();
    for (const name of functions(stand)) assert.ok(functions(built).includes(name), name);
  });

  test('every code of an error is in the README’s table', async () => {
    const types = await readFile(`${REPOSITORY}/pkg/index.d.ts`, 'utf8');
    const [, union] = /type LfdmErrorCode =([^;]*);/.exec(types) ?? [];
    const codes = [...union.matchAll(/'([\w-]+)'/g)].map(([, code]) => code);
    assert.ok(codes.length > 10);
    const readme = await readFile(`${REPOSITORY}/pkg/README.md`, 'utf8');
    const rows = [...readme.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, code]) => code);
    assert.deepEqual(rows.sort(), codes.sort());
  });
});
