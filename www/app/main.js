// The page: brings the parts together. Everything heavy runs in the worker of `pkg/`.

import { LfdmError } from '../pkg/index.js';
import { MODELS, SAMPLES, collections, modelsOf, previewUrl } from './catalogue.js';
import { CollectionChoice } from './collection.js';
import { describe, isComparison, videosOf } from './comparisons.js';
import { DeviceChoice } from './device.js';
import { byId, capitalised, copyText, hide } from './dom.js';
import { OWN_PHOTO, formatLink, parseLink } from './link.js';
import { Intensity } from './intensity.js';
import { Making } from './making.js';
import { ModelChoice, isModel, suitableModel } from './models.js';
import { isHeldUp, keepForOffline, reloadNewest, takeUpNewBuild } from './offline.js';
import { Portraits } from './portraits.js';
import { Question } from './question.js';
import { Queue } from './queue.js';
import { SavePanel } from './save/panel.js';
import { Session } from './session.js';
import { Settings } from './settings.js';
import { Stage } from './stage.js';
import { Status } from './status.js';
import { Stored } from './stored.js';
import { Take, framesOfStrip } from './take.js';

/** @import { Lfdm, LoadProgress } from '../../pkg/index.d.ts' */
/** @import { CollectionName, ComparisonKind, Job, Portrait, Settings as Wishes, Video } from '../types.d.ts' */

/** The example plays before the manifest says how fast. */
const EXAMPLE_FPS = 8;
/** A link that asks for more steps than this, of all videos together, is not followed unasked. */
const MANY_STEPS = 64;

const status = new Status();
const device = new DeviceChoice({ onChoose: changeDevice });
const session = new Session(modelOf(parseLink(location.hash)) ?? suitableModel(collections()[0]), device.wish, {
  onLoading: showLoading,
  onProgress: showProgress,
  onReady: showReady,
  onFailure(error, retry) {
    const onCpu = device.isToBlame(error) ? () => useCpu() : null;
    const again = isOfOtherBuild(error) ? reloadPage : retry;
    status.error(inWords(error), { retry: again, onCpu, message: 'The model could not be loaded.' });
  },
});
const stored = new Stored();
const stage = new Stage({ onChange: showVideo, onOpen: showSettings });
const question = new Question();
const making = new Making(stage, status);
const intensity = new Intensity(stage, session, {
  onChange: showAddress,
  onError: (error) => status.error(error, { state: null }),
});
const save = new SavePanel({
  stage,
  session,
  onError: (error, retry) => status.error(error, { retry, state: null }),
});
const settings = new Settings(session.model, { onLabel: () => queue.running && ask() });
const collection = new CollectionChoice({ onChoose: changeCollection });
const choice = new ModelChoice({ onChoose: changeModel });
const portraits = new Portraits({ onChoose: choosePortrait, onError: refusePortrait });
/** @type {Queue<Job>} */
const queue = new Queue(work, showQueue);

/** @type {Portrait | null} */
let portrait = null;
/**
 * What a link asked for, until it has been made.
 *
 * @type {{ wishes: Wishes, compare: ComparisonKind | null, run: boolean, note?: string } | null}
 */
let linked = null;
let greeted = false;

listen();
present(session.model);
followLink();
takeUpNewBuild();
// The model first: what the service worker fetches is for the next visit.
session.load().then(keepForOffline);

// ---- The model

/**
 * The model that a link names, or else one of the collection that its sample is in; null if any will do.
 *
 * @param {Wishes | null} wishes
 */
function modelOf(wishes) {
  const { model, sample } = wishes ?? {};
  if (model && isModel(model)) return model;
  const named = SAMPLES.find(({ id }) => id === sample)?.collection;
  return named && modelsOf(named).length ? suitableModel(named) : null;
}

/**
 * Has the page be about the collection of a model, which is there or will be.
 *
 * @param {string} model
 */
function present(model) {
  const { collection: name } = MODELS[model];
  if (name === collection.shown) return;
  collection.show(name);
  choice.offer(name);
  settings.showModel(model);
  portrait = null;
  greeted = false;
  portraits.offer(name);
}

/** @param {CollectionName} name */
async function changeCollection(name) {
  const model = suitableModel(name);
  linked = null;
  present(model);
  // A reload stays with it.
  history.replaceState(null, '', formatLink({ model }));
  const changed = changeModel(model);
  portraits.chooseAny();
  await changed;
}

