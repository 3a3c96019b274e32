/**
 * Checkpoints without a pause: freeze the state, write it out in slices between batches, sync in the
 * background, and only then drop the log that both generations of snapshots cover.
 */
import { assert } from "../core/assert.ts";
import { TipWord } from "../core/log_tip.ts";
import { beginSnapshot, endSnapshot, nextBlock, type SnapshotSource } from "../core/snapshot.ts";
import { readU64, writeU64 } from "../core/words.ts";
import type { CheckpointResult } from "./api.ts";
import { type Disk, DiskFault } from "./disk.ts";
import type { Executor } from "./executor.ts";
import type { LogWriter } from "./log/store.ts";
import { type NodeLog, orNone } from "./log_lines.ts";
import { SnapshotWriter } from "./snapshot/store.ts";
import type { SnapshotIdentity } from "./snapshot/format.ts";

/** When a checkpoint starts by itself. */
export interface CheckpointPolicy {
  /** Log bytes since the last one. */
  readonly bytes: number;
  /** Entries since the last one. */
  readonly frames: number;
  /** Milliseconds since the last one, if anything was written. */
  readonly ageMs: number;
}

/** A checkpoint at every 256 MiB, 4 million entries or 10 minutes. */
export const DEFAULT_CHECKPOINT_POLICY: CheckpointPolicy = {
  bytes: 256 * 1024 * 1024,
  frames: 4_000_000,
  ageMs: 600_000,
};

/** What the checkpointer works with. */
export interface CheckpointParts {
  readonly disk: Disk;
  readonly executor: Executor;
  readonly writer: LogWriter;
  readonly identity: SnapshotIdentity;
  readonly log: NodeLog;
  readonly nowMs: () => number;
  /** Runs the next slice once the event loop has had its turn. */
  readonly later: (task: () => void) => void;
  /** The newest good snapshot at start-up. */
  readonly loaded: { readonly op: bigint; readonly lsn: bigint } | undefined;
  /** Whether a newer snapshot than the loaded one is there and damaged: the next one replaces it. */
  readonly newestIsDamaged: boolean;
}

/** Writes snapshots of one engine, one at a time. */
export class Checkpointer {
  /** Lsn of the newest good snapshot. */
  activeSnapshotLsn: bigint | undefined;
  completed = 0;
  failed = 0;
  readonly #parts: CheckpointParts;
  #activeOp: bigint;
  #newestIsDamaged: boolean;
  #isDoubted = false;
  #running = false;
  #lastMs: number;
  #lastBytes: number;
  #lastFrames: number;

  /**
   * @param parts What to work with.
   */
  constructor(parts: CheckpointParts) {
    this.#parts = parts;
    this.activeSnapshotLsn = parts.loaded?.lsn || undefined;
    this.#activeOp = parts.loaded?.op ?? 0n;
    this.#newestIsDamaged = parts.newestIsDamaged;
    this.#lastMs = parts.nowMs();
    this.#lastBytes = parts.writer.bytesWritten;
    this.#lastFrames = parts.executor.counters.committed;
  }

  /** Log bytes written since the last checkpoint. */
  get bytesSince(): number {
    return this.#parts.writer.bytesWritten - this.#lastBytes;
  }

  /** Entries written since the last checkpoint. */
  get framesSince(): number {
    return this.#parts.executor.counters.committed - this.#lastFrames;
  }

  /** Age of the newest snapshot in milliseconds, counted from start-up if this process made none. */
  get ageMs(): number | undefined {
    return this.activeSnapshotLsn === undefined ? undefined : this.#parts.nowMs() - this.#lastMs;
  }

  /** Somebody could not make use of the newest snapshot: another one shall take its place soon. */
  doubtNewest(): void {
    this.#isDoubted = true;
  }

