/** What of a damaged log is sound, and what is missing of it: for a replica whose peers may have it. Source: docs/storage.md#salvage. */
import {
  checkFrameHeader,
  createLogBuffer,
  FRAME_BYTES_MIN,
  FRAME_MAGIC,
  frameBytes,
  FrameKind,
  FrameWord,
  type LogBuffer,
  payloadBytesAt,
} from "../../core/log_frame.ts";
import { LogScan } from "../../core/log_scan.ts";
import { genesisTip, type LogIdentity, SEGMENT_HEADER_BYTES } from "../../core/log_segment.ts";
import { createTip, equalTips, moveTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { compareU64, copyU64, readU64, writeU64 } from "../../core/words.ts";
import type { Disk } from "../disk.ts";
import type { KnownFile } from "./inventory.ts";
import { readAround } from "./rescue.ts";

/** Ops that a damaged log does not hold, between two hashes that it does. */
export interface LogHole {
  readonly firstOp: bigint;
  readonly lastOp: bigint;
  /** The chain hash at the op before `firstOp`. */
  readonly previousHash: bigint;
  /** The chain hash at `lastOp`. */
  readonly hashAfter: bigint;
}

/** Sound frames back to back in one file. */
export interface SoundRun {
  /** First byte. */
  readonly from: number;
  /** One past the last byte. */
  readonly end: number;
  readonly firstOp: bigint;
  readonly lastOp: bigint;
}

/** A hole, and what mending it begins with. */
export interface SurveyedHole extends LogHole {
  /** The frame before it. */
  readonly before: Tip;
}

/** What was found. */
export interface LogSurvey {
  /** The last frame before the log's first; unknown when only a damaged header says it. */
  readonly base: Tip | undefined;
  /** The last frame before the first damage that may be kept; unknown like `base`. */
  readonly prefixTip: Tip | undefined;
  readonly holes: readonly SurveyedHole[];
  /** The last frame of the log; unknown when damage may hide what was behind it. */
  readonly provenTip: Tip | undefined;
  /** The sound frames of each file. */
  readonly runs: readonly (readonly SoundRun[])[];
  /** The frame before each file's first; unknown when it is missing and no header tells. */
  readonly bases: readonly (Tip | undefined)[];
  /** Whether some sector of each file cannot be read. */
  readonly unreadable: readonly boolean[];
}

/**
 * Reads all files of a log that count and looks for sound frames behind damage.
 *
 * @param disk The data directory.
 * @param identity Whose log it is.
 * @param files In order of ops.
 * @param isEndKnown Whether the last of them is the active segment.
 * @param payloadBytesMax Largest payload to accept.
 * @returns What was found.
 * @throws {DiskFault} When a file cannot be opened, or too much of it cannot be read.
 */
export function surveyLog(
  disk: Disk,
  identity: LogIdentity,
  files: readonly KnownFile[],
  isEndKnown: boolean,
  payloadBytesMax: number,
): LogSurvey {
  const first = files[0];
  const base = first?.header?.base ?? (first?.firstOp === 1n ? genesisTip(identity) : undefined);
  if (base === undefined) return NOTHING;
  const surveyor = new Surveyor(disk, base, payloadBytesMax);
  for (const file of files) surveyor.read(file, file === files.at(-1));
  const { holes, runs, bases, unreadable, tip, prefixTip } = surveyor;
  const isProven = isEndKnown && surveyor.isEndSound;
  return {
    base,
    prefixTip: prefixTip ?? tip,
    holes,
    provenTip: isProven ? tip : undefined,
    runs,
    bases,
    unreadable,
  };
}

const NOTHING: LogSurvey = {
  base: undefined,
  prefixTip: undefined,
  holes: [],
  provenTip: undefined,
  runs: [],
  bases: [],
  unreadable: [],
};

/** One walk over all files. */
class Surveyor {
  readonly holes: SurveyedHole[] = [];
  readonly runs: SoundRun[][] = [];
  readonly bases: (Tip | undefined)[] = [];
  readonly unreadable: boolean[] = [];
  /** The last sound frame so far. */
  readonly tip: Tip = createTip();
  /** Set where the first damage is. */
  prefixTip: Tip | undefined;
  isEndSound = true;
  readonly #disk: Disk;
  readonly #payloadBytesMax: number;
  readonly #scan = new LogScan();
  #buffer: LogBuffer | undefined;

  constructor(disk: Disk, base: Tip, payloadBytesMax: number) {
    this.#disk = disk;
    this.tip.set(base);
    this.#payloadBytesMax = payloadBytesMax;
  }

  read(file: KnownFile, isLast: boolean): void {
    const runs: SoundRun[] = [];
    this.runs.push(runs);
    if (file.header !== undefined) this.#reach(file.header.base);
    const isLinked = readU64(this.tip, TipWord.op) + 1n === file.firstOp;
    this.bases.push(isLinked ? this.tip.slice() : undefined);
    if (file.header === undefined) this.prefixTip ??= this.tip.slice();
    // Where the frame before is missing, too, nothing tells whether the first one here follows it.
    if (!isLinked || file.bytes <= SEGMENT_HEADER_BYTES) {
      this.unreadable.push(false);
      return this.#damaged(isLast);
    }
    const buffer = this.#bufferOf(file.bytes);
    const opened = this.#disk.open(file.name);
    const { filled, isPartial } = readAround(opened, 0, buffer.bytes);
    opened.close();
    this.unreadable.push(isPartial);
    buffer.bytes.fill(0, filled);
    if (filled < file.bytes) this.#damaged(isLast);
    this.#scanFile(file, buffer, runs, isLast);
  }

  /** Segments have one length, as a rule. */
  #bufferOf(bytes: number): LogBuffer {
    if (this.#buffer?.bytes.length !== bytes) this.#buffer = createLogBuffer(bytes);
    return this.#buffer;
  }

  /** Goes on at a segment's base, over a hole if need be. */
  #reach(base: Tip): void {
    const gap = compareU64(this.tip, TipWord.op, base, TipWord.op);
    if (gap < 0) this.#addHole(readU64(base, TipWord.op), readU64(base, TipWord.hash));
    // Sound frames that contradict a sound header: nothing tells which of them is the log.
    else if (!equalTips(this.tip, base)) {
      this.prefixTip ??= this.tip.slice();
      this.isEndSound = false;
    }
    this.tip.set(base);
  }

  #scanFile(file: KnownFile, buffer: LogBuffer, runs: SoundRun[], isLast: boolean): void {
    let at = SEGMENT_HEADER_BYTES;
    const from = this.tip.slice();
    const synced = from.slice(TipWord.op, TipWord.op + 2);
    for (let isBehindDamage = false;; isBehindDamage = true) {
      const end = this.#run(file, buffer, at, from, synced);
      if (end > at) {
        if (isBehindDamage) this.#addHole(readU64(from, TipWord.op), readU64(from, TipWord.hash));
        const firstOp = readU64(from, TipWord.op) + 1n;
        runs.push({ from: at, end, firstOp, lastOp: readU64(this.#scan.tip, TipWord.op) });
        this.tip.set(this.#scan.tip);
        copyU64(synced, 0, this.#scan.synced, 0);
      }
      if (this.#scan.stop!.kind !== "corruption") return;
      this.prefixTip ??= isLast ? syncedPart(file, buffer, this.tip, synced) : this.tip.slice();
      const next = this.#nextSound(buffer, end, file.lastOp);
      if (next === undefined) return this.#damaged(isLast);
      at = next;
      placeBefore(from, buffer.words, at >>> 2);
    }
  }

  /** Passes sound frames from `at` on; answers where they end. */
  #run(file: KnownFile, buffer: LogBuffer, at: number, base: Tip, synced: Uint32Array): number {
    const scan = this.#scan;
    const last = file.lastOp === undefined ? undefined : wordsOf(file.lastOp);
    const end = buffer.bytes.length;
    const payloadBytesMax = this.#payloadBytesMax;
    scan.start({ buffer, file: file.name, at, end, base, last, payloadBytesMax });
    copyU64(scan.synced, 0, synced, 0);
    while (scan.next());
    const stop = scan.stop!;
    return stop.kind === "corruption" ? stop.at : stop.validUpTo;
  }

  /** The next frame with a sound header behind the one at `at` that leaves room for a missing one. */
  #nextSound(buffer: LogBuffer, at: number, lastOp: bigint | undefined): number | undefined {
    const { words, bytes } = buffer;
    const isSound = (next: number): boolean =>
      checkFrameHeader(buffer, next, bytes.length, this.#payloadBytesMax) === undefined;
    let next = at + (isSound(at) ? frameBytes(payloadBytesAt(words, at >>> 2)) : 8);
    const wanted = readU64(this.tip, TipWord.op) + 2n;
    for (; next <= bytes.length - FRAME_BYTES_MIN; next += 8) {
      if (words[(next >>> 2) + FrameWord.magic] !== FRAME_MAGIC || !isSound(next)) continue;
      const op = readU64(words, (next >>> 2) + FrameWord.op);
      if (op >= wanted && (lastOp === undefined || op <= lastOp)) return next;
    }
    return undefined;
  }

  #addHole(lastOp: bigint, hashAfter: bigint): void {
    const before = this.tip.slice();
    this.prefixTip ??= before;
    const firstOp = readU64(before, TipWord.op) + 1n;
    const previousHash = readU64(before, TipWord.hash);
    this.holes.push({ firstOp, lastOp, previousHash, hashAfter, before });
  }

  /** Nothing sound follows in a file: in the last one, that leaves the end in doubt. */
  #damaged(isLast: boolean): void {
    if (isLast) this.isEndSound = false;
  }
}

/** The tip before a frame as far as the frame tells it: enough for the frame to follow. */
function placeBefore(tip: Tip, words: Uint32Array, w: number): void {
  const isCommand = words[w + FrameWord.kindAndLength]! >>> 24 <= FrameKind.internal_command;
  writeU64(tip, TipWord.op, readU64(words, w + FrameWord.op) - 1n);
  const lsn = readU64(words, w + FrameWord.lsn);
  writeU64(tip, TipWord.lsn, isCommand && lsn > 0n ? lsn - 1n : lsn);
  copyU64(tip, TipWord.slot, words, w + FrameWord.slot);
  copyU64(tip, TipWord.view, words, w + FrameWord.view);
  copyU64(tip, TipWord.hash, words, w + FrameWord.previousHash);
}

/** The part of the active segment up to a tip that is known to be durable. */
function syncedPart(file: KnownFile, buffer: LogBuffer, tip: Tip, synced: Uint32Array): Tip {
  const kept = file.header?.base.slice() ?? tip.slice();
  for (let at = SEGMENT_HEADER_BYTES; !equalTips(kept, tip);) {
    const w = at >>> 2;
    if (compareU64(buffer.words, w + FrameWord.op, synced, 0) > 0) break;
    moveTip(kept, buffer.words, w);
    at += frameBytes(payloadBytesAt(buffer.words, w));
  }
  return kept;
}

function wordsOf(value: bigint): Uint32Array {
  const words = new Uint32Array(2);
  writeU64(words, 0, value);
  return words;
}
