// The page: brings the parts together. Everything heavy runs in the worker of `pkg/`.

import { Lfdm, LfdmError } from '../pkg/index.js';
import { DEFAULT_MODEL, MODELS, SAMPLES, modelUrl, previewUrl } from './catalogue.js';
import { byId, capitalised } from './dom.js';
import { OWN_PHOTO, formatLink, parseLink } from './link.js';
import { keepForOffline, takeUpNewBuild } from './offline.js';
import { Portraits } from './portraits.js';
import { Queue } from './queue.js';
import { SavePanel } from './save/panel.js';
import { Settings } from './settings.js';
import { COMPARISONS, Stage } from './stage.js';
import { Status } from './status.js';
import { Stored } from './stored.js';
import { Take, takeOfStrip } from './take.js';

/** How many seeds are compared at once. */
const SEEDS = 4;
/** Painting all frames takes about as long as this many steps. */
const PAINTING = 2;
/** Sides of the sharp frames at most: a dozen videos of larger ones would fill a phone's memory. */
const PHOTO_SIZE = 384;
/** The example plays before the manifest says how fast. */
const TEASER_FPS = 8;

const model = DEFAULT_MODEL;
const status = new Status();
const stored = new Stored();
const stage = new Stage({ onChange: () => shown() });
const save = new SavePanel({
  stage,
  encoder: () => lfdm,
  onError: (error, retry) => status.error(error, { retry, state: null }),
});
const settings = new Settings(model, { onLabel: () => queue.running && ask() });
const portraits = new Portraits({ onChoose: choosePortrait, onError: refusePortrait });
const queue = new Queue(work, showQueue);

let lfdm = null;
let portrait = null;
/** What a link asked for, until it has been made. */
let linked = null;
let greeted = false;

listen();
followLink();
takeUpNewBuild();
// The model first: what the service worker fetches is for the next visit.
loadModel().then(keepForOffline);

// ---- The model

async function loadModel({ reload = false } = {}) {
  status.set('loading', 'Loading the model…');
  try {
    lfdm = await Lfdm.load(modelUrl(model), {
      device: new URLSearchParams(location.search).get('device') ?? 'auto',
      reload,
      onProgress({ loaded, total, speed }) {
        const rate = speed ? `, ${megabytes(speed)} MB/s` : '';
        status.progress(total ? loaded / total : 0, `Loading the model, ${megabytes(loaded)} of ${megabytes(total)} MB${rate}`);
      },
    });
  } catch (error) {
    // A damaged file may have come from the cache: ask the server next time.
    status.error(error, { retry: () => loadModel({ reload: true }), message: 'The model is not loaded.' });
    return;
  }
  const { manifest, device } = lfdm;
  settings.adopt(manifest, linked?.settings);
  byId('device').textContent =
    device.kind === 'webgpu'
      ? `Runs on your graphics device (WebGPU, ${device.name})`
      : `Runs on your CPU${device.reason ? `: ${device.reason}` : ''}`;
  byId('device').dataset.kind = device.kind;
  byId('device').title = device.advice ?? '';
  byId('model-note').textContent =
    `The model, ${manifest.name}, makes ${manifest.frames} frames of ${manifest.image_size[1]} × ${manifest.image_size[0]} pixels, ` +
    `shown enlarged. It was trained from scratch by this project on rendered faces, none of which is a real person. ${manifest.licence}`;
  status.set('idle', linked?.note ?? 'Ready when you are.');
  stored.refresh(lfdm.storage);
  enable();
  runLinked();
}

// ---- Making videos

/** Asks for what the form says: one video, or a comparison. While something runs, it waits its turn. */
function ask(compare = null) {
  if (!lfdm || !portrait) return;
  let request;
  try {
    request = settings.read();
  } catch (error) {
    status.error(error, { state: queue.running ? null : 'error' });
    return;
  }
  queue.add({ portrait, request, compare, requests: variants(request, compare) });
}

function variants(request, compare) {
  if (compare === 'expressions') return settings.labels.map((label) => ({ ...request, label }));
  if (compare === 'seeds') return Array.from({ length: SEEDS }, (_, index) => ({ ...request, seed: request.seed + index }));
  return [request];
}

/** The queue's work. It resolves to false after an error, which should not be wiped away by what waits. */
async function work(job, signal) {
  status.clearError();
  const takes = job.requests.map((request) => new Take(request, job.portrait));
  const comparison = job.compare && COMPARISONS[job.compare](job.request, takes.length);
  stage.begin(takes, lfdm.manifest.fps, comparison);
  status.set('running', 'Looking at the portrait…');
  // On a phone, the screens and the line that says what happens are then seen together.
  byId('views').scrollIntoView({ block: matchMedia('(max-width: 860px)').matches ? 'start' : 'nearest' });
  try {
    for (const [index, take] of takes.entries()) {
      const of = takes.length > 1 ? { index, count: takes.length, name: comparison.caption(take) } : null;
      await make(take, signal, of);
    }
  } catch (error) {
    const kept = stage.abandon();
    if (!kept) stage.showPortrait(portrait);
    if (signal.aborted) {
      status.set(kept ? 'ready' : 'idle', 'Cancelled.');
      return true;
    }
    status.error(error, { retry: error.code === 'options' ? null : () => queue.add(job) });
    return false;
  }
  return true;
}

