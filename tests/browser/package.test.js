// The npm package as its users get it: packed, installed into a fresh Vite app, type-checked, built, and run.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { DIST, IN_HASTE, PATIENCE, REPOSITORY, fixture, launch } from './harness.js';

const PACKAGE = fileURLToPath(new URL('../../pkg', import.meta.url));
const APP = fileURLToPath(new URL('vite-app', import.meta.url));
const run = promisify(execFile);

describe('the package', { timeout: 2 * PATIENCE }, () => {
  let folder;
  let tarball;
  let contents;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lfdm-package-'));
    // The module under test is the one that the page uses.
    const source = join(folder, 'pkg');
    await cp(PACKAGE, source, { recursive: true });
    for (const built of ['lfdm.js', 'lfdm_bg.wasm', 'lfdm_relaxed_bg.wasm']) {
      await cp(join(DIST, 'pkg', built), join(source, built));
    }
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source });
    const [packed] = Object.values(JSON.parse(stdout));
    tarball = join(folder, packed.filename);
    contents = packed;
  });
  after(() => folder && rm(folder, { recursive: true }));

  test('contains what is needed and nothing else', async (t) => {
    const paths = contents.files.map(({ path }) => path);
    const modules = await reachable(join(folder, 'pkg'), 'index.js');
    const papers = ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'index.d.ts', 'package.json'];
    assert.deepEqual(paths.sort(), [...modules, ...papers].sort());
    for (const licence of papers.filter((paper) => paper.startsWith('LICENSE'))) {
      const [packed, ours] = [PACKAGE, REPOSITORY].map((root) => readFile(join(root, licence), 'utf8'));
      assert.equal(await packed, await ours, licence);
    }
    t.diagnostic(
      `${(contents.size / 1e6).toFixed(1)} MB packed, ${(contents.unpackedSize / 1e6).toFixed(1)} MB unpacked`,
    );
  });

  test('has a companion with the models, and in it what generation needs', async () => {
    const models = join(REPOSITORY, 'www/models');
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json'], { cwd: models });
    const [packed] = /** @type {any[]} */ (Object.values(JSON.parse(stdout)));
    const needed = [];
    for (const { name } of (await readdir(models, { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
      const { files } = JSON.parse(await readFile(join(models, name, 'manifest.json'), 'utf8'));
      const generation = files.filter(({ part }) => part === 'generation').map((file) => `${name}/${file.name}`);
      needed.push(`${name}/manifest.json`, ...generation);
    }
    const paths = packed.files.map(({ path }) => path).filter((path) => path.includes('/'));
    assert.deepEqual(paths.sort(), needed.sort());
  });

  test('works in a fresh Vite app', { skip: IN_HASTE }, async (t) => {
    const app = join(folder, 'app');
    await mkdir(app);
    for (const file of ['index.html', 'main.ts', 'package.json', 'tsconfig.json', '.npmrc']) {
      await cp(join(APP, file), join(app, file));
    }
    const options = { cwd: app };
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], options);
    await run('npx', ['tsc'], options);
    await run('npx', ['vite', 'build', '--base', './', '--outDir', 'built'], options);

    const host = await launch({ mounts: { 'vite/models/': join(DIST, 'models'), 'vite/': join(app, 'built') } });
    t.after(() => host.close());
    const visitor = await host.visit('vite/index.html');
    await visitor.page.waitForFunction(() => /^(done|failed)/.test(document.title));
    assert.equal(await visitor.page.title(), 'done: 16 frames, 7929620 bytes, cpu');
    assert.deepEqual(visitor.complaints, []);
    const drawn = await visitor.page.evaluate(
      () => document.querySelector('canvas').getContext('2d').getImageData(32, 32, 1, 1).data[3],
    );
    assert.equal(drawn, 255);
  });

  test('is all that its example needs', async (t) => {
    const host = await launch({ mounts: { 'pkg/examples/': join(PACKAGE, 'examples') } });
    t.after(() => host.close());
    const visitor = await host.visit('pkg/examples/index.html?model=../../models/faces-64/');
    await visitor.page.waitForSelector('button:enabled');
    await visitor.page.setInputFiles('input[type=file]', fixture('portrait.jpg'));
    await visitor.page.fill('[name=seed]', '5');
    await visitor.page.click('button');
    await visitor.page.waitForFunction(() => /step 1 of/.test(document.getElementById('status').textContent));
    await visitor.page.click('#stop');
    await visitor.page.waitForFunction(() => document.getElementById('status').textContent === 'stopped');
    assert.deepEqual(visitor.complaints, []);
  });
});

/** The modules and files that a module names. */
const NAMES = /(?:from |new URL\()'(?:\.\/)?([\w.]+)'(?:;|, import\.meta\.url)/g;

/** What a browser may fetch once it has `start`. */
async function reachable(root, start) {
  const found = new Set([start]);
  for (const path of found) {
    if (!path.endsWith('.js')) continue;
    const text = await readFile(join(root, path), 'utf8');
    for (const [, name] of text.matchAll(NAMES)) found.add(name);
  }
  return [...found];
}
