/** Inputs that arrive in pieces: a byte to choose by, then for each piece its length in two bytes and itself. */
import type { FuzzRandom } from "./random.ts";

/** What an input says. */
export interface Stream {
  /** For whatever the target lets a case choose. */
  readonly choice: number;
  readonly chunks: readonly Uint8Array[];
}

const CHUNK_BYTES_MAX = 0xffff;

/** Reads any bytes as a stream; the last piece may be shorter than it says. */
export function streamOf(input: Uint8Array): Stream {
  const chunks: Uint8Array[] = [];
  for (let at = 1; at + 2 <= input.length;) {
    const length = input[at]! * 256 + input[at + 1]!;
    chunks.push(input.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return { choice: input[0] ?? 0, chunks };
}

/** Cuts bytes into pieces: none at all, single bytes, or anything. */
export function drawChunks(random: FuzzRandom, choice: number, bytes: Uint8Array): Uint8Array {
  const lengthMax = random.pick([CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, 1, 13, 300, 5_000]);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const isSmall = chunks.length < 2_000;
    const length = isSmall ? 1 + random.below(lengthMax) : CHUNK_BYTES_MAX;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return writeStream(choice, chunks);
}

/** The inverse of {@linkcode streamOf}. */
export function writeStream(choice: number, chunks: readonly Uint8Array[]): Uint8Array {
  const input = new Uint8Array(1 + chunks.reduce((sum, { length }) => sum + 2 + length, 0));
  input[0] = choice;
  let at = 1;
  for (const chunk of chunks) {
    input[at] = chunk.length >> 8;
    input[at + 1] = chunk.length & 0xff;
    input.set(chunk, at + 2);
    at += 2 + chunk.length;
  }
  return input;
}