/** Makes one video; `of` says which of several it is. */
async function make(take, signal, of) {
  const frames = [];
  const say = (share, message) => {
    // A cancelled run still reports the step it is finishing.
    if (signal.aborted) return;
    status.progress(of ? (of.index + share) / of.count : share, of ? `${of.name} (${of.index + 1} of ${of.count}): ${message}` : message);
  };
  const options = { image: take.portrait.pixels, photoSize: PHOTO_SIZE, previews: !of, signal, ...take.request };
  for await (const event of lfdm.generate(options)) {
    stage.receive(take, event);
    if (event.type === 'step') {
      const step = event.index + 1;
      say(step / (event.total + PAINTING), `Imagining the motion, step ${step} of ${event.total}`);
    } else if (event.type === 'frame') {
      frames.push(event);
      const { steps } = take.request;
      const painted = frames.length / event.total;
      say((steps + PAINTING * painted) / (steps + PAINTING), `Painting frame ${frames.length} of ${event.total}`);
    } else if (event.type === 'done') {
      take.timings = event.timings;
    } else if (event.type === 'restarted') {
      status.say('The graphics device was lost. Starting again…');
    }
  }
  stage.finish(take);
  const seconds = (take.timings.total_ms / 1000).toFixed(1);
  if (!of) status.set('ready', `${take.title}, made in ${seconds} s`);
  else if (of.index + 1 === of.count) status.set('ready', `${of.count} videos beside each other. Choose one to see it alone.`);
  document.dispatchEvent(new CustomEvent('lfdm:video', { detail: { ...take.request, frames, timings: take.timings } }));
}

function showQueue() {
  const { running, waiting } = queue;
  enable();
  byId('cancel').hidden = !running;
  byId('generate').textContent = running ? 'Animate next' : 'Animate';
  byId('queue').hidden = !waiting;
  if (waiting) {
    const { label, seed } = waiting.request;
    const what = { expressions: `all expressions, seed ${seed}`, seeds: `${label}, ${SEEDS} seeds from ${seed}` };
    byId('queue-text').textContent = `Next: ${what[waiting.compare] ?? `${label}, seed ${seed}`}`;
  }
}

function enable() {
  for (const id of ['generate', 'all-expressions', 'all-seeds']) byId(id).disabled = !lfdm || !portrait;
}

// ---- The portrait

function choosePortrait(chosen) {
  portrait = chosen;
  if (!queue.running) {
    stage.showPortrait(portrait);
    if (!greeted && chosen.sample === SAMPLES[0].id) showTeaser();
    greeted = true;
    if (lfdm) {
      status.clearError();
      status.set('idle', linked?.note ?? 'Ready when you are.');
    }
  }
  enable();
  if (lfdm) runLinked();
}

function refusePortrait(error) {
  status.error(error, { state: queue.running || !lfdm ? null : 'error' });
}

/** Until the visitor has a video of their own, one that this model made earlier is shown. */
async function showTeaser() {
  const { teaser } = MODELS[model];
  const shown = portrait;
  try {
    const take = await takeOfStrip(previewUrl(model, 'teaser'), { label: teaser }, shown);
    // Only while nothing else has been chosen or made meanwhile.
    if (portrait === shown && !queue.running && !stage.video) stage.showTeaser(take, TEASER_FPS);
  } catch {
    // The still portrait is on the screen; an example less is no error.
  }
}

// ---- Links

/** Fills the form from the address, and makes the video as soon as model and portrait are there. */
function followLink() {
  const given = parseLink(location.hash);
  if (!given) {
    portraits.choose(SAMPLES[0].id);
    return;
  }
  const refused = settings.write(given);
  const notes = [];
  if (given.model && given.model !== model) notes.push(`this page no longer has the model ${given.model}`);
  if (given.sample === OWN_PHOTO) notes.push('its photo never left the device it was made on; choose a portrait');
  else if (given.sample && !portraits.choose(given.sample)) notes.push(`there is no sample ${given.sample}`);
  if (!given.sample || notes.length) portraits.choose(SAMPLES[0].id);
  if (refused.length) notes.push(`${refused.join(', ')} cannot be used`);
  // A video that would not be the one that was shared is not made unasked.
  linked = { settings: given, compare: given.grid in COMPARISONS ? given.grid : null, run: !notes.length };
  if (notes.length) linked.note = `${capitalised(`${notes.join('; ')}`)}.`;
}

function runLinked() {
  if (!linked || !portrait) return;
  const { run, compare } = linked;
  linked = null;
  if (run) ask(compare);
}

/** The address of what is on the screen. */
function linkOf({ take, grid }) {
  const [first] = take ? [take] : grid.takes;
  return formatLink({ model, sample: first.portrait.sample, ...first.request, grid: grid?.kind });
}

/** Keeps the address and what can be done in step with the screen. */
function shown() {
  const { video } = stage;
  byId('copy-link').disabled = !video;
  save.refresh();
  if (video) history.replaceState(null, '', linkOf(video));
}

async function copyLink() {
  const { video } = stage;
  if (!video) return;
  const url = new URL(location.href);
  // The device is the visitor's own matter.
  url.search = '';
  url.hash = linkOf(video);
  const own = (video.take ?? video.grid.takes[0]).portrait.sample === OWN_PHOTO;
  byId('save-note').textContent = await navigator.clipboard.writeText(url.href).then(
    () => (own ? 'Link copied. It has the settings; your photo stays on this device.' : 'Link copied. It makes the same video again.'),
    () => 'The link could not be copied; it is in the address bar.',
  );
}

// ---- Listening

function listen() {
  byId('controls').addEventListener('submit', (event) => {
    event.preventDefault();
    ask();
  });
  byId('all-expressions').addEventListener('click', () => ask('expressions'));
  byId('all-seeds').addEventListener('click', () => ask('seeds'));
  byId('cancel').addEventListener('click', () => {
    queue.cancel();
    status.say('Stopping…');
  });
  byId('queue-drop').addEventListener('click', () => queue.dropWaiting());
  byId('copy-link').addEventListener('click', copyLink);
  addEventListener('hashchange', followLink);
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
