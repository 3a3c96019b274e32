/** The log while it is written to: batches of frames, one write and one sync each. Source: docs/storage.md#writing. */
import { assert } from "../../core/assert.ts";
import {
  FRAME_FIELDS_WORDS,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBytes,
  type FrameError,
  type FrameKind,
  FrameWord,
  type LogBuffer,
} from "../../core/log_frame.ts";
import { checkRun } from "../../core/log_run.ts";
import { SEGMENT_HEADER_BYTES } from "../../core/log_segment.ts";
import {
  checkFollows,
  createTip,
  moveTip,
  type OrderError,
  type Tip,
  TipWord,
} from "../../core/log_tip.ts";
import { bumpU64, compareU64, copyU64, readU64 } from "../../core/words.ts";
import { type Disk, DiskFault, type DiskFile, type Done } from "../disk.ts";
import type { FlushedBatch } from "./batch.ts";
import { ACTIVE_SEGMENT, type LogSegment } from "./files.ts";
import { type FramesRead, LogLookup } from "./lookup.ts";
import { type LogRead, type RangeVisitor, readLogRange, type RunVisitor } from "./reader.ts";
import { LogSegments } from "./segments.ts";
import { LogTail } from "./tail.ts";

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
  /**
   * Whether flushed batches stay in memory until {@linkcode LogWriter.release}; if not given, only until the next flush.
   */
  readonly retain?: boolean;
}

/** Frames of a flush, back to back from the buffer's first byte. */
export interface FlushedFrames {
  readonly buffer: LogBuffer;
  readonly bytes: number;
}

