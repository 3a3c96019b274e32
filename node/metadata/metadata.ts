/**
 * `replica.metadata`: what a replica must remember besides its log, in two copies. A write goes to one copy
 * and, when that is durable, to the other, so that a torn write always leaves one whole copy, and a copy that
 * rots later never takes a view or a vote with it. Source: docs/storage.md#metadata.
 */

import { assert } from "../../core/assert.ts";
import { type Disk, DiskFault, type DiskFile, type Done } from "../disk.ts";
import {
  COPY_BYTES,
  type CopyDefect,
  decodeCopy,
  type DecodedCopy,
  encodeCopy,
  type ReplicaMetadata,
} from "./codec.ts";

/** Name of the file. */
export const METADATA_FILE = "replica.metadata";
/** Name under which it is made; gone as soon as the data directory is complete. */
export const METADATA_TEMPORARY_FILE = "replica.metadata.tmp";

const FILE_BYTES = 2 * COPY_BYTES;

/** Metadata together with what the next write must know. Changed by {@linkcode storeMetadata} alone. */
export interface StoredMetadata {
  metadata: ReplicaMetadata;
  /** Counts writes, from 1. */
  sequence: bigint;
  /** The copy to write first: never the only good one; 0 when both are good. */
  staleCopy: 0 | 1;
  /** Whether both copies hold the metadata. */
  isIntact: boolean;
  /** Whether a write is under way. */
  isStoring: boolean;
  /** Why nothing can be stored any more: after a failed sync no later one is believed. */
  fault: DiskFault | undefined;
}

/** Why the file cannot be believed. */
export type MetadataErrorKind = CopyDefect | "wrong_length" | "copies_disagree" | "unreadable";

/** Metadata that cannot be believed, in words for operators. */
export interface MetadataError {
  readonly kind: MetadataErrorKind;
  readonly message: string;
}

/** What the data directory has in the way of metadata. */
export type MetadataLoad =
  | { readonly kind: "missing" }
  | { readonly kind: "loaded"; readonly stored: StoredMetadata }
  | { readonly kind: "damaged"; readonly error: MetadataError };

/**
 * Writes the metadata of a new data directory under its temporary name and makes it durable.
 *
 * @param disk The data directory.
 * @param metadata What to remember.
 * @throws {DiskFault} When the disk fails.
 */
export function prepareMetadata(disk: Disk, metadata: ReplicaMetadata): void {
  const bytes = new Uint8Array(FILE_BYTES);
  const copy = encodeCopy(metadata, 1n);
  bytes.set(copy, 0);
  bytes.set(copy, COPY_BYTES);
  const file = disk.create(METADATA_TEMPORARY_FILE, FILE_BYTES);
  try {
    file.write(0, bytes);
    file.sync();
  } finally {
    file.close();
  }
  disk.syncDirectory();
}

/**
 * Gives what {@linkcode prepareMetadata} wrote its name: from here on the data directory is complete.
 *
 * @param disk The data directory.
 * @param metadata What was prepared.
 * @returns What {@linkcode loadMetadata} would answer.
 * @throws {DiskFault} When the disk fails.
 */
export function publishMetadata(disk: Disk, metadata: ReplicaMetadata): StoredMetadata {
  disk.rename(METADATA_TEMPORARY_FILE, METADATA_FILE);
  disk.syncDirectory();
  return storedMetadata(metadata, 1n, 0, true);
}

/**
 * Makes the file, durably or not at all.
 *
 * @param disk The data directory.
 * @param metadata What to remember.
 * @returns What {@linkcode loadMetadata} would answer.
 * @throws {DiskFault} When the disk fails.
 */
export function createMetadata(disk: Disk, metadata: ReplicaMetadata): StoredMetadata {
  prepareMetadata(disk, metadata);
  return publishMetadata(disk, metadata);
}

/**
 * Reads both copies and takes the later good one. Changes nothing; call {@linkcode settleMetadata} before
 * anything relies on what was read.
 *
 * @param disk The data directory.
 * @returns What there is.
 * @throws {DiskFault} When the file may not be opened; a copy that cannot be read counts as damaged.
 */
export function loadMetadata(disk: Disk): MetadataLoad {
  const fileBytes = disk.size(METADATA_FILE);
  if (fileBytes === undefined) return { kind: "missing" };
  if (fileBytes !== FILE_BYTES) {
    return damaged("wrong_length", `it has ${fileBytes} bytes instead of ${FILE_BYTES}`);
  }
  try {
    const bytes = disk.readAll(METADATA_FILE);
    if (bytes.length !== FILE_BYTES) return damaged("wrong_length", "it changed while it was read");
    return choose(
      decodeCopy(bytes.subarray(0, COPY_BYTES)),
      decodeCopy(bytes.subarray(COPY_BYTES)),
    );
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return loadApart(disk);
  }
}