/** @param {string} model */
function changeModel(model) {
  return change({ model });
}

/** @param {import('./device.js').Wish} wish */
function changeDevice(wish) {
  return change({ device: wish });
}

/** @param {{ model?: string, device?: import('./device.js').Wish }} wishes */
function change(wishes) {
  const changed = session.change(wishes, queue.clear());
  enable();
  return changed;
}

/**
 * What the GPU failed at, on the CPU.
 *
 * @param {Job} [job]
 */
async function useCpu(job) {
  device.wish = 'cpu';
  await changeDevice('cpu');
  if (job && session.lfdm) queue.add(job);
}

/** @param {string} model */
function showLoading(model) {
  choice.show(model);
  device.showNothing();
  settings.showModel(model);
  status.clearError();
  status.set('loading', 'Loading the model…');
}

/**
 * Whether the server has another version of the page by now: its model is newer, or the program has other files.
 *
 * @param {unknown} error
 */
function isOfOtherBuild(error) {
  return error instanceof LfdmError && (error.code === 'outdated' || error.code === 'setup');
}

/**
 * The package does not know that the page tries again by itself.
 *
 * @param {unknown} error
 */
function inWords(error) {
  if (!(error instanceof LfdmError) || error.code !== 'download' || navigator.onLine) return error;
  const message = 'You are offline, and this model is not stored in this browser. It is loaded once you are online.';
  return new LfdmError('download', message, error.details);
}

function reloadPage() {
  status.set('loading', 'Getting the newest version of this page…');
  reloadNewest();
}

/** @param {LoadProgress} progress */
function showProgress({ part, loaded, total, speed, stalled, shared }) {
  const rate = speed ? `, ${megabytes(speed)} MB/s` : '';
  const amount = total ? `${megabytes(loaded)} of ${megabytes(total)} MB` : `${megabytes(loaded)} MB`;
  status.progress(total ? loaded / total : 0, `Loading the ${part}, ${amount}${rate}`);
  if (shared) {
    status.say('Another tab of this page is downloading the model. This one goes on as soon as it is there.');
  } else if (stalled) {
    status.say(`The download has stalled at ${amount}. It goes on by itself when the connection is back.`);
  }
}

/** @param {Lfdm} lfdm */
function showReady({ manifest, device: chosen, storage }) {
  const refused = settings.adopt(manifest, linked?.wishes);
  if (linked?.run && refused.length) {
    linked.run = false;
    linked.note = `${manifest.name} cannot use the link’s ${refused.join(', ')}${replaced(refused)}.`;
  }
  device.show(chosen);
  const [height, width] = manifest.imageSize;
  byId('model-note').textContent =
    `The model, ${manifest.name}, makes ${manifest.frames} frames of ${width} × ${height} pixels, shown enlarged. ` +
    `This project trained it from scratch on rendered ${collection.shown}; no real person is among them. ` +
    `Licence: ${manifest.licence.replace(/\.?$/, '.')}`;
  if (stage.example && stage.example.model !== session.model) showExample();
  const { problem } = storage;
  const instead = problem && `Ready, with the model that was stored here before. ${problem.message}`;
  status.set('idle', linked?.note ?? instead ?? 'Ready when you are.');
  if (problem?.code === 'outdated') explainReload();
  stored.refresh(storage);
  enable();
  runLinked();
}

/** A reload gets no newer page while another tab shows the older one. */
async function explainReload() {
  const said = byId('status').textContent;
  const isInTheWay = await isHeldUp();
  if (isInTheWay && byId('status').textContent === said) status.say(`${said} Close its other tabs first.`);
}

// ---- Making videos

/**
 * Asks for what the form says: one video, or a comparison. While something runs, it waits its turn.
 *
 * @param {ComparisonKind | null} compare
 * @param {Pick<Wishes, 'intensity'>} shown
 */
function ask(compare = null, shown = {}) {
  if (!session.lfdm || !portrait) return;
  try {
    queue.add({ portrait, request: { ...settings.read(), ...shown }, compare });
  } catch (error) {
    status.error(error, { state: queue.running ? null : 'error' });
  }
}

/**
 * The queue's work. It resolves to false after an error, which should not be wiped away by what waits.
 *
 * @param {Job} job
 * @param {AbortSignal} signal
 */
