// What makes people share it: less or more of the motion, before and after, smooth files, and ways to hand them on.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';

import { PATIENCE, fixture, launch } from './harness.js';

const FRAMES = 5;
const FPS = 8;

describe('sharing', { timeout: 2 * PATIENCE }, () => {
  let host;
  let visitor;
  before(async () => {
    host = await launch({ together: true });
    visitor = await host.visit('?device=cpu', { frames: FRAMES, prepare: fakeSharing, patience: 100_000 });
    await visitor.state('idle');
    await visitor.upload(fixture('portrait.jpg'));
    await visitor.framed();
    await visitor.get('framing-use').click();
    await visitor.state('idle');
    await visitor.video({ label: 'surprise', seed: 7, steps: 2, guidance: 1 });
  });
  after(() => host?.close());

  /** The screen at a frame, small. */
  const screen = async (frame) => {
    await visitor.get('scrubber').fill(`${frame}`);
    return pixels();
  };
  const pixels = () =>
    visitor.get('result').evaluate((source) => {
      const canvas = new OffscreenCanvas(64, 64);
      canvas.getContext('2d').drawImage(source, 0, 0, 64, 64);
      return [...canvas.getContext('2d').getImageData(0, 0, 64, 64).data];
    });
  const intensity = async (value) => {
    await visitor.get('intensity').fill(`${value}`);
    // The last frame is painted last.
    await visitor.page.waitForFunction((value) => document.getElementById('intensity').value === `${value}`, value);
  };

  /** How far from white the maps of the frame on the screen are, in the mean. */
  const maps = () =>
    visitor.page.evaluate(() => {
      const whiteness = (id) => {
        const { width, height } = document.getElementById(id);
        const { data } = document.getElementById(id).getContext('2d').getImageData(0, 0, width, height);
        return 255 - data.reduce((sum, value) => sum + value, 0) / data.length;
      };
      return { flow: whiteness('flow'), occlusion: whiteness('occlusion') };
    });
  const mapsAt = async (value) => {
    const before = await visitor.get('flow').evaluate((canvas) => canvas.toDataURL());
    await intensity(value);
    await visitor.page.waitForFunction((old) => document.getElementById('flow').toDataURL() !== old, before);
    return maps();
  };

  test('the intensity is changed afterwards, without a new run', async (t) => {
    await visitor.get('scrubber').fill('3');
    const whole = await pixels();
    await visitor.get('before').focus();
    await visitor.page.keyboard.down('Space');
    const still = await pixels();
    await visitor.page.keyboard.up('Space');
    assert.deepEqual(await pixels(), whole, 'held to compare, and let go');
    const moved = distance(whole, still);
    assert.ok(moved > 0.5, `${moved}`);

    const shown = async (value) => {
      await intensity(value);
      await visitor.page.waitForFunction(
        (value) => location.hash.includes(value === 1 ? 'label=' : `intensity=${value}`),
        value,
      );
      await visitor.page.waitForTimeout(1500);
      return pixels();
    };
    const [none, half] = [await shown(0), await shown(0.5)];
    const [atNone, atHalf] = [distance(none, still), distance(half, still)];
    t.diagnostic(`of ${moved.toFixed(2)}: at 0 % ${atNone.toFixed(2)}, at 50 % ${atHalf.toFixed(2)}`);
    assert.ok(atNone < 0.1 * moved, 'nothing moves at 0 %');
    assert.ok(atHalf > 0.3 * moved && atHalf < 0.8 * moved, 'half of it at 50 %');
    assert.deepEqual(await shown(1), whole, 'and all of it at 100 %');
    assert.doesNotMatch(visitor.page.url(), /intensity/);
    assert.equal(await visitor.page.evaluate(() => document.body.dataset.state), 'ready');
    assert.deepEqual(visitor.complaints, []);
  });

  test('the maps are those of what is painted', async (t) => {
    const largest = await visitor.page.evaluate(mostApart);
    assert.ok(largest <= 1, `the page's maps are ${largest} of 255 from the module's`);

    await visitor.get('scrubber').fill('3');
    const whole = await maps();
    const [half, none, again] = [await mapsAt(0.5), await mapsAt(0), await mapsAt(1)];
    t.diagnostic(`how far from white: ${JSON.stringify({ whole, half, none })}; as in Rust within ${largest}`);
    for (const map of ['flow', 'occlusion']) {
      assert.ok(whole[map] > 1, `there is something to see in ${map}: ${whole[map]}`);
      assert.equal(none[map], 0, `${map} of what stands still`);
      const share = half[map] / whole[map];
      assert.ok(share > 0.4 && share < 0.7, `${map} at half the intensity: ${share}`);
    }
    assert.deepEqual(again, whole);
  });

  test('the form shows the expression on the face that was brought', async () => {
    const picture = (label) =>
      visitor
        .get(`label-${label}`)
        .locator('.preview')
        .evaluate((preview) => preview.style.backgroundImage);
    assert.match(await picture('surprise'), /blob:/);
    assert.match(await picture('anger'), /previews\/faces-64\/anger/);
  });

  test('a link has the intensity', async (t) => {
    const hash = '#model=faces-64&label=surprise&seed=7&steps=1&guidance=1&intensity=0.4';
    const other = await host.visitDuring(t, { query: `?device=cpu${hash}`, frames: 3, state: null, patience: 100_000 });
    await other.made();
    await other.page.waitForFunction(() => document.getElementById('intensity-value').textContent === '40 %');
    assert.equal(new URL(other.page.url()).searchParams.get('device'), 'cpu');
    assert.match(other.page.url(), /intensity=0.4/);
    assert.deepEqual(other.complaints, []);
  });

  test('the portrait is seen again while the picture is held, and the maps by a click', async () => {
    await visitor.get('scrubber').fill('3');
    const whole = await pixels();
    const { x, y, width } = await visitor.get('result').boundingBox();
    await visitor.page.mouse.move(x + width / 2, y + width / 2);
    await visitor.page.mouse.down();
    assert.ok(distance(await pixels(), whole) > 0.5);
    await visitor.page.mouse.up();
    assert.deepEqual(await pixels(), whole);
    for (const id of ['flow', 'occlusion', 'portrait']) assert.ok(await visitor.get(id).isHidden(), id);
    await visitor.get('maps').click();
    for (const id of ['flow', 'occlusion', 'portrait']) assert.ok(await visitor.get(id).isVisible(), id);
    await visitor.get('maps').click();
  });

  test('a smooth file ends where it began, and as large as it was asked for', async (t) => {
    const keys = [];
    for (let frame = 0; frame < FRAMES; frame++) keys.push(await screen(frame));
    await visitor.get('save-size').selectOption('1080');
    await visitor.get('save-fps').selectOption('24');
    const { bytes } = await visitor.save('webm');
    const { times, ...video } = await structure(bytes);
    assert.deepEqual(video, { width: 1080, height: 1080, fps: 24 });
    const seen = await decode(host, bytes, times);
    const steps = seen.slice(1).map((frame, i) => distance(frame, seen[i]));
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
    const hop = distance(seen.at(-1), seen[0]);
    const hopOfKeys = distance(keys.at(-1), keys[0]);
    const [step, last, made] = [mean, hop, hopOfKeys].map((value) => value.toFixed(2));
    t.diagnostic(`${times.length} frames; a step ${step}, the last to the first ${last}; as made it would be ${made}`);
    assert.ok(times.length > 24 * ((FRAMES - 1) / FPS) + 2, 'there is a way back');
    assert.ok(hop < 1.5 * mean, `${hop} for steps of ${mean}`);
    assert.ok(Math.max(...steps) < 0.6 * hopOfKeys, 'no step is a hop');
    for (let frame = 0; frame < FRAMES; frame++) {
      const away = distance(keys[frame], seen[(frame * 24) / FPS]);
      assert.ok(away < 5, `frame ${frame} is in it: ${away}`);
    }
  });

  test('twice as long, without a frame encoded again', async () => {
    await visitor.get('save-size').selectOption('512');
    for (const container of ['webm', 'mp4']) {
      const once = await structure((await visitor.save(container)).bytes);
      await visitor.get('save-rounds').selectOption('4');
      const { bytes } = await visitor.save(container);
      const often = await structure(bytes);
      assert.equal(often.times.length, 4 * once.times.length);
      assert.equal(often.fps, once.fps);
      const at = [once.times.length + 3, 3].map((index) => often.times[index]);
      const [later, first] = await decode(host, bytes, at, `video/${container}`);
      assert.ok(distance(later, first) < 0.5, 'the rounds are the same');
      await visitor.get('save-rounds').selectOption('1');
    }
  });

  test('a share sheet gets the file, at the next click if it took too long', async () => {
    const { page } = visitor;
    assert.equal(await visitor.get('share').innerText(), 'Share');
    await visitor.get('share').click();
    await page.waitForFunction(() => window.shared.length === 1);
    await page.evaluate(() => (window.refuseSharing = true));
    await page.waitForSelector('#save[aria-busy=false]');
    await visitor.get('share').click();
    await page.getByText('Share it now').waitFor();
    await page.evaluate(() => (window.refuseSharing = false));
    await visitor.get('share').click();
    await page.waitForFunction(() => window.shared.length === 2);
    const shared = await page.evaluate(() => window.shared);
    for (const { name, type, size } of shared) {
      assert.equal(name, 'lfdm-surprise-seed7.mp4');
      assert.equal(type, 'video/mp4');
      assert.ok(size > 5000, `${size}`);
    }
    assert.equal(await visitor.get('share').innerText(), 'Share');
  });

  test('the picture on the screen is copied', async () => {
    await visitor.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await visitor.get('copy-image').click();
    await visitor.page.getByText('Image copied.').waitFor();
    const copied = await visitor.page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const { width, height } = await createImageBitmap(await item.getType('image/png'));
      return [width, height];
    });
    assert.deepEqual(copied, [1024, 1024]);
  });

  test('a file in the making says how far it is, and can be stopped', async () => {
    await visitor.get('save-size').selectOption('1080');
    await visitor.get('save-fps').selectOption('30');
    await visitor.get('save-webm').click();
    await visitor.page.waitForFunction(() =>
      /Writing the WEBM: [1-9]\d* % of \d+ frames/.test(document.getElementById('save-note').textContent),
    );
    await visitor.get('save-stop').click();
    await visitor.page.getByText('Stopped.').waitFor();
    assert.ok(await visitor.get('save-stop').isHidden());
    assert.ok(await visitor.get('error').isHidden());
    assert.deepEqual(visitor.complaints, []);
  });
});

