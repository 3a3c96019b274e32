/** Writing snapshots, a slice at a time, into two generations. Source: docs/storage.md#snapshots. */

import { assert } from "../../core/assert.ts";
import { type CoreConfig, tableBytes } from "../../core/config.ts";
import { type Disk, DiskFault, type DiskFile, type Done } from "../disk.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  blockSpan,
  chainCrc,
  encodeFooter,
  encodeHeader,
  FOOTER_BYTES,
  HEADER_BYTES,
  sealBlock,
  type SnapshotHeader,
} from "./format.ts";

/** The newest generation. */
export const SNAPSHOT_FILE = "state.snapshot";
/** The generation before it. */
export const SNAPSHOT_PREVIOUS_FILE = "state.snapshot.previous";
/** The generation that is being written. */
export const SNAPSHOT_TEMPORARY_FILE = "state.snapshot.tmp";

/** Where a snapshot's content comes from. */
export interface BlockSource {
  /**
   * Writes the next block.
   *
   * @param into Room for one block, at a multiple of eight in its buffer.
   * @returns The block's length in bytes, 0 when all are out.
   */
  next(into: Uint8Array): number;
}

/** Most bytes that a block has besides the engine's rows: its header, the engine's own head, padding. */
const BLOCK_OVERHEAD_BYTES_MAX = 128;

/** Most bytes that one step writes: what a writer has in memory. */
const SLICE_BYTES = HEADER_BYTES + 2 * blockSpan(BLOCK_BYTES_MAX) + FOOTER_BYTES;

/**
 * Most bytes left to one background sync. A sync of the log waits behind whatever of this file the system has
 * on its way to the disk: 60 to 90 ms behind 256 MiB, 2 ms behind this.
 */
const UNSYNCED_BYTES_MAX = 4 * 1024 * 1024;

/** The memory of a writer that has ended, for the next one: a megabyte is not cleared again for a snapshot of a page. */
let spareSlice: Uint8Array<ArrayBuffer> | undefined;

function takeSlice(): Uint8Array<ArrayBuffer> {
  const slice = spareSlice ?? new Uint8Array(SLICE_BYTES);
  spareSlice = undefined;
  return slice;
}

/**
 * One snapshot on its way to the disk: {@linkcode SnapshotWriter.start}, then
 * {@linkcode SnapshotWriter.step} until `written`, with {@linkcode SnapshotWriter.pace} between steps, then
 * {@linkcode SnapshotWriter.finish}. Until the end of that the two generations on disk are as they were.
 */
export class SnapshotWriter {
  readonly #disk: Disk;
  readonly #file: DiskFile;
  readonly #keepPrevious: boolean;
  readonly #slice = takeSlice();
  #sliceUsed = HEADER_BYTES;
  #sliceAt = 0;
  #syncedBytes = 0;
  #blockCount = 0;
  #runningCrc: number;
  #state: "writing" | "pacing" | "written" | "ended" = "writing";

  private constructor(disk: Disk, file: DiskFile, header: SnapshotHeader, keepPrevious: boolean) {
    this.#disk = disk;
    this.#file = file;
    this.#keepPrevious = keepPrevious;
    this.#runningCrc = chainCrc(0, encodeHeader(header, this.#slice));
  }

  /**
   * Makes the temporary file, over a leftover one if there is one.
   *
   * @param disk The data directory.
   * @param header What the snapshot is of.
   * @param keepPrevious True when the newest generation is known to be damaged: it is then replaced, instead
   *   of taking the place of the previous one, which is good.
   * @returns The writer.
   * @throws {DiskFault} When the file cannot be made.
   */
  static start(disk: Disk, header: SnapshotHeader, keepPrevious = false): SnapshotWriter {
    const file = disk.create(SNAPSHOT_TEMPORARY_FILE, 0);
    return new SnapshotWriter(disk, file, header, keepPrevious);
  }

  /** Bytes written so far. */
  get bytesWritten(): number {
    return this.#sliceAt;
  }

