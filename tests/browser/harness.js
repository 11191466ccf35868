// A browser, a server, and the page's own vocabulary, for the tests in this folder.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { TYPES, serve } from './server.js';

/** @import { BrowserContextOptions, Page } from 'playwright-core' */
/** @import { Intercept } from './server.js' */
/** @typedef {string | Buffer | number | null} Answer a body, a status without one, or null: the connection breaks */
/** @typedef {(body: any) => Answer | Promise<Answer>} Change of a file: text to text, other bytes to bytes */
/** @typedef {Record<string, Change>} Changes by path, in which `*` stands for any part */
/** @typedef {{ prepare?: (page: Page) => unknown, frames?: number, changes?: Changes, moving?: boolean }} OurOptions */
/** @typedef {BrowserContextOptions & OurOptions & { patience?: number }} VisitOptions */

/**
 * To import its names, Node would read all of it twice: half a second for each file of tests.
 *
 * @type {typeof import('playwright-core')}
 */
const { chromium, firefox } = createRequire(import.meta.url)('playwright-core');

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
export const DIST = resolve(process.env.LFDM_DIST ?? `${REPOSITORY}/dist`);
export const SAMPLES = `${DIST}/samples`;
export const fixture = (name) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** The screens that the page is looked at on; the last is the first at twice the size. */
export const SCREENS = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 390, height: 844 },
  landscape: { width: 844, height: 390 },
  small: { width: 320, height: 640 },
  zoomed: { width: 640, height: 450 },
};

/** Why the slowest tests are left out, if LFDM_QUICK asks for that: `{ skip: IN_HASTE }`. */
export const IN_HASTE = process.env.LFDM_QUICK ? 'LFDM_QUICK leaves it out' : false;

/** Generation on a busy machine takes its time; a test that hangs should still end. */
export const PATIENCE = 300_000;
/** So long a test waits for one thing that happens in a page. */
const WAIT = 120_000;
/** So often a page is asked whether it has. Playwright's own way is to have it paint for each question. */
const POLLING = 20;

/** Each visitor has a window, which nobody sees: suggestions for its address bar would be 0.8 s of computing. */
const SUGGESTIONS = 'WebUIOmniboxPopup,WebUIOmniboxAimPopup';
/** What Playwright turns off itself: of two such lists, Chromium takes the last. */
const TURNED_OFF =
  'AvoidUnnecessaryBeforeUnloadCheckSync,BoundaryEventDispatchTracksNodeRemoval,DestroyProfileOnBrowserClose,' +
  'DialMediaRouteProvider,GlobalMediaControls,HttpsUpgrades,LensOverlay,MediaRouter,PaintHolding,' +
  'ThirdPartyStoragePartitioning,Translate,AutoDeElevate,RenderDocument,OptimizationHints';
