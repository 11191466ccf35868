// A worker that runs ONNX graphs in onnxruntime-web, as our model runs in a worker of its own.

/** @typedef {{ name: string, graph: Uint8Array }} Load A graph to keep under a name. */
/** @typedef {{ name: string, inputs: Record<string, { shape: number[], values: Float32Array }>, runs: number }} Run */

let ort = null;
let providers = [];
const sessions = new Map();

self.onmessage = async ({ data: { id, type, ...request } }) => {
  try {
    self.postMessage({ id, result: await { start, load, run }[type](request) });
  } catch (error) {
    self.postMessage({ id, error: `${error}` });
  }
};

/** @param {{ url: string, threads: number, provider: string }} options */
async function start({ url, threads, provider }) {
  ort = await import(url);
  providers = [provider];
  Object.assign(ort.env.wasm, { numThreads: threads, wasmPaths: new URL('.', url).href });
}

/** @param {Load} request */
async function load({ name, graph }) {
  sessions.set(name, await ort.InferenceSession.create(graph, { executionProviders: providers }));
}

/**
 * Milliseconds of each of `runs` runs, and the last outputs.
 *
 * @param {Run} request
 */
async function run({ name, inputs, runs }) {
  const session = sessions.get(name);
  const feeds = {};
  for (const input of session.inputNames) {
    const { shape, values } = inputs[input];
    feeds[input] =
      input === 'time'
        ? new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape)
        : new ort.Tensor('float32', values, shape);
  }
  const times = [];
  let outputs = {};
  for (let i = 0; i < runs; i++) {
    const since = performance.now();
    outputs = await session.run(feeds);
    times.push(performance.now() - since);
  }
  const copies = Object.entries(outputs).map(([output, { dims, data }]) => [output, { shape: dims, values: data }]);
  return { times, outputs: Object.fromEntries(copies) };
}