  /**
   * Takes the next blocks, about 1 MiB of them, and writes them without a sync.
   *
   * @param source Gives the blocks; it is asked until the slice is full or it has no more.
   * @returns `written` when the source had no more.
   * @throws {DiskFault} When the disk fails; the writer has then given up.
   */
  step(source: BlockSource): "more" | "written" {
    assert(this.#state === "writing", "snapshot/step-before-last-block");
    try {
      const isLast = this.#fill(source);
      this.#file.write(this.#sliceAt, this.#slice.subarray(0, this.#sliceUsed));
      this.#sliceAt += this.#sliceUsed;
      this.#sliceUsed = 0;
      if (isLast) this.#state = "written";
      return isLast ? "written" : "more";
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /**
   * Waits between two steps until the disk has kept up: not at all, or for a sync in the background.
   *
   * @param done Told when the next step may be taken, or the fault: the writer has then given up. Not called
   *   after {@linkcode SnapshotWriter.abort}.
   */
  pace(done: Done): void {
    assert(this.#state === "writing", "snapshot/pace-between-steps");
    const bytes = this.#sliceAt;
    if (bytes - this.#syncedBytes < UNSYNCED_BYTES_MAX) return done(undefined);
    this.#state = "pacing";
    this.#file.syncLater((fault) => {
      if (this.#state === "ended") return;
      this.#state = "writing";
      this.#syncedBytes = bytes;
      if (fault !== undefined) this.abort();
      done(fault);
    });
  }

  /**
   * Makes the file durable in the background and then the newest generation.
   *
   * @param done Told the fault if there was one. The old generations are then what they were, unless it was the
   *   last rename or the directory sync that failed: then at least the newer one of them is there.
   */
  finish(done: Done): void {
    assert(this.#state === "written", "snapshot/finish-after-last-block");
    this.#end();
    this.#file.syncLater((fault) => {
      this.#file.close();
      const outcome = fault ?? this.#install();
      if (outcome !== undefined) this.#removeTemporary();
      done(outcome);
    });
  }

  /** Gives up and removes the temporary file. Too late, and without effect, once `finish` was called. */
  abort(): void {
    if (this.#state === "ended") return;
    this.#end();
    this.#file.close();
    this.#removeTemporary();
  }

  /** Nothing is written any more. */
  #end(): void {
    this.#state = "ended";
    spareSlice = this.#slice;
  }

  /** Collects blocks; true when the source is empty and the footer is in. */
  #fill(source: BlockSource): boolean {
    const slice = this.#slice;
    while (this.#sliceUsed + blockSpan(BLOCK_BYTES_MAX) + FOOTER_BYTES <= slice.length) {
      const at = this.#sliceUsed;
      const contentAt = at + BLOCK_HEADER_BYTES;
      const bytes = source.next(slice.subarray(contentAt, contentAt + BLOCK_BYTES_MAX));
      if (bytes === 0) {
        this.#endWithFooter();
        return true;
      }
      const crc = sealBlock(slice, at, this.#blockCount, bytes);
      this.#runningCrc = chainCrc(this.#runningCrc, crc);
      this.#blockCount += 1;
      this.#sliceUsed += blockSpan(bytes);
    }
    return false;
  }

  #endWithFooter(): void {
    const at = this.#sliceUsed;
    this.#sliceUsed += FOOTER_BYTES;
    const fileBytes = this.#sliceAt + this.#sliceUsed;
    const footer = { blockCount: this.#blockCount, fileBytes, runningCrc: this.#runningCrc };
    encodeFooter(footer, this.#slice, at);
  }

  #install(): DiskFault | undefined {
    const disk = this.#disk;
    try {
      if (!this.#keepPrevious && disk.size(SNAPSHOT_FILE) !== undefined) {
        disk.rename(SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE);
      }
      disk.rename(SNAPSHOT_TEMPORARY_FILE, SNAPSHOT_FILE);
      disk.syncDirectory();
      return undefined;
    } catch (error) {
      if (error instanceof DiskFault) return error;
      throw error;
    }
  }

  /** Best effort: what cannot be removed now is overwritten by the next snapshot or removed at start. */
  #removeTemporary(): void {
    try {
      this.#disk.remove(SNAPSHOT_TEMPORARY_FILE);
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
    }
  }
}

/**
 * The longest snapshot that an engine with these bounds can write.
 *
 * @param core The bounds.
 * @returns Bytes: the bound for whoever reads one.
 */
export function snapshotBytesMax(core: CoreConfig): number {
  const content = tableBytes(core);
  // A full block is never below half of its room; each of the four parts may end with a smaller one.
  const blocks = Math.ceil(content / (BLOCK_BYTES_MAX / 2)) + 4;
  return HEADER_BYTES + content + blocks * BLOCK_OVERHEAD_BYTES_MAX + FOOTER_BYTES;
}

/**
 * Removes what a snapshot that was cut short by a crash left behind. For start-up, after loading.
 *
 * @param disk The data directory.
 * @throws {DiskFault} When it cannot be removed.
 */
export function removeSnapshotTemporary(disk: Disk): void {
  disk.remove(SNAPSHOT_TEMPORARY_FILE);
}
