// Models that stay in the browser, downloads that break, and the page without a network.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';

import { DIST, PATIENCE, Visitor, launch } from './harness.js';
import { TYPES } from './server.js';

const MODEL = 'models/faces-64/';
const PIECE = 4 << 20;

describe('stored models', { timeout: 4 * PATIENCE }, () => {
  let host;
  let manifest;
  let shard;
  let weights;
  /** Answers requests in the server's place, if a test sets it. */
  let answer;
  /** `[path, range]` of the requests for weights. */
  let downloads;

  before(async () => {
    manifest = JSON.parse(await readFile(`${DIST}/${MODEL}manifest.json`, 'utf8'));
    shard = manifest.files.find(({ part }) => part === 'generation');
    weights = await readFile(`${DIST}/${MODEL}${shard.name}`);
    host = await launch({
      together: true,
      intercept(request, response, path) {
        if (path.endsWith('.safetensors')) downloads.push([path, request.headers.range]);
        return answer?.(request, response, path);
      },
    });
  });
  after(() => host?.close());
  beforeEach(() => {
    downloads = [];
    answer = null;
  });

  /** A page of this origin that is not ours: nothing but the package is loaded. */
  const blank = async (t, changes) => {
    const visitor = await host.visit(`${MODEL}manifest.json`, { changes });
    t.after(() => visitor.close());
    return visitor;
  };
  /** Loads the model and says how it went; `stopAt` bytes aborts, `generate` makes a video with it. */
  const load = (visitor, options = {}) =>
    visitor.withPackage(async ({ Lfdm, storedModels }, url, { stopAt, generate, ...options }) => {
      const stop = new AbortController();
      const progress = [];
      const onProgress = (event) => {
        if (event.part === 'program') return;
        progress.push(event);
        if (event.loaded >= stopAt) stop.abort();
      };
      try {
        const lfdm = await Lfdm.load(url, { device: 'cpu', signal: stop.signal, onProgress, ...options });
        const image = { data: new Uint8ClampedArray(64 * 64 * 4).fill(200), width: 64, height: 64 };
        let last;
        if (generate) {
          for await (const { type } of lfdm.generate({ image, label: 'anger', steps: 1, seed: 1, guidance: 1 })) {
            last = type;
          }
        }
        lfdm.dispose();
        return { storage: lfdm.storage, progress, last, stored: await storedModels() };
      } catch (error) {
        return { code: error.code, name: error.name, message: error.message, progress, stored: await storedModels() };
      }
    }, options);
  const cut = (response, from, bytes) => {
    const headers = { 'content-length': weights.length - from, 'accept-ranges': 'bytes' };
    if (from) headers['content-range'] = `bytes ${from}-${weights.length - 1}/${weights.length}`;
    response.writeHead(from ? 206 : 200, headers);
    response.write(weights.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 2000));
  };

  test('the second visit downloads nothing; removing them makes it download again', async (t) => {
    const visitor = await blank(t);
    const first = await load(visitor);
    const { kept, reason, bytes, offline } = first.storage;
    assert.deepEqual([kept, reason, bytes, offline], [true, undefined, shard.bytes, false]);
    assert.equal(downloads.length, 1);
    const last = first.progress.at(-1);
    assert.deepEqual([last.loaded, last.total, last.stored], [shard.bytes, shard.bytes, 0]);
    assert.equal(first.stored.length, 1);
    const { url, ...stored } = first.stored[0];
    assert.ok(url.endsWith(MODEL));
    assert.deepEqual(stored, { name: manifest.name, bytes: shard.bytes, complete: true });

    await visitor.page.reload();
    const second = await load(visitor, { generate: true });
    assert.equal(downloads.length, 1, 'the weights were downloaded again');
    assert.equal(second.progress.at(-1).stored, shard.bytes);
    assert.equal(second.last, 'done', second.message);

    const left = await visitor.withPackage(async ({ removeStoredModels, storedModels }) => {
      await removeStoredModels();
      return storedModels();
    });
    assert.deepEqual(left, []);
    await load(visitor);
    assert.equal(downloads.length, 2);
  });

  test('a connection that breaks is taken up where it stopped, and the speed is told', async (t) => {
    answer = (request, response, path) => {
      if (!path.endsWith('.safetensors') || downloads.length > 2) return false;
      cut(response, downloads.length === 1 ? 0 : Number(/\d+/.exec(request.headers.range)), 2_500_000);
      return true;
    };
    const result = await load(await blank(t));
    assert.ok(result.storage, result.message);
    assert.deepEqual(
      downloads.map(([, range]) => range),
      [undefined, 'bytes=2500000-', 'bytes=5000000-'],
    );
    assert.ok(result.progress.some(({ speed }) => speed > 0));
    assert.ok(result.progress.every(({ loaded }, index, all) => index === 0 || loaded >= all[index - 1].loaded));
  });

  /** Opens connections again sooner. */
  const restless = {
    'pkg/download.js': (body) => body.replace(/RECONNECT_MS = \[.*\]/, 'RECONNECT_MS = [5, 5, 5, 5, 5]'),
  };

  test('a network that takes a while to return costs nothing, nor does a server that refuses ranges', async (t) => {
    answer = (request, response, path) => {
      if (!path.endsWith('.safetensors') || downloads.length > 4) return false;
      if (downloads.length === 1) cut(response, 0, 500_000);
      else response.writeHead(downloads.length < 4 ? 503 : 403).end();
      return true;
    };
    const { storage, message, progress } = await load(await blank(t, restless));
    assert.ok(storage, message);
    const range = 'bytes=500000-';
    assert.deepEqual(
      downloads.map(([, range]) => range),
      [undefined, range, range, range, undefined],
    );
    assert.ok(progress.some(({ stalled, loaded }) => stalled && loaded === 500_000));
    assert.ok(progress.every(({ loaded }, index, all) => index === 0 || loaded >= all[index - 1].loaded));
  });

  test('a cancelled download leaves nothing half-used, and the next one goes on from it', async (t) => {
    answer = (request, response, path) => {
      if (!path.endsWith('.safetensors')) return false;
      response.writeHead(200, { 'content-length': weights.length });
      // The last bytes before the pause come too soon after the others to be reported at once.
      response.write(weights.subarray(0, PIECE + 300_000));
      setTimeout(() => response.write(weights.subarray(PIECE + 300_000, PIECE + 500_000)), 10);
      return true;
    };
    const visitor = await blank(t);
    const cancelled = await load(visitor, { stopAt: PIECE + 400_000 });
    assert.equal(cancelled.name, 'AbortError', cancelled.message);
    assert.deepEqual(
      cancelled.stored.map(({ bytes, complete }) => ({ bytes, complete })),
      [{ bytes: PIECE, complete: false }],
    );

    answer = null;
    await visitor.page.reload();
    const resumed = await load(visitor);
    assert.ok(resumed.storage, resumed.message);
    assert.deepEqual(
      downloads.map(([, range]) => range),
      [undefined, `bytes=${PIECE}-`],
    );
    assert.equal(resumed.progress.at(-1).stored, PIECE);
    assert.deepEqual(
      resumed.stored.map(({ bytes, complete }) => ({ bytes, complete })),
      [{ bytes: shard.bytes, complete: true }],
    );
  });

  test('a damaged shard is refused and not stored; a missing one is named', async (t) => {
    const damaged = Buffer.from(weights);
    damaged[1_000_000] ^= 1;
    answer = (_, response, path) => path.endsWith('.safetensors') && response.end(damaged);
    const visitor = await blank(t);
    const refused = await load(visitor);
    assert.equal(refused.code, 'model');
    assert.equal(downloads.length, 2, 'it is asked for once more, past the caches');
    assert.deepEqual(
      refused.stored.map(({ bytes }) => bytes),
      [0],
    );

    answer = (_, response, path) => path.endsWith('.safetensors') && response.writeHead(404).end();
    const missing = await load(visitor);
    assert.equal(missing.code, 'download');
    assert.match(missing.message, /weights-0\.safetensors is not on this server/);

    answer = null;
    assert.equal((await load(visitor)).storage.kept, true);
  });

  test('stored bytes that went bad are fetched again', async (t) => {
    const visitor = await blank(t);
    await load(visitor);
    await visitor.page.evaluate(async () => {
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const key of await cache.keys()) {
          if (!/\/piece\/.*\/0$/.test(key.url)) continue;
          const bytes = new Uint8Array(await (await cache.match(key)).arrayBuffer());
          bytes[1234] ^= 1;
          await cache.put(key, new Response(bytes));
        }
      }
    });
    const again = await load(visitor);
    assert.ok(again.storage, again.message);
    assert.deepEqual(
      downloads.map(([, range]) => range),
      [undefined, undefined],
    );
    assert.equal(again.stored[0].bytes, shard.bytes);
  });

  test('a changed model replaces the old one and is never mixed with it', async (t) => {
    const visitor = await blank(t);
    await load(visitor);
    const changed = Buffer.from(weights);
    changed[changed.length - 2] ^= 1;
    const sha256 = createHash('sha256').update(changed).digest('hex');
    const files = manifest.files.map((file) => (file === shard ? { ...file, sha256 } : file));
    answer = (_, response, path) => {
      if (path.endsWith('manifest.json')) response.end(JSON.stringify({ ...manifest, files }));
      else if (path.endsWith(shard.name)) response.end(changed);
      else return false;
      return true;
    };
    const result = await load(visitor);
    assert.ok(result.storage, result.message);
    assert.equal(result.progress.at(-1).stored, 0);
    assert.equal(downloads.length, 2);
    assert.deepEqual(
      result.stored.map(({ bytes }) => bytes),
      [shard.bytes],
    );
    const hashes = await visitor.page.evaluate(async () => {
      const keys = (
        await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()))
      ).flat();
      return keys.map(({ url }) => /piece\/(\w+)/.exec(url)?.[1]).filter(Boolean);
    });
    assert.deepEqual([...new Set(hashes)], [sha256], 'the old weights are cleared away');
  });

  test('a model that is published while another one is on its way is the one that arrives', async (t) => {
    const changed = Buffer.from(weights);
    changed[changed.length - 2] ^= 1;
    const sha256 = createHash('sha256').update(changed).digest('hex');
    const files = manifest.files.map((file) => (file === shard ? { ...file, sha256 } : file));
    const visitor = await blank(t);
    answer = (_, response, path) => {
      if (path.endsWith('manifest.json') && downloads.length) response.end(JSON.stringify({ ...manifest, files }));
      else if (path.endsWith(shard.name)) response.end(changed);
      else return false;
      return true;
    };
    const { storage, stored, message } = await load(visitor);
    assert.ok(storage, message);
    assert.deepEqual([storage.kept, storage.offline, storage.problem], [true, false, undefined]);
    assert.ok(stored[0].complete);
  });

  for (const [name, spoil, code] of /** @type {[string, (response: any, path: string) => boolean, string][]} */ ([
    ['newer than the page', (response) => (response.end(JSON.stringify({ ...manifest, format: 2 })), true), 'outdated'],
    ['the page of a network', (response) => (response.end('<!doctype html><h1>Sign in'), true), 'not-model'],
    ['half of one', (response) => (response.end(JSON.stringify(manifest).slice(0, 500)), true), 'model'],
    ['nothing', (response) => (response.writeHead(404).end(), true), 'download'],
    ['a closed door', (response) => (response.writeHead(403).end(), true), 'download'],
  ])) {
    test(`what the server has instead of the model, ${name}, is told apart; the stored one goes on`, async (t) => {
      const visitor = await blank(t);
      answer = (_, response, path) => path.endsWith('manifest.json') && spoil(response, path);
      const without = await load(visitor);
      assert.equal(without.code, code, without.message);
      answer = null;
      await load(visitor);
      answer = (_, response, path) => path.endsWith('manifest.json') && spoil(response, path);
      const stored = await load(visitor, { generate: true });
      assert.equal(stored.last, 'done', stored.message);
      assert.equal(stored.storage.problem.code, code);
      assert.deepEqual([stored.storage.offline, downloads.length], [true, 1]);
      assert.ok(stored.stored[0].complete);
    });
  }

  test('a new model that arrives damaged leaves the stored one in its place', async (t) => {
    const visitor = await blank(t);
    await load(visitor);
    const files = manifest.files.map((file) => (file === shard ? { ...file, sha256: '0'.repeat(64) } : file));
    answer = (_, response, path) =>
      path.endsWith('manifest.json') && (response.end(JSON.stringify({ ...manifest, files })), true);
    const { storage, last, message } = await load(visitor, { generate: true });
    assert.equal(last, 'done', message);
    assert.equal(storage.problem.code, 'model');
  });

  test('site data that is cleared during a download costs the store, not the model', async (t) => {
    answer = (_, response, path) => {
      if (!path.endsWith('.safetensors')) return false;
      response.writeHead(200, { 'content-length': weights.length });
      response.write(weights.subarray(0, PIECE + 300_000));
      setTimeout(() => response.end(weights.subarray(PIECE + 300_000)), 3000);
      return true;
    };
    const visitor = await blank(t);
    const devtools = await visitor.page.context().newCDPSession(visitor.page);
    const loading = load(visitor, { generate: true });
    await visitor.page.waitForFunction(async () => (await caches.keys()).length);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await devtools.send('Storage.clearDataForOrigin', { origin: new URL(visitor.url).origin, storageTypes: 'all' });
    const { last, message } = await loading;
    assert.equal(last, 'done', message);
  });

  /** The weights, with a pause of so many milliseconds after the first half of a megabyte, and the first whole one. */
  const pausing = (ms) => (_, response, path) => {
    if (!path.endsWith('.safetensors')) return false;
    response.writeHead(200, { 'content-length': weights.length });
    response.write(weights.subarray(0, 500_000));
    setTimeout(() => response.write(weights.subarray(500_000, 1_000_000)), 200);
    setTimeout(() => response.end(weights.subarray(1_000_000)), ms);
    return true;
  };

  const shorter = (body) => body.replace(/((?:QUIET|SILENCE|SPEED_WINDOW)_MS) = (\d+)/g, '$1 = $2 / 4');
  /** Says four times as soon that a download stalls. */
  const impatient = { 'pkg/download.js': shorter };

  test('a download that stalls says so, and by its speed', async (t) => {
    answer = pausing(2000);
    const { progress, message } = await load(await blank(t, impatient));
    const waiting = progress.filter(({ loaded }) => loaded === 1_000_000);
    const speeds = waiting.map(({ speed }) => speed);
    assert.ok(waiting.length >= 4, message ?? `${speeds}`);
    assert.ok(speeds[0] > 0 && !waiting[0].stalled);
    assert.equal(speeds.at(-1), 0, `${speeds}`);
    assert.ok(waiting.at(-1).stalled);
    assert.ok(progress.filter(({ loaded }) => loaded !== 1_000_000).every(({ stalled }) => !stalled));
  });

  test('the page says that a download has stalled, and that it goes on', async (t) => {
    answer = pausing(5000);
    const visitor = await host.visitDuring(t, { state: null, changes: impatient });
    const line = visitor.get('status');
    await visitor.page.getByText('The download has stalled at 1.0 of').first().waitFor();
    assert.match(await line.innerText(), /^The download has stalled at 1\.0 of \d+\.\d MB\. It goes on by itself/);
    const announced = await visitor.page.locator('#announcer').innerText();
    assert.match(announced, /^The download has stalled/);
    await visitor.state('idle');
    assert.doesNotMatch(await line.innerText(), /stalled/);
    assert.deepEqual(visitor.complaints, []);
  });

  test('without a network a download waits for one', async (t) => {
    const worker = await readFile(`${DIST}/pkg/worker.js`, 'utf8');
    let online = true;
    answer = (request, response, path) => {
      if (path === 'pkg/worker.js') {
        response.writeHead(200, { 'content-type': 'text/javascript' });
        response.end(`${worker}\n(${loseNetwork})(3000);`);
        return true;
      }
      if (!path.endsWith('.safetensors') || (online && downloads.length > 1)) return false;
      if (downloads.length === 1) {
        online = false;
        setTimeout(() => (online = true), 2500);
        cut(response, 0, 500_000);
      } else response.destroy();
      return true;
    };
    const { storage, message, progress } = await load(await blank(t));
    assert.ok(storage?.kept, message);
    assert.deepEqual(
      downloads.map(([, range]) => range),
      [undefined, 'bytes=500000-'],
    );
    assert.ok(progress.some(({ stalled, loaded }) => stalled && loaded === 500_000));
  });

  test('the program’s own download is told, and comes once for two models at a time', async (t) => {
    const visitor = await blank(t);
    const { parts, programs, stored } = await visitor.withPackage(async ({ Lfdm, storedModels }, url) => {
      const events = [];
      const first = Lfdm.load(url, { device: 'cpu', threads: 1, onProgress: (event) => events.push(event) });
      const second = Lfdm.load(url, { device: 'cpu', threads: 1 });
      const models = await Promise.all([first, second]);
      const later = [];
      models.push(await Lfdm.load(url, { device: 'cpu', threads: 1, onProgress: ({ part }) => later.push(part) }));
      for (const model of models) model.dispose();
      const programs = events.filter(({ part }) => part === 'program').map(({ loaded, total }) => [loaded, total]);
      return { parts: [events.map(({ part }) => part), later], programs, stored: await storedModels() };
    });
    assert.equal(downloads.length, 1, 'the second waits for the first');
    assert.ok(stored[0].complete);
    const [loaded, total] = programs.at(-1);
    assert.ok(loaded === total && total > 10e6, `${loaded} of ${total}`);
    assert.equal(`${parts[0]}`.replace(/(program,?)+(model,?)+/, 'in order'), 'in order');
    assert.ok(!parts[1].includes('program'), 'a third model needs no program of its own');
  });

  test('without room the model runs from memory, and takes none', async (t) => {
    const visitor = await blank(t);
    const devtools = await visitor.page.context().newCDPSession(visitor.page);
    await devtools.send('Storage.overrideQuotaForOrigin', {
      origin: new URL(visitor.url).origin,
      quotaSize: PIECE + 1_000_000,
    });
    const result = await load(visitor, { generate: true });
    assert.equal(result.last, 'done', result.message);
    assert.equal(result.storage.kept, false);
    assert.match(result.storage.reason, /not enough room/);
    assert.deepEqual(result.stored, []);
    const { usage } = await visitor.page.evaluate(() => navigator.storage.estimate());
    assert.ok(usage < 1_000_000, `${usage} bytes are still taken`);
  });

  test('a tab waits for one that downloads the same model, says so, and takes over when that closes', async (t) => {
    answer = pausing(60_000);
    const visitor = await blank(t);
    load(visitor).catch(() => {});
    await visitor.page.waitForFunction(async () => (await navigator.locks.query()).held.length);
    const page = await visitor.page.context().newPage();
    await page.goto(`${visitor.url}?device=cpu#model=faces-64`);
    await page.getByText('Another tab of this page is downloading the model').first().waitFor();
    answer = null;
    assert.equal(downloads.length, 1);
    await visitor.page.close();
    await page.waitForFunction(() => document.body.dataset.state === 'idle');
    assert.equal(downloads.length, 2);
    await page.close();
  });

  test('without a server the stored model is used, and only if it is complete', async (t) => {
    const visitor = await blank(t, { 'pkg/worker.js': (body) => body.replace(/ANSWER_MS = \d+/, 'ANSWER_MS = 100') });
    await load(visitor);
    answer = (request) => (request.socket.destroy(), true);
    // Keeping the program is the page's business, with a service worker.
    assert.equal((await load(visitor)).code, 'download');
    answer = (request, response, path) => (path.endsWith('manifest.json') ? (request.socket.destroy(), true) : false);
    const without = await load(visitor);
    assert.ok(without.storage, without.message);
    assert.equal(without.storage.offline, true);

    // One that never answers is given up before its connection is.
    answer = (_request, _response, path) => path.endsWith('manifest.json');
    const since = performance.now();
    assert.equal((await load(visitor)).storage.offline, true);
    assert.ok(performance.now() - since < 25_000);
  });
});