/** Runs in the page: how far its own maps of the latest video are from the module's, at most. */
async function mostApart() {
  const { mapsOf } = await import(new URL('app/maps.js', location.href).href);
  const apart = window.video.frames.flatMap(({ motion, width, height, ...frame }) => {
    const maps = mapsOf(motion, { width, height });
    return ['flow', 'occlusion'].map((name) => {
      const { data } = maps[name].getContext('2d').getImageData(0, 0, width, height);
      return data.reduce((most, value, i) => Math.max(most, Math.abs(value - frame[name][i])), 0);
    });
  });
  return Math.max(...apart);
}

/** A share sheet that takes everything, or refuses as browsers do when the click was long ago. */
function fakeSharing(page) {
  return page.addInitScript(() => {
    window.shared = [];
    navigator.canShare = () => true;
    navigator.share = async ({ files: [{ name, type, size }] }) => {
      if (window.refuseSharing) throw new DOMException('too late', 'NotAllowedError');
      window.shared.push({ name, type, size });
    };
  });
}

async function structure(bytes) {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });
  const track = await input.getPrimaryVideoTrack();
  const times = [];
  for await (const { timestamp } of new EncodedPacketSink(track).packets()) times.push(timestamp);
  times.sort((a, b) => a - b);
  const fps = Math.round((times.length - 1) / (times.at(-1) - times[0]));
  return { width: track.displayWidth, height: track.displayHeight, fps, times };
}