/** One copy may be readable where the whole file is not. */
function loadApart(disk: Disk): MetadataLoad {
  const file = disk.open(METADATA_FILE);
  try {
    return choose(readCopy(file, 0), readCopy(file, COPY_BYTES));
  } finally {
    file.close();
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof DiskFault && error.kind === "io_error";
}

/** A copy as it was found; one of two may lie where the disk cannot read any more. */
type FoundCopy = DecodedCopy | { readonly kind: "defect"; readonly defect: "unreadable" };

function readCopy(file: DiskFile, at: number): FoundCopy {
  const bytes = new Uint8Array(COPY_BYTES);
  try {
    const filled = file.read(at, bytes);
    return filled < COPY_BYTES ? UNREADABLE : decodeCopy(bytes);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return UNREADABLE;
  }
}

const UNREADABLE = { kind: "defect", defect: "unreadable" } as const;

/**
 * Makes what was loaded durable, in both copies: the process that wrote it may have died before it was.
 *
 * @param disk The data directory.
 * @param stored What was loaded.
 * @throws {DiskFault} When the disk fails; nothing of what was loaded may then be relied on.
 */
export function settleMetadata(disk: Disk, stored: StoredMetadata): void {
  disk.syncDirectory();
  if (stored.isIntact) return;
  const copy = encodeCopy(stored.metadata, stored.sequence + 1n);
  const file = disk.open(METADATA_FILE);
  try {
    for (const at of copyOffsets(stored)) {
      file.write(at, copy);
      file.sync();
    }
  } finally {
    file.close();
  }
  advance(stored, stored.metadata);
}

/**
 * Replaces the metadata, durably. One write at a time.
 *
 * @param disk The data directory.
 * @param stored What was loaded or stored last; holds `next` when `done` is called without a fault.
 * @param next What to remember from now on.
 * @param done Told when both copies are durable, or the fault. After a fault either metadata may be found at the
 *   next start, and every later write answers the same fault.
 */
export function storeMetadata(
  disk: Disk,
  stored: StoredMetadata,
  next: ReplicaMetadata,
  done: Done,
): void {
  assert(!stored.isStoring, "metadata/one-write-at-a-time");
  assert(isSameReplica(stored.metadata, next), "metadata/identity-is-fixed");
  assert(next.view >= stored.metadata.view, "metadata/view-never-decreases");
  if (stored.fault !== undefined) return done(stored.fault);
  stored.isStoring = true;
  const end = (fault: DiskFault | undefined): void => {
    stored.isStoring = false;
    stored.fault = fault;
    if (fault === undefined) advance(stored, next);
    done(fault);
  };
  const file = openOrFault(disk);
  if (file instanceof DiskFault) return end(file);
  writeCopies(file, copyOffsets(stored), encodeCopy(next, stored.sequence + 1n), (fault) => {
    file.close();
    end(fault);
  });
}

/** One copy after the other: the second is touched only when the first is safe. */
function writeCopies(
  file: DiskFile,
  [first, second]: readonly [number, number],
  copy: Uint8Array,
  done: Done,
): void {
  file.writeDurably(first, copy, (fault) => {
    if (fault !== undefined) return done(fault);
    file.writeDurably(second, copy, done);
  });
}

function openOrFault(disk: Disk): DiskFile | DiskFault {
  try {
    return disk.open(METADATA_FILE);
  } catch (error) {
    if (error instanceof DiskFault) return error;
    throw error;
  }
}

/** An unknown version beats everything: whoever wrote it knows more than the other copy does. */
function choose(first: FoundCopy, second: FoundCopy): MetadataLoad {
  for (const copy of [first, second]) {
    if (copy.kind === "defect" && copy.defect === "unsupported_version") {
      return damaged(copy.defect, "it was written by another version of the program");
    }
  }
  if (first.kind === "copy" && second.kind === "copy") return chooseLater(first, second);
  if (first.kind === "copy") return loaded(first, 1, false);
  if (second.kind === "copy") return loaded(second, 0, false);
  // What cannot be read now may be read later.
  const kind = second.defect === "unreadable" ? second.defect : first.defect;
  return damaged(kind, `both copies are: ${first.defect}, ${second.defect}`);
}

type GoodCopy = Extract<DecodedCopy, { readonly kind: "copy" }>;

function chooseLater(first: GoodCopy, second: GoodCopy): MetadataLoad {
  if (!isSameReplica(first.metadata, second.metadata)) {
    return damaged("copies_disagree", "its copies belong to different replicas");
  }
  if (first.sequence > second.sequence) return loaded(first, 1, false);
  if (first.sequence < second.sequence) return loaded(second, 0, false);
  const again = encodeCopy(second.metadata, first.sequence);
  const isSame = encodeCopy(first.metadata, first.sequence).every((byte, i) => byte === again[i]);
  if (!isSame) return damaged("copies_disagree", "its copies differ under the same sequence");
  return loaded(first, 0, true);
}

function isSameReplica(a: ReplicaMetadata, b: ReplicaMetadata): boolean {
  return a.replicaId === b.replicaId && a.core.shardId === b.core.shardId &&
    a.clusterId.length === b.clusterId.length &&
    a.clusterId.every((byte, i) => byte === b.clusterId[i]);
}

function loaded(copy: GoodCopy, staleCopy: 0 | 1, isIntact: boolean): MetadataLoad {
  const stored = storedMetadata(copy.metadata, copy.sequence, staleCopy, isIntact);
  return { kind: "loaded", stored };
}

function storedMetadata(
  metadata: ReplicaMetadata,
  sequence: bigint,
  staleCopy: 0 | 1,
  isIntact: boolean,
): StoredMetadata {
  return { metadata, sequence, staleCopy, isIntact, isStoring: false, fault: undefined };
}

function copyOffsets(stored: StoredMetadata): readonly [number, number] {
  return stored.staleCopy === 0 ? [0, COPY_BYTES] : [COPY_BYTES, 0];
}

function advance(stored: StoredMetadata, metadata: ReplicaMetadata): void {
  stored.metadata = metadata;
  stored.sequence += 1n;
  stored.staleCopy = 0;
  stored.isIntact = true;
}

function damaged(kind: MetadataErrorKind, detail: string): MetadataLoad {
  return { kind: "damaged", error: { kind, message: `${METADATA_FILE} is damaged: ${detail}` } };
}
