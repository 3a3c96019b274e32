/**
 * What the disks of a cluster hold of its log, collected while the cluster runs: checkpoints delete what is old, so that at
 * the end of a long run the files alone would say little. Only what a replica says is committed is collected, as all
 * else may rightly change. A replica that skipped a part of the log, or whose log is another one than before, has several pieces.
 */
import type { LogIdentity } from "../../../../core/log_segment.ts";
import { equalTips, type Tip, TipWord } from "../../../../core/log_tip.ts";
import { readU64 } from "../../../../core/words.ts";
import { type Disk, DiskFault } from "../../../../node/disk.ts";
import type { LogEntry, LogPiece } from "../../evidence/evidence.ts";
import { type EntryPool, PooledEntries } from "./entry_pool.ts";
import {
  beginningOf,
  type CountingSegment,
  countingSegments,
  readFrames,
  type ReadingPlace,
} from "./log_reader.ts";

interface Piece {
  readonly baseOp: number;
  /** What is another entry than in the pool, by op. */
  readonly own: Map<number, LogEntry>;
  /** The last op that its replica ever called committed while it had this log. */
  toldOp: bigint;
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

  /** The last op that its replica has ever called committed, as far as it was looked at. */
  get commitOp(): number {
    return Math.max(0, ...this.#pieces.map((piece) => this.#commitOpOf(piece)));
  }

  /**
   * What was collected so far.
   *
   * @param upTo The last op that is wanted.
   */
  pieces(upTo: number = Infinity): readonly LogPiece[] {
    return this.#pieces.filter(({ baseOp }) => baseOp < upTo).map((piece) => {
      const { baseOp, own, tip } = piece;
      const length = Math.min(upTo, Number(readU64(tip, TipWord.op))) - baseOp;
      return {
        ...{ replicaId: this.#replicaId, baseOp },
        entries: new PooledEntries(this.#pool, baseOp, length, own),
        commitOp: Math.min(upTo, this.#commitOpOf(piece)),
      };
    });
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
      for (const segment of segments) this.#read(segment, commitOp);
      const open = this.#open;
      if (open !== undefined && commitOp > open.toldOp) open.toldOp = commitOp;
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

  #commitOpOf(piece: Piece): number {
    return Number(piece === this.#open ? piece.toldOp : readU64(piece.tip, TipWord.op));
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
      ...{ baseOp: Number(baseOp), own: new Map(), tip: place.tip.slice() },
      ...{ generation, at: place.at, toldOp: 0n },
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
      const own = this.#pool.take(buffer, at, place.tip);
      if (own !== undefined) piece.own.set(own.op, own);
      else if (piece.own.size > 0) piece.own.delete(Number(readU64(place.tip, TipWord.op)));
    });
    piece.tip = place.tip;
    piece.at = place.at;
    return end;
  }
}