async function work(job, signal) {
  const { lfdm, model } = session;
  if (!lfdm) return false;
  status.clearError();
  question.close();
  const { hash } = location;
  try {
    const made = making.makeAll(job, { lfdm, model, signal });
    // A reload in the middle of it begins again.
    history.replaceState(null, '', linkOfJob(model, job));
    await made;
    showFaces();
    const { take } = stage.video ?? {};
    if (take && job.request.intensity !== undefined) await intensity.show(take, limited(job.request.intensity));
  } catch (error) {
    stage.abandon();
    if (!stage.video && portrait) stage.showPortrait(portrait);
    if (signal.aborted) {
      // Whoever chose another device has changed the rest of the address.
      if (!stage.video) history.replaceState(null, '', location.pathname + location.search + hash);
      status.set(stage.video ? 'ready' : 'idle', 'Cancelled.');
      return true;
    }
    const hopeless = error instanceof LfdmError && error.code === 'options';
    const onCpu = device.isToBlame(error) ? () => useCpu(job) : null;
    status.error(error, { retry: hopeless ? null : () => queue.add(job), onCpu });
    return false;
  }
  return true;
}

/** Expressions of the chosen portrait take the place of the examples in the form. */
function showFaces() {
  const { video } = stage;
  for (const take of video?.comparison?.takes ?? [video?.take]) {
    const isPlain = take && take.request.strength === undefined && !take.request.mix;
    if (isPlain && take.done && take.portrait === portrait) settings.showFace(take);
  }
}

function showQueue() {
  const { running, waiting } = queue;
  enable();
  hide(byId('queue'), !waiting, byId('cancel'));
  hide(byId('cancel'), !running, byId('generate'));
  byId('generate').textContent = running ? 'Animate next' : 'Animate';
  if (waiting) byId('queue-text').textContent = `Next: ${describe(waiting, MODELS[session.model].collection)}`;
}

function enable() {
  for (const id of ['generate', 'all-expressions', 'all-seeds']) {
    byId(id, HTMLButtonElement).disabled = !session.lfdm || !portrait;
  }
  choice.disabled = Boolean(queue.running);
  collection.disabled = Boolean(queue.running);
}

// ---- The portrait

/** @param {Portrait} chosen */
function choosePortrait(chosen) {
  if (chosen !== portrait) settings.forgetFaces();
  portrait = chosen;
  if (!queue.running) {
    stage.showPortrait(portrait);
    if (!greeted && chosen.sample === portraits.first) showExample();
    greeted = true;
    if (session.lfdm) {
      status.clearError();
      status.set('idle', linked?.note ?? 'Ready when you are.');
    }
  }
  enable();
  if (session.lfdm) runLinked();
}

/** @param {unknown} error */
function refusePortrait(error) {
  status.error(error, { state: queue.running || !session.lfdm ? null : 'error' });
}

/** Until the visitor has a video of their own, one that this model made earlier is shown. */
async function showExample() {
  const [shown, { model }] = [portrait, session];
  if (!shown) return;
  const [first, ...others] = MODELS[model].hero;
  if (!first) {
    // What another model made is no example of this one.
    if (stage.example) stage.showPortrait(shown);
    return;
  }
  const take = new Take({ label: first, seed: 0, steps: 0, guidance: 0 }, shown, { model, fps: EXAMPLE_FPS });
  take.done = true;
  try {
    take.frames = await framesOfStrip(previewUrl(model, `hero-${first}`));
    // Only while nothing else has been chosen or made meanwhile.
    if (portrait !== shown || session.model !== model || queue.running || stage.video) return;
    stage.showExample(take);
    for (const label of others) {
      const more = await framesOfStrip(previewUrl(model, `hero-${label}`));
      if (stage.example !== take) return;
      take.frames.push(...more);
      stage.extendExample();
    }
  } catch {
    // The still portrait is on the screen; an example less is no error.
  }
}

// ---- Links

