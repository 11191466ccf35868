// Saved files, read again: by a parser for the structure, by the browser for the pictures.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';

import { parseGif } from './gif.js';
import { PATIENCE, launch } from './harness.js';

const FRAMES = 12;
const MIDDLE = 7;
const FPS = 8;

describe('saving', { timeout: 2 * PATIENCE }, () => {
  let host;
  let visitor;
  before(async () => {
    host = await launch({ together: true });
    visitor = await host.visit('?device=cpu', { frames: FRAMES });
    await visitor.state('idle');
    await visitor.video({ label: 'happiness', seed: 7, steps: 1, guidance: 1 });
    await visitor.get('save-size').selectOption('512');
    await visitor.get('save-fps').selectOption('');
    await visitor.get('save-closed').uncheck();
  });
  after(() => host?.close());

  test('a GIF that loops', async () => {
    const { name, bytes } = await visitor.save('gif');
    assert.equal(name, 'lfdm-happiness-seed7.gif');
    assert.deepEqual(parseGif(bytes), { width: 400, height: 400, frames: FRAMES, loops: true });
  });

  test('a GIF as large as the visitor wants it, with the colours of the screen', async (t) => {
    await visitor.get('save-gif-size').selectOption('640');
    const { bytes } = await visitor.save('gif');
    assert.deepEqual(parseGif(bytes), { width: 640, height: 640, frames: FRAMES, loops: true });
    for (const frame of [0, MIDDLE, FRAMES - 1]) {
      const seen = await decodeImage(visitor, bytes, frame);
      const away = distance(seen.pixels, await screen(visitor, frame));
      t.diagnostic(`${bytes.length} bytes; frame ${frame}: ${away.toFixed(2)} of 255`);
      assert.ok(away < 4, `${away}`);
      assert.ok(Math.abs(seen.ms - 1000 / FPS) <= 5, `${seen.ms} ms`);
    }
    await visitor.get('save-gif-size').selectOption('400');
  });

  test('a GIF that is too long for one palette of all its rows', async () => {
    await visitor.get('save-gif-size').selectOption('512');
    await visitor.get('speed').selectOption('0.25');
    await visitor.get('save-fps').selectOption('24');
    await visitor.get('ping-pong').click();
    const noted = visitor.page.waitForFunction(() =>
      /Writing the GIF: [1-9]\d* % of \d+ frames, about \d+\.\d MB in all/.test(
        document.getElementById('save-note').textContent,
      ),
    );
    const { bytes } = await visitor.save('gif');
    await noted;
    assert.match(await visitor.get('save-note').innerText(), /^Saved lfdm-happiness-seed7.gif, \d+ kB/);
    const { frames, height } = parseGif(bytes);
    assert.ok(frames * height > 65_535, `${frames} frames of ${height} rows`);
    await visitor.get('ping-pong').click();
    await visitor.get('speed').selectOption('1');
    await visitor.get('save-fps').selectOption('');
    await visitor.get('save-gif-size').selectOption('400');
  });

  for (const container of ['webm', 'mp4']) {
    test(`${container}, encoded frame by frame`, async (t) => {
      const { name, bytes } = await visitor.save(container);
      assert.equal(name, `lfdm-happiness-seed7.${container}`);
      const { codec, ...video } = await structure(bytes);
      t.diagnostic(`${codec}, ${bytes.length} bytes; ${await visitor.get('save-note').innerText()}`);
      assert.deepEqual(video, { width: 512, height: 512, frames: FRAMES, fps: FPS });
      const decoded = await decode(host, bytes, `video/${container}`);
      assert.deepEqual([decoded.width, decoded.height], [512, 512]);
      assert.ok(Math.abs(decoded.duration - FRAMES / FPS) < 0.05, `${decoded.duration} s`);
      // What is seen in the file is what was on the screen.
      const shown = await screen(visitor, MIDDLE);
      assert.ok(distance(decoded.middle, shown) < 6, `${distance(decoded.middle, shown)} of 255`);
    });
  }

  test('a strip of frames', async () => {
    const { name, bytes } = await visitor.save('png');
    assert.equal(name, 'lfdm-happiness-seed7.png');
    assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [FRAMES * 256, 256]);
  });

  test('as it is played: back and forth, at another speed', async () => {
    await visitor.get('ping-pong').click();
    await visitor.get('speed').selectOption('2');
    const { bytes } = await visitor.save('webm');
    const { frames, fps } = await structure(bytes);
    assert.deepEqual({ frames, fps }, { frames: 2 * FRAMES - 2, fps: 2 * FPS });
    assert.equal(parseGif((await visitor.save('gif')).bytes).frames, 2 * FRAMES - 2);
    await visitor.get('ping-pong').click();
    await visitor.get('speed').selectOption('1');
  });

  test('a comparison, with its captions', async () => {
    await visitor.get('all-seeds').click();
    await visitor.page.waitForSelector('body[data-state=ready]:has(#board button:enabled)');
    await visitor.state('ready');
    await visitor.page.waitForFunction(() => document.querySelectorAll('#board button:enabled').length === 4);
    const { name, bytes } = await visitor.save('gif');
    assert.equal(name, 'lfdm-happiness-seeds7-10.gif');
    const { width, height, frames } = parseGif(bytes);
    assert.deepEqual({ width, height, frames }, { width: 320, height: 2 * (160 + 28), frames: FRAMES });
  });

  test('a comparison that is smooth and ends where it began', async (t) => {
    const made = (await visitor.save('webm')).bytes;
    await visitor.get('save-fps').selectOption('24');
    await visitor.get('save-closed').check();
    const { bytes } = await visitor.save('webm');
    const { codec, frames, ...video } = await structure(bytes);
    t.diagnostic(`${codec}, ${frames} frames`);
    assert.deepEqual(video, { width: 512, height: 2 * (256 + 28), fps: 24 });
    assert.ok(frames > 24 * ((FRAMES - 1) / FPS) + 2, 'there is a way back');
    const [smooth, coarse] = [await decode(host, bytes, 'video/webm'), await decode(host, made, 'video/webm')];
    const away = distance(smooth.middle, coarse.middle);
    assert.ok(away < 5, `it is the same comparison: ${away} of 255`);
    assert.equal(parseGif((await visitor.save('gif')).bytes).width, 320);
    await visitor.get('save-fps').selectOption('');
    await visitor.get('save-closed').uncheck();
  });

  test('without WebCodecs, by a recorder', async (t) => {
    await visitor.page.evaluate(() => delete window.VideoEncoder);
    const { name, bytes } = await visitor.save('webm');
    assert.match(name, /\.webm$/);
    const { frames, width } = await structure(bytes);
    t.diagnostic(`${frames} frames recorded`);
    assert.ok(frames >= FRAMES - 1 && frames <= FRAMES + 2, `${frames} frames`);
    assert.equal(width, 512);
  });

  test('a browser that can write no video says so and offers another format', async () => {
    await visitor.page.evaluate(() => delete window.MediaRecorder);
    await visitor.get('save-mp4').click();
    await visitor.get('error').waitFor();
    assert.match(await visitor.errorText(), /cannot write MP4 files. Save a GIF instead/);
    assert.ok((await visitor.save('gif')).bytes.length);
    assert.deepEqual(visitor.complaints, []);
  });
});

