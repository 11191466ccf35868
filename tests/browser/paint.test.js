// Frames of motion that is given: the decoder alone, and the same as the generation's own.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PATIENCE, launch } from './harness.js';

describe('painting motion that is given', { timeout: PATIENCE }, () => {
  let host;
  let visitor;
  before(async () => {
    host = await launch({ together: true });
    visitor = await host.visit('icon.svg', { frames: 4 });
  });
  after(() => host?.close());

  for (const threads of [1, 2]) {
    test(`its own gives the same pixels, with ${threads} threads`, async () => {
      const seen = await visitor.withPackage(async ({ Lfdm }, url, threads) => {
        const lfdm = await Lfdm.load(url, { device: 'cpu', threads });
        const side = 96;
        const data = new Uint8ClampedArray(side * side * 4).map((_, i) => (i % 4 === 3 ? 255 : (i * 7) % 251));
        const image = { data, width: side, height: side };
        const frames = [];
        for await (const event of lfdm.generate({ image, label: 'anger', steps: 2, photoSize: 96, motions: true })) {
          if (event.type === 'frame') frames.push(event);
        }
        const paint = async (motions, photoSize) => {
          const painted = [];
          for await (const event of lfdm.paint({ image, motions, photoSize })) painted.push(event);
          return painted;
        };
        const motions = frames.map(({ motion }) => motion);
        const again = await paint(motions, 96);
        const between = ({ flow, occlusion }, other) => ({
          flow: flow.map((value, i) => (value + other.flow[i]) / 2),
          occlusion: occlusion.map((value, i) => (value + other.occlusion[i]) / 2),
        });
        const [middle] = await paint([between(motions[0], motions[3])]);
        const refused = await paint([{ flow: motions[0].flow.slice(2), occlusion: motions[0].occlusion }]).then(
          () => 'accepted',
          ({ name, message }) => `${name}: ${message}`,
        );
        const wrong = await paint([5]).catch(({ code, message }) => `${code}: ${message}`);
        const distance = (a, b) =>
          a.rgba.reduce((sum, value, i) => sum + Math.abs(value - b.rgba[i]), 0) / a.rgba.length;
        lfdm.dispose();
        return {
          same: again.map((event, i) => `${event.rgba}` === `${frames[i].rgba}`),
          sharp: again.map((event, i) => `${event.photo.rgba}` === `${frames[i].photo.rgba}`),
          kept: motions.every(({ flow }) => flow.length > 0),
          photo: middle.photo === undefined,
          distances: [distance(frames[0], frames[3]), distance(middle, frames[0]), distance(middle, frames[3])],
          refused,
          wrong,
        };
      }, threads);
      assert.deepEqual([seen.same, seen.sharp], [Array(4).fill(true), Array(4).fill(true)]);
      const [whole, one, other] = seen.distances;
      assert.ok(one < whole && other < whole && one > 0 && other > 0, `${seen.distances}`);
      assert.ok(seen.kept && seen.photo);
      assert.match(seen.refused, /^LfdmError: motions: number 0 is not of 16 × 16 cells/);
      assert.match(seen.wrong, /^options: motions: /);
    });
  }
});
