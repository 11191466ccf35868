// The page: brings the parts together. Everything heavy runs in the worker of `pkg/`.

import { Lfdm, LfdmError } from '../pkg/index.js';
import { MODELS, SAMPLES, modelUrl, previewUrl } from './catalogue.js';
import { byId, capitalised } from './dom.js';
import { OWN_PHOTO, formatLink, parseLink } from './link.js';
import { ModelChoice, isModel, suitableModel } from './models.js';
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

const device = new URLSearchParams(location.search).get('device') ?? 'auto';
let model = await initialModel();

const status = new Status();
const stored = new Stored();
const stage = new Stage({ onChange: () => shown() });
const save = new SavePanel({
  stage,
  encoder: () => loading,
  onError: (error, retry) => status.error(error, { retry, state: null }),
});
const settings = new Settings(model, { onLabel: () => queue.running && ask() });
const choice = new ModelChoice({ onChoose: changeModel });
const portraits = new Portraits({ onChoose: choosePortrait, onError: refusePortrait });
const queue = new Queue(work, showQueue);

let lfdm = null;
/** The promise of `lfdm`, and how to give it up. */
let loading = null;
let stopLoading = null;
let portrait = null;
/** What a link asked for, until it has been made. */
let linked = null;
let greeted = false;

listen();
followLink();
takeUpNewBuild();
// The model first: what the service worker fetches is for the next visit.
loadModel(model).then(keepForOffline);

// ---- The model

async function initialModel() {
  const linked = parseLink(location.hash)?.model;
  return isModel(linked) ? linked : suitableModel(device);
}

/** Another model takes the place of this one; what is being made ends. One at a time: two would not fit into a phone. */
async function changeModel(name) {
  model = name;
  const [before, over] = [lfdm, queue.clear()];
  // From now on nothing is asked of it.
  lfdm = null;
  enable();
  await over;
  before?.dispose();
  // While this one waited, yet another may have been chosen.
  if (model === name) await loadModel(name);
}

async function loadModel(name, { reload = false } = {}) {
  stopLoading?.abort();
  model = name;
  choice.show(name);
  settings.showModel(name);
  status.clearError();
  status.set('loading', 'Loading the model…');
  const { signal } = (stopLoading = new AbortController());
  loading = Lfdm.load(modelUrl(name), {
    device,
    reload,
    signal,
    onProgress({ loaded, total, speed }) {
      if (signal.aborted) return;
      const rate = speed ? `, ${megabytes(speed)} MB/s` : '';
      status.progress(
        total ? loaded / total : 0,
        `Loading the model, ${megabytes(loaded)} of ${megabytes(total)} MB${rate}`,
      );
    },
  });
  try {
    const loaded = await loading;
    if (signal.aborted) return loaded.dispose();
    lfdm = loaded;
  } catch (error) {
    if (signal.aborted) return;
    // A damaged file may have come from the cache: ask the server next time.
    status.error(error, { retry: () => loadModel(name, { reload: true }), message: 'The model is not loaded.' });
    return;
  }
  showModel(lfdm);
  if (stage.teaser && stage.teaser.model !== name) showTeaser();
  status.set('idle', linked?.note ?? 'Ready when you are.');
  stored.refresh(lfdm.storage);
  enable();
  runLinked();
}

function showModel({ manifest, device }) {
  settings.adopt(manifest, linked?.settings);
  byId('device').textContent =
    device.kind === 'webgpu'
      ? `Runs on your graphics device (WebGPU, ${device.name})`
      : `Runs on your CPU${device.reason ? `: ${device.reason}` : ''}`;
  byId('device').dataset.kind = device.kind;
  byId('device-advice').hidden = !device.advice;
  byId('device-advice').textContent = `A graphics device would be faster. ${device.advice}`;
  byId('model-note').textContent =
    `The model, ${manifest.name}, makes ${manifest.frames} frames of ${manifest.imageSize[1]} × ${manifest.imageSize[0]} pixels, ` +
    `shown enlarged. It was trained from scratch by this project on rendered faces, none of which is a real person. ${manifest.licence}`;
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
  if (compare === 'seeds')
    return Array.from({ length: SEEDS }, (_, index) => ({ ...request, seed: request.seed + index }));
  return [request];
}

/** The queue's work. It resolves to false after an error, which should not be wiped away by what waits. */
async function work(job, signal) {
  status.clearError();
  const takes = job.requests.map((request) => new Take(request, job.portrait, { model, fps: lfdm.manifest.fps }));
  const comparison = job.compare && COMPARISONS[job.compare](job.request, takes.length);
  stage.begin(takes, comparison);
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
    status.progress(
      of ? (of.index + share) / of.count : share,
      of ? `${of.name} (${of.index + 1} of ${of.count}): ${message}` : message,
    );
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
  const seconds = (take.timings.totalMs / 1000).toFixed(1);
  if (!of) status.set('ready', `${take.title}, made in ${seconds} s`);
  else if (of.index + 1 === of.count)
    status.set('ready', `${of.count} videos beside each other. Choose one to see it alone.`);
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
  choice.disabled = Boolean(queue.running);
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
  const [shown, made] = [portrait, { model, fps: TEASER_FPS }];
  try {
    const take = await takeOfStrip(previewUrl(model, 'teaser'), { label: MODELS[model].teaser }, shown, made);
    // Only while nothing else has been chosen or made meanwhile.
    if (portrait === shown && model === made.model && !queue.running && !stage.video) stage.showTeaser(take);
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
  if (given.model && !isModel(given.model)) notes.push(`this page no longer has the model ${given.model}`);
  if (given.sample === OWN_PHOTO) notes.push('its photo never left the device it was made on; choose a portrait');
  else if (given.sample && !portraits.choose(given.sample)) notes.push(`there is no sample ${given.sample}`);
  if (!given.sample || notes.length) portraits.choose(SAMPLES[0].id);
  if (refused.length) notes.push(`${refused.join(', ')} cannot be used`);
  // A video that would not be the one that was shared is not made unasked.
  const { model: name, ...video } = given;
  const run = !notes.length && Object.keys(video).length > 0;
  linked = { settings: given, compare: given.grid in COMPARISONS ? given.grid : null, run };
  if (notes.length) linked.note = `${capitalised(`${notes.join('; ')}`)}.`;
  if (loading && isModel(name) && name !== model) changeModel(name);
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
  return formatLink({ model: first.model, sample: first.portrait.sample, ...first.request, grid: grid?.kind });
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
    () =>
      own
        ? 'Link copied. It has the settings; your photo stays on this device.'
        : 'Link copied. It makes the same video again.',
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
