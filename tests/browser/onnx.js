// Exported graphs, and the onnxruntime that runs them.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder of the npm package onnxruntime-web: what LFDM_ONNXRUNTIME names, or what is installed
 * here; undefined if there is none. It takes 148 MB, so nothing installs it for the tests.
 */
export function findOnnxruntime() {
  const folder =
    process.env.LFDM_ONNXRUNTIME ?? fileURLToPath(new URL('node_modules/onnxruntime-web', import.meta.url));
  return existsSync(join(folder, 'package.json')) ? folder : undefined;
}

/**
 * The float tensors of a safetensors file by name.
 *
 * @param {string} path
 * @returns {Promise<Map<string, { shape: number[], values: Float32Array }>>}
 */
export async function readTensors(path) {
  const bytes = await readFile(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const tensors = new Map();
  for (const [name, tensor] of Object.entries(JSON.parse(bytes.toString('utf8', 8, start)))) {
    if (name === '__metadata__') continue;
    const [from, to] = tensor.data_offsets.map((offset) => start + offset);
    tensors.set(name, {
      shape: tensor.shape,
      values: new Float32Array(Uint8Array.from(bytes.subarray(from, to)).buffer),
    });
  }
  return tensors;
}
