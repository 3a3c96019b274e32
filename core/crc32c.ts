/** CRC-32C (Castagnoli), eight bytes a step. Source: RFC 3720 appendix B.4; checked against hash-wasm in tests. */

const TABLES = buildTables();

/**
 * Checksum of `bytes[at, end)`.
 *
 * @param bytes The buffer.
 * @param at First byte.
 * @param end One past the last byte.
 * @param seed The checksum of what came before, to go on from; 0 to start.
 * @returns An unsigned 32-bit checksum.
 */
export function crc32c(bytes: Uint8Array, at: number, end: number, seed = 0): number {
  const t = TABLES;
  let crc = ~seed;
  let i = at;
  for (const stop = end - 7; i < stop; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = t[0x700 | (crc & 0xff)]! ^ t[0x600 | ((crc >>> 8) & 0xff)]! ^
      t[0x500 | ((crc >>> 16) & 0xff)]! ^ t[0x400 | (crc >>> 24)]! ^
      t[0x300 | bytes[i + 4]!]! ^ t[0x200 | bytes[i + 5]!]! ^
      t[0x100 | bytes[i + 6]!]! ^ t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = t[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Table k, at k * 256, carries a byte over k further zero bytes. */
function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[n] = crc;
  }
  for (let n = 256; n < tables.length; n++) {
    const previous = tables[n - 256]!;
    tables[n] = tables[previous & 0xff]! ^ (previous >>> 8);
  }
  return tables;
}
