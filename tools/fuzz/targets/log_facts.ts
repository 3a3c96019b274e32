/** What is known of a small sound log before it is damaged, and what damage may hide. */
import { crc32c } from "../../../core/crc32c.ts";
import { chainHash } from "../../../core/log_hash.ts";
import { SEGMENT_HEADER_BYTES } from "../../../core/log_segment.ts";
import type { EditRules, Files } from "../file_edits.ts";
import { equalBytes, expectEqual } from "../target.ts";

/** A frame that counts. */
interface Place {
  readonly file: string;
  readonly at: number;
  readonly end: number;
  /** Last op that it says was durable when it was written. */
  readonly synced: number;
}

/** A log as it was written. */
export interface SoundLog {
  readonly files: Files;
  /** Every frame in the order of ops, from op 1. */
  readonly texts: readonly string[];
  readonly places: readonly Place[];
  /** Whether some segment still begins as the first, or as the last, one did. */
  readonly hasOldest: (files: Files) => boolean;
  readonly hasNewest: (files: Files) => boolean;
}

const ACTIVE = "state.wal";
const NEXT = "state.wal.next";
const MAGIC_ADF1 = 0x3146_4441;
const FRAME_HEADER_BYTES = 64;

/** Segments: sealed ones of the logs that are made here, the active one, and two that need not be there. */
export const LOG_RULES: EditRules = {
  names: [
    ...Array.from({ length: 48 }, (_, i) => `${ACTIVE}.${String(i + 1).padStart(20, "0")}`),
    ...[ACTIVE, NEXT, "state.snapshot"],
  ],
  landmarks: (_, bytes) => [0, ...frameOffsets(bytes)],
  reseal,
};

/** Finds every frame of a log that is sound. */
export function lookAtLog(files: Files, texts: readonly string[]): SoundLog {
  const segments = [...files].map(([file, bytes]) => ({ file, bytes, ...headerOf(bytes) }));
  segments.sort((a, b) => a.generation - b.generation);
  const places: Place[] = [];
  for (const { file, bytes, base } of segments) {
    places.length = base - 1; // What it supersedes.
    for (const at of frameOffsets(bytes)) {
      const synced = wordAt(bytes, at + 48);
      places[wordAt(bytes, at + 16) - 1] = { file, at, end: at + spanAt(bytes, at), synced };
    }
  }
  expectEqual(places.length, texts.length, "frames found without the program");
  const begins = (segment: { readonly bytes: Uint8Array } | undefined) => (now: Files): boolean => {
    const head = segment!.bytes.subarray(0, SEGMENT_HEADER_BYTES);
    const segments = [...now].filter(([name]) => isSegment(name, now));
    return segments.some(([, bytes]) => equalBytes(bytes.subarray(0, head.length), head));
  };
  const hasOldest = begins(segments[0]);
  return { files, texts, places, hasOldest, hasNewest: begins(segments.at(-1)) };
}

/** Whether a file of that name is looked at. */
function isSegment(name: string, files: Files): boolean {
  if (name === NEXT) return !files.has(ACTIVE);
  return name === ACTIVE || /^state\.wal\.\d{20}$/.test(name);
}

/**
 * Whether one node cannot tell that the frame behind `kept` frames was ever durable: a sector that it reaches
 * into is zero from the frame on, and nothing behind it says that it had been synced.
 */
export function isLossExplained(log: SoundLog, files: Files, kept: number): boolean {
  const lost = log.places[kept]!;
  // Between the two renames of a rotation the newest segment has the other name.
  const newest = files.get(ACTIVE) ?? files.get(NEXT);
  if (lost.file !== ACTIVE || newest === undefined) return false;
  const before = log.files.get(ACTIVE)!;
  return hasZeroSector(newest, lost) &&
    !log.places.slice(kept).some((place) => place.synced > kept && isIntact(before, newest, place));
}

function hasZeroSector(bytes: Uint8Array, { at, end }: Place): boolean {
  for (let from = at; from < end;) {
    const sectorEnd = from - from % 512 + 512;
    if (bytes.subarray(from, sectorEnd).every((byte) => byte === 0)) return true;
    from = sectorEnd;
  }
  return false;
}

function isIntact(before: Uint8Array, now: Uint8Array, { at }: Place): boolean {
  const header = (bytes: Uint8Array): Uint8Array => bytes.subarray(at, at + FRAME_HEADER_BYTES);
  return equalBytes(header(now), header(before));
}

function headerOf(bytes: Uint8Array): { readonly generation: number; readonly base: number } {
  return { generation: wordAt(bytes, 16), base: wordAt(bytes, 24) };
}

/** Offsets of what looks like frames, one behind the other. */
function frameOffsets(bytes: Uint8Array): number[] {
  const offsets: number[] = [];
  let at = SEGMENT_HEADER_BYTES;
  while (at + FRAME_HEADER_BYTES <= bytes.length && wordAt(bytes, at + 8) === MAGIC_ADF1) {
    offsets.push(at);
    at += spanAt(bytes, at);
  }
  return offsets;
}

function spanAt(bytes: Uint8Array, at: number): number {
  const length = wordAt(bytes, at + 12) & 0xff_ffff;
  return FRAME_HEADER_BYTES + length + 8 - length % 8;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

/** Checksums of the segment header and of every frame; with an odd choice the hash chain as well. */
function reseal(_name: string, bytes: Uint8Array, choice: number): void {
  if (bytes.length < SEGMENT_HEADER_BYTES) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const hash = Uint32Array.of(view.getUint32(48, true), view.getUint32(52, true));
  view.setUint32(0, crc32c(bytes, 4, SEGMENT_HEADER_BYTES), true);
  for (const at of frameOffsets(bytes)) {
    const end = at + spanAt(bytes, at);
    if (end > bytes.length) return;
    if ((choice & 1) === 1) {
      view.setUint32(at + 56, hash[0]!, true);
      view.setUint32(at + 60, hash[1]!, true);
    }
    view.setUint32(at + 4, crc32c(bytes, at + FRAME_HEADER_BYTES, end), true);
    view.setUint32(at, crc32c(bytes, at + 4, at + FRAME_HEADER_BYTES), true);
    chainHash(new Uint32Array(bytes.slice(at, end).buffer), 0, hash, 0);
  }
}