const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${TURNED_OFF},${SUGGESTIONS}`,
];
/** A camera that shows a test picture, and nobody to ask for it. */
export const FAKE_CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
/** WebGPU without a GPU. */
export const SWIFTSHADER = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan,WebGPU',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
];

export function openBrowser(flags = []) {
  const executablePath = process.env.LFDM_CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: [...QUIET, ...flags] });
}

/**
 * For the model's worker: once the model is open, its GPU takes work and does none, where nobody looks at what it
 * computes. SwiftShader takes seconds for each step.
 */
export const IDLE_GPU = `{
  let isIdle = false;
  const working = new WeakSet();
  const watch = (prototype, name, before) => {
    const original = prototype[name];
    prototype[name] = function (...all) {
      const result = original.apply(this, all);
      before(this, all, result);
      return result;
    };
  };
  watch(GPUDevice.prototype, 'createShaderModule', (_, [{ code }], module) => {
    if (code.startsWith('// Pictures as bytes')) working.add(module);
  });
  watch(GPUDevice.prototype, 'createComputePipeline', (_, [{ compute }], pipeline) => {
    if (working.has(compute.module)) working.add(pipeline);
  });
  watch(GPUComputePassEncoder.prototype, 'setPipeline', (pass, [pipeline]) => {
    if (working.has(pipeline)) working.add(pass);
    else working.delete(pass);
  });
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...groups) {
    if (!isIdle || working.has(this)) dispatchWorkgroups.apply(this, groups);
  };
  const { postMessage } = self;
  self.postMessage = (message, ...more) => {
    isIdle ||= message.type === 'opened';
    postMessage.call(self, message, ...more);
  };
}`;

/** The Firefox of LFDM_FIREFOX or of PATH; undefined if this machine has none. */
export function findFirefox() {
  const named = process.env.LFDM_FIREFOX;
  const folders = process.env.PATH.split(delimiter);
  const found = named ? [named] : folders.flatMap((folder) => [join(folder, 'firefox'), join(folder, 'firefox-esr')]);
  return found.find(existsSync);
}

/** Any Firefox, as it is installed, by WebDriver BiDi: Playwright's usual way needs a build of its own. */
export function openFirefox() {
  return firefox.launch({ channel: 'moz-firefox', executablePath: findFirefox() });
}

/**
 * Starts a server and a browser; `close()` ends both. `flags` are Chromium's, unless `open()` opens another browser.
 *
 * Each visitor has a server, and so an origin, and a context of the browser. `together` is for tests of what a page
 * does, whatever computes it: visitors share a process, which has the module compiled, and have one thread each, unless
 * a test asks for more. They share the context too, unless they ask for more than a size and colours.
 *
 * @param {{ flags?: string[], mounts?: Record<string, string>, intercept?: Intercept, together?: boolean,
 *   open?: () => Promise<import('playwright-core').Browser> }} options
 */
export async function launch({ flags = [], mounts = {}, intercept, together = false, open } = {}) {
  for (const file of ['index.html', 'pkg/lfdm_bg.wasm', 'models/faces-64/manifest.json']) {
    if (!existsSync(`${DIST}/${file}`)) throw new Error(`${DIST}/${file} is missing; run \`cargo xtask build\` first`);
  }
  const server = await serve(DIST, { mounts, intercept });
  const browser = await (open?.() ?? openBrowser(together ? [...flags, '--process-per-site'] : flags));
  const shared = together ? await openShared(browser, server.url) : undefined;
  /** @type {Set<Visitor>} */
  const visitors = new Set();
  return {
    url: server.url,
    /**
     * A fresh visitor. `prepare(page)` runs before the page loads. `changes` are made to the files that this visitor
     * gets. With `frames`, videos have only so many: most of a short generation is spent on painting them. Nothing
     * plays by itself unless `moving`: drawing it in software takes a fifth of a core.
     *
     * @param {string} query
     * @param {VisitOptions} options
     */
    async visit(query, { prepare, frames, changes, moving, patience = WAIT, ...screen } = {}) {
      const all = [frames ? { [MANIFESTS]: shorten(frames) } : {}, together ? ALONE : {}, changes ?? {}];
      const own = await serve(DIST, {
        mounts,
        intercept: async (...request) => (await intercept?.(...request)) || answer(all, ...request),
      });
      const { viewport, colorScheme, ...rest } = screen;
      const isShared = shared && !Object.keys(rest).length;
      const reducedMotion = moving ? 'no-preference' : 'reduce';
      // The page after a reload would come from the worker, and not from the server that a test has changed.
      const options = { serviceWorkers: /** @type {const} */ ('block'), reducedMotion, ...screen };
      const context = isShared ? shared : await browser.newContext(/** @type {BrowserContextOptions} */ (options));
      context.setDefaultTimeout(patience);
      const page = await context.newPage();
      if (isShared) {
        await page.emulateMedia({ reducedMotion, colorScheme });
        if (viewport) await page.setViewportSize(viewport);
      }
      limitWaits(page, patience);
      const visitor = new Visitor(page, own.url, async () => {
        if (!visitors.delete(visitor)) return;
        await (isShared ? page : context).close();
        if (isShared) await context.clearPermissions();
        await own.close();
      });
      visitors.add(visitor);
      await page.addInitScript(keepVideos);
      await page.addInitScript(pretendLittleMemory);
      await prepare?.(page);
      await page.goto(own.url + query);
      return visitor;
    },
    /**
     * A visitor of one test, on the CPU unless `query` says otherwise, once the page is in `state`.
     *
     * @param {import('node:test').TestContext} test
     * @param {VisitOptions & { query?: string, state?: string | null }} options
     */
    async visitDuring(test, { query = '?device=cpu', state = 'idle', ...options } = {}) {
      const visitor = await this.visit(query, options);
      test.after(() => visitor.close());
      if (state) await visitor.state(state);
      return visitor;
    },
    /** `use(page)` on an empty page that has nothing to do with ours. */
    async elsewhere(use) {
      const page = await browser.newPage();
      try {
        return await use(page);
      } finally {
        await page.close();
      }
    },
    async close() {
      for (const visitor of visitors) await visitor.close();
      await browser.close();
      await server.close();
    },
  };
}

