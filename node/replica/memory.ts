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
  /** Whoever waits until nothing is under way. */
  readonly #quiet: (() => void)[] = [];
  #underWay = 0;

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
  }

  /** What is remembered. */
  get metadata(): ReplicaMetadata {
    return this.#stored.metadata;
  }

  store(what: StoreEffect, commitOp: bigint, done: (fault: DiskFault | undefined) => void): void {
    const { offer, view, logView, role, vote } = what;
    const change = { view, logView, role, vote };
    this.#underWay++;
    const ended = (fault: DiskFault | undefined): void => {
      done(fault);
      this.#end();
    };
    if (offer === undefined) return this.#change(change, commitOp, ended);
    storeOffer(this.#disk, offer, (fault) => {
      if (fault !== undefined) return ended(fault);
      this.#change(change, commitOp, ended);
    });
  }

  /**
   * Remembers how far entries are certainly committed, so that a start can tell when some are missing.
   *
   * @param commitOp Everything up to here is committed, and applied here.
   * @param snapshotOp Of the snapshot that was made last, 0 if there is none.
   */
  storeHints(commitOp: bigint, snapshotOp: bigint): void {
    const { isStoring, fault, metadata } = this.#stored;
    if (isStoring || fault !== undefined) return;
    if (commitOp <= metadata.commitOpHint && snapshotOp <= metadata.snapshotOpHint) return;
    this.#underWay++;
    const snapshotOpHint = larger(snapshotOp, metadata.snapshotOpHint);
    this.#change({ snapshotOpHint }, commitOp, () => this.#end());
  }

  /** Whether no write is under way or waits for one. */
  get isQuiet(): boolean {
    return this.#underWay === 0;
  }

  /** Runs a task when no write is under way or waits for one: at once, or after the last. */
  whenQuiet(task: () => void): void {
    if (this.#underWay === 0) task();
    else this.#quiet.push(task);
  }

  #end(): void {
    this.#underWay--;
    while (this.#underWay === 0 && this.#quiet.length > 0) this.#quiet.shift()!();
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
