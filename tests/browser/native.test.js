// One seed, one video: the command line and the page give the same frames.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { DIST, PATIENCE, SAMPLES, difference, launch } from './harness.js';

const binary = process.env.LFDM_BIN;
const skip = binary ? false : 'LFDM_BIN does not name the native lfdm (cargo build --features native)';

describe('the native program', { timeout: 3 * PATIENCE, skip }, () => {
  let host;
  let out;
  before(async () => {
    host = await launch();
    out = await mkdtemp(join(tmpdir(), 'lfdm-frames-'));
  });
  after(async () => {
    await host?.close();
    if (out) await rm(out, { recursive: true });
  });

  test('makes the frames that the page makes, within 2/255', async (t) => {
    const settings = { label: 'surprise', seed: 11, steps: 4, guidance: 1.5 };
    const visitor = await host.visit('?device=cpu');
    await visitor.state('idle');
    // A square sample, of which page and program take all.
    const sample = '3628';
    await visitor.page.locator(`input[name=portrait][value="${sample}"]`).evaluate((input) => input.click());
    const video = await visitor.video(settings);

    const image = `${sample}.jpg`;
    const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const paths = ['--model', join(DIST, 'models/faces-64'), '--image', join(SAMPLES, image), '--out', out];
    await promisify(execFile)(binary, ['animate', ...paths, ...options]);

    const names = (await readdir(out)).filter((name) => /^frame_\d{3}\.png$/.test(name)).sort();
    assert.equal(names.length, video.frames.length);
    const frames = [];
    for (const name of names) {
      const base64 = (await readFile(join(out, name))).toString('base64');
      const pixels = await visitor.withPackage(async ({ decodeImage }, _, base64) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        return Array.from((await decodeImage(new Blob([bytes]))).data);
      }, base64);
      frames.push(Buffer.from(pixels));
    }
    const mean = difference(video.frames, frames);
    t.diagnostic(`mean absolute difference ${mean.toFixed(4)} of 255`);
    assert.ok(mean <= 2, `${mean} of 255`);
    await visitor.close();
  });

  test('frames a photo as the page does, within two pixels', async (t) => {
    const visitor = await host.visit('?device=cpu');
    const photo = join(out, 'wide.png');
    await writeFile(photo, await visitor.widePicture());
    await visitor.upload(photo);
    const { crop } = await visitor.framed();

    const paths = ['--model', join(DIST, 'models/faces-64'), '--image', photo, '--out', join(out, 'framed.gif')];
    const options = ['--frame', '--label', 'neutral', '--steps', '1'];
    const { stderr } = await promisify(execFile)(binary, ['animate', ...paths, ...options]);
    const found = /framed as with --crop ([\d,]+)/.exec(stderr)[1].split(',').map(Number);
    t.diagnostic(`the page ${crop}, the program ${found}`);
    crop.forEach((value, index) => assert.ok(Math.abs(value - found[index]) <= 2, `${crop} and ${found}`));
    await visitor.close();
  });
});
