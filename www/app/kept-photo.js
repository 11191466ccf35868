// The visitor's photo, kept in this browser until they forget it: a reload is not the end of it. It goes nowhere else.

/** @import { OwnPicture } from '../types.d.ts' */

const DATABASE = 'lfdm-page';
const STORE = 'photo';
const LATEST = 'latest';

/** @param {OwnPicture} photo */
export async function keepPhoto({ picture, framings }) {
  const { data, width, height } = picture;
  /** @type {OwnPicture['framings']} */
  const kept = {};
  for (const [name, { photo, crop }] of Object.entries(framings)) kept[name] = { photo, crop };
  await inStore('readwrite', (store) => store.put({ picture: { data, width, height }, framings: kept }, LATEST));
}

/** @returns {Promise<OwnPicture | undefined>} */
export async function keptPhoto() {
  const kept = await inStore('readonly', (store) => store.get(LATEST));
  // When the page had faces alone, it kept the framing of the face beside the picture.
  return (
    kept && { picture: kept.picture, framings: kept.framings ?? { faces: { photo: kept.photo, crop: kept.crop } } }
  );
}

export async function forgetPhoto() {
  await inStore('readwrite', (store) => store.delete(LATEST));
}

/**
 * Opened anew each time: browsers close databases of pages that they have put aside. Without a database, as in some
 * private windows, a photo lasts as long as the page.
 *
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} use
 */
async function inStore(mode, use) {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    const database = await result(opening);
    try {
      const transaction = database.transaction(STORE, mode);
      const [value] = await Promise.all([result(use(transaction.objectStore(STORE))), completion(transaction)]);
      return value;
    } finally {
      database.close();
    }
  } catch (error) {
    console.info('Your photo is not kept for the next visit:', error?.message);
    return undefined;
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
