// The page: choosing, asking the model, and saying what happens. Everything heavy runs in the worker of `pkg/`.

import { Lfdm, LfdmError, decodeImage } from '../pkg/index.js';
import { faceIcon } from './icons.js';
import { keepForOffline, takeUpNewBuild } from './offline.js';
import { Player } from './player.js';

const MODEL = new URL('../models/faces-64/', import.meta.url);
const SAMPLES = [
  { file: '411.png', alt: 'woman with red hair' },
  { file: '425.png', alt: 'older man with grey hair' },
  { file: '422.png', alt: 'woman with short curls and glasses' },
  { file: '418.png', alt: 'man with fair hair' },
  { file: '433.png', alt: 'woman with short dark hair' },
  { file: '427.png', alt: 'woman with long black hair' },
];
const GIF_SIDE = 256;

const byId = (id) => document.getElementById(id);
const ui = Object.fromEntries(
  ['controls', 'portraits', 'labels', 'seed', 'steps', 'guidance', 'dice', 'generate', 'cancel', 'progress', 'status',
    'device', 'error', 'retry', 'download'].map((id) => [id, byId(id)]),
);
const player = new Player(
  { result: byId('result'), portrait: byId('portrait'), flow: byId('flow'), occlusion: byId('occlusion') },
  byId('play'),
);

let lfdm = null;
let portrait = null;
let video = null;
let running = null;
/** What "Try again" does for the error on the screen. */
let retry = null;

addSamples();
listen();
choosePortrait(fetchSample(SAMPLES[0]));
takeUpNewBuild();
// The model first: what the service worker fetches is for the next visit.
loadModel().then(keepForOffline);

// ---- The model

async function loadModel({ reload = false } = {}) {
  setState('loading', 'Loading the model…');
  try {
    lfdm = await Lfdm.load(MODEL, {
      device: new URLSearchParams(location.search).get('device') ?? 'auto',
      reload,
      onProgress({ loaded, total, speed }) {
        const rate = speed ? `, ${megabytes(speed)} MB/s` : '';
        setProgress(total ? loaded / total : 0, `Loading the model, ${megabytes(loaded)} of ${megabytes(total)} MB${rate}`);
      },
    });
  } catch (error) {
    // A damaged file may have come from the cache: ask the server next time.
    showError(error, () => loadModel({ reload: true }));
    return;
  }
  const { manifest, device } = lfdm;
  addLabels(manifest.labels);
  ui.steps.value = manifest.default_steps;
  ui.guidance.value = manifest.default_guidance;
  ui.device.textContent =
    device.kind === 'webgpu'
      ? `Runs on your graphics device (WebGPU, ${device.name})`
      : `Runs on your CPU${device.reason ? `: ${device.reason}` : ''}`;
  ui.device.dataset.kind = device.kind;
  ui.device.title = device.advice ?? '';
  byId('model-note').textContent =
    `The model, ${manifest.name}, makes ${manifest.frames} frames of ${manifest.image_size[1]} × ${manifest.image_size[0]} pixels, ` +
    `shown enlarged. It was trained from scratch by this project on rendered faces, none of which is a real person. ${manifest.licence}`;
  setState('idle', 'Ready when you are.');
}

async function animate() {
  clearError();
  running = new AbortController();
  const { signal } = running;
  video = null;
  player.showPortrait(portrait);
  setState('running', 'Looking at the portrait…');
  byId('result').scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  try {
    const request = readRequest();
    const frames = [];
    for await (const event of lfdm.generate({ image: portrait, signal, ...request })) {
      if (event.type === 'step') {
        const step = event.index + 1;
        // Painting the frames takes about as long as two steps.
        setProgress(step / (event.total + 2), `Imagining the motion, step ${step} of ${event.total}`);
      } else if (event.type === 'frame') {
        frames.push(event);
        player.add(event);
        const steps = request.steps / (request.steps + 2);
        setProgress(steps + ((1 - steps) * frames.length) / event.total, `Painting frame ${frames.length} of ${event.total}`);
      } else if (event.type === 'done') {
        video = { ...request, frames, timings: event.timings };
      } else if (event.type === 'restarted') {
        ui.status.textContent = 'The graphics device was lost. Starting again…';
      }
    }
  } catch (error) {
    if (signal.aborted) {
      player.showPortrait(portrait);
      setState('idle', 'Cancelled.');
    } else {
      showError(error, error.code === 'options' ? null : animate);
    }
    return;
  } finally {
    running = null;
  }
  const seconds = video.timings.total_ms / 1000;
  player.start(lfdm.manifest.fps);
  byId('result').setAttribute('aria-label', `The portrait showing ${video.label}, a looping video`);
  setState('ready', `${capitalised(video.label)}, seed ${video.seed}, made in ${seconds.toFixed(1)} s`);
  document.dispatchEvent(new CustomEvent('lfdm:video', { detail: video }));
}

/** The form's values; a bad one is named in the browser's own words. */
function readRequest() {
  for (const input of [ui.seed, ui.steps, ui.guidance]) {
    const valid = input.checkValidity();
    input.setAttribute('aria-invalid', !valid);
    if (!valid) {
      input.focus();
      throw new LfdmError('options', `${input.labels[0].textContent}: ${input.validationMessage}`);
    }
  }
  return {
    label: ui.controls.elements.label.value,
    seed: ui.seed.valueAsNumber,
    steps: ui.steps.valueAsNumber,
    guidance: ui.guidance.valueAsNumber,
  };
}

