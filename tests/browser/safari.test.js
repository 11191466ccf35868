// What Safari lacks, as far as it can be known without one: the page's own files use nothing of it unasked.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { transform } from 'esbuild';

import { REPOSITORY } from './harness.js';

/** The parser that comes with ESLint. */
const espree = createRequire(createRequire(import.meta.url).resolve('eslint'))('espree');

/** The oldest Safari with all that the page is built on: module workers, OffscreenCanvas, nested CSS. */
const SAFARI = 'safari16.4';
/** The last edition of the language that it knows whole. */
const ECMASCRIPT = 2022;
/** Not in Safari 16.4, so to be called only behind `?.`. */
const LACKING = [
  'requestIdleCallback',
  'scheduler',
  'showSaveFilePicker',
  'createWritable',
  'deviceMemory',
  'fromAsync',
  'withResolvers',
  'groupBy',
  'setHTML',
  'startViewTransition',
  'showPicker',
  'isSubsetOf',
  'checkVisibility',
  'navigation',
  'userAgentData',
  'queryLocalFonts',
  'BarcodeDetector',
  'FaceDetector',
  'measureUserAgentSpecificMemory',
];

describe('Safari', () => {
  test('knows the syntax, and what it lacks is asked for first', async () => {
    const scripts = [...(await files('pkg', '.js')), ...(await files('www/app', '.js')), 'www/sw.js'];
    assert.ok(scripts.length > 40, `${scripts.length} scripts`);
    for (const script of scripts) {
      const text = await readFile(join(REPOSITORY, script), 'utf8');
      const tree = espree.parse(text, { ecmaVersion: ECMASCRIPT, sourceType: 'module', loc: true });
      assert.deepEqual([...unguarded(tree)], [], script);
    }
  });

  test('knows the styles', async () => {
    for (const sheet of await files('www/styles', '.css')) {
      const text = await readFile(join(REPOSITORY, sheet), 'utf8');
      const { code, warnings } = await transform(text, { loader: 'css', target: SAFARI });
      assert.deepEqual(warnings, [], sheet);
      // What a compiler would have to rewrite, the browser does not know; prefixes are the exception.
      const { code: latest } = await transform(text, { loader: 'css', target: 'esnext' });
      const unprefixed = code.replaceAll(/^\s*-webkit-.*\n/gm, '');
      assert.equal(unprefixed, latest.replaceAll(/^\s*-webkit-.*\n/gm, ''), sheet);
    }
  });

  test('this test would notice', async () => {
    const parse = (text) => espree.parse(text, { ecmaVersion: ECMASCRIPT, sourceType: 'module', loc: true });
    assert.deepEqual([...unguarded(parse('requestIdleCallback(go)'))], ['requestIdleCallback in line 1']);
    assert.deepEqual([...unguarded(parse('scheduler.yield(); navigator.deviceMemory ?? 4'))], ['scheduler in line 1']);
    assert.throws(() => parse('const a = /[a--b]/v;'));
  });
});

/**
 * Names of what is lacking, where nothing asks for it first. A property that is only read is `undefined` at worst; a
 * global, and a method that is called without `?.`, has to be there.
 */
function* unguarded(node, parent = null, grandparent = null) {
  if (node.type === 'Identifier' && LACKING.includes(node.name)) {
    const isRead = parent.type === 'MemberExpression' && parent.property === node;
    const isCalled = grandparent?.type === 'CallExpression' && grandparent.callee === parent && !grandparent.optional;
    const isName = parent.type === 'Property' && parent.key === node;
    if (isRead ? isCalled : !isName && parent.operator !== 'typeof') {
      yield `${node.name} in line ${node.loc.start.line}`;
    }
  }
  for (const child of Object.values(node).flat()) if (child?.type) yield* unguarded(child, node, parent);
}

async function files(folder, ending) {
  const names = await readdir(join(REPOSITORY, folder), { recursive: true });
  return names.filter((name) => name.endsWith(ending) && !name.includes('examples')).map((name) => `${folder}/${name}`);
}
