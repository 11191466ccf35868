// The visitor's photo, kept in this browser until they forget it: a reload is not the end of it. It goes nowhere else.

import { within } from '../pkg/deadline.js';

/** @import { OwnPicture } from '../types.d.ts' */

const DATABASE = 'lfdm-page';
const STORE = 'photo';
const LATEST = 'latest';
/** Some browsers never answer. */
const ANSWER_MS = 5000;
const FORGOTTEN = 'forgotten';

/** Whether there is something to forget, as far as this page knows. */
let isKept = false;
/** Of the pages of this browser that know of a photo. @type {BroadcastChannel | null} */
let channel = null;
/** @type {() => void} */
let onForgotten = () => {};

/**
 * Calls `listener` when the photo is forgotten in another tab.
 *
 * @param {() => void} listener
 */
export function whenForgotten(listener) {
  onForgotten = listener;
}

/** @param {OwnPicture} photo */
export async function keepPhoto({ picture, framings }) {
  const { data, width, height } = picture;
  /** @type {OwnPicture['framings']} */
  const kept = {};
  for (const [name, { photo, crop }] of Object.entries(framings)) kept[name] = { photo, crop };
  listen();
  try {
    await inStore('readwrite', (store) => store.put({ picture: { data, width, height }, framings: kept }, LATEST));
    isKept = true;
  } catch (error) {
    complain(error);
  }
}

/** @returns {Promise<OwnPicture | undefined>} */
export async function keptPhoto() {
  const kept = await inStore('readonly', (store) => store.get(LATEST)).catch(complain);
  if (!kept) return undefined;
  isKept = true;
  listen();
  // When the page had faces alone, it kept the framing of the face beside the picture.
  return { picture: kept.picture, framings: kept.framings ?? { faces: { photo: kept.photo, crop: kept.crop } } };
}

/** In this tab and all others. Throws if it cannot be done. */
export async function forgetPhoto() {
  try {
    await inStore('readwrite', (store) => store.delete(LATEST));
  } catch (error) {
    // Where nothing could be kept, nothing needs to be forgotten.
    if (isKept) throw error;
  }
  isKept = false;
  channel?.postMessage(FORGOTTEN);
}

/** Only once there is a photo: it may keep the browser from putting the page aside as it is. */
function listen() {
  try {
    channel ??= new BroadcastChannel(DATABASE);
  } catch {
    // Other tabs keep what they have.
    return;
  }
  channel.onmessage = () => {
    isKept = false;
    onForgotten();
  };
}

/** @param {Error} error */
function complain(error) {
  console.info('Your photo is not kept for the next visit:', error?.message);
}

/**
 * Opened anew each time: browsers close databases of pages that they have put aside. Without a database, as in some
 * private windows, a photo lasts as long as the page.
 *
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} use
 */
async function inStore(mode, use) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await within(ANSWER_MS, result(opening));
  try {
    const transaction = database.transaction(STORE, mode);
    const [value] = await Promise.all([result(use(transaction.objectStore(STORE))), completion(transaction)]);
    return value;
  } finally {
    database.close();
  }
}

/**
 * When all of it is stored.
 *
 * @param {IDBTransaction} transaction
 */
function completion(transaction) {
  return new Promise((/** @type {(value?: unknown) => void} */ resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {IDBRequest} request */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
