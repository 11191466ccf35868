// What a video costs in a page: ours beside onnxruntime-web with the same network, taking turns in
// one page. Prints a line for each measurement, for `cargo xtask bench`: what, who, and
// milliseconds, with tabs between them.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { REPOSITORY, SAMPLES, SWIFTSHADER, launch } from './harness.js';
import { findOnnxruntime, readTensors } from './onnx.js';

const MODELS = ['faces-64', 'faces-128'];
const ROUNDS = Number(process.env.LFDM_BENCH_ROUNDS ?? 3);
const STEPS = Number(process.env.LFDM_BENCH_STEPS ?? 8);
/** @type {'cpu' | 'webgpu'} */
const DEVICE = process.env.LFDM_BENCH_DEVICE === 'webgpu' ? 'webgpu' : 'cpu';
const THREADS = [1, 2];
const GPU = ['--enable-unsafe-webgpu', '--enable-features=Vulkan,WebGPU'];

const runtime = findOnnxruntime();
const binary = process.env.LFDM_BIN;
const folder = await mkdtemp(join(tmpdir(), 'lfdm-bench-'));
const tests = fileURLToPath(new URL('.', import.meta.url));
const mounts = { 'bench/onnx/': folder, 'bench/': tests, ...(runtime ? { 'ort/': join(runtime, 'dist') } : {}) };
/** Threads of WebAssembly share memory, which only isolated pages may. */
const isolated = (_, response) => {
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-embedder-policy', 'require-corp');
};
const flags = DEVICE === 'cpu' ? [] : process.env.LFDM_SWIFTSHADER ? SWIFTSHADER : GPU;
const host = await launch({ flags, mounts, intercept: isolated });
try {
  for (const model of MODELS) await measure(model);
} finally {
  await host.close();
  await rm(folder, { recursive: true });
}

async function measure(model) {
  // In software a clip takes minutes.
  const visitor = await host.visit('bench/bench.html', { patience: 0 });
  const graphs = runtime && binary ? await exported(model) : null;
  const portrait = (await readFile(join(SAMPLES, '3628.jpg'))).toString('base64');
  const options = { model, portrait, graphs, rounds: ROUNDS, threads: THREADS, device: DEVICE, steps: STEPS };
  const lines = await visitor.page.evaluate((options) => window['measure'](options), options);
  for (const { what, who, times } of lines) {
    console.log([`${model}, ${what}`, who, times.map((time) => time.toFixed(2)).join(' ')].join('\t'));
  }
  await visitor.close();
}

/** Writes the graphs of a model where the page finds them; returns inputs for all of them. */
async function exported(model) {
  const out = join(folder, model);
  const source = join(REPOSITORY, 'www/models', model);
  await promisify(execFile)(binary, ['export-onnx', '--model', source, '--out', out]);
  const example = await readTensors(join(out, 'example.safetensors'));
  return Object.fromEntries([...example].map(([name, { shape, values }]) => [name, { shape, values: [...values] }]));
}
