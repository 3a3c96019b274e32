/** Where in its files a log may be damaged so that sound frames before and behind tell that something is missing. */
import {
  checkFrameHeader,
  createLogBuffer,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBytes,
  FrameWord,
  type LogBuffer,
  payloadBytesAt,
} from "../../../core/log_frame.ts";
import { chainHash } from "../../../core/log_hash.ts";
import { SEGMENT_HEADER_BYTES } from "../../../core/log_segment.ts";
import { readU64 } from "../../../core/words.ts";
import { ACTIVE_SEGMENT, NEXT_SEGMENT } from "../../../node/log/files.ts";
import type { MemoryDisk } from "../disk/memory_disk.ts";
import { SECTOR_BYTES } from "../disk/sector.ts";

/** A frame in a file. */
export interface FramePlace {
  readonly op: number;
  /** Chain hash up to and with it. */
  readonly hash: bigint;
  /** First byte. */
  readonly from: number;
  /** One past the last byte. */
  readonly end: number;
}

/** Whole sectors of a file that hold frames, and no part of what proves where the log ends. */
export interface LogInside {
  readonly name: string;
  /** First byte. */
  readonly from: number;
  /** One past the last byte. */
  readonly end: number;
  readonly frames: readonly FramePlace[];
}

/**
 * Looks for them.
 *
 * @param disk A replica's disk.
 * @returns For each segment of its log that has any, the sectors that no reader can mistake for the end of the log.
 */
export function logInsides(disk: MemoryDisk): LogInside[] {
  const names = disk.list().filter((name) => name.startsWith(ACTIVE_SEGMENT));
  return names.filter((name) => name !== NEXT_SEGMENT).sort().flatMap((name) => {
    const inside = insideOf(name, disk.contents(name));
    return inside === undefined ? [] : [inside];
  });
}

/** In the active segment the last frame stays, and what it does not claim to be durable. */
function insideOf(name: string, bytes: Uint8Array): LogInside | undefined {
  const buffer = createLogBuffer((bytes.length + 7) & ~7);
  buffer.bytes.set(bytes);
  const frames = framesOf(buffer);
  const last = frames.at(-1);
  if (last === undefined) return undefined;
  const syncedOp = Number(readU64(buffer.words, (last.from >>> 2) + FrameWord.synced));
  const isActive = name === ACTIVE_SEGMENT;
  const firstKept = frames.find(({ op }) => op === last.op || op > syncedOp)!;
  const limit = isActive ? firstKept.from : last.end;
  const end = Math.floor(limit / SECTOR_BYTES) * SECTOR_BYTES;
  if (end <= SEGMENT_HEADER_BYTES) return undefined;
  return { name, from: SEGMENT_HEADER_BYTES, end, frames };
}

function framesOf(buffer: LogBuffer): FramePlace[] {
  const frames: FramePlace[] = [];
  const { words, bytes } = buffer;
  const hash = new Uint32Array(2);
  for (let at = SEGMENT_HEADER_BYTES; at < bytes.length;) {
    if (checkFrameHeader(buffer, at, bytes.length, FRAME_PAYLOAD_BYTES_MAX)) break;
    chainHash(words, at >>> 2, hash, 0);
    const op = Number(readU64(words, (at >>> 2) + FrameWord.op));
    const end = at + frameBytes(payloadBytesAt(words, at >>> 2));
    frames.push({ op, hash: readU64(hash, 0), from: at, end });
    at = end;
  }
  return frames;
}

/**
 * Where the last frames of a log lie.
 *
 * @param disk A replica's disk.
 * @param count How many at most.
 * @returns Their bytes in the active segment; `undefined` when it has none.
 */
export function logEnd(
  disk: MemoryDisk,
  count: number,
): Pick<LogInside, "name" | "from" | "end"> | undefined {
  if (disk.size(ACTIVE_SEGMENT) === undefined) return undefined;
  const bytes = disk.contents(ACTIVE_SEGMENT);
  const buffer = createLogBuffer((bytes.length + 7) & ~7);
  buffer.bytes.set(bytes);
  const frames = framesOf(buffer);
  const last = frames.at(-1);
  if (last === undefined) return undefined;
  return { name: ACTIVE_SEGMENT, from: frames.at(-count)?.from ?? frames[0]!.from, end: last.end };
}
