// What lfdm-judge counts; its networks are not part of the tests.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { findClips, pick } from '../../tools/judge/clips.js';
import { figures } from '../../tools/judge/figures.js';
import { LABELS } from '../../tools/judge/labels.js';

/** A face that shows `expressions`, none of the others, and lies at `place` among the descriptors. */
const face = (expressions, place = 0) => ({
  expressions: { ...Object.fromEntries(LABELS.map((label) => [label, 0])), ...expressions },
  descriptor: new Float32Array([place, 0]),
});

describe('lfdm-judge', () => {
  test('counts faces, names, gains and distances', () => {
    // Somebody who looks sad at rest, and less so when smiling: a gain that is not a name.
    const rest = face({ sadness: 0.9, happiness: 0.1 });
    const found = figures([
      { label: 'happiness', rest, apex: face({ sadness: 0.6, happiness: 0.4 }, 0.5) },
      { label: 'sadness', rest, apex: face({ sadness: 0.7, happiness: 0.3 }, 0.3) },
      { label: 'neutral', rest, apex: face({ neutral: 0.6, sadness: 0.4 }, 0.1) },
      { label: 'fear', rest, apex: null },
    ]);
    assert.equal(found.clips, 4);
    assert.equal(found.faces, 0.75);
    assert.equal(found.accuracy, 0.5);
    assert.equal(found.accuracy_of_faces, 2 / 3);
    assert.equal(found.gained, 1 / 3);
    assert.ok(Math.abs(found.identity - 0.3) < 1e-6);
    assert.equal(found.identities, 3);
    assert.deepEqual(found.labels, { neutral: 1, fear: 0, happiness: 0, sadness: 1 });
    assert.deepEqual(found.said.fear, { 'no face': 1 });
  });

  test('has no figures of nothing', () => {
    const found = figures([]);
    assert.deepEqual([found.faces, found.accuracy, found.gained, found.identity], [null, null, null, null]);
  });

  test('takes what eval and animate write', async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'lfdm-judge-'));
    t.after(() => rm(root, { recursive: true }));
    for (const origin of ['real', 'generated-8-steps']) {
      await mkdir(join(root, 'eval', origin, 'anna', 'fear'), { recursive: true });
      for (const frame of ['0001.png', '0002.png', '0010.png']) {
        await writeFile(join(root, 'eval', origin, 'anna', 'fear', frame), '');
      }
    }
    await writeFile(join(root, 'eval', 'clips.json'), JSON.stringify({ apex_frame: 1, crop: [0.1, 0.2, 0.7] }));
    const { origins, apex, crop } = await findClips(join(root, 'eval'));
    assert.deepEqual([[...origins.keys()], apex, crop], [['generated-8-steps', 'real'], 1, [0.1, 0.2, 0.7]]);
    const [clip] = origins.get('real');
    assert.deepEqual([clip.subject, clip.label], ['anna', 'fear']);
    assert.match(pick(clip, apex), /0002\.png$/);
    assert.match(pick(clip, 99), /0010\.png$/);

    const plain = await findClips(join(root, 'eval', 'real'));
    assert.deepEqual([[...plain.origins.keys()], plain.apex], [['real'], undefined]);
  });
});
