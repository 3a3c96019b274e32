/** Damage to bytes: what networks, disks and strangers do to well-formed input. */
import type { FuzzRandom } from "./random.ts";

/** Longest input that mutation makes. */
const INPUT_BYTES_MAX = 16_384;

type Mutator = (random: FuzzRandom, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

/** Bytes that mean something: heads of CBOR items of every kind and length, marks, ends. */
const MARKED_BYTES = [
  ...[
    0x00,
    0x01,
    0x17,
    0x18,
    0x19,
    0x1a,
    0x1b,
    0x1c,
    0x1f,
    0x20,
    0x3b,
    0x40,
    0x50,
    0x58,
    0x5b,
    0x5f,
  ],
  ...[
    0x60,
    0x78,
    0x7b,
    0x7f,
    0x80,
    0x84,
    0x86,
    0x98,
    0x99,
    0x9b,
    0x9f,
    0xa0,
    0xbb,
    0xbf,
    0xc0,
    0xd8,
  ],
  ...[0xdb, 0xe0, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfb, 0xfe, 0xff],
];

/** Numbers at which lengths and counts go wrong. */
const EDGES = [
  ...[0n, 1n, 2n, 15n, 16n, 17n, 23n, 24n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0x8000n, 0xffffn],
  ...[
    0x1_0000n,
    0xff_ffffn,
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_fffen,
    0xffff_ffffn,
    0x1_0000_0000n,
  ],
  ...[
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 2n,
    2n ** 64n - 1n,
  ],
];

/** A number at which something may go wrong, one a little below, or one near the length of what is left. */
export function drawEdge(random: FuzzRandom, near = 0): bigint {
  if (random.oneIn(4)) return BigInt(Math.max(0, near + random.between(-9, 9)));
  const edge = random.pick(EDGES);
  const below = BigInt(random.pick([0, 0, random.below(1_000)]));
  return edge < below ? edge : edge - below;
}

const flipBit: Mutator = (random, bytes) => {
  const copy = bytes.slice();
  if (copy.length > 0) copy[place(random, copy)]! ^= 1 << random.below(8);
  return copy;
};

const setByte: Mutator = (random, bytes) => {
  const copy = bytes.slice();
  if (copy.length > 0) copy[place(random, copy)] = random.pick(MARKED_BYTES);
  return copy;
};

/** A run of random bytes, or of one byte. */
const overwriteRun: Mutator = (random, bytes) => {
  const copy = bytes.slice();
  const at = random.below(copy.length + 1);
  const end = Math.min(copy.length, at + 1 + random.length(64));
  if (random.oneIn(2)) copy.fill(random.pick([0x00, 0xff, 0xf6, 0x80]), at, end);
  else copy.set(random.bytes(end - at), at);
  return copy;
};

const truncate: Mutator = (random, bytes) => bytes.slice(0, random.below(bytes.length + 1));

const extend: Mutator = (random, bytes, other) => {
  const more = random.oneIn(3) ? other : random.bytes(1 + random.length(40));
  return join(bytes, more);
};

const deleteRun: Mutator = (random, bytes) => {
  const at = random.below(bytes.length + 1);
  return join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.length(64)));
};

const duplicateRun: Mutator = (random, bytes) => {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.length(200));
  return join(bytes.subarray(0, end), bytes.subarray(at));
};

const exchangeRuns: Mutator = (random, bytes) => {
  const copy = bytes.slice();
  const length = 1 + random.length(40);
  const [from, to] = [random.below(copy.length + 1), random.below(copy.length + 1)];
  const taken = bytes.slice(from, from + length).subarray(0, copy.length - to);
  copy.set(taken, to);
  return copy;
};

/** The beginning of one input and the end of another. */
const splice: Mutator = (random, bytes, other) =>
  join(
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  );

/** A number of 1, 2, 4 or 8 bytes, in either byte order, where a length may stand. */
const setNumber: Mutator = (random, bytes) => {
  const copy = bytes.slice();
  const width = random.pick([1, 2, 4, 8] as const);
  if (copy.length < width) return copy;
  const at = Math.min(place(random, copy) + random.below(2), copy.length - width);
  const value = BigInt.asUintN(width * 8, drawEdge(random, copy.length - at));
  const littleEndian = random.oneIn(3);
  for (let i = 0; i < width; i++) {
    const shift = BigInt(8 * (littleEndian ? i : width - 1 - i));
    copy[at + i] = Number((value >> shift) & 0xffn);
  }
  return copy;
};

/** Another argument in a head that is there: a number, a length or a count. */
const setArgument: Mutator = (random, bytes) => {
  const copy = bytes.slice();
  const at = headBefore(bytes, random.below(bytes.length + 1));
  const info = (copy[at] ?? 0) & 0x1f;
  if (info < 24) copy[at] = (copy[at] ?? 0) & 0xe0 | random.below(24);
  if (info < 24 || info > 27) return copy;
  const width = 1 << (info - 24);
  const value = drawEdge(random, copy.length - at);
  for (let i = 0; i < width && at + 1 + i < copy.length; i++) {
    copy[at + 1 + i] = Number((value >> BigInt(8 * (width - 1 - i))) & 0xffn);
  }
  return copy;
};

