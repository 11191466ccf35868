// Where clips lie: `<subject>/<label>/` with PNG frames, or with folders of several takes; `<subject>/<label>.png` is a
// clip of one frame. `lfdm eval --clips-out` puts a folder for each origin above, and `clips.json` next to them.

import { readFile, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

/** @typedef {{ subject: string, label: string, frames: string[] }} Clip */

const CONTENTS = 'clips.json';
const PICTURE = /\.png$/i;

/**
 * The clips below `root` by origin, the frame where expressions are strongest, counted from 0, if anything says so, and
 * the part of the data's frames that they show, `[left, top, side]` in shares.
 *
 * @param {string} root
 */
export async function findClips(root) {
  const contents = await contentsOf(root);
  const origins = new Map();
  if (contents) {
    for (const origin of (await list(root)).folders) origins.set(origin, await clipsOf(join(root, origin)));
  } else {
    origins.set(basename(resolve(root)), await clipsOf(root));
  }
  return { origins, apex: contents?.apex_frame, crop: contents?.crop ?? [0, 0, 1] };
}

/**
 * The file of `frame`, or the last one of shorter clips.
 *
 * @param {Clip} clip
 * @param {number} [frame] the middle one by default
 */
export function pick({ frames }, frame = Math.floor(frames.length / 2)) {
  return frames[Math.min(frame, frames.length - 1)];
}

async function contentsOf(root) {
  try {
    return JSON.parse(await readFile(join(root, CONTENTS), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * @param {string} root
 * @returns {Promise<Clip[]>}
 */
async function clipsOf(root) {
  /** @type {Clip[]} */
  const clips = [];
  for (const subject of (await list(root)).folders) {
    const { folders, pictures } = await list(join(root, subject));
    for (const label of folders) {
      const takes = await takesOf(join(root, subject, label));
      clips.push(...takes.map((frames) => ({ subject, label, frames })));
    }
    for (const picture of pictures) {
      clips.push({ subject, label: picture.replace(PICTURE, ''), frames: [join(root, subject, picture)] });
    }
  }
  return clips;
}

/**
 * The frames of every take in a label's folder, which may be the only take itself.
 *
 * @param {string} folder
 * @returns {Promise<string[][]>}
 */
async function takesOf(folder) {
  const { folders, pictures } = await list(folder);
  if (pictures.length > 0) return [pictures.map((picture) => join(folder, picture))];
  const takes = await Promise.all(folders.map((take) => takesOf(join(folder, take))));
  return takes.flat();
}

/** Names in a folder, in natural order, without hidden ones. */
async function list(folder) {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  const { compare } = new Intl.Collator('en', { numeric: true });
  const names = (of) =>
    entries
      .filter(of)
      .map(({ name }) => name)
      .sort(compare);
  return {
    folders: names((entry) => entry.isDirectory()),
    pictures: names((entry) => entry.isFile() && PICTURE.test(entry.name)),
  };
}
