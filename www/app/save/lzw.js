// Lempel, Ziv and Welch's compression as GIF has it: codes grow from bits + 1 to 12 bits, and then begin again.

const LONGEST = 4096;
/** A GIF's blocks of data have a byte for their length. */
const BLOCK = 255;

/** Which code stands for a code and the index after it; 0 is none. Written by one call after the other. */
const table = new Uint16Array(LONGEST * 256);

/**
 * Indices as the blocks of a GIF's frame, the ending one included.
 *
 * @param {Uint8Array} indices each below 2^bits
 * @param {number} bits 2 to 8
 */
export function compressed(indices, bits) {
  const clear = 1 << bits;
  const writer = new Bits();
  let [next, size] = [0, 0];
  const begin = () => {
    writer.put(clear, size || bits + 1);
    table.fill(0);
    [next, size] = [clear + 2, bits + 1];
  };
  begin();
  let code = indices[0];
  for (let i = 1; i < indices.length; i++) {
    const place = (code << 8) | indices[i];
    if (table[place]) {
      code = table[place];
      continue;
    }
    writer.put(code, size);
    code = indices[i];
    if (next === LONGEST) begin();
    else {
      // The reader knows of a code one step later than this side does.
      if (next === 1 << size) size += 1;
      table[place] = next++;
    }
  }
  writer.put(code, size);
  // The reader has made another entry of the last code.
  writer.put(clear + 1, next === 1 << size && size < 12 ? size + 1 : size);
  return writer.blocks();
}

/** Codes, the lowest bit first. */
class Bits {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;
  #rest = 0;
  #count = 0;

  /**
   * @param {number} code
   * @param {number} size in bits
   */
  put(code, size) {
    this.#rest |= code << this.#count;
    for (this.#count += size; this.#count >= 8; this.#count -= 8) {
      this.#byte(this.#rest & 255);
      this.#rest >>>= 8;
    }
  }

  blocks() {
    if (this.#count) this.#byte(this.#rest & 255);
    const count = Math.ceil(this.#length / BLOCK);
    const blocks = new Uint8Array(this.#length + count + 1);
    for (let block = 0; block < count; block++) {
      const bytes = this.#bytes.subarray(block * BLOCK, Math.min((block + 1) * BLOCK, this.#length));
      blocks[block * (BLOCK + 1)] = bytes.length;
      blocks.set(bytes, block * (BLOCK + 1) + 1);
    }
    return blocks;
  }

  /** @param {number} byte */
  #byte(byte) {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }
}
