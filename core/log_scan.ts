/** Reads the frames of one segment in order and says how the reading ended. Source: docs/storage.md#reading-a-segment. */
import { isClaimedSynced, isUnwritten, isZero } from "./log_damage.ts";
import {
  checkFrameHeader,
  checkFramePayload,
  FrameCursor,
  type FrameError,
  FrameWord,
  type LogBuffer,
} from "./log_frame.ts";
import type { IdentityError, SegmentHeaderError } from "./log_segment.ts";
import { checkFollows, createTip, moveTip, type OrderError, type Tip, TipWord } from "./log_tip.ts";
import { compareU64, copyU64, equalU64 } from "./words.ts";

/** What can be wrong with a log, under the names operators see. */
export type LogError =
  | FrameError
  | OrderError
  | SegmentHeaderError
  | IdentityError
  /** A frame was never written although a later frame or segment proves that it had been synced. */
  | "unwritten_sector_before_synced_frame"
  /** Frames, or the whole active segment, are missing before a place that something follows. */
  | "missing_segment"
  /** Two segments claim the same place in the order. */
  | "duplicate_generation"
  /** A file's name contradicts its header. */
  | "misnamed_segment";

/** How a scan ended. Offsets in bytes from the start of the file. */
export type ScanStop =
  | { readonly kind: "clean_eof"; readonly file: string; readonly validUpTo: number }
  /** A crash explains what follows, and nothing of it was ever acknowledged. */
  | { readonly kind: "torn_tail"; readonly file: string; readonly validUpTo: number }
  | Corruption;

/** Damage that no crash explains: the node must not start. */
export interface Corruption {
  readonly kind: "corruption";
  readonly file: string;
  readonly at: number;
  readonly error: LogError;
}

/** What {@linkcode LogScan} is to read. */
export interface ScanRange {
  /** The segment, from its first byte. */
  readonly buffer: LogBuffer;
  /** Named in the stop. */
  readonly file: string;
  /** First byte of the first frame. */
  readonly at: number;
  /** Length of the segment: a multiple of 512. */
  readonly end: number;
  /** The frame before the first. Copied. */
  readonly base: Tip;
  /**
   * The last op that counts, a u64 in words 0 and 1, when a later segment takes over behind it: that segment
   * proves that everything up to here was synced. Without it the log ends in this segment.
   */
  readonly last?: Uint32Array | undefined;
  readonly payloadBytesMax: number;
}

/**
 * A scan of one segment at a time. Call {@linkcode LogScan.next} until it answers false, then look at
 * {@linkcode LogScan.stop}. Nothing is allocated per frame.
 */
export class LogScan {
  /** The frame that {@linkcode LogScan.next} found. */
  readonly frame = new FrameCursor();
  /** The end of the log up to and with that frame. */
  readonly tip: Tip = createTip();
  /** Highest op known to be durable, a u64 in words 0 and 1: from the base, then by what frames claim. */
  readonly synced = new Uint32Array(2);
  /** Why the scan ended; `undefined` while it has not. */
  stop: ScanStop | undefined;
  #range: ScanRange | undefined;
  #at = 0;

  /** Starts over with another segment. */
  start(range: ScanRange): void {
    this.#range = range;
    this.#at = range.at;
    this.stop = undefined;
    this.frame.buffer = range.buffer;
    this.tip.set(range.base);
    copyU64(this.synced, 0, range.base, TipWord.op);
  }

  /** Moves {@linkcode LogScan.frame} to the next frame; false when there is none, and `stop` says why. */
  next(): boolean {
    const range = this.#range;
    if (range === undefined || this.stop !== undefined) return false;
    if (range.last !== undefined && equalU64(this.tip, TipWord.op, range.last, 0)) {
      this.stop = { kind: "clean_eof", file: range.file, validUpTo: this.#at };
      return false;
    }
    const error = this.#check(range);
    if (error !== undefined) {
      this.stop = this.#explain(range, error);
      return false;
    }
    this.#advance(range.buffer.words, this.#at >>> 2);
    return true;
  }

  #check(range: ScanRange): FrameError | OrderError | undefined {
    const { buffer, end, payloadBytesMax } = range;
    return checkFrameHeader(buffer, this.#at, end, payloadBytesMax) ??
      this.#checkOrder(buffer.words, this.#at >>> 2) ??
      checkFramePayload(buffer, this.#at);
  }

  #checkOrder(words: Uint32Array, w: number): OrderError | undefined {
    const error = checkFollows(this.tip, words, w);
    if (error !== undefined) return error;
    const synced = w + FrameWord.synced;
    return compareU64(words, synced, this.synced, 0) < 0 ? "invalid_synced_op" : undefined;
  }

  #advance(words: Uint32Array, w: number): void {
    this.frame.at = this.#at;
    moveTip(this.tip, words, w);
    copyU64(this.synced, 0, words, w + FrameWord.synced);
    this.#at = this.frame.end;
  }

  /** No frame follows. Is it the end, a crash's doing, or damage? */
  #explain(range: ScanRange, error: FrameError | OrderError): ScanStop {
    const { file, buffer, end, last } = range;
    const at = this.#at;
    const corruption = (error: LogError): Corruption => ({ kind: "corruption", file, at, error });
    if (isZero(buffer.words, at, end)) {
      if (last !== undefined) return corruption("missing_segment");
      return { kind: "clean_eof", file, validUpTo: at };
    }
    const headerSound = error === "invalid_payload_checksum";
    if (!headerSound && error !== "invalid_magic" && error !== "invalid_header_checksum") {
      return corruption(error);
    }
    if (!isUnwritten(buffer.words, end, at, headerSound)) return corruption(error);
    const synced = last !== undefined ||
      isClaimedSynced(buffer, at, headerSound, end, this.tip, TipWord.op);
    if (synced) return corruption("unwritten_sector_before_synced_frame");
    return { kind: "torn_tail", file, validUpTo: at };
  }
}
