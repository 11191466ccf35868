// The npm package in a fresh app of each bundler, built as its README says, and run: worker, helper and module must all
// arrive. Vite, and the contents of the package, are in package.test.js.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { DIST, IN_HASTE, PATIENCE, REPOSITORY, launch } from './harness.js';

const run = promisify(execFile);
const BROWSER_TESTS = join(REPOSITORY, 'tests/browser');
/** Hundreds of packages each, so only on request. */
const large = process.env.LFDM_BUNDLERS ? false : 'LFDM_BUNDLERS is not set';

const VIDEO = `
  import { Lfdm, LfdmError } from 'lfdm-web';

  export async function video() {
    const lfdm = await Lfdm.load(new URL('../models/faces-64/', location.href), { device: 'cpu', threads: 2 });
    const image = document.createElement('canvas');
    const frames = [];
    for (let runs = 0; runs < 2; runs++) {
      for await (const event of lfdm.generate({ image, label: 'anger', steps: 1, guidance: 1 })) {
        if (event.type === 'frame') frames.push(event.rgba);
      }
    }
    const gif = await lfdm.encodeGif(frames);
    lfdm.dispose();
    return \`\${frames.length} frames, \${lfdm.device.threads} threads, \${gif.type}\`;
  }

  export const tell = () =>
    video().then(
      (result) => (document.title = \`done: \${result}\`),
      (error) => (document.title = \`failed: \${error instanceof LfdmError ? error.code : ''} \${error}\`),
    );`;
const html = (script, type = 'module') =>
  `<!doctype html><link rel="icon" href="data:,"><script type="${type}" src="${script}"></script>`;
const PLAIN = { 'video.js': VIDEO, 'app.js': `import { tell } from './video.js';\ntell();` };

/**
 * `files` of the app, `packages` that it installs beside ours, `build` in its folder, and where the result is.
 *
 * @type {Record<string, { files: Record<string, string>, packages: string[], build: string[], built: string,
 *   skip?: string | false }>}
 */
const BUNDLERS = {
  esbuild: {
    files: { ...PLAIN, 'built/index.html': html('app.js') },
    packages: [],
    build: [
      join(BROWSER_TESTS, 'node_modules/.bin/esbuild'),
      'app.js',
      ...['worker.js', 'helper.js', 'lfdm_bg.wasm', 'lfdm_relaxed_bg.wasm'].map(
        (file) => `node_modules/lfdm-web/${file}`,
      ),
      ...['--bundle', '--format=esm', '--loader:.wasm=copy', '--entry-names=[name]', '--outdir=built'],
    ],
    built: 'built',
  },
  webpack: {
    files: { ...PLAIN, 'built/index.html': html('main.js', 'text/javascript') },
    packages: ['webpack@5.113.0', 'webpack-cli@7.3.1'],
    build: ['npx', 'webpack', './app.js', '--mode', 'production', '--output-path', 'built'],
    built: 'built',
  },
  Parcel: {
    files: {
      ...PLAIN,
      'index.html': html('app.js'),
      'package.json': '{ "private": true, "@parcel/bundler-default": { "minBundleSize": 100000000 } }',
    },
    packages: ['parcel@2.16.4'],
    build: [
      ...['npx', 'parcel', 'build', 'index.html', '--dist-dir', 'built', '--public-url', './'],
      ...['--no-source-maps', '--no-cache'],
    ],
    built: 'built',
    skip: large,
  },
  'Next.js': {
    files: {
      'app/video.js': VIDEO,
      'app/layout.js': `export default ({ children }) => (
        <html lang="en">
          <head>
            <link rel="icon" href="data:," />
          </head>
          <body>{children}</body>
        </html>
      );`,
      'app/page.js': `'use client';
        import { useEffect } from 'react';
        import { tell } from './video.js';
        export default function Page() {
          useEffect(() => void tell(), []);
          return <p>A portrait comes alive</p>;
        }`,
      'next.config.mjs': `export default { output: 'export', basePath: '/some/where/app' };`,
    },
    packages: ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1'],
    build: ['npx', 'next', 'build'],
    built: 'out',
    skip: large,
  },
};

describe('the package in an app of', { timeout: 8 * PATIENCE, skip: IN_HASTE }, () => {
  let folder;
  let tarball;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lfdm-bundlers-'));
    const source = join(folder, 'pkg');
    await cp(join(REPOSITORY, 'pkg'), source, { recursive: true });
    for (const built of ['lfdm.js', 'lfdm_bg.wasm', 'lfdm_relaxed_bg.wasm']) {
      await cp(join(DIST, 'pkg', built), join(source, built));
    }
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source });
    const [{ filename }] = Object.values(JSON.parse(stdout));
    tarball = join(folder, filename);
  });
  after(() => folder && rm(folder, { recursive: true }));

  for (const [name, { files, packages, build, built, skip = false }] of Object.entries(BUNDLERS)) {
    test(name, { skip, timeout: 2 * PATIENCE }, async (t) => {
      const app = join(folder, name);
      for (const [path, content] of Object.entries({ 'package.json': '{ "private": true }', ...files })) {
        await mkdir(dirname(join(app, path)), { recursive: true });
        await writeFile(join(app, path), content);
      }
      const options = { cwd: app, env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } };
      const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
      await run('npm', [...install, tarball, ...packages], options);
      const [command, ...args] = build;
      await run(command, args, options);

      const host = await launch({ mounts: { 'app/': join(app, built) } });
      t.after(() => host.close());
      const visitor = await host.visit('app/index.html');
      await visitor.page.waitForFunction(() => /^(done|failed)/.test(document.title));
      assert.equal(await visitor.page.title(), 'done: 32 frames, 2 threads, image/gif');
      assert.deepEqual(visitor.complaints, []);
    });
  }

  test('none: the README names those that were tried', async () => {
    const readme = await readFile(join(REPOSITORY, 'pkg/README.md'), 'utf8');
    for (const name of [...Object.keys(BUNDLERS), 'Vite']) assert.match(readme, new RegExp(`\\*\\*${name}`), name);
  });
});
