/** Reads the structure of a GIF: `{ width, height, frames, loops }`; throws if it is not a whole one. */
export function parseGif(bytes) {
  const signature = bytes.toString('latin1', 0, 6);
  if (!/^GIF8[79]a$/.test(signature)) throw new Error(`not a GIF: ${signature}`);
  const [width, height] = [bytes.readUInt16LE(6), bytes.readUInt16LE(8)];
  const table = (flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  let position = 13 + table(bytes[10]);
  const skipBlocks = () => {
    while (bytes[position]) position += bytes[position] + 1;
    position += 1;
  };
  let frames = 0;
  let loops = false;
  for (;;) {
    switch (bytes[position]) {
      case 0x21:
        loops ||= bytes.toString('latin1', position + 3, position + 14) === 'NETSCAPE2.0';
        position += 2;
        skipBlocks();
        break;
      case 0x2c:
        frames += 1;
        position += 10 + table(bytes[position + 9]) + 1;
        skipBlocks();
        break;
      case 0x3b:
        return { width, height, frames, loops };
      default:
        throw new Error(`byte ${bytes[position]} at ${position} starts no block`);
    }
  }
}
