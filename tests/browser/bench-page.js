// The page that `bench.js` measures in.

const GRAPHS = ['encoder', 'denoiser', 'decoder'];
/** A pass for the condition alone: guidance would make it two. */
const UNGUIDED = { label: 'happiness', guidance: 1, steps: 8 };

/**
 * Measures a model and, if there are graphs of it, onnxruntime-web with each number of threads.
 *
 * @param {object} options
 * @param {string} options.model
 * @param {string} options.portrait a PNG in base64
 * @param {Record<string, { shape: number[], values: number[] }> | null} options.graphs inputs of the graphs
 * @param {number} options.rounds
 * @param {number[]} options.threads
 * @returns {Promise<{ what: string, who: string, times: number[] }[]>}
 */
async function measure({ model, portrait, graphs, rounds, threads }) {
  const lines = new Lines();
  const image = await (await fetch(`data:image/png;base64,${portrait}`)).blob();
  const { Lfdm } = await import(new URL('../pkg/index.js', location.href).href);
  const loading = performance.now();
  const lfdm = await Lfdm.load(new URL(`../models/${model}/`, location.href), { device: 'cpu' });
  lines.add('module and model loaded', 'lfdm', performance.now() - loading);
  for (const clip of ['first', 'second']) {
    const since = performance.now();
    for await (const event of lfdm.generate({ image, label: 'happiness', seed: 1, steps: 8 })) void event;
    lines.add(`8 steps and all frames, ${clip} clip`, 'lfdm', performance.now() - since);
  }

  const peers = graphs ? await Promise.all(threads.map((threads) => Peer.start(model, graphs, threads))) : [];
  for (let round = 0; round < rounds; round++) {
    await clip(lfdm, image, round, lines);
    for (const peer of peers) await peer.turn(lines);
  }
  lfdm.dispose();
  return lines.all;
}

/** One of our clips, taken apart. */
async function clip(lfdm, image, seed, lines) {
  const names = { encoded: 'encoding', step: 'one pass', frame: 'decoded frame' };
  let since = performance.now();
  for await (const { type } of lfdm.generate({ image, seed, ...UNGUIDED })) {
    const now = performance.now();
    if (names[type]) lines.add(names[type], 'lfdm', now - since);
    since = now;
  }
}

/** onnxruntime-web in a worker. */
class Peer {
  #worker = new Worker('bench-peer.js', { type: 'module' });
  #answers = new Map();
  #inputs;
  #name;

  /** Loads the graphs and runs each once. */
  static async start(model, inputs, threads) {
    const peer = new Peer(threads, inputs);
    await peer.#ask({ type: 'start', url: new URL('../ort/ort.wasm.min.mjs', location.href).href, threads });
    for (const name of GRAPHS) {
      const graph = new Uint8Array(await (await fetch(`onnx/${model}/${name}.onnx`)).arrayBuffer());
      await peer.#ask({ type: 'load', name, graph });
      const { outputs } = await peer.#ask({ type: 'run', name, inputs: peer.#inputs, runs: 1 });
      // The reference is the encoder's to compute.
      peer.#inputs = { ...outputs, ...peer.#inputs };
    }
    return peer;
  }

  constructor(threads, inputs) {
    this.#name = `onnxruntime-web, ${threads} thread${threads > 1 ? 's' : ''}`;
    const tensors = Object.entries(inputs).map(([name, { shape, values }]) => [
      name,
      { shape, values: Float32Array.from(values) },
    ]);
    this.#inputs = Object.fromEntries(tensors);
    this.#worker.onmessage = ({ data: { id, result, error } }) => {
      const [resolve, reject] = this.#answers.get(id);
      this.#answers.delete(id);
      if (error) reject(new Error(`${this.#name}: ${error}`));
      else resolve(result);
    };
  }

  /** As many runs of each graph as a clip of ours has. */
  async turn(lines) {
    for (const [name, what, runs] of /** @type {const} */ ([
      ['encoder', 'encoding', 1],
      ['denoiser', 'one pass', UNGUIDED.steps],
      ['decoder', 'decoded frame', 16],
    ])) {
      const { times } = await this.#ask({ type: 'run', name, inputs: this.#inputs, runs });
      for (const time of times) lines.add(what, this.#name, time);
    }
  }

  #ask(request) {
    const id = crypto.randomUUID();
    return new Promise((...answer) => {
      this.#answers.set(id, answer);
      this.#worker.postMessage({ id, ...request });
    });
  }
}

/** Times by what was done and who did it. */
class Lines {
  all = [];

  add(what, who, time) {
    const known = this.all.find((line) => line.what === what && line.who === who);
    if (known) known.times.push(time);
    else this.all.push({ what, who, times: [time] });
  }
}

window['measure'] = measure;
