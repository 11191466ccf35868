// The visitor's photo, kept in this browser until they forget it: a reload is not the end of it. It goes nowhere else.

/** @import { OwnPortrait } from '../types.d.ts' */
/** @typedef {Omit<OwnPortrait, 'pixels' | 'sample'>} KeptPhoto what the rest follows from */

const DATABASE = 'lfdm-page';
const STORE = 'photo';
const LATEST = 'latest';

/** @param {KeptPhoto} photo */
export async function keepPhoto({ photo, picture, crop }) {
  const { data, width, height } = picture;
  await inStore('readwrite', (store) => store.put({ photo, picture: { data, width, height }, crop }, LATEST));
}

/** @returns {Promise<KeptPhoto | undefined>} */
export async function keptPhoto() {
  return inStore('readonly', (store) => store.get(LATEST));
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