/** Fills the form from the address, and makes the video as soon as model and portrait are there. */
async function followLink() {
  const wishes = parseLink(location.hash);
  if (!wishes) {
    portraits.choose(portraits.first);
    return;
  }
  const { model, sample, photo, grid, ...video } = wishes;
  const needed = modelOf(wishes);
  const isOther = needed && (needed === model ? needed !== session.model : isElsewhere(needed));
  if (isOther) present(needed);
  if (sample === OWN_PHOTO) await portraits.restored;
  const refused = settings.write(wishes);
  const notes = [];
  if (model && !isModel(model)) notes.push(`this page no longer has the model ${model}`);
  const isOffered = !sample || portraits.offers(sample, photo);
  if (!isOffered) {
    notes.push(
      sample === OWN_PHOTO
        ? 'the photo in this link never left the device it was made on; choose a portrait'
        : `there is no sample ${sample}`,
    );
  }
  if (refused.length) notes.push(`this page cannot use the link’s ${refused.join(', ')}${replaced(refused)}`);
  // A video that would not be the one that was shared is not made unasked.
  const run = !notes.length && (Boolean(sample ?? grid) || Object.keys(video).length > 0);
  linked = { wishes, compare: isComparison(grid) ? grid : null, run };
  if (notes.length) linked.note = `${capitalised(notes.join('; '))}.`;
  portraits.choose(sample && isOffered ? sample : portraits.first);
  if (session.loading && isOther) changeModel(needed);
}

/**
 * Whether a model is of another collection than the one that the page is about.
 *
 * @param {string} model
 */
function isElsewhere(model) {
  return MODELS[model].collection !== collection.shown;
}

function runLinked() {
  if (!linked || !portrait || !session.lfdm) return;
  const { run, compare, wishes } = linked;
  const shown = compare || wishes.intensity === undefined ? {} : { intensity: wishes.intensity };
  linked = null;
  if (!run) return;
  const steps = settings.read().steps * videosOf(compare, session.lfdm.manifest.labels);
  if (steps <= MANY_STEPS) return ask(compare, shown);
  question.ask(
    `This link asks for ${steps} steps, which take as long as ${timesAsLong(steps)} videos. Make it all the same?`,
    () => ask(compare, shown),
  );
}

/** @param {number} steps */
function timesAsLong(steps) {
  return Math.round(steps / (session.lfdm?.manifest.defaultSteps ?? 1));
}

/**
 * What became of numbers that a link had and the form refused.
 *
 * @param {string[]} refused
 */
function replaced(refused) {
  const count = refused.filter((name) => name === 'steps' || name === 'guidance').length;
  if (!count) return '';
  return count === 1 ? '; the model’s own is set instead' : '; the model’s own are set instead';
}

/** @param {Video} video */
function firstOf({ take, comparison }) {
  return take ?? comparison.takes[0];
}

/**
 * The address of what is on the screen.
 *
 * @param {Video} video
 */
function linkOf(video) {
  const { model, portrait, request, intensity } = firstOf(video);
  const compare = video.comparison?.kind ?? null;
  const shown = compare || intensity === 1 ? undefined : intensity;
  return linkOfJob(model, { portrait, request: { ...request, intensity: shown }, compare });
}

/**
 * @param {string} model
 * @param {Job} job
 */
function linkOfJob(model, { portrait: { sample, photo }, request, compare }) {
  return formatLink({ model, sample, photo, ...request, grid: compare ?? undefined });
}

/**
 * A video was opened: the form and the line below the screen are about it.
 *
 * @param {Take} take
 */
function showSettings(take) {
  // The form cannot say what is of another collection.
  if (!isElsewhere(take.model)) {
    if (portrait !== take.portrait) settings.forgetFaces();
    portrait = take.portrait;
    portraits.mark(portrait);
    settings.write(take.request);
  }
  const made =
    take.model === session.model ? take.status : `${take.status}, by the model “${MODELS[take.model].title}”`;
  if (!queue.running && session.lfdm) status.set('ready', made);
}

/** Keeps the address and what can be done in step with the screen. */
function showVideo() {
  const { video } = stage;
  byId('copy-link', HTMLButtonElement).disabled = !video;
  save.refresh();
  intensity.refresh();
  showAddress();
}

function showAddress() {
  const { video } = stage;
  if (video) history.replaceState(null, '', linkOf(video));
}

async function copyLink() {
  const { video } = stage;
  if (!video) return;
  const url = new URL(location.href);
  // The device is the visitor's own matter.
  url.search = '';
  url.hash = linkOf(video);
  const isOwn = firstOf(video).portrait.sample === OWN_PHOTO;
  const copied = isOwn
    ? 'Link copied. It holds the settings; your photo stays on this device.'
    : 'Link copied. It makes the same video again.';
  byId('save-note').textContent = (await copyText(url.href))
    ? copied
    : 'The link could not be copied. You can copy it from the address bar.';
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

/** @param {number} intensity */
function limited(intensity) {
  return Math.min(Math.max(intensity, 0), Number(byId('intensity', HTMLInputElement).max));
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
