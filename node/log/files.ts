/**
 * The files of a log: their names, their headers, and the one way in which a new segment takes the place of
 * the active one. Source: docs/storage.md#files.
 */
import { assert } from "../../core/assert.ts";
import type { Corruption, LogError } from "../../core/log_scan.ts";
import {
  baseOp,
  checkIdentity,
  decodeSegmentHeader,
  encodeSegmentHeader,
  type LogIdentity,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "../../core/log_segment.ts";
import type { Disk, DiskFile } from "../disk.ts";
import type { SegmentIndex } from "./index.ts";

/** The segment that is written to. */
export const ACTIVE_SEGMENT = "state.wal";
/** A segment being made; it counts only when there is no active one. */
export const NEXT_SEGMENT = "state.wal.next";
/** Longest segment: keeps byte offsets inside what a word index shifts to. */
export const SEGMENT_BYTES_MAX = 0x4000_0000;

const SEALED_NAME = /^state\.wal\.(\d{20})$/;

/** Name of a segment once a later one has taken its place. */
export function sealedName(firstOp: bigint): string {
  return `${ACTIVE_SEGMENT}.${firstOp.toString().padStart(20, "0")}`;
}

/** A segment on disk whose header is sound and ours. */
export interface SegmentFile {
  readonly name: string;
  readonly header: SegmentHeader;
}

/** One file of the log, and what is known about its content. */
export interface LogSegment {
  name: string;
  readonly header: SegmentHeader;
  /** One past its last frame that counts and is durable, in bytes from the start of the file. */
  end: number;
  readonly index: SegmentIndex;
}

/** The segments of a directory in the order in which they were made; the last is the active one. */
export type FoundSegments =
  | { readonly kind: "found"; readonly segments: readonly SegmentFile[] }
  | { readonly kind: "none" }
  | Corruption;

/**
 * Finds the segments of a log and checks their headers. A rotation that was interrupted between its two
 * renames shows as an active segment still named {@linkcode NEXT_SEGMENT}; one interrupted before leaves a
 * file of that name that does not count.
 *
 * @param disk The data directory.
 * @param identity Whose log it must be.
 * @returns The segments, or what is wrong with one.
 * @throws {DiskFault} When the directory cannot be read.
 */
export function findSegments(disk: Disk, identity: LogIdentity): FoundSegments {
  const { sealed, newest } = logFiles(disk);
  if (newest !== ACTIVE_SEGMENT && sealed.length === 0) return { kind: "none" };
  if (newest === undefined) return damaged(ACTIVE_SEGMENT, 0, "missing_segment");
  const segments: SegmentFile[] = [];
  for (const name of [...sealed, newest]) {
    const header = readHeader(disk, name, identity);
    if ("kind" in header) return header;
    segments.push({ name, header });
  }
  return inOrder(segments, newest);
}

/** Names of a log's files: the sealed ones in order of ops, and the one that is, or takes the place of, the active one. */
export function logFiles(disk: Disk): { sealed: string[]; newest: string | undefined } {
  const names = disk.list();
  const sealed = names.filter((name) => SEALED_NAME.test(name)).sort();
  const newest = [ACTIVE_SEGMENT, NEXT_SEGMENT].find((name) => names.includes(name));
  return { sealed, newest };
}

/** Sorts by generation, and checks that names and generations agree. */
function inOrder(segments: SegmentFile[], newest: string): FoundSegments {
  segments.sort((a, b) => (a.header.generation < b.header.generation ? -1 : 1));
  for (const [i, { name, header }] of segments.entries()) {
    if (segments[i + 1]?.header.generation === header.generation) {
      return damaged(name, 0, "duplicate_generation");
    }
    const isNewest = i === segments.length - 1;
    const expected = isNewest ? newest : sealedName(baseOp(header));
    if (name !== expected) return damaged(name, 0, "misnamed_segment");
  }
  return { kind: "found", segments };
}

function readHeader(disk: Disk, name: string, identity: LogIdentity): SegmentHeader | Corruption {
  const sector = new Uint8Array(SEGMENT_HEADER_BYTES);
  const file = disk.open(name);
  const length = file.read(0, sector);
  file.close();
  const header = decodeSegmentHeader(sector.subarray(0, length));
  if (typeof header === "string") return damaged(name, 0, header);
  const foreign = checkIdentity(header, identity);
  if (foreign !== undefined) return damaged(name, 0, foreign);
  const bytes = disk.size(name) ?? 0;
  if (bytes !== header.bytes || !isSegmentLength(bytes)) return damaged(name, bytes, "segment_cut");
  return header;
}

/** Whether a segment can be this long: whole sectors, a header and more. */
export function isSegmentLength(bytes: number): boolean {
  return bytes % SEGMENT_HEADER_BYTES === 0 && bytes > SEGMENT_HEADER_BYTES &&
    bytes <= SEGMENT_BYTES_MAX;
}

/** Damage at a place in a file. */
export function damaged(file: string, at: number, error: LogError): Corruption {
  return { kind: "corruption", file, at, error };
}

/**
 * Makes a segment and makes it the active one, durably. The active one until now is sealed, or replaced when
 * the new one supersedes all of it. A crash in between leaves the old log or the new.
 *
 * @param disk The data directory.
 * @param header What the new segment states.
 * @param frames Sealed frames it starts with; may be empty.
 * @param active The active segment until now; none in a new log.
 * @returns The new segment, open.
 * @throws {DiskFault} When the environment fails; the log must then be recovered before it is used.
 */
export function installSegment(
  disk: Disk,
  header: SegmentHeader,
  frames: Uint8Array,
  active: SegmentHeader | undefined,
): DiskFile {
  assert(isSegmentLength(header.bytes), "log/segment-length-in-range");
  writeSegment(disk, header, frames);
  if (active !== undefined && !header.startsLog && baseOp(active) < baseOp(header)) {
    disk.rename(ACTIVE_SEGMENT, sealedName(baseOp(active)));
  }
  disk.rename(NEXT_SEGMENT, ACTIVE_SEGMENT);
  disk.syncDirectory();
  return disk.open(ACTIVE_SEGMENT);
}

function writeSegment(disk: Disk, header: SegmentHeader, frames: Uint8Array): void {
  const image = new Uint8Array(SEGMENT_HEADER_BYTES + frames.length);
  image.set(encodeSegmentHeader(header));
  image.set(frames, SEGMENT_HEADER_BYTES);
  const file = disk.create(NEXT_SEGMENT, header.bytes);
  try {
    file.write(0, image);
    file.sync();
  } finally {
    file.close();
  }
}

/**
 * Deletes files, oldest first, durably.
 *
 * @throws {DiskFault} When the environment fails; some may then be gone.
 */
export function removeFiles(disk: Disk, names: readonly string[]): void {
  if (names.length === 0) return;
  for (const name of names) disk.remove(name);
  disk.syncDirectory();
}

/**
 * The last op of each segment that counts: up to where a later one takes over. Before a segment that starts the log
 * none counts.
 *
 * @param headers In the order in which the segments were made.
 * @returns For each its last op, or `undefined` where the log ends; below its first op when it is superseded
 *   as a whole.
 */
export function lastOps(headers: readonly SegmentHeader[]): (bigint | undefined)[] {
  const last: (bigint | undefined)[] = [];
  let cut: bigint | undefined;
  for (const header of [...headers].reverse()) {
    last.push(cut === undefined ? undefined : cut - 1n);
    const first = baseOp(header);
    if (cut === undefined || first < cut) cut = first;
    if (header.startsLog) cut = 0n;
  }
  return last.reverse();
}
