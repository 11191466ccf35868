import { deflateSync } from 'node:zlib';

/** Type and bytes of a pixel. */
const COLOUR = { grey: [0, 1], rgba: [6, 4], deep: [2, 6] };

/**
 * A PNG of `width` x `height`; `pixel(x, y)` gives the bytes of its channels: red, green, blue and alpha, or, `deep`,
 * two bytes each of the first three. Without it, one bit of black per pixel.
 */
export function png(width, height, pixel, { deep = false } = {}) {
  const [type, channels] = deep ? COLOUR.deep : pixel ? COLOUR.rgba : COLOUR.grey;
  const stride = (pixel ? width * channels : Math.ceil(width / 8)) + 1;
  const rows = Buffer.alloc(stride * height);
  if (pixel) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) rows.set(pixel(x, y), y * stride + 1 + x * channels);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([deep ? 16 : pixel ? 8 : 1, type, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The same picture with one more chunk behind its header. */
export function insertChunk(png, name, data) {
  const header = 8 + 25;
  return Buffer.concat([png.subarray(0, header), chunk(name, data), png.subarray(header)]);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** node:zlib has its own only from Node 20.15 on. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
