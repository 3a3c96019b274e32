/** Many short byte strings in few pieces of memory: one of its own for each would cost more than what is in it. */

const PIECE_BYTES = 64 * 1024;
/** Longer ones have memory of their own. */
const SHORT_BYTES_MAX = 4 * 1024;

let piece = new Uint8Array(PIECE_BYTES);
let used = 0;
let view: DataView = new DataView(piece.buffer);

/** A copy of some bytes, to be kept. */
export function keepBytes(from: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> {
  if (length > SHORT_BYTES_MAX) return from.slice(at, at + length) as Uint8Array<ArrayBuffer>;
  if (used + length > PIECE_BYTES) {
    piece = new Uint8Array(PIECE_BYTES);
    used = 0;
  }
  const begin = used;
  for (let i = 0; i < length; i++) piece[begin + i] = from[at + i]!;
  used += length;
  return piece.subarray(begin, used);
}

/** A view of all the memory that bytes lie in: what they hold is at their own offset. */
export function viewUnder({ buffer }: Uint8Array): DataView {
  if (view.buffer !== buffer) view = new DataView(buffer);
  return view;
}
