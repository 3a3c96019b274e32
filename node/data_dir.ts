/** What a directory is, before anything in it is touched, and making one. Source: docs/storage.md#the-data-directory-and-its-lock. */

import { assert } from "../core/assert.ts";
import { checkCoreConfig, type CoreConfig } from "../core/config.ts";
import type { Disk } from "./disk.ts";
import {
  loadMetadata,
  METADATA_FILE,
  METADATA_TEMPORARY_FILE,
  type MetadataErrorKind,
  prepareMetadata,
  publishMetadata,
  type StoredMetadata,
} from "./metadata/metadata.ts";
import type { ReplicaMetadata } from "./metadata/codec.ts";

/** Locked by the process that uses the directory. Taken before anybody looks, so it says nothing about it. */
export const LOCK_FILE = "LOCK";

/** Every other name that this program gives to a file in a data directory. */
const OWN_FILE =
  /^(replica\.metadata(\.tmp|\.prepare)?|state\.wal(\.next|\.[0-9]{20})?|state\.snapshot(\.previous|\.tmp|\.transfer|\.install)?(\.damaged)?)$/;

/** The log's first segment, under the names it goes through when it is made. */
const LOG_FILES: readonly string[] = ["state.wal", "state.wal.next"];

/** Where the first frame of a segment stands, and how long its header is, which cannot be all zero. */
const FIRST_FRAME_AT = 512;
const FRAME_HEADER_BYTES = 64;

/** Why a data directory cannot be believed. */
export interface DataDirectoryError {
  readonly kind: MetadataErrorKind | "metadata_missing";
  readonly message: string;
}

/** What a directory is. */
export type DataDirectory =
  /** Nothing is in it. */
  | { readonly kind: "empty" }
  /** Making it was cut short, before anything was acknowledged. */
  | { readonly kind: "incomplete"; readonly files: readonly string[] }
  /** A data directory. Settle its metadata before relying on it. */
  | { readonly kind: "allocdb"; readonly stored: StoredMetadata }
  /** Somebody else's files: not ours to touch. */
  | { readonly kind: "foreign"; readonly files: readonly string[] }
  /** A data directory that lost its metadata, or whose metadata is damaged. */
  | { readonly kind: "damaged"; readonly error: DataDirectoryError };

/** What a new data directory starts with. */
export interface InitOptions {
  readonly replicaId: bigint;
  /** Bounds, for good; already checked. */
  readonly core: CoreConfig;
  /** Now, ISO 8601. */
  readonly createdAt: string;
  /** Fills 16 bytes: with random ones for a new cluster, with the cluster's own for a further replica. */
  readonly fillClusterId: (into: Uint8Array) => void;
  /** Makes the first log segment durable. Runs before the directory counts as complete. */
  readonly createLog: (metadata: ReplicaMetadata) => void;
  /**
   * What the replica may count on: `backup` when the whole cluster is new, `recovering`, the default, when it
   * may have promised things that it does not know of any more.
   */
  readonly role?: "backup" | "recovering";
  /** 1 for a replica of a cluster; 0, the default, for a server of its own. */
  readonly configEpoch?: bigint;
}

/** The new directory's metadata, or what is already there. */
export type InitResult =
  | { readonly kind: "initialised"; readonly stored: StoredMetadata }
  | { readonly kind: "refused"; readonly found: DataDirectory };

/**
 * Finds out what a directory is. Changes nothing.
 *
 * @param disk The directory.
 * @returns What it is.
 * @throws {DiskFault} When it cannot be read.
 */
export function inspectDataDirectory(disk: Disk): DataDirectory {
  const metadata = loadMetadata(disk);
  if (metadata.kind === "loaded") return { kind: "allocdb", stored: metadata.stored };
  if (metadata.kind === "damaged") return metadata;
  const files = disk.list().filter((file) => file !== LOCK_FILE).sort();
  if (files.length === 0) return { kind: "empty" };
  const own = files.filter((file) => OWN_FILE.test(file));
  const foreign = files.filter((file) => !OWN_FILE.test(file));
  if (foreign.length === 0 && isIncomplete(disk, own)) return { kind: "incomplete", files: own };
  const hasData = own.some((file) => file !== METADATA_TEMPORARY_FILE);
  if (hasData) return { kind: "damaged", error: metadataMissing(own) };
  return { kind: "foreign", files: foreign };
}

/**
 * Makes a data directory out of an empty or incomplete one: the metadata under a temporary name, the log, and
 * only then the metadata's own name. A crash in between leaves an incomplete directory, never a half one that
 * looks whole.
 *
 * @param disk The directory, locked by this process.
 * @param options What it starts with.
 * @returns The metadata, or what kept the directory from being made.
 * @throws {DiskFault} When the disk fails; the directory is then incomplete.
 */
export function initDataDirectory(disk: Disk, options: InitOptions): InitResult {
  assert(checkCoreConfig(options.core) === undefined, "data-dir/bounds-are-checked");
  const found = inspectDataDirectory(disk);
  if (found.kind !== "empty" && found.kind !== "incomplete") return { kind: "refused", found };
  for (const file of LOG_FILES) disk.remove(file);
  const metadata = firstMetadata(options);
  prepareMetadata(disk, metadata);
  options.createLog(metadata);
  return { kind: "initialised", stored: publishMetadata(disk, metadata) };
}

function firstMetadata(options: InitOptions): ReplicaMetadata {
  const clusterId = new Uint8Array(16);
  options.fillClusterId(clusterId);
  return {
    clusterId,
    replicaId: options.replicaId,
    core: options.core,
    configEpoch: options.configEpoch ?? 0n,
    view: 0n,
    logView: 0n,
    vote: null,
    role: options.role ?? "recovering",
    commitOpHint: 0n,
    snapshotOpHint: 0n,
    createdAt: options.createdAt,
  };
}

/**
 * The temporary name goes away with the last step of making the directory and is never used again, so as long
 * as it is there nothing was served. That the log has no frame is checked all the same.
 */
function isIncomplete(disk: Disk, files: readonly string[]): boolean {
  if (!files.includes(METADATA_TEMPORARY_FILE)) return false;
  return files.every((file) =>
    file === METADATA_TEMPORARY_FILE || (LOG_FILES.includes(file) && hasNoFrame(disk, file))
  );
}

function hasNoFrame(disk: Disk, name: string): boolean {
  const start = new Uint8Array(FRAME_HEADER_BYTES);
  const file = disk.open(name);
  try {
    const bytes = file.read(FIRST_FRAME_AT, start);
    return start.subarray(0, bytes).every((byte) => byte === 0);
  } finally {
    file.close();
  }
}

function metadataMissing(files: readonly string[]): DataDirectoryError {
  const message = `${METADATA_FILE} is missing beside ${files.slice(0, 3).join(", ")}`;
  return { kind: "metadata_missing", message };
}
