/** The files of a log in use: appending to the active one, and letting a new one take its place. Source: docs/storage.md#writing. */
import { baseOp, SEGMENT_HEADER_BYTES, type SegmentHeader } from "../../core/log_segment.ts";
import { type Tip, TipWord } from "../../core/log_tip.ts";
import type { Disk, DiskFile, Done } from "../disk.ts";
import {
  ACTIVE_SEGMENT,
  installSegment,
  lastOps,
  type LogSegment,
  removeFiles,
  sealedName,
} from "./files.ts";
import { SegmentIndex } from "./index.ts";
import type { RunPlace } from "./reader.ts";

/** What {@linkcode LogSegments} begins with. */
export interface SegmentParts {
  readonly disk: Disk;
  /** In the order in which they were made; the last is the active one. */
  readonly segments: LogSegment[];
  /** The active segment. */
  readonly file: DiskFile;
  /** Length of a new segment. */
  readonly segmentBytes: number;
  /** How far ahead of its end the active segment is filled with zeros. */
  readonly zeroAheadBytes: number;
}

/** The segments of one log. Methods throw a {@linkcode DiskFault} when the environment fails. */
export class LogSegments {
  /** In the order in which they were made; the last is the active one. To read. */
  readonly list: LogSegment[];
  readonly #disk: Disk;
  readonly #segmentBytes: number;
  readonly #zeros: Uint8Array;
  #file: DiskFile;
  #zeroedUpTo: number;

  /**
   * @param parts What is there.
   */
  constructor(parts: SegmentParts) {
    this.list = parts.segments;
    this.#disk = parts.disk;
    this.#file = parts.file;
    this.#segmentBytes = parts.segmentBytes;
    this.#zeros = new Uint8Array(Math.min(parts.zeroAheadBytes, parts.segmentBytes));
    this.#zeroedUpTo = this.active.end;
  }

  /** The segment that is written to. */
  get active(): LogSegment {
    return this.list[this.list.length - 1]!;
  }

  /** The op of the log's first frame, there or still to come; segments that are superseded as a whole are gone. */
  get firstOp(): bigint {
    return baseOp(this.list[0]!.header);
  }

  /**
   * Makes room for a batch, in a new segment if need be.
   *
   * @param bytes Bytes of the batch.
   * @param durable The last frame before it; everything up to it is durable.
   */
  makeRoom(bytes: number, durable: Tip): void {
    if (this.active.end + bytes > this.active.header.bytes) this.supersede(durable);
    if (this.active.end + bytes > this.#zeroedUpTo) this.#zeroAhead(this.active.end + bytes);
  }

  /** Writes a batch that has room behind the last one; `durable` as for {@linkcode LogSegments.makeRoom}. */
  write(bytes: Uint8Array, durable: Tip, done: Done): void {
    const { active } = this;
    active.index.note(opsSince(durable, active.header.base), active.end);
    this.#file.writeDurably(active.end, bytes, done);
  }

  /**
   * Installs a new active segment, which supersedes every frame behind its base.
   *
   * @param base The last frame that still counts; it and everything before it are durable.
   * @param startsLog Whether no older segment counts at all.
   */
  supersede(base: Tip, startsLog = false): void {
    const old = this.active;
    const header: SegmentHeader = {
      identity: old.header.identity,
      generation: old.header.generation + 1n,
      base: base.slice(),
      bytes: this.#segmentBytes,
      ...(startsLog ? { startsLog } : {}),
    };
    const file = installSegment(this.#disk, header, new Uint8Array(), old.header);
    this.#file.close(); // Only now: when this fails, whoever closes the log closes this file.
    this.#file = file;
    const end = SEGMENT_HEADER_BYTES;
    if (supersedes(header, old.header)) this.list.pop();
    else old.name = sealedName(baseOp(old.header));
    this.list.push({ name: ACTIVE_SEGMENT, header, end, index: new SegmentIndex() });
    this.#zeroedUpTo = end;
    dropSuperseded(this.#disk, this.list);
  }

  /** States where a segment ends that a later one supersedes in part. */
  endAt({ segment, at }: RunPlace): void {
    for (const kept of this.list) if (kept === segment) kept.end = at;
  }

  /** Deletes the sealed segments all of whose frames are at or below an op, oldest first. */
  removeThrough(op: bigint): void {
    const last = lastOps(this.list.map((segment) => segment.header));
    const kept = last.findIndex((lastOp) => lastOp === undefined || lastOp > op);
    if (kept === 0) return;
    const gone = this.list.splice(0, kept);
    removeFiles(this.#disk, gone.map((segment) => segment.name));
  }

  /** Lets go of the active segment. */
  close(): void {
    this.#file.close();
  }

  /** Writing to a hole makes the sync write the file system's journal too; zeros cost less, and less often. */
  #zeroAhead(from: number): void {
    const count = Math.min(this.#zeros.length, this.active.header.bytes - from);
    if (count > 0) this.#file.write(from, this.#zeros.subarray(0, count));
    this.#zeroedUpTo = from + count;
  }
}

/** Whether an older segment does not count any more beside a newer one. */
function supersedes(newer: SegmentHeader, older: SegmentHeader): boolean {
  return newer.startsLog === true || baseOp(newer) <= baseOp(older);
}

/**
 * Takes segments that do not count out of a list and deletes their files. Only when what supersedes them is durable.
 *
 * @param disk The data directory.
 * @param segments In the order in which they were made; those that count stay.
 * @throws {DiskFault} When the environment fails.
 */
export function dropSuperseded(disk: Disk, segments: LogSegment[]): void {
  const last = lastOps(segments.map((segment) => segment.header));
  const counts = segments.map(({ header }, i) =>
    last[i] === undefined || last[i] >= baseOp(header)
  );
  if (!counts.includes(false)) return;
  const kept = segments.filter((_, i) => counts[i]);
  const names = new Set(kept.map((segment) => segment.name));
  const gone = segments.filter((_, i) => !counts[i]).map((segment) => segment.name);
  segments.splice(0, segments.length, ...kept);
  removeFiles(disk, gone.filter((name) => !names.has(name)));
}

/** Frames of a segment before its next batch; fewer than 2^32, because a segment is shorter than that. */
function opsSince(tip: Tip, base: Tip): number {
  return (tip[TipWord.op]! - base[TipWord.op]!) >>> 0;
}