/** Why frames from a peer were not taken; nothing of them was. */
export type FramesError =
  /** Flush first, or bring fewer than {@linkcode LogWriter.batchBytesMax}. */
  | { readonly kind: "no_room" }
  /** Writing has failed before. */
  | { readonly kind: "failed"; readonly fault: DiskFault }
  /** The frame `at` bytes from the first is damaged or does not follow. */
  | { readonly kind: "invalid"; readonly at: number; readonly error: FrameError | OrderError };

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
  /** Most bytes of one batch. */
  readonly batchBytesMax: number;
  readonly #disk: Disk;
  readonly #options: LogOptions;
  readonly #segments: LogSegments;
  readonly #tail: LogTail;
  readonly #lookup: LogLookup;
  readonly #fields = new Uint32Array(FRAME_FIELDS_WORDS);
  /** The last frame, moved along frames that are being checked. */
  readonly #trial: Tip = createTip();
  readonly #whenQuiet: (() => void)[] = [];
  #isFlushing = false;
  #failure: DiskFault | undefined;

  /**
   * @param log What recovery found.
   */
  constructor(log: OpenLog) {
    const { options, disk, segments, file } = log;
    const { segmentBytes, maxPayloadBytes } = options;
    const room = segmentBytes - SEGMENT_HEADER_BYTES;
    this.batchBytesMax = Math.min(options.batchBytes ?? BATCH_BYTES_MAX, room);
    assert(maxPayloadBytes <= FRAME_PAYLOAD_BYTES_MAX, "log/payload-fits-its-length-field");
    assert(frameBytes(maxPayloadBytes) <= this.batchBytesMax, "log/frame-fits-a-batch");
    this.#disk = disk;
    this.#options = options;
    this.tip.set(log.tip);
    this.durableTip.set(log.tip);
    const zeroAheadBytes = options.zeroAheadBytes ?? ZERO_AHEAD_BYTES;
    this.#segments = new LogSegments({ disk, segments, file, segmentBytes, zeroAheadBytes });
    this.#tail = new LogTail(this.batchBytesMax, options.retain ?? false, log.tip);
    this.#lookup = new LogLookup({
      disk,
      segments: this.#segments,
      tail: this.#tail,
      payloadBytesMax: maxPayloadBytes,
      tip: this.tip,
      syncedOp: this.syncedOp,
    });
  }

  /** The fault that ended writing, if there was one. */
  get failure(): DiskFault | undefined {
    return this.#failure;
  }

  /** Bytes of frames that wait for a flush. */
  get pendingBytes(): number {
    return this.#tail.collecting.bytes;
  }

  /** Whether a flush is under way. */
  get isFlushing(): boolean {
    return this.#isFlushing;
  }

  /** The frames that the last flush was about, however it ended. Valid until the next flush. */
  get flushed(): FlushedFrames {
    return this.#tail.sealed;
  }

  /** The last op that was given to a flush: everything up to it can be read, though perhaps not yet durable. */
  get sealedOp(): bigint {
    return readU64(this.#tail.collecting.base, TipWord.op);
  }

  /** Batches in memory, oldest first, up to {@linkcode LogWriter.sealedOp}; the last one may be under flush. */
  get retained(): readonly FlushedBatch[] {
    return this.#tail.retained;
  }

  /** Bytes of the frames in {@linkcode LogWriter.retained}. */
  get retainedBytes(): number {
    return this.#tail.bytes;
  }

  /** The op of the log's first frame, there or still to come. */
  get firstOp(): bigint {
    return this.#segments.firstOp;
  }

  /** The files of the log, oldest first; the last is the active one. */
  get segments(): readonly Readonly<LogSegment>[] {
    return this.#segments.list;
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
    const batch = this.#tail.collecting;
    if (this.#failure !== undefined || !batch.hasRoom(frameBytes(length))) return false;
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
   * Adds frames that a peer has sealed, all or none. They are sealed again with what is durable here.
   *
   * @param frames Back to back, at any offset; the first one follows the last frame put.
   * @returns Why none was added, or `undefined`.
   */
  putFrames(frames: Uint8Array): FramesError | undefined {
    if (this.#failure !== undefined) return { kind: "failed", fault: this.#failure };
    if (frames.length % 8 !== 0) return { kind: "invalid", at: 0, error: "payload_too_large" };
    const batch = this.#tail.collecting;
    if (!batch.hasRoom(frames.length)) return { kind: "no_room" };
    const at = batch.bytes;
    const end = batch.copyIn(frames);
    this.#trial.set(this.tip);
    const wrong = checkRun(batch.buffer, at, end, this.#trial, this.#options.maxPayloadBytes);
    if (wrong !== undefined) return { kind: "invalid", ...wrong };
    batch.bytes = end;
    this.tip.set(this.#trial);
    return undefined;
  }

  /**
   * Makes everything that was put durable, with one write and one sync. Not to be called again before `done`.
   *
   * @param done Told once how it ended; perhaps before this returns. A fault is final.
   * @param sealed Told, before anything is written, that the batch is complete and can be read.
   */
  flush(done: Done, sealed?: () => void): void {
    if (this.#failure !== undefined) return done(this.#failure);
    assert(!this.#isFlushing, "log/one-flush-at-a-time");
    if (this.#tail.collecting.bytes === 0) return done(undefined);
    const bytes = this.#tail.seal(this.syncedOp, this.tip);
    sealed?.();
    const fault = this.#attempt(() => this.#segments.makeRoom(bytes.length, this.durableTip));
    if (fault !== undefined) return done(fault);
    this.#isFlushing = true;
    this.#segments.write(bytes, this.durableTip, (fault) => this.#finish(fault, done));
  }

  /**
   * Lets the memory of flushed batches go that lie wholly at or below an op. A batch under flush stays. Not to be called
   * while one of them is being visited.
   *
   * @param throughOp The op.
   */
  release(throughOp: bigint): void {
    this.#tail.release(throughOp, this.#isFlushing ? this.#tail.sealed : undefined);
  }

  /**
   * Lets the oldest batches go, and no more than needed, until their memory is within a bound.
   *
   * @param bytesMax Bytes of memory, which is more than the frames in it.
   * @param throughOp As for {@linkcode LogWriter.release}: nothing behind it goes, whatever the bound.
   */
  releaseBeyond(bytesMax: number, throughOp: bigint): void {
    let bytes = this.#tail.memoryBytes;
    let through: bigint | undefined;
    for (const { buffer, lastOp } of this.#tail.retained) {
      if (bytes <= bytesMax || lastOp > throughOp) break;
      bytes -= buffer.bytes.length;
      through = lastOp;
    }
    if (through !== undefined) this.release(through);
  }

  /** Runs a task when no flush is under way: at once, or right after the one that is. */
  whenQuiet(task: () => void): void {
    if (this.#isFlushing) this.#whenQuiet.push(task);
    else task();
  }

  /**
   * The chain hash at an op.
   *
   * @param op An op; the one before the log's first is known, too.
   * @returns The hash, or `undefined` when the log does not hold the op or cannot read it.
   */
  hashAt(op: bigint): bigint | undefined {
    return this.#lookup.hashAt(op);
  }

  /** As {@linkcode LogWriter.hashAt}, all of the tip at an op: a copy. */
  tipAt(op: bigint): Tip | undefined {
    return this.#lookup.tipAt(op);
  }

  /**
   * Frames from an op on, for a peer: from memory as far as one batch goes, else durable ones from the files.
   *
   * @param fromOp The first op.
   * @param bytesMax About how many bytes at most; but always one frame if there is one.
   * @returns The frames, valid until the next flush or release.
   */
  readFrames(fromOp: bigint, bytesMax: number): FramesRead {
    return this.#lookup.readFrames(fromOp, bytesMax);
  }

  /**
   * Visits frames in runs, from memory where they are retained, else durable ones from the files.
   *
   * @param fromOp First op.
   * @param toOp Last op; nothing behind {@linkcode LogWriter.sealedOp} is visited.
   * @param visit Called for each run of frames back to back; false ends the visit.
   * @returns How it ended.
   */
  visit(fromOp: bigint, toOp: bigint, visit: RunVisitor): LogRead {
    return this.#lookup.visit(fromOp, toOp, visit);
  }

  /**
   * Drops every frame behind an op, durably: a crash leaves the log as it was or as it is then. Not while a flush is under way.
   *
   * @param op At least the op before the log's first, at most the last.
   * @returns The fault that ended it, which is final for writing too.
   */
  cutAfter(op: bigint): DiskFault | undefined {
    if (this.#failure !== undefined) return this.#failure;
    assert(!this.#isFlushing, "log/cut-when-quiet");
    assert(op <= readU64(this.tip, TipWord.op) && op >= this.firstOp - 1n, "log/cut-inside");
    const isDurable = op < readU64(this.syncedOp, 0);
    const tip = this.tipAt(op);
    const fault = tip === undefined
      ? this.#unreadable(op)
      : isDurable
      ? this.#cutFiles(tip)
      : undefined;
    if (tip === undefined || fault !== undefined) return fault;
    this.#tail.cut(tip);
    this.tip.set(tip);
    if (isDurable) this.durableTip.set(tip);
    this.#lookup.forget();
    return undefined;
  }

  /**
   * Gives up the whole log and goes on behind a tip from elsewhere, durably: a crash leaves the old log or the new. What
   * leads up to the tip, a snapshot, must be durable. Not while a flush is under way.
   *
   * @param tip The frame before the next. Copied.
   * @returns The fault that ended it, which is final for writing too.
   */
  restartAt(tip: Tip): DiskFault | undefined {
    if (this.#failure !== undefined) return this.#failure;
    assert(!this.#isFlushing, "log/cut-when-quiet");
    const fault = this.#attempt(() => this.#segments.supersede(tip, true));
    if (fault !== undefined) return fault;
    this.#tail.restart(tip);
    this.tip.set(tip);
    this.durableTip.set(tip);
    this.#lookup.forget();
    return undefined;
  }

  /**
   * Deletes the sealed segments all of whose frames are at or below an op, oldest first.
   *
   * @param op A u64 in words 0 and 1, covered by the older of the two snapshots.
   * @returns The fault that ended it, which is final for writing too.
   */
  removeSegmentsThrough(op: Uint32Array): DiskFault | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return this.#attempt(() => this.#segments.removeThrough(readU64(op, 0)));
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
    return readLogRange(this.#disk, this.segments, maxPayloadBytes, from, end, visit);
  }

  /** Lets go of the active segment; what was not flushed is lost. */
  close(): void {
    this.#failure ??= new DiskFault("io_error", "write", ACTIVE_SEGMENT, "the log is closed");
    this.#segments.close();
  }

  #finish(fault: DiskFault | undefined, done: Done): void {
    this.#isFlushing = false;
    if (fault !== undefined) done(this.#fail(fault));
    else {
      const { bytes, tip } = this.#tail.sealed;
      this.#segments.active.end += bytes;
      this.bytesWritten += bytes;
      this.durableTip.set(tip);
      done(undefined);
    }
    while (!this.#isFlushing && this.#whenQuiet.length > 0) this.#whenQuiet.shift()!();
  }

  /** Frames behind the op stay in the file where it ends, but do not count any more. */
  #cutFiles(tip: Tip): DiskFault | undefined {
    const op = readU64(tip, TipWord.op);
    const last = op >= this.firstOp ? this.#lookup.endOf(op) : undefined;
    if (last === undefined && op >= this.firstOp) return this.#unreadable(op);
    return this.#attempt(() => {
      this.#segments.supersede(tip);
      if (last !== undefined) this.#segments.endAt(last);
    });
  }

  #unreadable(op: bigint): DiskFault {
    return this.#fail(new DiskFault("io_error", "read", ACTIVE_SEGMENT, `op ${op} is unreadable`));
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
