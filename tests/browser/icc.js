// Colour profiles, as cameras put them into pictures: three primaries and a curve.

import { deflateSync } from 'node:zlib';

import { insertChunk } from './png.js';

/** X, Y and Z of red, green and blue at full strength, adapted to D50. */
export const PRIMARIES = {
  sRGB: [
    [0.43607, 0.22249, 0.01392],
    [0.38515, 0.71687, 0.09708],
    [0.14307, 0.06061, 0.7141],
  ],
  'Display P3': [
    [0.51512, 0.2412, -0.00105],
    [0.29198, 0.69225, 0.04189],
    [0.1571, 0.06657, 0.78407],
  ],
  'Adobe RGB': [
    [0.60974, 0.31111, 0.01947],
    [0.20528, 0.62567, 0.06087],
    [0.14919, 0.06322, 0.74457],
  ],
};

/**
 * An ICC profile, version 2, with a plain gamma of 2.2.
 *
 * @param {number[][]} primaries
 */
export function profile([red, green, blue]) {
  const curve = block('curv', uint32(1), Buffer.from([0x02, 0x33, 0, 0]));
  const tags = Object.entries({
    desc: block('desc', uint32(2), Buffer.from('a\0'), Buffer.alloc(78)),
    cprt: block('text', Buffer.from('CC0\0')),
    wtpt: xyz([0.9642, 1, 0.8249]),
    rXYZ: xyz(red),
    gXYZ: xyz(green),
    bXYZ: xyz(blue),
    rTRC: curve,
    gTRC: curve,
    bTRC: curve,
  });
  let offset = 128 + 4 + 12 * tags.length;
  const table = [uint32(tags.length)];
  for (const [name, { length }] of tags) {
    table.push(Buffer.from(name), uint32(offset), uint32(length));
    offset += length;
  }
  const header = Buffer.alloc(128);
  header.writeUInt32BE(offset, 0);
  header.writeUInt32BE(0x02400000, 8);
  header.write('mntrRGB XYZ ', 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  xyz([0.9642, 1, 0.8249]).copy(header, 68, 8);
  return Buffer.concat([header, ...table, ...tags.map(([, data]) => data)]);
}

/** A PNG with a profile. */
export function profiled(png, icc) {
  return insertChunk(png, 'iCCP', Buffer.concat([Buffer.from('a\0\0'), deflateSync(icc)]));
}

function xyz(values) {
  return block('XYZ ', ...values.map((value) => uint32(Math.round(value * 65536) >>> 0)));
}

/** The data of a tag, to whole words. */
function block(type, ...parts) {
  const data = Buffer.concat([Buffer.from(type), uint32(0), ...parts]);
  return Buffer.concat([data, Buffer.alloc(-data.length & 3)]);
}

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