  /** Whether a policy asks for a checkpoint now, or the newest snapshot is of no use, whatever the policy. */
  isDue(policy: CheckpointPolicy | undefined): boolean {
    if (this.#running) return false;
    if (this.#newestIsDamaged || this.#isDoubted) return true;
    if (policy === undefined || this.framesSince === 0) return false;
    return this.bytesSince >= policy.bytes || this.framesSince >= policy.frames ||
      this.#parts.nowMs() - this.#lastMs >= policy.ageMs;
  }

  /** Starts a checkpoint of the applied state. */
  start(done: (result: CheckpointResult) => void): void {
    const { executor, writer } = this.#parts;
    if (executor.haltReason !== undefined) return done({ kind: "engine_halted" });
    if (this.#running) return done({ kind: "already_running" });
    const tip = executor.appliedTip;
    const taken = {
      op: readU64(tip, TipWord.op),
      lsn: readU64(tip, TipWord.lsn),
      bytes: writer.bytesWritten,
      frames: executor.counters.committed,
    };
    const header = {
      ...this.#parts.identity,
      op: taken.op,
      lsn: taken.lsn,
      requestSlot: readU64(tip, TipWord.slot),
      view: readU64(tip, TipWord.view),
      chainHash: readU64(tip, TipWord.hash),
    };
    this.#running = true;
    const source = beginSnapshot(executor.engine);
    const end = (result: CheckpointResult) => {
      endSnapshot(source);
      this.#running = false;
      if (result.kind === "done") this.#lastMs = this.#parts.nowMs();
      done(result);
    };
    try {
      const file = SnapshotWriter.start(this.#parts.disk, header, this.#newestIsDamaged);
      this.#writeSlices(file, source, (fault) => end(this.#finish(fault, taken)));
    } catch (error) {
      end(this.#finish(asFault(error), taken));
    }
  }

  #writeSlices(
    file: SnapshotWriter,
    source: SnapshotSource,
    done: (fault: DiskFault | undefined) => void,
  ): void {
    const slice = () => {
      try {
        const step = file.step({ next: (into) => nextBlock(source, into) });
        if (step === "more") {
          return file.pace((fault) => fault ? done(fault) : this.#parts.later(slice));
        }
        endSnapshot(source);
        file.finish(done);
      } catch (error) {
        done(asFault(error));
      }
    };
    slice();
  }

  /** A failed snapshot costs nothing but the attempt: the log still has everything. */
  #finish(
    fault: DiskFault | undefined,
    taken: { op: bigint; lsn: bigint; bytes: number; frames: number },
  ): CheckpointResult {
    if (fault !== undefined) {
      this.failed++;
      this.#parts.log.error(`checkpoint failed, engine stays live: error=${fault.message}`);
      return { kind: "snapshot_file_error", fault };
    }
    const previousSnapshotLsn = this.activeSnapshotLsn;
    const removedSegments = this.#dropCoveredLog();
    this.completed++;
    this.activeSnapshotLsn = taken.lsn === 0n ? undefined : taken.lsn;
    this.#activeOp = taken.op;
    this.#newestIsDamaged = false;
    this.#isDoubted = false;
    this.#lastBytes = taken.bytes;
    this.#lastFrames = taken.frames;
    this.#parts.log.info(
      `checkpoint complete: snapshot_lsn=${orNone(this.activeSnapshotLsn)} ` +
        `previous_snapshot_lsn=${orNone(previousSnapshotLsn)} removed_segments=${removedSegments}`,
    );
    return {
      kind: "done",
      snapshotLsn: this.activeSnapshotLsn,
      previousSnapshotLsn,
      removedSegments,
    };
  }

  /** Keeps one checkpoint of overlap: what the previous generation needs stays. */
  #dropCoveredLog(): number {
    const { writer, log } = this.#parts;
    const before = writer.segments.length;
    const through = new Uint32Array(2);
    writeU64(through, 0, this.#activeOp);
    const fault = writer.removeSegmentsThrough(through);
    if (fault !== undefined) {
      log.warn(`segments not removed: error=${fault.message}`);
      this.#parts.executor.haltIfLogFailed();
    }
    return before - writer.segments.length;
  }
}

function asFault(error: unknown): DiskFault {
  assert(error instanceof DiskFault, "checkpoint/only-the-disk-fails");
  return error;
}
