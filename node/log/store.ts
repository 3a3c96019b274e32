/** The log while it is written to: batches of frames, one write and one sync each. Source: docs/storage.md#writing. */
import { assert } from "../../core/assert.ts";
import {
  FRAME_FIELDS_WORDS,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBytes,
  type FrameKind,
  FrameWord,
  type LogBuffer,
} from "../../core/log_frame.ts";
import { baseOp, SEGMENT_HEADER_BYTES } from "../../core/log_segment.ts";
import { checkFollows, createTip, moveTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { bumpU64, compareU64, copyU64, readU64 } from "../../core/words.ts";
import { type Disk, DiskFault, type DiskFile, type Done } from "../disk.ts";
import { LogBatch } from "./batch.ts";
import { ACTIVE_SEGMENT, installSegment, lastOps, type LogSegment, sealedName } from "./files.ts";
import { SegmentIndex } from "./index.ts";
import { type LogRead, type RangeVisitor, readLogRange } from "./reader.ts";

/** Sizes of a log; they may change from one start to the next. */
export interface LogOptions {
  /** Length of a new segment: a multiple of 512. */
  readonly segmentBytes: number;
  /** Largest payload of a frame, written or read. */
  readonly maxPayloadBytes: number;
  /** Most bytes of one batch; what fits a segment, but at most 4 MiB, if not given. */
  readonly batchBytes?: number;
  /**
   * How far ahead of its end the active segment is filled with zeros, so that most syncs find their blocks
   * allocated; 1 MiB if not given, 0 for not at all.
   */
  readonly zeroAheadBytes?: number;
}

/** Frames of a flush, back to back from the buffer's first byte. */
export interface FlushedFrames {
  readonly buffer: LogBuffer;
  readonly bytes: number;
}

/** What recovery found and hands over to a {@linkcode LogWriter}. */
export interface OpenLog {
  readonly disk: Disk;
  readonly options: LogOptions;
  /** In the order in which they were made; the last is the active one. */
  readonly segments: LogSegment[];
  /** The active segment. */
  readonly file: DiskFile;
  /** The last frame; it and all before it are durable. */
  readonly tip: Tip;
}

const FIELD = (word: number): number => word - FrameWord.op;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const ZERO_AHEAD_BYTES = 1024 * 1024;

/**
 * The end of the log. Frames are put into a batch, a flush makes the batch durable, and meanwhile the next
 * batch collects. After any fault nothing is ever written again: what became of the last batch is known only
 * to the next recovery.
 */
export class LogWriter {
  /** The last frame that was put, durable or not. To read. */
  readonly tip: Tip = createTip();
  /** The last durable frame. To read. */
  readonly durableTip: Tip = createTip();
  /** Its op, a u64 in words 0 and 1. To read. */
  readonly syncedOp: Uint32Array = this.durableTip.subarray(TipWord.op, TipWord.op + 2);
  /** Bytes of frames made durable since the log was opened. */
  bytesWritten = 0;
  readonly #disk: Disk;
  readonly #options: LogOptions;
  readonly #segments: LogSegment[];
  /** The last frame of the batch that is flushed. */
  readonly #flushedTip: Tip = createTip();
  readonly #fields = new Uint32Array(FRAME_FIELDS_WORDS);
  readonly #zeros: Uint8Array;
  #zeroedUpTo: number;
  #file: DiskFile;
  #collecting: LogBatch;
  #flushed: LogBatch;
  #isFlushing = false;
  #failure: DiskFault | undefined;

  /**
   * @param log What recovery found.
   */
  constructor(log: OpenLog) {
    const { options } = log;
    const room = options.segmentBytes - SEGMENT_HEADER_BYTES;
    const batchBytes = Math.min(options.batchBytes ?? BATCH_BYTES_MAX, room);
    assert(options.maxPayloadBytes <= FRAME_PAYLOAD_BYTES_MAX, "log/payload-fits-its-length-field");
    assert(frameBytes(options.maxPayloadBytes) <= batchBytes, "log/frame-fits-a-batch");
    this.#disk = log.disk;
    this.#options = options;
    this.#segments = log.segments;
    this.#file = log.file;
    this.#collecting = new LogBatch(batchBytes);
    this.#flushed = new LogBatch(batchBytes);
    const ahead = options.zeroAheadBytes ?? ZERO_AHEAD_BYTES;
    this.#zeros = new Uint8Array(Math.min(ahead, options.segmentBytes));
    this.#zeroedUpTo = this.#active.end;
    this.tip.set(log.tip);
    this.durableTip.set(log.tip);
  }

  /** The fault that ended writing, if there was one. */
  get failure(): DiskFault | undefined {
    return this.#failure;
  }

  /** Bytes of frames that wait for a flush. */
  get pendingBytes(): number {
    return this.#collecting.used;
  }

  /** Whether a flush is under way. */
  get isFlushing(): boolean {
    return this.#isFlushing;
  }

  /** The frames that the last flush was about, however it ended. Valid until the next flush. */
  get flushed(): FlushedFrames {
    return { buffer: this.#flushed.buffer, bytes: this.#flushed.used };
  }

  /** The files of the log, oldest first; the last is the active one. */
  get segments(): readonly Readonly<LogSegment>[] {
    return this.#segments;
  }

  /**
   * Adds the next frame to the batch; its op is the one after the last.
   *
   * @param kind What the payload is.
   * @param lsn The frame's lsn, a u64 in words 0 and 1: the next one for a command, else the last one.
   * @param slot Its request slot, likewise; never below the last one.
   * @param view The view it belongs to, likewise; at least 1 and never below the last one.
   * @param payload Holds the payload, which must not contain 512 zero bytes in a row.
   * @param from The payload's first byte.
   * @param length The payload's bytes.
   * @returns False when the batch has no room for it, or writing has failed: flush, and then look.
   */
  put(
    kind: FrameKind,
    lsn: Uint32Array,
    slot: Uint32Array,
    view: Uint32Array,
    payload: DataView,
    from: number,
    length: number,
  ): boolean {
    assert(length <= this.#options.maxPayloadBytes, "log/payload-within-bound");
    const batch = this.#collecting;
    if (this.#failure !== undefined || !batch.hasRoom(length)) return false;
    const fields = this.#fields;
    copyU64(fields, FIELD(FrameWord.op), this.tip, TipWord.op);
    assert(bumpU64(fields, FIELD(FrameWord.op), 1), "log/op-in-range");
    copyU64(fields, FIELD(FrameWord.lsn), lsn, 0);
    copyU64(fields, FIELD(FrameWord.slot), slot, 0);
    copyU64(fields, FIELD(FrameWord.view), view, 0);
    copyU64(fields, FIELD(FrameWord.synced), this.syncedOp, 0);
    copyU64(fields, FIELD(FrameWord.previousHash), this.tip, TipWord.hash);
    const w = batch.put(kind, fields, payload, from, length) >>> 2;
    assert(
      checkFollows(this.tip, batch.buffer.words, w) === undefined,
      "log/frame-follows-the-last",
    );
    moveTip(this.tip, batch.buffer.words, w);
    return true;
  }

  /**
   * Makes everything that was put durable, with one write and one sync. Not to be called again before `done`.
   *
   * @param done Told once how it ended; perhaps before this returns. A fault is final.
   */
  flush(done: Done): void {
    if (this.#failure !== undefined) return done(this.#failure);
    assert(!this.#isFlushing, "log/one-flush-at-a-time");
    const batch = this.#collecting;
    if (batch.used === 0) return done(undefined);
    const bytes = batch.seal(this.syncedOp);
    this.#collecting = this.#flushed;
    this.#collecting.clear();
    this.#flushed = batch;
    this.#flushedTip.set(this.tip);
    const fault = this.#makeRoom(bytes.length);
    if (fault !== undefined) return done(fault);
    const active = this.#active;
    active.index.note(opsSince(this.durableTip, active.header.base), active.end);
    this.#isFlushing = true;
    this.#file.writeDurably(active.end, bytes, (fault) => this.#finish(fault, done));
  }

  /**
   * Deletes the sealed segments all of whose frames are at or below an op, oldest first.
   *
   * @param op A u64 in words 0 and 1, covered by the older of the two snapshots.
   * @returns The fault that ended it, which is final for writing too.
   */
  removeSegmentsThrough(op: Uint32Array): DiskFault | undefined {
    if (this.#failure !== undefined) return this.#failure;
    const last = lastOps(this.#segments.map((segment) => segment.header));
    const through = readU64(op, 0);
    const kept = last.findIndex((lastOp) => lastOp === undefined || lastOp > through);
    if (kept === 0) return undefined;
    return this.#attempt(() => {
      for (const { name } of this.#segments.slice(0, kept)) this.#disk.remove(name);
      this.#segments.splice(0, kept);
      this.#disk.syncDirectory();
    });
  }

  /**
   * Reads durable frames back, in order.
   *
   * @param from First op, a u64 in words 0 and 1.
   * @param to Last op, likewise; durable ops only are read.
   * @param visit Called for each frame; false ends the reading.
   * @returns How it ended.
   */
  readRange(from: Uint32Array, to: Uint32Array, visit: RangeVisitor): LogRead {
    const end = compareU64(to, 0, this.syncedOp, 0) > 0 ? this.syncedOp : to;
    const { maxPayloadBytes } = this.#options;
    return readLogRange(this.#disk, this.#segments, maxPayloadBytes, from, end, visit);
  }

  /** Lets go of the active segment; what was not flushed is lost. */
  close(): void {
    this.#failure ??= new DiskFault("io_error", "write", ACTIVE_SEGMENT, "the log is closed");
    this.#file.close();
  }

  get #active(): LogSegment {
    return this.#segments[this.#segments.length - 1]!;
  }

  #finish(fault: DiskFault | undefined, done: Done): void {
    this.#isFlushing = false;
    if (fault !== undefined) return done(this.#fail(fault));
    this.#active.end += this.#flushed.used;
    this.bytesWritten += this.#flushed.used;
    this.durableTip.set(this.#flushedTip);
    done(undefined);
  }

  #makeRoom(bytes: number): DiskFault | undefined {
    return this.#attempt(() => {
      if (this.#active.end + bytes > this.#active.header.bytes) this.#rotate();
      if (this.#active.end + bytes > this.#zeroedUpTo) this.#zeroAhead(this.#active.end + bytes);
    });
  }

  /** Everything before the batch is durable here, so the new segment may start behind it. */
  #rotate(): void {
    const sealed = this.#active;
    const header = {
      identity: sealed.header.identity,
      generation: sealed.header.generation + 1n,
      base: this.durableTip.slice(),
      bytes: this.#options.segmentBytes,
    };
    const file = installSegment(this.#disk, header, new Uint8Array(), sealed.header);
    this.#file.close(); // Only now: when the rotation fails, whoever closes the log closes this file.
    this.#file = file;
    sealed.name = sealedName(baseOp(sealed.header));
    const end = SEGMENT_HEADER_BYTES;
    this.#segments.push({ name: ACTIVE_SEGMENT, header, end, index: new SegmentIndex() });
    this.#zeroedUpTo = end;
  }

  /** Writing to a hole makes the sync write the file system's journal too; zeros cost less, and less often. */
  #zeroAhead(from: number): void {
    const count = Math.min(this.#zeros.length, this.#active.header.bytes - from);
    if (count > 0) this.#file.write(from, this.#zeros.subarray(0, count));
    this.#zeroedUpTo = from + count;
  }

  #attempt(call: () => void): DiskFault | undefined {
    try {
      call();
      return undefined;
    } catch (error) {
      if (error instanceof DiskFault) return this.#fail(error);
      throw error;
    }
  }

  #fail(fault: DiskFault): DiskFault {
    this.#failure ??= fault;
    return this.#failure;
  }
}

/** Frames of a segment before its next batch; fewer than 2^32, because a segment is shorter than that. */
function opsSince(tip: Tip, base: Tip): number {
  return (tip[TipWord.op]! - base[TipWord.op]!) >>> 0;
}