/** A head that was not there: of any kind, with an argument of any length. */
const insertHead: Mutator = (random, bytes) => {
  const at = place(random, bytes);
  return join(bytes.subarray(0, at), drawHead(random, bytes.length - at), bytes.subarray(at));
};

/** The same head, spelled with more bytes than it needs. */
const lengthenHead: Mutator = (random, bytes) => {
  if (bytes.length === 0) return bytes;
  const at = Math.min(place(random, bytes), bytes.length - 1);
  const head = bytes[at]!;
  const info = head & 0x1f;
  if (info >= 27) return setByte(random, bytes, bytes);
  const widths = [1, 2, 4, 8];
  const had = info < 24 ? 0 : widths[info - 24]!;
  const argument = info < 24 ? [info] : [...bytes.subarray(at + 1, at + 1 + had)];
  const wider = random.pick(widths.filter((width) => width > had));
  const long = new Uint8Array(1 + wider);
  long[0] = (head & 0xe0) | (24 + widths.indexOf(wider));
  long.set(argument, long.length - argument.length);
  return join(bytes.subarray(0, at), long, bytes.subarray(at + 1 + had));
};

/** Arrays, maps, tags and unended strings inside each other, a few or thousands. */
const nest: Mutator = (random, bytes) => {
  const at = place(random, bytes);
  const depth = random.oneIn(8) ? 1 + random.below(6_000) : 1 + random.below(40);
  const opening = random.pick([[0x81], [0x9f], [0xa1, 0x00], [0xbf], [0xc1], [0xd8, 0x20], [0x5f]]);
  const heads = new Uint8Array(depth * opening.length);
  for (let i = 0; i < heads.length; i++) heads[i] = opening[i % opening.length]!;
  return join(bytes.subarray(0, at), heads, bytes.subarray(at));
};

/** Those that keep the length come more often: what moves everything behind it is soon noticed. */
const MUTATORS: readonly Mutator[] = [
  ...[flipBit, flipBit, flipBit, setByte, setByte, setNumber, setNumber, setNumber],
  ...[overwriteRun, truncate, extend, deleteRun, duplicateRun, exchangeRuns, splice],
  ...[setArgument, setArgument, setArgument, insertHead, lengthenHead, nest],
];

/**
 * Damages an input in one to four ways.
 *
 * @param random Where the choices come from.
 * @param input Not changed.
 * @param other Another input, to splice with.
 * @returns At most {@linkcode INPUT_BYTES_MAX} bytes, and now and then the same as before.
 */
export function mutate(
  random: FuzzRandom,
  input: Uint8Array,
  other: Uint8Array = input,
): Uint8Array {
  let mutated = input;
  for (let times = random.pick([1, 1, 1, 2, 2, 3, 4]); times > 0; times--) {
    mutated = random.pick(MUTATORS)(random, mutated, other).subarray(0, INPUT_BYTES_MAX);
  }
  return mutated.slice();
}

/** Several byte strings, one after the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** An item head with an argument that may go wrong. */
function drawHead(random: FuzzRandom, near: number): Uint8Array {
  const major = random.below(8) << 5;
  if (random.oneIn(3)) return Uint8Array.of(major | random.below(32));
  const width = random.pick([1, 2, 4, 8]);
  const head = new Uint8Array(1 + width);
  head[0] = major | (24 + Math.log2(width));
  const value = drawEdge(random, near);
  for (let i = 0; i < width; i++) head[width - i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return head;
}

/** An offset: half of them where an item begins, for as long as the bytes are items at all. */
function place(random: FuzzRandom, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  const anywhere = random.below(bytes.length);
  return random.oneIn(2) ? anywhere : headBefore(bytes, anywhere);
}

/** Where the last item begins that begins no later than `place`. */
function headBefore(bytes: Uint8Array, place: number): number {
  let last = 0;
  for (let at = 0; at < bytes.length && at <= place; at = nextHead(bytes, at)) last = at;
  return last;
}

/** Where the next item head would be if the one at `at` is one. */
function nextHead(bytes: Uint8Array, at: number): number {
  const major = bytes[at]! >> 5;
  const info = bytes[at]! & 0x1f;
  const width = info < 24 || info > 27 ? 0 : 1 << (info - 24);
  if (major !== 2 && major !== 3) return at + 1 + width;
  let length = info < 24 ? info : 0;
  for (let i = 0; i < width; i++) length = length * 256 + (bytes[at + 1 + i] ?? 0);
  return at + 1 + width + length;
}
