// A page that uses the package and nothing else. In a project of your own, import from 'lfdm-web'.
// `?model=` names another folder with a manifest.json.

import { Lfdm, removeStoredModels } from '../index.js';

const model = new URLSearchParams(location.search).get('model') ?? '../../www/models/faces-64/';
const status = document.getElementById('status');
const form = document.querySelector('form');
const canvas = document.querySelector('canvas');
const [animate, stop] = form.querySelectorAll('button');

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

const lfdm = await Lfdm.load(new URL(model, location.href), {
  onProgress: ({ loaded, total, speed }) => {
    status.textContent = `${megabytes(loaded)} of ${megabytes(total)} MB, ${megabytes(speed)} MB/s`;
  },
}).catch((error) => {
  status.textContent = error.message;
  throw error;
});
status.textContent = `${lfdm.manifest.name} on ${lfdm.device.name}`;
form.label.append(...lfdm.manifest.labels.map((label) => new Option(label)));
[canvas.height, canvas.width] = lfdm.manifest.imageSize;
animate.disabled = false;

let running = null;
let loop = null;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  clearInterval(loop);
  running = new AbortController();
  animate.disabled = true;
  stop.disabled = false;
  const frames = [];
  try {
    const options = {
      image: form.image.files[0],
      label: form.label.value,
      seed: form.seed.valueAsNumber,
      signal: running.signal,
    };
    for await (const event of lfdm.generate(options)) {
      if (event.type === 'step') status.textContent = `step ${event.index + 1} of ${event.total}`;
      if (event.type === 'frame') frames.push(new ImageData(event.rgba, event.width, event.height));
      if (event.type === 'done') status.textContent = `done in ${(event.timings.totalMs / 1000).toFixed(1)} s`;
    }
    let next = 0;
    const show = () => canvas.getContext('2d').putImageData(frames[next++ % frames.length], 0, 0);
    loop = setInterval(show, 1000 / lfdm.manifest.fps);
  } catch (error) {
    status.textContent = running.signal.aborted ? 'stopped' : error.message;
  } finally {
    animate.disabled = false;
    stop.disabled = true;
  }
});
stop.addEventListener('click', () => running?.abort());
document.getElementById('forget').addEventListener('click', async () => {
  await removeStoredModels();
  status.textContent = 'removed; the next visit downloads the model again';
});