/** A context with a page that stays: it holds the compiled module, and with it the process. */
async function openShared(browser, url) {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  await page.goto(`${url}icon.svg`);
  await page.evaluate(async (url) => {
    const { chooseModule } = await import(`${url}pkg/modules.js`);
    window.program = await WebAssembly.compileStreaming(fetch(chooseModule().url));
  }, url);
  return context;
}

/**
 * Nothing that a test waits for in the page takes forever.
 *
 * @param {Page} page
 * @param {number} patience
 */
function limitWaits(page, patience) {
  const { evaluate, waitForFunction } = page;
  page.waitForFunction = (what, argument, options) =>
    waitForFunction.call(page, what, argument, { polling: POLLING, ...options });
  page.evaluate = async (...all) => {
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no answer of the page in ${patience / 1000} s to ${all[0]}`)),
        patience,
      );
    });
    try {
      return await Promise.race([evaluate.apply(page, all), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Runs in the page: with little memory it takes the quickest model, which most tests are about, unasked. */
function pretendLittleMemory() {
  Object.defineProperty(Navigator.prototype, 'deviceMemory', { configurable: true, get: () => 1 });
}

/** Runs in the page: keeps the pixels of the latest video, unscaled. */
function keepVideos() {
  document.addEventListener('lfdm:video', (event) => (window.video = /** @type {CustomEvent} */ (event).detail));
}

export class Visitor {
  #leave;

  /**
   * @param {Page} page
   * @param {string} url of what its server has
   * @param {() => Promise<void>} leave
   */
  constructor(page, url, leave = () => page.context().close()) {
    this.page = page;
    this.url = url;
    this.#leave = leave;
    /** What no page should say or do. */
    this.complaints = [];
    page.on('pageerror', (error) => this.complaints.push(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      // The tests' own doing: see `serviceWorkers` in `visit`.
      if (message.text().startsWith('Service Worker registration blocked by Playwright')) return;
      if (['error', 'warning'].includes(message.type())) {
        this.complaints.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on('request', (request) => {
      const elsewhere = !request.url().startsWith(url) && !/^(blob|data):/.test(request.url());
      if (elsewhere) this.complaints.push(`request to ${request.url()}`);
    });
  }

  get(testId) {
    return this.page.locator(`[data-testid="${testId}"]`);
  }

  /** Resolves once the page is in one of `states`; fails at once if it shows an error instead. */
  async state(...states) {
    await this.page.waitForFunction(
      (wanted) => wanted.includes(document.body.dataset.state) || document.body.dataset.state === 'error',
      states,
    );
    const state = await this.page.evaluate(() => document.body.dataset.state);
    if (!states.includes(state)) throw new Error(`the page says: ${await this.errorText()}`);
    return state;
  }

  async errorText() {
    return (await this.get('error').innerText()).trim();
  }

  async set(settings) {
    // Steps and guidance are behind "Advanced".
    await this.page.evaluate(() => document.getElementById('advanced').setAttribute('open', ''));
    for (const [testId, value] of Object.entries(settings)) await this.get(testId).fill(`${value}`);
  }

  /** A PNG of 800x500 pixels with a face in its right lower part. */
  async widePicture() {
    const portrait = (await readFile(fixture('portrait.jpg'))).toString('base64');
    const png = await this.page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes]));
      const canvas = new OffscreenCanvas(800, 500);
      const context = canvas.getContext('2d');
      context.fillStyle = '#678';
      context.fillRect(0, 0, 800, 500);
      context.drawImage(picture, 450, 180, 300, 300);
      const png = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
      return png.reduce((characters, byte) => characters + String.fromCharCode(byte), '');
    }, portrait);
    return Buffer.from(png, 'latin1');
  }

  /** Chooses a file; a picture then opens the framing step. */
  async upload(file) {
    await this.get('image-input').setInputFiles(file);
  }

  /** Waits for the framing step and its first guess, and returns its note and crop: `[x, y, side]`. */
  async framed() {
    await this.page.waitForFunction(() => {
      const note = document.getElementById('framing-note').textContent;
      return document.getElementById('framing').open && note && !note.startsWith('Looking');
    });
    return { note: await this.get('framing-note').innerText(), crop: await this.crop() };
  }

  async crop() {
    return (await this.get('framing').getAttribute('data-crop')).split(' ').map(Number);
  }

  /** Presses one of the buttons that save, and returns the file: `{ name, bytes }`. */
  async save(format) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.get(`save-${format}`).click()]);
    await this.page.waitForSelector('#save[aria-busy=false]');
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  }

  /** Makes a video and returns `{ width, height, frames: Buffer[], timings, … }`. */
  async video({ label, ...settings }) {
    await this.get(`label-${label}`).click();
    await this.set(settings);
    await this.page.evaluate(() => delete window.video);
    await this.get('generate').click();
    return this.made();
  }

  /** The video that the page is making or has made. */
  async made() {
    await this.page.waitForFunction(() => window.video || document.body.dataset.state === 'error');
    await this.state('ready');
    const { frames, ...rest } = await this.page.evaluate(() => {
      const { frames, ...rest } = window.video;
      const text = (bytes) => bytes.reduce((characters, byte) => characters + String.fromCharCode(byte), '');
      return {
        ...rest,
        width: frames[0].width,
        height: frames[0].height,
        frames: frames.map(({ rgba }) => text(rgba)),
      };
    });
    return { ...rest, frames: frames.map((frame) => Buffer.from(frame, 'latin1')) };
  }

  /** Calls `use(package, modelUrl, argument)` in the page, with the npm package and nothing else. */
  async withPackage(use, argument) {
    const arguments_ = `await import('${this.url}pkg/index.js'), '${this.url}models/faces-64', argument`;
    const source = `(async (argument) => (${use})(${arguments_}))`;
    return this.page.evaluate(`${source}(${JSON.stringify(argument) ?? 'undefined'})`);
  }

  async close() {
    await this.#leave();
  }
}

/** The manifests of all models. */
export const MANIFESTS = 'models/*/manifest.json';

/** One thread for each model: the same video, without a second model in memory. */
const ALONE = {
  'pkg/worker.js': append("Object.defineProperty(WorkerNavigator.prototype, 'hardwareConcurrency', { value: 1 });"),
};

/**
 * Answers with the file as it is after `changes`, one after the other; false without any. Routes of Playwright's could
 * do it too, but then the browser asks for each request of the page whether it may, which takes a second per visit;
 * they see nothing of workers inside workers, and hold a request until word of it has come from the worker too, which a
 * worker that ends may never send.
 *
 * @param {Changes[]} changes
 * @param {Parameters<Intercept>[0]} _
 * @param {Parameters<Intercept>[1]} response
 * @param {string} path
 * @param {string} file
 */
async function answer(changes, _, response, path, file) {
  const ours = changes.flatMap(Object.entries).filter(([where]) => isAt(where, path));
  if (!ours.length) return false;
  /** @type {Answer} */
  let body = await readFile(file, isText(path) ? 'utf8' : null);
  for (const [, change] of ours) body = await change(body);
  if (body === null) response.destroy();
  else if (typeof body === 'number') response.writeHead(body).end();
  else response.writeHead(200, { 'content-type': TYPES[extname(path)] }).end(body);
  return true;
}

function isAt(pattern, path) {
  const [parts, wanted] = [path.split('/'), pattern.split('/')];
  return parts.length === wanted.length && wanted.every((part, i) => part === '*' || part === parts[i]);
}

function isText(path) {
  return /\.(js|json|html|css)$/.test(path);
}

/** A change that says more at the end of a script. */
export function append(code) {
  return (body) => `${body}\n${code}`;
}

/** A change of a manifest: the same weights, asked for videos of so many frames. */
export function shorten(frames) {
  return editManifest(({ config }) => (config.frames = frames));
}

/** A change of a manifest, in place. */
export function editManifest(change) {
  return (body) => {
    const manifest = JSON.parse(body);
    change(manifest);
    return JSON.stringify(manifest);
  };
}

/** Mean absolute difference of two videos, over colour channels, in 1/255. */
export function difference(a, b) {
  if (a.length !== b.length) throw new Error(`${a.length} frames against ${b.length}`);
  let sum = 0;
  let count = 0;
  a.forEach((frame, index) => {
    if (frame.length !== b[index].length) {
      throw new Error(`frame ${index}: ${frame.length} bytes against ${b[index].length}`);
    }
    for (let i = 0; i < frame.length; i++) {
      if (i % 4 === 3) continue;
      sum += Math.abs(frame[i] - b[index][i]);
      count += 1;
    }
  });
  return sum / count;
}
