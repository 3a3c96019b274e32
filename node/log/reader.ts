/** Reads frames back from the files of a log that is in use. Source: docs/storage.md#reading-a-range. */
import {
  checkFrameHeader,
  checkFramePayload,
  createLogBuffer,
  FRAME_BYTES_MIN,
  frameBytes,
  FrameCursor,
  type LogBuffer,
  payloadBytesAt,
} from "../../core/log_frame.ts";
import type { Corruption, LogError } from "../../core/log_scan.ts";
import { baseOp, SEGMENT_HEADER_BYTES } from "../../core/log_segment.ts";
import { checkFollows, createTip, moveTip, type Tip } from "../../core/log_tip.ts";
import { compareU64, equalU64, readU64 } from "../../core/words.ts";
import { type Disk, DiskFault, type DiskFile } from "../disk.ts";
import { damaged, lastOps, type LogSegment } from "./files.ts";

/** Called for each frame; the cursor is moved on afterwards. False ends the reading. */
export type RangeVisitor = (frame: FrameCursor) => boolean;

/** Where the bytes of a run come from. One object, changed from run to run. */
export interface RunPlace {
  segment: Readonly<LogSegment>;
  /** Offset in the segment of the buffer's byte 0. */
  at: number;
}

/**
 * Called for frames back to back in `[from, end)` of a buffer that is used again afterwards. `place` is given when they
 * come from a file. False ends the reading.
 */
export type RunVisitor = (
  buffer: LogBuffer,
  from: number,
  end: number,
  place?: Readonly<RunPlace>,
) => boolean;

/** How a reading ended. */
export type LogRead =
  /** All frames of the range that are durable were visited, or the visitor ended it. */
  | { readonly kind: "read"; readonly frames: number }
  /** The log starts behind the range's first op. */
  | { readonly kind: "removed"; readonly firstOp: bigint }
  | Corruption
  | { readonly kind: "disk_fault"; readonly fault: DiskFault };

/** How to read; what is not given is as it suits long ranges. */
export interface ReadTuning {
  /** Memory for reading, a multiple of 8. */
  readonly windowBytes?: number;
  /** Ends a run, and the reading, with the frame that makes it so long. */
  readonly runBytesMax?: number;
  /** Where the range's first frame starts. */
  readonly start?: Readonly<RunPlace> | undefined;
}

const WINDOW_BYTES = 262_144;

/**
 * Reads a range of ops frame by frame; as {@linkcode readLogRuns}, which see.
 *
 * @param visit Called for each frame.
 */
export function readLogRange(
  disk: Disk,
  segments: readonly Readonly<LogSegment>[],
  payloadBytesMax: number,
  from: Uint32Array,
  to: Uint32Array,
  visit: RangeVisitor,
): LogRead {
  const frame = new FrameCursor();
  let frames = 0;
  const read = readLogRuns(disk, segments, payloadBytesMax, from, to, (buffer, from, end) => {
    frame.buffer = buffer;
    for (frame.at = from; frame.at < end; frame.at = frame.end) {
      frames++;
      if (!visit(frame)) return false;
    }
    return true;
  });
  return read.kind === "read" ? { kind: "read", frames } : read;
}

/**
 * Reads a range of ops in runs, as long as the memory for reading allows.
 *
 * @param disk The data directory.
 * @param segments In the order in which they were made.
 * @param payloadBytesMax Largest payload to accept.
 * @param from First op, a u64 in words 0 and 1.
 * @param to Last op, likewise; must be durable.
 * @param visit Called for each run.
 * @param tuning How to read.
 * @returns How it ended.
 */
export function readLogRuns(
  disk: Disk,
  segments: readonly Readonly<LogSegment>[],
  payloadBytesMax: number,
  from: Uint32Array,
  to: Uint32Array,
  visit: RunVisitor,
  tuning: ReadTuning = {},
): LogRead {
  if (compareU64(to, 0, from, 0) < 0) return { kind: "read", frames: 0 };
  const longest = segments.reduce((most, { end }) => Math.max(most, end), 0);
  const reader = new RangeReader(payloadBytesMax, from, to, visit, tuning, longest);
  const last = lastOps(segments.map((segment) => segment.header));
  let firstOp: bigint | undefined;
  for (const [i, segment] of segments.entries()) {
    const first = baseOp(segment.header);
    const lastOp = last[i] ?? readU64(to, 0);
    if (lastOp < first && last[i] !== undefined) continue;
    firstOp ??= first;
    if (readU64(from, 0) < firstOp) return { kind: "removed", firstOp };
    if (lastOp < readU64(from, 0) || first > readU64(to, 0)) continue;
    const stop = reader.read(disk, segment);
    if (stop !== undefined) return stop;
  }
  return { kind: "read", frames: reader.frames };
}

