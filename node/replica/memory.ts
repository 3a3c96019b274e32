/** What a replica remembers besides its log: where it goes, one write at a time. */
import type { Disk, DiskFault } from "../disk.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import type { ReplicaRole } from "../vsr/role.ts";
import { type StoredMetadata, storeMetadata } from "../metadata/metadata.ts";
import { storeOffer } from "../metadata/offer.ts";
import type { Offer, StoreEffect } from "../vsr/events.ts";

/** What a replica starts from. */
export interface Remembered {
  readonly view: bigint;
  readonly logView: bigint;
  readonly role: ReplicaRole;
  readonly offer: Offer | undefined;
}

/** Durable memory of one replica. */
export interface ReplicaMemory {
  /** Remembers; `done` is told when it is durable, perhaps before this returns. */
  store(what: StoreEffect, commitOp: bigint, done: (fault: DiskFault | undefined) => void): void;
}

/** Of a single node: its view means nothing to anybody, and its log says it. */
export const NO_MEMORY: ReplicaMemory = {
  store(_what, _commitOp, done): void {
    done(undefined);
  },
};

/** Of a replica with others: `replica.metadata`, and `replica.metadata.prepare` for what it offers. */
export class MetadataMemory implements ReplicaMemory {
  readonly #disk: Disk;
  readonly #stored: StoredMetadata;
  readonly #onStored: (before: ReplicaMetadata, now: ReplicaMetadata) => void;
  /** Writes that wait for the one under way. */
  readonly #waiting: (() => void)[] = [];
  /** Of the snapshot that was made last. */
  snapshotOp: bigint;

  /**
   * @param disk The data directory.
   * @param stored What was loaded and settled.
   * @param onStored Told what was remembered before and is now.
   */
  constructor(
    disk: Disk,
    stored: StoredMetadata,
    onStored: (before: ReplicaMetadata, now: ReplicaMetadata) => void,
  ) {
    this.#disk = disk;
    this.#stored = stored;
    this.#onStored = onStored;
    this.snapshotOp = stored.metadata.snapshotOpHint;
  }

  /** What is remembered. */
  get metadata(): ReplicaMetadata {
    return this.#stored.metadata;
  }

  store(what: StoreEffect, commitOp: bigint, done: (fault: DiskFault | undefined) => void): void {
    const { offer, view, logView, role, vote } = what;
    const change = { view, logView, role, vote };
    if (offer === undefined) return this.#change(change, commitOp, done);
    storeOffer(this.#disk, offer, (fault) => {
      if (fault !== undefined) return done(fault);
      this.#change(change, commitOp, done);
    });
  }

  /** Remembers how far entries are certainly committed, so that a start can tell when some are missing. */
  storeHints(commitOp: bigint): void {
    if (this.#stored.isStoring || this.#stored.fault !== undefined) return;
    if (commitOp <= this.#stored.metadata.commitOpHint) return;
    this.#change({}, commitOp, () => {});
  }

  #change(
    change: Partial<ReplicaMetadata>,
    commitOp: bigint,
    done: (fault: DiskFault | undefined) => void,
  ): void {
    if (this.#stored.isStoring) {
      return void this.#waiting.push(() => this.#change(change, commitOp, done));
    }
    const before = this.#stored.metadata;
    const next = {
      ...before,
      ...change,
      commitOpHint: larger(commitOp, before.commitOpHint),
      snapshotOpHint: larger(this.snapshotOp, before.snapshotOpHint),
    };
    storeMetadata(this.#disk, this.#stored, next, (fault) => {
      if (fault === undefined && change.view !== undefined) this.#onStored(before, next);
      done(fault);
      this.#waiting.shift()?.();
    });
  }
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
