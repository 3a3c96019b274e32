/** One number for a whole state: replicas at the same lsn must agree on it. */
import { beginSnapshot, BLOCK_BYTES_MAX, endSnapshot, nextWords } from "./snapshot.ts";
import type { Engine } from "./state.ts";

/** Room for one block; nothing is kept in it between two digests. */
const words = new Uint32Array(BLOCK_BYTES_MAX / 4);

/**
 * Digest of a state: 64 bits over the blocks of its snapshot. Reads every row; not for the hot path.
 *
 * @param engine An engine without an open snapshot.
 * @returns A u64, the same for equal states and, in all likelihood, no other.
 */
export function digest(engine: Engine): bigint {
  const source = beginSnapshot(engine, words);
  const lanes = { a: 0x9e3779b9 | 0, b: 0x7f4a7c15 | 0 };
  for (let count = nextWords(source); count > 0; count = nextWords(source)) mixBlock(lanes, count);
  endSnapshot(source);
  return (BigInt(finish(lanes.a ^ lanes.b) >>> 0) << 32n) | BigInt(finish(lanes.b) >>> 0);
}

/** Two lanes that each see every word and, through it, the other lane. */
function mixBlock(lanes: { a: number; b: number }, count: number): void {
  let { a, b } = lanes;
  for (let i = 0; i < count; i++) {
    const word = words[i]!;
    a = Math.imul(a ^ word, 0x85ebca6b);
    a = ((a << 13) | (a >>> 19)) + b;
    b = Math.imul(b + word, 0xc2b2ae35);
    b = ((b << 17) | (b >>> 15)) ^ a;
  }
  lanes.a = a;
  lanes.b = b;
}

function finish(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
