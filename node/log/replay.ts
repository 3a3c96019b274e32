/** Reads a whole log for recovery and hands every frame to a visitor. Writes nothing. */
import {
  createLogBuffer,
  frameBytes,
  type FrameCursor,
  FrameWord,
  payloadBytesAt,
  sealFrame,
} from "../../core/log_frame.ts";
import { type Corruption, LogScan, type ScanStop } from "../../core/log_scan.ts";
import { baseOp, SEGMENT_HEADER_BYTES } from "../../core/log_segment.ts";
import { equalTips, moveTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { compareU64, writeU64 } from "../../core/words.ts";
import type { Disk, DiskFault } from "../disk.ts";
import { damaged, lastOps, type LogSegment, type SegmentFile } from "./files.ts";
import { SegmentIndex } from "./index.ts";
import { SegmentImage } from "./segment_image.ts";

/** Whoever rebuilds state from the log. A string refuses, and ends recovery before anything was written. */
export interface LogVisitor {
  /**
   * Called once, first.
   *
   * @param base The last frame before the log's first: what a snapshot must reach.
   */
  begin(base: Tip): string | undefined;
  /** Called for each frame in order of ops; the cursor is moved on afterwards. */
  frame(frame: FrameCursor): string | undefined;
  /**
   * Called once, last, and still before anything is written.
   *
   * @param tip The last frame.
   */
  end?(tip: Tip): string | undefined;
}

/** Why a log was not opened. Nothing on the disk has changed, unless the disk itself failed. */
export type LogFailure =
  | Corruption
  /** There is no log, and a new one was not asked for. */
  | { readonly kind: "missing_log" }
  /** The visitor refused. */
  | { readonly kind: "rejected"; readonly file: string; readonly at: number; readonly why: string }
  | { readonly kind: "disk_fault"; readonly fault: DiskFault };

/** The frames at the end whose fate nothing tells, and the frame before them. */
export interface UncertainTail {
  readonly base: Tip;
  readonly count: number;
  /** Offset of the first in its segment. */
  readonly at: number;
  /** Their bytes, sealed again: everything before them is durable, they are not. */
  readonly frames: Uint8Array;
}

/** Where a segment header states its base. */
const BASE_AT = 24;

/** One reading of the whole log. */
export class LogReplay {
  readonly segments: LogSegment[] = [];
  /** The last frame before the log's first. */
  readonly base: Tip;
  framesReplayed = 0;
  readonly #disk: Disk;
  readonly #payloadBytesMax: number;
  readonly #visitor: LogVisitor;
  readonly #scan = new LogScan();
  readonly #last: readonly (bigint | undefined)[];
  readonly #image: SegmentImage;

  /**
   * @param disk The data directory.
   * @param payloadBytesMax Largest payload to accept.
   * @param visitor Sees every frame.
   * @param files The segments in the order in which they were made; at least one.
   */
  constructor(
    disk: Disk,
    payloadBytesMax: number,
    visitor: LogVisitor,
    files: readonly SegmentFile[],
  ) {
    this.#disk = disk;
    this.#payloadBytesMax = payloadBytesMax;
    this.#visitor = visitor;
    for (const { name, header } of files) {
      const end = SEGMENT_HEADER_BYTES;
      this.segments.push({ name, header, end, index: new SegmentIndex() });
    }
    this.#last = lastOps(files.map((file) => file.header));
    this.#image = new SegmentImage(Math.max(...files.map((file) => file.header.bytes)));
    this.base = this.segments.find((_, i) => this.#counts(i))!.header.base;
  }

  /** The last frame, once {@linkcode LogReplay.run} has succeeded. */
  get tip(): Tip {
    return this.#scan.tip;
  }

  /** How the newest segment ended, once {@linkcode LogReplay.run} has succeeded. */
  get stop(): ScanStop {
    return this.#scan.stop!;
  }

  /** Reads all that counts; answers why the log must not be used, or `undefined`. */
  run(): LogFailure | undefined {
    const why = this.#visitor.begin(this.base);
    if (why !== undefined) return { kind: "rejected", file: this.segments[0]!.name, at: 0, why };
    let isFirst = true;
    for (const [i, segment] of this.segments.entries()) {
      if (!this.#counts(i)) continue;
      if (!isFirst && !equalTips(this.tip, segment.header.base)) {
        return damaged(segment.name, BASE_AT, "wrong_base");
      }
      isFirst = false;
      const failure = this.#load(segment) ?? this.#replay(segment, this.#last[i]);
      if (failure !== undefined) return failure;
    }
    return this.#end();
  }

  /** The frames behind the last op that is known to be durable: all in the newest segment. */
  uncertainTail(): UncertainTail {
    const { words } = this.#image.buffer;
    const newest = this.segments[this.segments.length - 1]!;
    const base = newest.header.base.slice();
    let at = SEGMENT_HEADER_BYTES;
    while (at < newest.end) {
      const w = at >>> 2;
      if (compareU64(words, w + FrameWord.op, this.#scan.synced, 0) > 0) break;
      moveTip(base, words, w);
      at += frameBytes(payloadBytesAt(words, w));
    }
    const copy = createLogBuffer(newest.end - at);
    copy.bytes.set(this.#image.buffer.bytes.subarray(at, newest.end));
    let count = 0;
    for (let next = 0; next < copy.bytes.length; count++) {
      next = sealFrame(copy, next, base, TipWord.op);
    }
    return { base, count, at, frames: copy.bytes };
  }

  #end(): LogFailure | undefined {
    const why = this.#visitor.end?.(this.tip);
    if (why === undefined) return undefined;
    const { name: file, end: at } = this.segments[this.segments.length - 1]!;
    return { kind: "rejected", file, at, why };
  }

  /** A segment counts unless later ones supersede all of it. */
  #counts(i: number): boolean {
    const last = this.#last[i];
    return last === undefined || last >= baseOp(this.segments[i]!.header);
  }

  #load({ name, header }: LogSegment): LogFailure | undefined {
    const file = this.#disk.open(name);
    try {
      const filled = this.#image.load(file, header.bytes);
      return filled < header.bytes ? damaged(name, filled, "segment_cut") : undefined;
    } finally {
      file.close();
    }
  }

  #replay(segment: LogSegment, last: bigint | undefined): LogFailure | undefined {
    const { name: file, header, index } = segment;
    const scan = this.#scan;
    scan.start({
      buffer: this.#image.buffer,
      file,
      at: SEGMENT_HEADER_BYTES,
      end: header.bytes,
      base: header.base,
      last: last === undefined ? undefined : wordsOf(last),
      payloadBytesMax: this.#payloadBytesMax,
    });
    const { frame, tip } = scan;
    while (scan.next()) {
      this.framesReplayed++;
      index.note((tip[TipWord.op]! - header.base[TipWord.op]! - 1) >>> 0, frame.at);
      const why = this.#visitor.frame(frame);
      if (why !== undefined) return { kind: "rejected", file, at: frame.at, why };
    }
    if (this.stop.kind === "corruption") return this.stop;
    segment.end = this.stop.validUpTo;
    return undefined;
  }
}

function wordsOf(value: bigint): Uint32Array {
  const words = new Uint32Array(2);
  writeU64(words, 0, value);
  return words;
}