describe('the page without a network', { timeout: 4 * PATIENCE }, () => {
  let host;
  let answer;
  before(async () => (host = await launch({ intercept: (...all) => answer?.(...all) })));
  after(() => host?.close());
  beforeEach(() => (answer = null));

  const visit = async (t) => {
    const visitor = await host.visitDuring(t, { serviceWorkers: 'allow' });
    await visitor.page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
    return visitor;
  };
  const text = (visitor, path) =>
    visitor.page.evaluate((path) => fetch(path).then((response) => response.text()), path);
  /** Asks the page until it says yes. */
  const until = async (visitor, question) => {
    for (let tries = 0; tries < 100; tries++) {
      // The page may be in the middle of a reload.
      if (await visitor.page.evaluate(question).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail(`never true: ${question}`);
  };

  /** The names of what the workers keep, without what all begin with. */
  const pageCaches = async (visitor) => {
    const names = await visitor.page.evaluate(() => caches.keys());
    return names.filter((name) => name.startsWith('lfdm-page')).map((name) => name.split(' ').at(-1));
  };
  const send = (response, path, body) => {
    response.writeHead(200, { 'content-type': TYPES[extname(path)] }).end(body);
    return true;
  };
  /** The files of another build that are not this one's. */
  const newBuild = async () => {
    const old = await readFile(`${DIST}/icon.svg`);
    const newer = Buffer.concat([old, Buffer.from('<!-- new -->')]);
    const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
    const worker = (await readFile(`${DIST}/sw.js`, 'utf8'))
      .replace(/id:"\w+"/, 'id:"newer"')
      .replace(`"${hash(old)}",${old.length}`, `"${hash(newer)}",${newer.length}`);
    return { 'sw.js': worker, 'icon.svg': newer };
  };

  test('goes on, loads again, generates, and asks nobody', async (t) => {
    const visitor = await visit(t);
    answer = (request) => (request.socket.destroy(), true);
    await visitor.page.context().setOffline(true);
    await until(visitor, () => navigator.serviceWorker.controller !== null);
    assert.ok((await text(visitor, 'vendor/pico/facefinder')).length, 'what was not needed yet is here');
    await visitor.page.reload();
    await visitor.state('idle');
    const video = await visitor.video({ label: 'happiness', seed: 3, steps: 1 });
    assert.equal(video.frames.length, 16);
    const unexpected = visitor.complaints.filter((text) => !/ERR_INTERNET_DISCONNECTED|ERR_EMPTY_RESPONSE/.test(text));
    assert.deepEqual(unexpected, []);
    const kept = await visitor.page.evaluate(async () => {
      const [name] = (await caches.keys()).filter((name) => name.startsWith('lfdm-page'));
      return (await (await caches.open(name)).keys()).map(({ url }) => url);
    });
    const modules = kept.filter((url) => url.endsWith('.wasm')).map((url) => url.split('/').at(-1));
    assert.deepEqual(modules, ['lfdm_relaxed_bg.wasm'], 'one module is enough');

    // A model that was never here: it is loaded as soon as there is a network.
    await visitor.get('model').selectOption('faces-128');
    await visitor.get('error').waitFor();
    assert.match(await visitor.errorText(), /^You are offline, and this model is not stored.*once you are online/);
    answer = null;
    await visitor.page.context().setOffline(false);
    await visitor.page.waitForFunction(() => document.body.dataset.state === 'idle');
    assert.ok(await visitor.get('error').isHidden());
  });

  test('what others of this origin clear away costs nobody the page, and is kept again', async (t) => {
    const visitor = await visit(t);
    const clear = () =>
      visitor.page.evaluate(async () => {
        for (const name of await caches.keys()) if (name.startsWith('lfdm-page')) await caches.delete(name);
      });
    await clear();
    // By now there is another build.
    const html = await readFile(`${DIST}/index.html`);
    answer = (_, response, path) => path === 'index.html' && (response.end(`${html}<!-- new -->`), true);
    await visitor.page.reload();
    await visitor.state('idle');
    assert.ok((await text(visitor, 'index.html')).endsWith('<!-- new -->'));

    // The same one as before, from a server that sends headers that caches do not like.
    await clear();
    answer = (_, response, path) =>
      path === 'index.html' && (response.writeHead(200, { 'content-type': 'text/html', vary: '*' }).end(html), true);
    await visitor.page.reload();
    await visitor.state('idle');
    await until(visitor, async () => Boolean(await caches.match(location.href.split(/[?#]/)[0])));
  });

  test('a new build takes over as a whole, and a half deployed one not at all', async (t) => {
    const visitor = await visit(t);
    const build = await newBuild();
    let deployed = ['sw.js'];
    answer = (_, response, path) => deployed.includes(path) && send(response, path, build[path]);
    await visitor.page.reload();
    await visitor.state('idle');
    assert.ok(await visitor.page.evaluate(() => navigator.serviceWorker.controller !== null));
    const failed = await visitor.page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      await registration.update().catch(() => {});
      const worker = registration.installing ?? registration.waiting;
      if (worker && worker.state === 'installing') await new Promise((resolve) => (worker.onstatechange = resolve));
      return !worker || worker.state === 'redundant';
    });
    assert.ok(failed, 'a worker whose files are of two builds was installed');
    assert.doesNotMatch(await text(visitor, 'icon.svg'), /<!-- new -->/);
    assert.equal((await pageCaches(visitor)).length, 1, 'half a build takes no room');

    deployed = ['sw.js', 'icon.svg'];
    await visitor.page.evaluate(() => navigator.serviceWorker.getRegistration().then((it) => it.update()));
    await until(visitor, async () => (await navigator.serviceWorker.getRegistration()).waiting !== null);
    assert.doesNotMatch(await text(visitor, 'icon.svg'), /<!-- new -->/, 'this visit stays with its build');
    // A machine that takes seconds to let the page before the reload go keeps the older build for
    // this start: then the next one does it.
    const isNew = () =>
      text(visitor, 'icon.svg').then(
        (icon) => icon.endsWith('<!-- new -->'),
        () => false,
      );
    for (let starts = 0; starts < 4 && !(await isNew()); starts++) {
      await visitor.page.reload();
      for (let tries = 0; tries < 30 && !(await isNew()); tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    assert.ok(await isNew(), 'the new build does not take over');
    await visitor.state('idle');
    assert.deepEqual(await pageCaches(visitor), ['newer']);
  });

  test('a page that is too old for a model becomes a new one, though other tabs are open', async (t) => {
    const visitor = await visit(t);
    const build = await newBuild();
    answer = async (_, response, path, file) => {
      if (build[path]) return send(response, path, build[path]);
      if (!path.startsWith('models/') || !path.endsWith('manifest.json')) return false;
      return send(response, path, (await readFile(file, 'utf8')).replace(/"format": ?1/, '"format": 2'));
    };
    const second = new Visitor(await visitor.page.context().newPage(), visitor.url);
    await second.page.goto(`${visitor.url}?device=cpu#model=faces-64`);
    await until(second, async () => (await navigator.serviceWorker.getRegistration()).waiting !== null);
    await second.page.reload();
    await second.page
      .getByText('Reload the page to get the program that can read it. Close its other tabs')
      .first()
      .waitFor();

    await second.get('stored-remove').click();
    await second.page.reload();
    await second.get('error').waitFor();
    assert.match(await second.errorText(), /newer than this page/);
    await second.get('retry').click();
    await until(second, async () => (await (await fetch('icon.svg')).text()).endsWith('<!-- new -->'));
    assert.doesNotMatch(await text(visitor, 'icon.svg'), /<!-- new -->/, 'the other tab stays with its build');
  });

  test('can be installed', async (t) => {
    const visitor = await visit(t);
    const devtools = await visitor.page.context().newCDPSession(visitor.page);
    const { errors, data } = await devtools.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    const { icons, display } = JSON.parse(data);
    assert.equal(display, 'standalone');
    for (const { src, sizes, type } of icons.filter(({ sizes }) => sizes !== 'any')) {
      const [found, size] = await visitor.page.evaluate(async (src) => {
        const response = await fetch(src);
        const { width, height } = await createImageBitmap(await response.blob());
        return [response.headers.get('content-type'), `${width}x${height}`];
      }, src);
      assert.deepEqual([found, size], [type, sizes]);
    }
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    // Every test visits in a private window.
    assert.deepEqual(
      installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'),
      [],
    );
  });
});

/** Runs in a worker: once weights are asked for, the browser says for so many milliseconds that there is no network. */
function loseNetwork(ms) {
  const { fetch } = self;
  let onLine = true;
  Object.defineProperty(navigator, 'onLine', { get: () => onLine });
  self.fetch = (url, options) => {
    if (onLine && !new Headers(options?.headers).has('range') && `${url}`.endsWith('.safetensors')) {
      onLine = false;
      setTimeout(() => {
        onLine = true;
        dispatchEvent(new Event('online'));
      }, ms);
    }
    return fetch(url, options);
  };
}