class RangeReader {
  frames = 0;
  readonly #payloadBytesMax: number;
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  readonly #visit: RunVisitor;
  readonly #frame = new FrameCursor();
  /** The frame before, once there was one. */
  readonly #tip: Tip = createTip();
  #hasTip = false;
  #place: RunPlace | undefined;
  readonly #tuning: ReadTuning;
  readonly #runBytesMax: number;
  #window: LogBuffer;
  #isOver = false;

  constructor(
    payloadBytesMax: number,
    from: Uint32Array,
    to: Uint32Array,
    visit: RunVisitor,
    tuning: ReadTuning,
    fileBytesMax: number,
  ) {
    this.#tuning = tuning;
    this.#runBytesMax = tuning.runBytesMax ?? Infinity;
    const windowBytes = tuning.windowBytes ?? WINDOW_BYTES;
    this.#window = createLogBuffer(Math.min(windowBytes, (fileBytesMax + 7) & ~7));
    this.#payloadBytesMax = payloadBytesMax;
    this.#from = from;
    this.#to = to;
    this.#visit = visit;
  }

  /** Reads what the range has in one segment; `undefined` to go on with the next. */
  read(disk: Disk, segment: Readonly<LogSegment>): LogRead | undefined {
    try {
      const file = disk.open(segment.name);
      try {
        return this.#readFile(file, segment);
      } finally {
        file.close();
      }
    } catch (error) {
      if (error instanceof DiskFault) return { kind: "disk_fault", fault: error };
      throw error;
    }
  }

  #readFile(file: DiskFile, segment: Readonly<LogSegment>): LogRead | undefined {
    let at = this.#start(segment);
    const place = this.#place ??= { segment, at };
    place.segment = segment;
    while (at < segment.end && !this.#isOver) {
      place.at = at;
      const window = this.#window.bytes;
      const filled = file.read(at, window.subarray(0, Math.min(window.length, segment.end - at)));
      const walked = this.#walk(filled);
      if (typeof walked === "string") return damaged(segment.name, at + this.#frame.at, walked);
      at += walked;
    }
    return this.#isOver ? { kind: "read", frames: this.frames } : undefined;
  }

  #start(segment: Readonly<LogSegment>): number {
    if (this.#hasTip) return SEGMENT_HEADER_BYTES;
    const { start } = this.#tuning;
    if (start?.segment === segment) return start.at;
    const { header, index } = segment;
    const skipped = readU64(this.#from, 0) - baseOp(header);
    return index.find(Number(skipped)) ?? SEGMENT_HEADER_BYTES;
  }

  /** Visits the frames that the window holds whole; answers their bytes, or what is wrong with one. */
  #walk(filled: number): number | LogError {
    const frame = this.#frame;
    frame.buffer = this.#window;
    let at = 0;
    let from = -1;
    let error: LogError | undefined;
    while (!this.#isOver && this.#isWhole(at, filled)) {
      frame.at = at;
      error = this.#check(at, filled);
      if (error !== undefined) break;
      if (this.#take() && from < 0) from = at;
      at = frame.end;
      if (from >= 0 && at - from >= this.#runBytesMax) this.#isOver = true;
    }
    if (from >= 0) this.#isOver = !this.#visit(this.#window, from, at, this.#place) || this.#isOver;
    if (this.#isOver) return at;
    if (error !== undefined) return error;
    if (at > 0) return at;
    frame.at = 0;
    return this.#widen(filled);
  }

  #isWhole(at: number, filled: number): boolean {
    if (filled - at < FRAME_BYTES_MIN) return false;
    return at + frameBytes(payloadBytesAt(this.#window.words, at >>> 2)) <= filled;
  }

  /** The first frame is larger than the window, or none. */
  #widen(filled: number): number | LogError {
    const { words, bytes } = this.#window;
    const error = checkFrameHeader(this.#window, 0, Infinity, this.#payloadBytesMax);
    const wanted = frameBytes(payloadBytesAt(words, 0));
    if (error !== undefined || filled < bytes.length) return error ?? "payload_too_large";
    this.#window = createLogBuffer(wanted);
    return 0;
  }

  #check(at: number, filled: number): LogError | undefined {
    const { words } = this.#window;
    const error = checkFrameHeader(this.#window, at, filled, this.#payloadBytesMax);
    if (error !== undefined) return error;
    if (this.#hasTip) {
      const order = checkFollows(this.#tip, words, at >>> 2);
      if (order !== undefined) return order;
    } else if (compareU64(words, this.#frame.opAt, this.#from, 0) > 0) {
      return "non_contiguous_op";
    }
    return checkFramePayload(this.#window, at);
  }

  /** Moves on by a frame; whether it lies in the range. */
  #take(): boolean {
    const { words, opAt, at } = this.#frame;
    moveTip(this.#tip, words, at >>> 2);
    this.#hasTip = true;
    if (compareU64(words, opAt, this.#from, 0) < 0) return false;
    this.frames++;
    this.#isOver = equalU64(words, opAt, this.#to, 0);
    return true;
  }
}
