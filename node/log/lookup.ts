/** Answers about ops of a log in use: from batches in memory where it can, else from the files. Source: docs/storage.md#reading-a-range. */
import { FrameWord, type LogBuffer } from "../../core/log_frame.ts";
import { passFrames } from "../../core/log_run.ts";
import { baseOp } from "../../core/log_segment.ts";
import { createTip, moveTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import type { Disk } from "../disk.ts";
import type { LogBatch } from "./batch.ts";
import {
  type LogRead,
  readLogRuns,
  type ReadTuning,
  type RunPlace,
  type RunVisitor,
} from "./reader.ts";
import type { LogSegments } from "./segments.ts";
import type { LogTail } from "./tail.ts";

/** Whole frames back to back; none when the log ends before the first that was asked for. */
export interface SomeFrames {
  readonly kind: "frames";
  readonly frames: Uint8Array;
  readonly lastOp: bigint;
}

/** Frames for a peer, or why there are none. */
export type FramesRead =
  | SomeFrames
  /** The log begins only here. */
  | { readonly kind: "removed"; readonly firstOp: bigint }
  /** The frames should be there and cannot be read. */
  | { readonly kind: "unreadable"; readonly why: string };

/** What lookups work with; all of it belongs to the writer. */
export interface LookupParts {
  readonly disk: Disk;
  readonly segments: LogSegments;
  readonly tail: LogTail;
  readonly payloadBytesMax: number;
  /** The last frame put. */
  readonly tip: Tip;
  /** The last op that is durable, a u64 in words 0 and 1. */
  readonly syncedOp: Uint32Array;
}

const NO_FRAMES = new Uint8Array();
const HASHES_MAX = 64;
const PLACES_MAX = 8;
/** Memory to find one frame from the mark before it. */
const FRAME_WINDOW_BYTES = 65_536;
const ONE_FRAME: ReadTuning = { windowBytes: FRAME_WINDOW_BYTES };

/** Lookups in one log. */
export class LogLookup {
  readonly #parts: LookupParts;
  /** Hashes found lately, by op. */
  readonly #hashes = new Map<bigint, bigint>();
  /** Where ops start that somebody who reads on will ask for next. */
  readonly #places = new Map<bigint, RunPlace>();

  /**
   * @param parts What to look at.
   */
  constructor(parts: LookupParts) {
    this.#parts = parts;
  }

  /** Forgets what was found: the log is not what it was. */
  forget(): void {
    this.#hashes.clear();
    this.#places.clear();
  }

  /** See `LogWriter.hashAt`. */
  hashAt(op: bigint): bigint | undefined {
    const known = this.#hashes.get(op);
    if (known !== undefined) return known;
    const tip = this.tipAt(op);
    if (tip === undefined) return undefined;
    const hash = readU64(tip, TipWord.hash);
    if (this.#hashes.size >= HASHES_MAX) this.#hashes.clear();
    this.#hashes.set(op, hash);
    return hash;
  }

  /** See `LogWriter.tipAt`. */
  tipAt(op: bigint): Tip | undefined {
    const { tip, tail, segments } = this.#parts;
    if (op > readU64(tip, TipWord.op)) return undefined;
    if (op > readU64(tail.collecting.base, TipWord.op)) return tipInBatch(tail.collecting, op);
    if (op === readU64(tail.collecting.base, TipWord.op)) return tail.collecting.base.slice();
    const batch = tail.find(op);
    if (batch !== undefined) return tipInBatch(batch, op);
    const oldest = tail.retained[0];
    if (oldest?.firstOp === op + 1n) return oldest.base.slice();
    for (const { header } of segments.list) {
      if (baseOp(header) === op + 1n) return header.base.slice();
    }
    return this.#tipOnDisk(op);
  }

  /**
   * Where the frame of an op ends on the disk.
   *
   * @returns `undefined` when it cannot be read.
   */
  endOf(op: bigint): RunPlace | undefined {
    let found: RunPlace | undefined;
    this.#fromDisk(op, op, ONE_FRAME, (_buffer, _from, end, place) => {
      if (place !== undefined) found = { segment: place.segment, at: place.at + end };
      return false;
    });
    return found;
  }

  /** See `LogWriter.visit`. */
  visit(from: bigint, to: bigint, visit: RunVisitor): LogRead {
    const { tail } = this.#parts;
    const sealed = readU64(tail.collecting.base, TipWord.op);
    const last = to < sealed ? to : sealed;
    if (last < from) return { kind: "read", frames: 0 };
    const inMemory = tail.retained[0]?.firstOp ?? sealed + 1n;
    let frames = 0;
    if (from < inMemory) {
      const end = last < inMemory ? last : inMemory - 1n;
      let isOver = false;
      const read = this.#fromDisk(from, end, {}, (buffer, at, end) => {
        isOver = !visit(buffer, at, end);
        return !isOver;
      });
      if (read.kind !== "read" || isOver) return read;
      frames = read.frames;
    }
    return { kind: "read", frames: frames + this.#fromMemory(from, last, visit) };
  }

  /** See `LogWriter.readFrames`. */
  readFrames(from: bigint, bytesMax: number): FramesRead {
    const { tail, segments } = this.#parts;
    const batch = tail.find(from);
    if (batch !== undefined) {
      const at = batch.offsetOf(from);
      const { buffer, bytes, lastOp } = batch;
      if (bytes - at > bytesMax) return cut(buffer, at, bytes, bytesMax);
      return { kind: "frames", frames: buffer.bytes.subarray(at, bytes), lastOp };
    }
    if (from > readU64(tail.collecting.base, TipWord.op)) {
      return { kind: "frames", frames: NO_FRAMES, lastOp: from - 1n };
    }
    if (from < segments.firstOp) return { kind: "removed", firstOp: segments.firstOp };
    return this.#framesOnDisk(from, bytesMax);
  }

  #framesOnDisk(from: bigint, bytesMax: number): FramesRead {
    const last = readU64(this.#parts.syncedOp, 0);
    let found: FramesRead = { kind: "unreadable", why: `op ${from} is not there` };
    const windowBytes = (Math.min(bytesMax, 0x100_0000) + FRAME_WINDOW_BYTES) & ~7;
    const tuning = { windowBytes, runBytesMax: bytesMax, start: this.#places.get(from) };
    const read = this.#fromDisk(from, last, tuning, (buffer, at, end, place) => {
      const frames = cut(buffer, at, end, bytesMax);
      this.#noteEnd(from, frames, place!, at);
      found = frames;
      return false;
    });
    switch (read.kind) {
      case "removed":
        return read;
      case "corruption":
        return { kind: "unreadable", why: `${read.file} at byte ${read.at}: ${read.error}` };
      case "disk_fault":
        return { kind: "unreadable", why: read.fault.message };
      case "read":
        return found;
    }
  }

  #noteEnd(from: bigint, { frames, lastOp }: SomeFrames, place: RunPlace, at: number): void {
    this.#places.delete(from);
    if (this.#places.size >= PLACES_MAX) this.#places.clear();
    const end = place.at + at + frames.length;
    this.#places.set(lastOp + 1n, { segment: place.segment, at: end });
  }

  #fromMemory(from: bigint, to: bigint, visit: RunVisitor): number {
    let frames = 0;
    for (const batch of this.#parts.tail.retained) {
      if (batch.lastOp < from || batch.firstOp > to) continue;
      const first = batch.firstOp < from ? from : batch.firstOp;
      const last = batch.lastOp > to ? to : batch.lastOp;
      const at = first === batch.firstOp ? 0 : batch.offsetOf(first);
      const count = Number(last - first) + 1;
      const { words } = batch.buffer;
      const end = last === batch.lastOp ? batch.bytes : passFrames(words, at, count);
      frames += count;
      if (!visit(batch.buffer, at, end)) break;
    }
    return frames;
  }

  #fromDisk(from: bigint, to: bigint, tuning: ReadTuning, visit: RunVisitor): LogRead {
    const { disk, segments, payloadBytesMax } = this.#parts;
    const [first, last] = [wordsOf(from), wordsOf(to)];
    return readLogRuns(disk, segments.list, payloadBytesMax, first, last, visit, tuning);
  }

  #tipOnDisk(op: bigint): Tip | undefined {
    let found: Tip | undefined;
    this.#fromDisk(op, op, ONE_FRAME, ({ words }, from) => {
      found = createTip();
      moveTip(found, words, from >>> 2);
      return false;
    });
    return found;
  }
}

/** Frames of a run up to `bytesMax`, at least one. */
function cut(buffer: LogBuffer, from: number, end: number, bytesMax: number): SomeFrames {
  const { words, bytes } = buffer;
  let last = from;
  let next = passFrames(words, from, 1);
  while (next < end) {
    const behind = passFrames(words, next, 1);
    if (behind - from > bytesMax) break;
    last = next;
    next = behind;
  }
  const lastOp = readU64(words, (last >>> 2) + FrameWord.op);
  return { kind: "frames", frames: bytes.subarray(from, next), lastOp };
}

function tipInBatch(batch: LogBatch, op: bigint): Tip {
  const tip = createTip();
  moveTip(tip, batch.buffer.words, batch.offsetOf(op) >>> 2);
  return tip;
}

function wordsOf(value: bigint): Uint32Array {
  const words = new Uint32Array(2);
  writeU64(words, 0, value);
  return words;
}
