// One network, one answer: onnxruntime computes from the exported graphs what we compute.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { PATIENCE, REPOSITORY } from './harness.js';
import { findOnnxruntime, readTensors } from './onnx.js';

const binary = process.env.LFDM_BIN;
const run = promisify(execFile);
const exportTo = (folder, model) =>
  run(binary, ['export-onnx', '--model', join(REPOSITORY, 'www/models', model), '--out', folder]);

describe(
  'lfdm export-onnx',
  {
    timeout: PATIENCE,
    skip: binary ? false : 'LFDM_BIN does not name the native lfdm (cargo build --features native)',
  },
  () => {
    let parent;
    before(async () => {
      parent = await mkdtemp(join(tmpdir(), 'lfdm-onnx-'));
    });
    after(() => parent && rm(parent, { recursive: true }));

    const runtime = findOnnxruntime();
    const skip = runtime ? false : 'LFDM_ONNXRUNTIME does not name the npm package onnxruntime-web (148 MB)';
    for (const model of ['faces-64', 'faces-128']) {
      test(`writes graphs of ${model} that onnxruntime agrees with`, { skip }, async (t) => {
        const ort = await import(pathToFileURL(join(runtime, 'dist/ort.node.min.mjs')).href);
        ort.env.wasm.numThreads = 1;
        const folder = join(parent, model);
        await exportTo(folder, model);
        const example = await readTensors(join(folder, 'example.safetensors'));
        const tensor = ({ values, shape }) => new ort.Tensor('float32', values, shape);
        const known = new Map([...example].map(([name, value]) => [name, tensor(value)]));
        known.set('time', new ort.Tensor('int64', BigInt64Array.from(example.get('time').values, BigInt), [1]));

        for (const name of ['encoder', 'denoiser', 'decoder']) {
          const session = await ort.InferenceSession.create(await readFile(join(folder, `${name}.onnx`)));
          const inputs = session.inputNames.map((input) => [input, known.get(input)]);
          const outputs = await session.run(Object.fromEntries(inputs));
          for (const [output, { data, dims }] of Object.entries(outputs)) {
            const expected = example.get(output);
            // `reference` is the encoder's word alone; the denoiser's output proves it.
            if (!expected) known.set(output, outputs[output]);
            else {
              assert.deepEqual(dims, expected.shape);
              const distance = data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.values[i])), 0);
              t.diagnostic(`${name}, ${output}: ${distance.toExponential(1)}`);
              assert.ok(distance < 1e-4, `${name}, ${output}: ${distance}`);
            }
          }
          await session.release();
        }
      });
    }

    test('replaces its own files and nobody else’s', async () => {
      const folder = join(parent, 'replaced');
      await exportTo(folder, 'faces-64');
      const names = await readdir(folder);
      await exportTo(folder, 'faces-64');
      assert.deepEqual(await readdir(folder), names);
      await writeFile(join(folder, 'notes.txt'), 'years of work');
      await assert.rejects(exportTo(folder, 'faces-64'), /holds notes\.txt, which this command did not write/);
      assert.equal(await readFile(join(folder, 'notes.txt'), 'utf8'), 'years of work');
    });
  },
);
