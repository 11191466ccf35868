// The page that `bench.js` measures in.

const GRAPHS = ['encoder', 'denoiser', 'decoder'];
/** A pass for the condition alone: guidance would make it two. */
const UNGUIDED = { label: 'happiness', guidance: 1 };

/**
 * Measures a model and, if there are graphs of it, onnxruntime-web with each number of threads.
 *
 * @param {object} options
 * @param {string} options.model
 * @param {string} options.portrait a PNG in base64
 * @param {Record<string, { shape: number[], values: number[] }> | null} options.graphs inputs of the graphs
 * @param {number} options.rounds
 * @param {number[]} options.threads of onnxruntime-web on the CPU
 * @param {'cpu' | 'webgpu'} options.device
 * @param {number} options.steps of a clip
 * @returns {Promise<{ what: string, who: string, times: number[] }[]>}
 */
async function measure({ model, portrait, graphs, rounds, threads, device, steps }) {
  const lines = new Lines();
  const image = await (await fetch(`data:image/png;base64,${portrait}`)).blob();
  const { Lfdm } = await import(new URL('../pkg/index.js', location.href).href);
  const loading = performance.now();
  const lfdm = await Lfdm.load(new URL(`../models/${model}/`, location.href), { device });
  lines.add('module and model loaded', 'lfdm', performance.now() - loading);
  for (const clip of ['first', 'second']) {
    const since = performance.now();
    for await (const event of lfdm.generate({ image, label: 'happiness', seed: 1, steps })) void event;
    lines.add(`${steps} steps and all frames, ${clip} clip`, 'lfdm', performance.now() - since);
  }

  const kinds = device === 'cpu' ? threads.map((threads) => ({ device, threads })) : [{ device, threads: 1 }];
  const peers = graphs ? await Promise.all(kinds.map((kind) => Peer.start(model, graphs, kind))) : [];
  const turn = device === 'cpu' ? clip : phases;
  for (let round = 0; round < rounds; round++) {
    await turn(lfdm, image, { seed: round, steps }, lines);
    for (const peer of peers) await (device === 'cpu' ? peer.turn(steps, lines) : peer.phases(steps, lines));
  }
  lfdm.dispose();
  return lines.all;
}

/** One of our clips, taken apart. */
async function clip(lfdm, image, options, lines) {
  const names = { encoded: 'encoding', step: 'one pass', frame: 'decoded frame' };
  let since = performance.now();
  for await (const { type } of lfdm.generate({ image, ...options, ...UNGUIDED })) {
    const now = performance.now();
    if (names[type]) lines.add(names[type], 'lfdm', now - since);
    since = now;
  }
}

/**
 * The same on a GPU, which computes on after an event: only what is read has been computed, the motion of the last step
 * and all frames.
 */
async function phases(lfdm, image, options, lines) {
  let since = performance.now();
  for await (const event of lfdm.generate({ image, ...options, ...UNGUIDED })) {
    const now = performance.now();
    const ends = (event.type === 'step' && event.index === options.steps - 1) || event.type === 'done';
    if (ends) lines.add(event.type === 'done' ? ALL_FRAMES : allPasses(options.steps), 'lfdm', now - since);
    if (ends || event.type === 'encoded') since = now;
  }
}

const ALL_FRAMES = '16 decoded frames';
const allPasses = (steps) => `${steps} ${steps === 1 ? 'pass' : 'passes'}`;

/** onnxruntime-web in a worker. */
class Peer {
  #worker = new Worker('bench-peer.js', { type: 'module' });
  #answers = new Map();
  #inputs;
  #name;

  /** Loads the graphs and runs each once. */
  static async start(model, inputs, { device, threads }) {
    const peer = new Peer(device === 'cpu' ? `${threads} thread${threads > 1 ? 's' : ''}` : 'WebGPU', inputs);
    const provider = device === 'cpu' ? 'wasm' : 'webgpu';
    const url = new URL(`../ort/ort.${provider}.min.mjs`, location.href).href;
    await peer.#ask({ type: 'start', url, threads, provider });
    for (const name of GRAPHS) {
      const graph = new Uint8Array(await (await fetch(`onnx/${model}/${name}.onnx`)).arrayBuffer());
      await peer.#ask({ type: 'load', name, graph });
      const { outputs } = await peer.#ask({ type: 'run', name, inputs: peer.#inputs, runs: 1 });
      // The reference is the encoder's to compute.
      peer.#inputs = { ...outputs, ...peer.#inputs };
    }
    return peer;
  }

  constructor(kind, inputs) {
    this.#name = `onnxruntime-web, ${kind}`;
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
  async turn(steps, lines) {
    for (const [name, what, runs] of /** @type {const} */ ([
      ['encoder', 'encoding', 1],
      ['denoiser', 'one pass', steps],
      ['decoder', 'decoded frame', 16],
    ])) {
      const { times } = await this.#ask({ type: 'run', name, inputs: this.#inputs, runs });
      for (const time of times) lines.add(what, this.#name, time);
    }
  }

  /** The same on a GPU, in sums. */
  async phases(steps, lines) {
    for (const [name, what, runs] of /** @type {const} */ ([
      ['denoiser', allPasses(steps), steps],
      ['decoder', ALL_FRAMES, 16],
    ])) {
      const { times } = await this.#ask({ type: 'run', name, inputs: this.#inputs, runs });
      lines.add(
        what,
        this.#name,
        times.reduce((sum, time) => sum + time, 0),
      );
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
