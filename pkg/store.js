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
      const piece = await this.#cache.match(pieceKey(sha256, offset));
      if (!piece) return;
      const bytes = new Uint8Array(await piece.arrayBuffer());
      if (!bytes.length) return;
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
    const entry = await this.#cache?.match(manifestKey('complete', url));
    return entry && new Uint8Array(await entry.arrayBuffer());
  }

  /** Says that the model at `url` is being downloaded, which keeps its pieces from being cleared away. */
  async begin(url, manifest, files) {
    this.#arriving = { url, hashes: files.map(({ sha256 }) => sha256) };
    await this.#write(manifestKey('arriving', url), manifest);
  }

  /** Says that the model at `url` is complete, and clears away what no model needs any longer. */
  async finish(url, manifest) {
    await this.#write(manifestKey('complete', url), manifest);
    await this.#cache?.delete(manifestKey('arriving', url));
    const needed = new Set((await this.#manifests()).flatMap(({ files }) => files.map(({ sha256 }) => sha256)));
    await this.#remove((key) => fileOf(key) && !needed.has(fileOf(key)));
    this.#arriving = NOTHING;
  }

  /** What is kept: `{ url, name, bytes, complete }[]`. */
  async list() {
    if (!this.#cache) return [];
    const sizes = new Map();
    for (const key of await this.#cache.keys()) {
      const file = fileOf(key.url);
      if (!file) continue;
      const piece = await this.#cache.match(key);
      sizes.set(file, (sizes.get(file) ?? 0) + Number(piece?.headers.get('content-length') ?? 0));
    }
    return (await this.#manifests()).map(({ url, state, name, files }) => {
      const bytes = files.reduce((sum, { sha256 }) => sum + (sizes.get(sha256) ?? 0), 0);
      return { url, name, bytes, complete: state === 'complete' };
    });
  }

  async #manifests() {
    const found = [];
    for (const { url: key } of (await this.#cache?.keys()) ?? []) {
      const [, state, url] = /\/manifest\/(\w+)\/(.*)$/.exec(key) ?? [];
      if (!state) continue;
      const entry = await this.#cache.match(key);
      try {
        const { name, files } = await entry.json();
        found.push({ url: decodeURIComponent(url), state, name, files });
      } catch {
        await this.#cache.delete(key);
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
      for (const state of ['arriving', 'complete']) await this.#cache.delete(manifestKey(state, url));
      this.#cache = undefined;
    }
  }

  async #remove(unwanted) {
    for (const { url } of (await this.#cache?.keys()) ?? []) if (unwanted(url)) await this.#cache.delete(url);
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

function pieceKey(sha256, offset) {
  return `${ROOT}piece/${sha256}/${offset}`;
}

function manifestKey(state, url) {
  return `${ROOT}manifest/${state}/${encodeURIComponent(url)}`;
}

function fileOf(key) {
  return /\/piece\/([0-9a-f]+)\/\d+$/.exec(key)?.[1];
}
