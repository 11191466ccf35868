// `npm run vendor`: puts the parts of mediabunny that the page uses into `www/vendor`, as one module.

import { copyFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const EXPORTS = [
  'BufferTarget',
  'CanvasSource',
  'EncodedVideoPacketSource',
  'Mp4OutputFormat',
  'Output',
  'WebMOutputFormat',
  'getFirstEncodableVideoCodec',
];
const out = new URL('../../www/vendor/mediabunny/', import.meta.url);

await build({
  stdin: { contents: `export { ${EXPORTS.join(', ')} } from 'mediabunny';`, resolveDir: import.meta.dirname ?? '.' },
  bundle: true,
  format: 'esm',
  minify: true,
  legalComments: 'inline',
  outfile: fileURLToPath(new URL('mediabunny.js', out)),
});
await copyFile(new URL('node_modules/mediabunny/LICENSE', import.meta.url), new URL('LICENSE', out));
