// Models kept in this browser, so that a second visit downloads nothing and works without a network.
//
// A file is kept under its SHA-256, in pieces that are numbered by their offset; its last piece is
// written only after Rust has accepted the whole. So a changed model is never mixed with an older
// one, a download that was cut off goes on where it stopped, and nobody has to ask whether an entry
// is finished: what is read is verified again each time.

const CACHE = 'lfdm-models-1';
/** The cache's keys must look like addresses; nothing is ever requested from this one. */
const ROOT = 'https://lfdm.invalid/';
export const PIECE_BYTES = 4 << 20;
/** Another page that brings nothing new for so long sleeps. */
const PATIENCE_MS = 60_000;
const MOMENT_MS = 1000;

/** @type {{ url: string, hashes: string[] }} */
const NOTHING = { url: '', hashes: [] };

export class Store {
  #cache;
  /** What is being downloaded, and must go if there is no room for all of it. */
  #arriving = NOTHING;
  /** Why nothing is kept, if so. */
  reason;

  static async open() {
    const store = new Store();
    try {
      // Absent on pages without https, refused in some private windows.
      if (!globalThis.caches) throw new Error('this page is not served over https');
      store.#cache = await caches.open(CACHE);
    } catch (error) {
      store.reason = `this browser keeps nothing for this page (${error.message})`;
    }
    return store;
  }

  get keeps() {
    return Boolean(this.#cache);
  }

  /** The pieces of a file that are here, in order and without a gap. */
  async *pieces(sha256) {
    for (let offset = 0; this.#cache;) {
      const bytes = await this.#ask((cache) => bytesOf(cache, pieceKey(sha256, offset)));
      if (!bytes?.length) return;
      yield bytes;
      offset += bytes.length;
    }
  }

  async keep(sha256, offset, bytes) {
    await this.#write(pieceKey(sha256, offset), bytes);
  }

  async forget(sha256) {
    await this.#remove((key) => fileOf(key) === sha256);
  }

  /** The manifest of the model at `url`, if all of that model was here once. */
  async manifest(url) {
    return this.#ask((cache) => bytesOf(cache, manifestKey('complete', url)));
  }

  /**
   * Does `work` on a file while nobody else does: of two models or pages that need the same one, the second finds it
   * here. Nobody waits forever for a page that sleeps.
   *
   * @param {string} sha256
   * @param {() => Promise<void>} work
   * @param {() => void} onWait is told once, if it takes longer than a moment until it is this one's turn
   */
  async alone(sha256, work, onWait) {
    if (!this.keeps || !navigator.locks) return work();
    let isWorking = false;
    const begin = () => {
      isWorking = true;
      clearTimeout(timer);
      return work();
    };
    const timer = setTimeout(onWait, MOMENT_MS);
    for (let before = -1, here = await this.#pieceCount(sha256); here > before; here = await this.#pieceCount(sha256)) {
      before = here;
      const signal = AbortSignal.timeout(PATIENCE_MS);
      try {
        return await navigator.locks.request(`lfdm ${sha256}`, { signal }, begin);
      } catch (error) {
        if (isWorking) throw error;
        // Locks may be refused, too.
        if (!signal.aborted) break;
      }
    }
    return begin();
  }

  /** How many pieces of a file are here. */
  async #pieceCount(sha256) {
    return (await this.#keys()).filter((key) => fileOf(key) === sha256).length;
  }

  /** Says that the model at `url` is being downloaded, which keeps its pieces from being cleared away. */
  async begin(url, manifest, files) {
    this.#arriving = { url, hashes: files.map(({ sha256 }) => sha256) };
    await this.#write(manifestKey('arriving', url), manifest);
  }

  /** Says that the model at `url` is complete, and clears away what no model needs any longer. */
  async finish(url, manifest) {
    await this.#write(manifestKey('complete', url), manifest);
    await this.#ask((cache) => cache.delete(manifestKey('arriving', url)));
    const needed = new Set((await this.#manifests()).flatMap(({ files }) => files.map(({ sha256 }) => sha256)));
    await this.#remove((key) => fileOf(key) && !needed.has(fileOf(key)));
    this.#arriving = NOTHING;
  }

  /** What is kept: `{ url, name, bytes, complete }[]`. */
  async list() {
    const sizes = new Map();
    for (const key of await this.#keys()) {
      const file = fileOf(key);
      if (!file) continue;
      const piece = await this.#ask((cache) => cache.match(key));
      sizes.set(file, (sizes.get(file) ?? 0) + Number(piece?.headers.get('content-length') ?? 0));
    }
    return (await this.#manifests()).map(({ url, state, name, files }) => {
      const bytes = files.reduce((sum, { sha256 }) => sum + (sizes.get(sha256) ?? 0), 0);
      return { url, name, bytes, complete: state === 'complete' };
    });
  }

  async #manifests() {
    const found = [];
    for (const key of await this.#keys()) {
      const [, state, url] = /\/manifest\/(\w+)\/(.*)$/.exec(key) ?? [];
      if (!state) continue;
      const bytes = await this.#ask((cache) => bytesOf(cache, key));
      try {
        const { name, files } = JSON.parse(new TextDecoder().decode(bytes));
        found.push({ url: decodeURIComponent(url), state, name, files });
      } catch {
        await this.#ask((cache) => cache.delete(key));
      }
    }
    return found;
  }

  /** Never fails: where there is no room, the model runs from memory, and what was kept of it makes room for others. */
  async #write(key, bytes) {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': `${bytes.length}` };
    try {
      await this.#cache?.put(key, new Response(bytes, { headers }));
    } catch (error) {
      const { url, hashes } = this.#arriving;
      this.reason =
        error.name === 'QuotaExceededError'
          ? 'there is not enough room for it in this browser'
          : `the browser refused it (${error.message})`;
      await this.#remove((key) => hashes.includes(fileOf(key) ?? ''));
      for (const state of ['arriving', 'complete']) {
        await this.#ask((cache) => cache.delete(manifestKey(state, url)));
      }
      this.#cache = undefined;
    }
  }

  async #remove(unwanted) {
    for (const url of await this.#keys()) if (unwanted(url)) await this.#ask((cache) => cache.delete(url));
  }

  async #keys() {
    const keys = await this.#ask((cache) => cache.keys());
    return keys?.map(({ url }) => url) ?? [];
  }

  /**
   * What `ask` finds in the cache; undefined where there is none, or none any longer: the visitor may clear this
   * page's data at any time.
   *
   * @template T
   * @param {(cache: Cache) => Promise<T>} ask
   * @returns {Promise<T | undefined>}
   */
  async #ask(ask) {
    try {
      return this.#cache && (await ask(this.#cache));
    } catch (error) {
      this.reason ??= `the browser refused it (${error.message})`;
      this.#cache = undefined;
    }
  }
}

/** The models kept in this browser by pages of this origin. */
export async function storedModels() {
  return (await Store.open()).list();
}

/** Removes all of them. Models that are in use go on: they are in memory. */
export async function removeStoredModels() {
  await globalThis.caches?.delete(CACHE);
}

async function bytesOf(cache, key) {
  const entry = await cache.match(key);
  return entry && new Uint8Array(await entry.arrayBuffer());
}

function pieceKey(sha256, offset) {
  return `${ROOT}piece/${sha256}/${offset}`;
}

function manifestKey(state, url) {
  return `${ROOT}manifest/${state}/${encodeURIComponent(url)}`;
}

function fileOf(key) {
  return /\/piece\/([0-9a-f]+)\/\d+$/.exec(key)?.[1];
}
