/**
 * What the disks of a cluster hold of its log, collected while the cluster runs: checkpoints delete what is old, so that at
 * the end of a long run the files alone would say little. Only what a replica says is committed is collected, as all
 * else may rightly change. A replica that skipped a part of the log, or whose log is another one than before, has several pieces.
 */
import type { LogBuffer } from "../../../../core/log_frame.ts";
import type { LogIdentity } from "../../../../core/log_segment.ts";
import { equalTips, type Tip, TipWord } from "../../../../core/log_tip.ts";
import { readU64 } from "../../../../core/words.ts";
import { type Disk, DiskFault } from "../../../../node/disk.ts";
import type { LogEntry, LogPiece } from "../../evidence/evidence.ts";
import {
  beginningOf,
  type CountingSegment,
  countingSegments,
  entryAt,
  readFrames,
  type ReadingPlace,
} from "./log_reader.ts";

/** Entries that several replicas have are kept once. */
export class EntryPool {
  readonly #entries: LogEntry[] = [];

  /** The frame that `tip` ends with, as an entry. */
  take(buffer: LogBuffer, at: number, tip: Tip): LogEntry {
    const op = Number(readU64(tip, TipWord.op));
    const known = this.#entries[op];
    if (known !== undefined && known.hash === readU64(tip, TipWord.hash)) return known;
    const entry = entryAt(buffer, at, tip);
    if (known === undefined) this.#entries[op] = entry;
    return entry;
  }
}

interface Piece {
  readonly baseOp: number;
  readonly entries: LogEntry[];
  /** The last frame of it. */
  tip: Tip;
  /** Where that ends, and in which segment. */
  generation: bigint;
  at: number;
}

/** See the top of this file. One replica. */
export class LogCollector {
  readonly #replicaId: number;
  readonly #disk: Disk;
  readonly #identity: LogIdentity;
  readonly #pool: EntryPool;
  readonly #pieces: Piece[] = [];
  #open: Piece | undefined;
  #commitOp = 0n;

  /**
   * @param replicaId Whose log it is.
   * @param disk Its data directory; nothing is written to it.
   * @param identity Which cluster's log it must be.
   * @param pool Where entries are kept.
   */
  constructor(replicaId: number, disk: Disk, identity: LogIdentity, pool: EntryPool) {
    this.#replicaId = replicaId;
    this.#disk = disk;
    this.#identity = identity;
    this.#pool = pool;
  }

  /** The last op that was collected; 0 for none. */
  get tipOp(): bigint {
    return this.#open === undefined ? 0n : readU64(this.#open.tip, TipWord.op);
  }

  /** What was collected so far. */
  pieces(): readonly LogPiece[] {
    return this.#pieces.map((piece) => ({
      replicaId: this.#replicaId,
      baseOp: piece.baseOp,
      entries: piece.entries,
      commitOp: Number(piece === this.#open ? this.#commitOp : readU64(piece.tip, TipWord.op)),
    }));
  }

  /** The replica's files are gone; what comes is a log of its own. */
  startOver(): void {
    this.#open = undefined;
  }

  /**
   * Collects what is new. What cannot be read now is read the next time.
   *
   * @param commitOp The last op that the replica says is committed.
   */
  collect(commitOp: bigint): void {
    try {
      const segments = countingSegments(this.#disk, this.#identity);
      if (segments === undefined || segments.length === 0) return;
      this.#commitOp = commitOp;
      for (const segment of segments) this.#read(segment, commitOp);
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error; // Files come and go while we look.
    }
  }

  /** Once more from the beginning, unless all that is committed was collected: what was read before then has to agree. */
  complete(commitOp: bigint): void {
    this.collect(commitOp);
    if (this.tipOp >= commitOp) return;
    this.startOver();
    this.collect(commitOp);
  }

  #read(segment: CountingSegment, commitOp: bigint): void {
    const open = this.#open;
    if (open === undefined) return this.#begin(segment, commitOp);
    const tipOp = readU64(open.tip, TipWord.op);
    if (segment.lastOp !== undefined && segment.lastOp <= tipOp) return; // Read before.
    if (segment.header.generation === open.generation) {
      const place = { at: open.at, tip: open.tip };
      if (this.#append(open, segment, place, commitOp) !== "mismatch") return;
      return this.#reread(open, segment, commitOp);
    }
    this.#reread(open, segment, commitOp);
  }

  /** Another segment holds what comes next, behind what is known already, which must be the same. */
  #reread(open: Piece, segment: CountingSegment, commitOp: bigint): void {
    const place = beginningOf(segment);
    const tipOp = readU64(open.tip, TipWord.op);
    if (readU64(place.tip, TipWord.op) > tipOp) return this.#begin(segment, commitOp);
    const behind = { ...segment, lastOp: tipOp };
    readFrames(this.#disk, behind, place, tipOp, () => {});
    if (readU64(place.tip, TipWord.op) < tipOp) return; // Not written yet, or damaged.
    if (!equalTips(place.tip, open.tip)) return this.#begin(segment, commitOp);
    open.generation = segment.header.generation;
    this.#append(open, segment, place, commitOp);
  }

  #begin(segment: CountingSegment, commitOp: bigint): void {
    const place = beginningOf(segment);
    const baseOp = readU64(place.tip, TipWord.op);
    if (baseOp >= commitOp) return;
    const { generation } = segment.header;
    const piece: Piece = {
      ...{ baseOp: Number(baseOp), entries: [], tip: place.tip.slice(), generation, at: place.at },
    };
    this.#pieces.push(piece);
    this.#open = piece;
    this.#append(piece, segment, place, commitOp);
  }

  #append(
    piece: Piece,
    segment: CountingSegment,
    place: ReadingPlace,
    commitOp: bigint,
  ): ReturnType<typeof readFrames> {
    const end = readFrames(this.#disk, segment, place, commitOp, (buffer, at) => {
      piece.entries.push(this.#pool.take(buffer, at, place.tip));
    });
    piece.tip = place.tip;
    piece.at = place.at;
    return end;
  }
}