/** The frames of a video at `times`, small, as a page without our policy plays them. */
function decode(host, bytes, times, type = 'video/webm') {
  return host.elsewhere((page) =>
    page.evaluate(
      async ({ base64, type, times }) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const video = Object.assign(document.createElement('video'), {
          src: URL.createObjectURL(new Blob([bytes], { type })),
          muted: true,
        });
        const event = (name) => new Promise((resolve) => (video[`on${name}`] = resolve));
        await event('loadeddata');
        const canvas = new OffscreenCanvas(64, 64);
        const context = canvas.getContext('2d', { willReadFrequently: true });
        const frames = [];
        for (const time of times) {
          video.currentTime = time + 0.01;
          await event('seeked');
          // On a busy machine the picture may come a little after the word.
          let pixels = new Uint8ClampedArray(4);
          for (let tries = 0; tries < 100 && !pixels[3]; tries++) {
            if (tries) await new Promise((resolve) => setTimeout(resolve, 20));
            context.clearRect(0, 0, 64, 64);
            context.drawImage(video, 0, 0, 64, 64);
            pixels = context.getImageData(0, 0, 64, 64).data;
          }
          frames.push([...pixels]);
        }
        return frames;
      },
      { base64: bytes.toString('base64'), type, times },
    ),
  );
}

function distance(a, b) {
  return a.reduce((sum, value, index) => sum + Math.abs(value - b[index]), 0) / a.length;
}
