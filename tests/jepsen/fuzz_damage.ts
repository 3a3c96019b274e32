/** What happens to files: cut off, bits turned, lines swapped, doubled, lost; and numbers that were another, which tells of other lives. */
import {
  HEAD_BYTES,
  MAGIC,
  readBatchHead,
  writeBatch,
} from "../../testbed/jepsen/codec/own/cbor_batch.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";

type Damage = (random: SeededRandom, bytes: Uint8Array) => Uint8Array;

const NEWLINE = 10;
/** Numbers at which something ends. */
const EDGES: readonly string[] = [
  ...["0", "1", "-1", "none", "4294967296", "9007199254740993", "1e999", "NaN"],
  ...[2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 128n - 1n, 2n ** 128n].map(String),
];

const DAMAGES: readonly Damage[] = [
  cutOff,
  bitTurned,
  byLines(swapped),
  byLines(doubled),
  byLines(lost),
  byLines(moved),
  numberChanged,
];

/** One damage, now and then three, one after the other: a file with many is refused sooner. */
export function damaged(random: SeededRandom, sound: Uint8Array): Uint8Array {
  let bytes = sound;
  for (let times = random.oneIn(4) ? 3 : 1; times > 0; times--) {
    bytes = DAMAGES[random.below(DAMAGES.length)]!(random, bytes);
  }
  return bytes;
}

/** Damage below the checksums of our CBOR, which are right again afterwards: somebody meant it. */
export function damagedBelowChecksums(random: SeededRandom, sound: Uint8Array): Uint8Array {
  const batches = recordsOf(sound);
  const which = random.below(batches.length);
  const written = batches.map((records, number) =>
    writeBatch(number, number === which ? bitsTurned(random, records) : records)
  );
  return joined(written);
}

function bitsTurned(random: SeededRandom, records: Uint8Array): Uint8Array {
  let bytes = random.oneIn(4) ? cutOff(random, records) : records;
  for (let times = random.below(4); times >= 0; times--) bytes = bitTurned(random, bytes);
  return bytes;
}

function recordsOf(file: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (let at = MAGIC.length; at < file.length;) {
    const { length } = readBatchHead(file.subarray(at, at + HEAD_BYTES))!;
    batches.push(file.slice(at + HEAD_BYTES, at + HEAD_BYTES + length));
    at += HEAD_BYTES + length;
  }
  return batches;
}

function cutOff(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, random.below(bytes.length + 1));
}

function bitTurned(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const turned = bytes.slice();
  if (turned.length > 0) turned[random.below(turned.length)]! ^= 1 << random.below(8);
  return turned;
}

/** Another number of the same file, or one at an edge, stands in the place of a number. */
function numberChanged(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1").decode(bytes);
  const numbers = [...text.matchAll(/[0-9]+/g)];
  if (numbers.length === 0) return bytes;
  const [{ 0: old, index }, [other]] = [pick(random, numbers), pick(random, numbers)];
  const put = random.oneIn(3) ? pick(random, EDGES) : other;
  const rest = bytes.subarray(index + old.length);
  return joined([bytes.subarray(0, index), new TextEncoder().encode(put), rest]);
}

function byLines(change: (random: SeededRandom, lines: Uint8Array[]) => void): Damage {
  return (random, bytes) => {
    const lines = linesOf(bytes);
    if (lines.length > 0) change(random, lines);
    return joined(lines);
  };
}

function swapped(random: SeededRandom, lines: Uint8Array[]): void {
  const [a, b] = [random.below(lines.length), random.below(lines.length)];
  [lines[a], lines[b]] = [lines[b]!, lines[a]!];
}

function doubled(random: SeededRandom, lines: Uint8Array[]): void {
  lines.splice(random.below(lines.length), 0, pick(random, lines));
}

function lost(random: SeededRandom, lines: Uint8Array[]): void {
  lines.splice(random.below(lines.length), 1 + random.below(3));
}

/** A little earlier or later: the order of the answers is another, and the file is whole all the same. */
function moved(random: SeededRandom, lines: Uint8Array[]): void {
  const from = random.below(lines.length);
  const to = Math.max(0, from + random.below(9) - 4);
  lines.splice(to, 0, ...lines.splice(from, 1));
}

/** With their ends. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, at);
    const next = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(at, next));
    at = next;
  }
  return lines;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function pick<T>(random: SeededRandom, things: readonly T[]): T {
  return things[random.below(things.length)]!;
}
