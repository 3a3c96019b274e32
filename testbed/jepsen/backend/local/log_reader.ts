/** Reads the log of a replica from its files while the replica goes on writing to them. Changes nothing. */
import {
  checkFrameHeader,
  checkFramePayload,
  createLogBuffer,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBytes,
  FrameKind,
  FrameWord,
  type LogBuffer,
  payloadBytesAt,
} from "../../../../core/log_frame.ts";
import {
  baseOp,
  type LogIdentity,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "../../../../core/log_segment.ts";
import { checkFollows, moveTip, type Tip, TipWord } from "../../../../core/log_tip.ts";
import { readU64 } from "../../../../core/words.ts";
import type { Disk } from "../../../../node/disk.ts";
import { findSegments, lastOps } from "../../../../node/log/files.ts";

import { keepBytes } from "../../../sim/judge/kept_bytes.ts";
import type { LogEntry } from "../../evidence/evidence.ts";

/** What is read at once; a frame that does not fit has as much as it needs. */
const CHUNK_BYTES = 256 * 1024;

/** A segment that counts, and up to which op it does. */
export interface CountingSegment {
  readonly name: string;
  readonly header: SegmentHeader;
  /** `undefined` where the log ends in it. */
  readonly lastOp: bigint | undefined;
}

/** Why reading ended. */
export type ReadingEnd =
  /** Nothing more is there, or it is half written. */
  | "end"
  /** What is there does not follow from what was read before. */
  | "mismatch"
  /** Told to. */
  | "enough";

/**
 * The segments that count, in the order of ops.
 *
 * @returns `undefined` when they cannot be told now: the replica is just changing them, or they are damaged.
 */
export function countingSegments(
  disk: Disk,
  identity: LogIdentity,
): readonly CountingSegment[] | undefined {
  const found = findSegments(disk, identity);
  if (found.kind !== "found") return undefined;
  const last = lastOps(found.segments.map(({ header }) => header));
  return found.segments.flatMap(({ name, header }, i) => {
    const lastOp = last[i];
    const counts = lastOp === undefined || lastOp >= baseOp(header);
    return counts ? [{ name, header, lastOp }] : [];
  });
}

/** Where in a segment one is. */
export interface ReadingPlace {
  /** In bytes from the start of the file. */
  at: number;
  /** The last frame before it; moved on. */
  readonly tip: Tip;
}

/**
 * Reads frames of a segment.
 *
 * @param upTo The last op that is wanted.
 * @param take Sees each frame.
 */
export function readFrames(
  disk: Disk,
  { name, header, lastOp }: CountingSegment,
  place: ReadingPlace,
  upTo: bigint,
  take: (buffer: LogBuffer, at: number) => void,
): ReadingEnd {
  const file = disk.open(name);
  const last = lastOp === undefined || lastOp > upTo ? upTo : lastOp;
  let bytes = CHUNK_BYTES;
  try {
    for (;;) {
      if (readU64(place.tip, TipWord.op) >= last) return "enough";
      const length = Math.min(bytes, header.bytes - place.at);
      if (length < FRAME_HEADER_BYTES) return "end";
      const buffer = createLogBuffer((length + 7) & ~7);
      const filled = file.read(place.at, buffer.bytes.subarray(0, length));
      const { used, end } = readChunk(buffer, filled, place.tip, last, take);
      place.at += used;
      if (end !== "more") return end;
      if (used > 0) bytes = CHUNK_BYTES;
      else if (length < bytes || bytes > 2 * FRAME_PAYLOAD_BYTES_MAX) return "end";
      else bytes *= 2;
    }
  } finally {
    file.close();
  }
}

function readChunk(
  buffer: LogBuffer,
  filled: number,
  tip: Tip,
  last: bigint,
  take: (buffer: LogBuffer, at: number) => void,
): { readonly used: number; readonly end: ReadingEnd | "more" } {
  let at = 0;
  for (;;) {
    if (readU64(tip, TipWord.op) >= last) return { used: at, end: "enough" };
    if (filled - at < FRAME_HEADER_BYTES + 8) return { used: at, end: "more" };
    const error = checkFrameHeader(buffer, at, filled, FRAME_PAYLOAD_BYTES_MAX);
    if (error === "payload_too_large") return { used: at, end: "more" };
    if (error !== undefined) return { used: at, end: "end" };
    if (checkFollows(tip, buffer.words, at >>> 2) !== undefined) {
      return { used: at, end: "mismatch" };
    }
    if (checkFramePayload(buffer, at) !== undefined) return { used: at, end: "end" };
    moveTip(tip, buffer.words, at >>> 2);
    take(buffer, at);
    at += frameBytes(payloadBytesAt(buffer.words, at >>> 2));
  }
}

/** One frame as evidence. The tip is that after it. */
export function entryAt({ words, bytes }: LogBuffer, at: number, tip: Tip): LogEntry {
  const w = at >>> 2;
  const kind = words[w + FrameWord.kindAndLength]! >>> 24;
  const payloadAt = at + FRAME_HEADER_BYTES;
  return {
    op: Number(readU64(words, w + FrameWord.op)),
    lsn: Number(readU64(words, w + FrameWord.lsn)),
    slot: readU64(words, w + FrameWord.slot),
    view: readU64(words, w + FrameWord.view),
    hash: readU64(tip, TipWord.hash),
    previousHash: readU64(words, w + FrameWord.previousHash),
    isCommand: kind === FrameKind.client_command || kind === FrameKind.internal_command,
    isInternal: kind === FrameKind.internal_command,
    payload: keepBytes(bytes, payloadAt, payloadBytesAt(words, w)),
  };
}

/** Where a segment begins. */
export function beginningOf({ header }: CountingSegment): ReadingPlace {
  return { at: SEGMENT_HEADER_BYTES, tip: header.base.slice() };
}