async function structure(bytes) {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });
  const track = await input.getPrimaryVideoTrack();
  const times = [];
  for await (const { timestamp } of new EncodedPacketSink(track).packets()) times.push(timestamp);
  times.sort((a, b) => a - b);
  const fps = Math.round((times.length - 1) / (times.at(-1) - times[0]));
  return { codec: track.codec, width: track.displayWidth, height: track.displayHeight, frames: times.length, fps };
}

/** Size, duration and the pixels of a frame in the middle, as a page without our policy plays them. */
async function decode(host, bytes, type) {
  return host.elsewhere((page) =>
    page.evaluate(
      async ({ base64, type, time }) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const video = Object.assign(document.createElement('video'), {
          src: URL.createObjectURL(new Blob([bytes], { type })),
          muted: true,
        });
        const event = (name) =>
          new Promise(
            (resolve, reject) => ((video[`on${name}`] = resolve), (video.onerror = () => reject(video.error.message))),
          );
        await event('loadeddata');
        video.currentTime = time;
        await event('seeked');
        const canvas = new OffscreenCanvas(64, 64);
        canvas.getContext('2d').drawImage(video, 0, 0, 64, 64);
        const middle = [...canvas.getContext('2d').getImageData(0, 0, 64, 64).data];
        return { width: video.videoWidth, height: video.videoHeight, duration: video.duration, middle };
      },
      { base64: bytes.toString('base64'), type, time: (MIDDLE + 0.5) / FPS },
    ),
  );
}

/** The pixels of a frame of a GIF, small, and how long it is shown. */
function decodeImage(visitor, bytes, frameIndex) {
  return visitor.page.evaluate(
    async ({ base64, frameIndex }) => {
      const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const { image } = await new ImageDecoder({ data, type: 'image/gif' }).decode({ frameIndex });
      const canvas = new OffscreenCanvas(64, 64);
      canvas.getContext('2d').drawImage(image, 0, 0, 64, 64);
      const pixels = [...canvas.getContext('2d').getImageData(0, 0, 64, 64).data];
      const ms = image.duration / 1000;
      image.close();
      return { pixels, ms };
    },
    { base64: bytes.toString('base64'), frameIndex },
  );
}

/** The pixels of the screen at a frame. */
async function screen(visitor, frame) {
  await visitor.get('scrubber').fill(`${frame}`);
  return visitor.get('result').evaluate((source) => {
    const canvas = new OffscreenCanvas(64, 64);
    canvas.getContext('2d').drawImage(source, 0, 0, 64, 64);
    return [...canvas.getContext('2d').getImageData(0, 0, 64, 64).data];
  });
}

function distance(a, b) {
  return a.reduce((sum, value, index) => sum + Math.abs(value - b[index]), 0) / a.length;
}