async function saveGif() {
  try {
    const blob = await lfdm.encodeGif(player.enlarged(GIF_SIDE), { width: GIF_SIDE, height: GIF_SIDE });
    const url = URL.createObjectURL(blob);
    Object.assign(document.createElement('a'), { href: url, download: `lfdm-${video.label}-seed${video.seed}.gif` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    showError(error, saveGif);
  }
}

// ---- The portrait

/** `picture`: a Blob or a promise of one. The latest choice wins, however long an earlier one takes to decode. */
async function choosePortrait(picture) {
  const choice = (choosePortrait.latest = Symbol());
  let decoded;
  try {
    decoded = await decodeImage(await picture);
  } catch (error) {
    if (choice === choosePortrait.latest) showError(error, null);
    return;
  }
  if (choice !== choosePortrait.latest) return;
  portrait = decoded;
  // A video in the making keeps the screen until it is done or cancelled.
  if (running) return;
  video = null;
  player.showPortrait(portrait);
  byId('result').setAttribute('aria-label', 'The chosen portrait');
  if (lfdm) {
    clearError();
    setState('idle', 'Ready when you are.');
  }
}

async function fetchSample({ file }) {
  const response = await fetch(new URL(`../samples/${file}`, import.meta.url)).catch(() => null);
  if (!response?.ok) throw new LfdmError('download', 'This sample portrait could not be downloaded. Choose another one.');
  return response.blob();
}

function chooseUpload(file) {
  for (const input of ui.controls.elements.portrait) input.checked = false;
  choosePortrait(file);
}

// ---- Building and listening

function addSamples() {
  const upload = ui.portraits.firstElementChild;
  SAMPLES.forEach((sample, index) => {
    const input = radio('portrait', sample.file, index === 0);
    input.addEventListener('change', () => choosePortrait(fetchSample(sample)));
    const image = Object.assign(new Image(128, 128), {
      src: new URL(`../samples/${sample.file}`, import.meta.url).href,
      alt: `Sample portrait: ${sample.alt}`,
    });
    upload.before(option('portrait-option', `sample-${index}`, input, image));
  });
}

function addLabels(labels) {
  const chosen = labels.includes('happiness') ? 'happiness' : labels[0];
  ui.labels.replaceChildren(
    ...labels.map((label) => {
      const text = Object.assign(document.createElement('span'), { textContent: capitalised(label) });
      const parts = [radio('label', label, label === chosen), faceIcon(label), text].filter(Boolean);
      return option('label-option', `label-${label}`, ...parts);
    }),
  );
}

function listen() {
  ui.controls.addEventListener('submit', (event) => {
    event.preventDefault();
    if (lfdm && portrait && !running) animate();
  });
  ui.cancel.addEventListener('click', () => {
    running?.abort();
    ui.status.textContent = 'Stopping…';
  });
  ui.dice.addEventListener('click', () => {
    ui.seed.value = Math.floor(Math.random() * 1e6);
  });
  ui.retry.addEventListener('click', () => {
    const action = retry;
    clearError();
    action?.();
  });
  ui.download.addEventListener('click', saveGif);

  byId('image-input').addEventListener('change', ({ target }) => {
    if (target.files.length) chooseUpload(target.files[0]);
    // The same file can be chosen again.
    target.value = '';
  });
  addEventListener('paste', ({ clipboardData }) => {
    if (clipboardData?.files.length) chooseUpload(clipboardData.files[0]);
  });
  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle('dropping', depth > 0);
  };
  addEventListener('dragenter', () => over(1));
  addEventListener('dragleave', () => over(-1));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    over(0);
    if (event.dataTransfer.files.length) chooseUpload(event.dataTransfer.files[0]);
  });
}

function option(className, testId, ...children) {
  const label = Object.assign(document.createElement('label'), { className });
  label.dataset.testid = testId;
  label.append(...children);
  return label;
}

function radio(name, value, checked) {
  return Object.assign(document.createElement('input'), { type: 'radio', name, value, checked });
}

// ---- Saying what happens

function setState(state, message) {
  document.body.dataset.state = state;
  ui.status.textContent = message;
  const busy = state === 'running';
  ui.generate.hidden = busy;
  ui.cancel.hidden = !busy;
  ui.generate.disabled = !lfdm || !portrait;
  ui.download.disabled = !video;
  ui.progress.value = state === 'ready' ? 1 : 0;
}

function setProgress(fraction, message) {
  ui.progress.value = fraction;
  // A cancelled run still reports the step it is finishing.
  if (!running?.signal.aborted) ui.status.textContent = message;
}

function showError(error, action) {
  console.warn(error);
  const known = error instanceof LfdmError;
  byId('error-message').textContent = known ? error.message : 'Something went wrong on this page. Try again.';
  const details = known ? error.details : `${error}`;
  byId('error-details').hidden = !details;
  byId('error-details').querySelector('code').textContent = details ?? '';
  retry = action;
  ui.retry.hidden = !action;
  byId('use-cpu').hidden = error.code !== 'device';
  ui.error.hidden = false;
  setState('error', lfdm ? 'That did not work.' : 'The model is not loaded.');
  ui.error.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
}

function clearError() {
  ui.error.hidden = true;
  retry = null;
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

function capitalised(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
