/** What a replica remembers besides its log: where it goes, one write at a time. */
import type { Disk, DiskFault } from "../disk.ts";
import type { ReplicaMetadata, ReplicaRole, Vote } from "../metadata/codec.ts";
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
  readonly lastVote: Vote | null;
  /** Remembers; `done` is told when it is durable, perhaps before this returns. */
  store(what: StoreEffect, commitOp: bigint, done: (fault: DiskFault | undefined) => void): void;
}

/** Of a single node: its view means nothing to anybody, and its log says it. */
export const NO_MEMORY: ReplicaMemory = {
  lastVote: null,
  store(_what, _commitOp, done): void {
    done(undefined);
  },
};

/** Of a replica with others: `replica.metadata`, and `replica.metadata.prepare` for what it offers. */
export class MetadataMemory implements ReplicaMemory {
  readonly #disk: Disk;
  readonly #stored: StoredMetadata;
  readonly #onStored: (before: ReplicaMetadata, now: ReplicaMetadata) => void;
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

  get lastVote(): Vote | null {
    return this.#stored.metadata.vote;
  }

  store(what: StoreEffect, commitOp: bigint, done: (fault: DiskFault | undefined) => void): void {
    const { offer } = what;
    if (offer === undefined) return this.#storeMetadata(what, commitOp, done);
    storeOffer(this.#disk, offer, (fault) => {
      if (fault !== undefined) return done(fault);
      this.#storeMetadata(what, commitOp, done);
    });
  }

  #storeMetadata(
    what: StoreEffect,
    commitOp: bigint,
    done: (fault: DiskFault | undefined) => void,
  ): void {
    const before = this.#stored.metadata;
    const { view, logView, role, vote } = what;
    const { snapshotOp } = this;
    const next = {
      ...before,
      view,
      logView,
      role,
      vote,
      commitOpHint: commitOp > before.commitOpHint ? commitOp : before.commitOpHint,
      snapshotOpHint: snapshotOp > before.snapshotOpHint ? snapshotOp : before.snapshotOpHint,
    };
    storeMetadata(this.#disk, this.#stored, next, (fault) => {
      if (fault === undefined) this.#onStored(before, next);
      done(fault);
    });
  }
}
