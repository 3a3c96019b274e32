/**
 * A received snapshot takes the place of the newest one, and the log begins anew behind it: in steps, with a note that
 * says what is being done, so that a crash in between is gone on with and not taken for a loss. Nothing that this
 * replica ever acknowledged is lost with the old log: what of it was committed is in the snapshot, for the log either
 * ended before it or held something else in its place. Source: docs/decisions/0010-replication.md#state-transfer.
 */
import { crc32c } from "../../core/crc32c.ts";
import type { LogIdentity } from "../../core/log_segment.ts";
import { writeU64 } from "../../core/words.ts";
import { configFingerprint } from "../config/text.ts";
import { type Disk, DiskFault } from "../disk.ts";
import type { LogOptions } from "../log/store.ts";
import { resetLog } from "../log/salvage.ts";
import { lowerOffer } from "../metadata/offer.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import { tipOfSnapshot } from "../recover.ts";
import type { SnapshotHeader, SnapshotIdentity } from "../snapshot/format.ts";
import { proveSnapshot } from "../snapshot/reader.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE, snapshotBytesMax } from "../snapshot/store.ts";
import type { SnapshotFacts } from "../vsr/log_port.ts";
import { TRANSFER_FILE } from "./transfer.ts";

/** Says that a snapshot is being installed, and which. */
export const INSTALL_FILE = "state.snapshot.install";

/** One sector, which is written whole or not at all. */
const NOTE_BYTES = 512;
const MAGIC = new TextEncoder().encode("ADINST1\0");

/**
 * Proves a received file and makes it the newest snapshot, durably. The replica must then be opened anew, which
 * {@linkcode finishInstall} is a part of.
 *
 * @param disk The data directory.
 * @param metadata Whose it is.
 * @param facts What was offered.
 * @returns `undefined` when it was installed; why not, when nothing has changed; or a fault: then, too, the replica must
 *   be opened anew, for the note may be there, and nothing may be added to a log that it speaks of.
 */
export function installSnapshot(
  disk: Disk,
  metadata: ReplicaMetadata,
  facts: SnapshotFacts,
): string | DiskFault | undefined {
  try {
    const header = prove(disk, TRANSFER_FILE, metadata);
    if (typeof header === "string") return header;
    if (header.op !== facts.op || header.chainHash !== facts.hash) return "it is another one";
    writeNote(disk, facts);
    if (disk.size(SNAPSHOT_FILE) !== undefined) disk.rename(SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE);
    disk.rename(TRANSFER_FILE, SNAPSHOT_FILE);
    disk.syncDirectory();
    return undefined;
  } catch (error) {
    if (error instanceof DiskFault) return error;
    throw error;
  }
}

/**
 * Ends an installation that was begun, or forgets one that had not got far. Part of every start.
 *
 * @param disk The data directory.
 * @param metadata Whose it is.
 * @param options Sizes of the log.
 * @returns The fault that kept it from ending.
 */
export function finishInstall(
  disk: Disk,
  metadata: ReplicaMetadata,
  options: LogOptions,
): DiskFault | undefined {
  try {
    if (disk.size(TRANSFER_FILE) !== undefined) disk.remove(TRANSFER_FILE);
    const note = readNote(disk);
    if (note === undefined) return undefined;
    const header = prove(disk, SNAPSHOT_FILE, metadata);
    const isThere = typeof header !== "string" && header.op === note.op &&
      header.chainHash === note.hash;
    if (isThere) {
      const result = resetLog(disk, logIdentity(metadata), options, tipOfSnapshot(header));
      if (result.kind === "disk_fault") return result.fault;
      // A log that cannot be begun anew is damaged, and opening it says how.
      if (result.kind === "done") lowerOffer(disk, header.op, header.chainHash);
    }
    disk.remove(INSTALL_FILE);
    disk.syncDirectory();
    return undefined;
  } catch (error) {
    if (error instanceof DiskFault) return error;
    throw error;
  }
}

function prove(
  disk: Disk,
  name: string,
  { core, clusterId }: ReplicaMetadata,
): SnapshotHeader | string {
  const identity: SnapshotIdentity = {
    clusterId,
    shardId: core.shardId,
    fingerprint: configFingerprint(core),
  };
  return proveSnapshot(disk, name, identity, snapshotBytesMax(core));
}

/** Whose log a replica's is. */
export function logIdentity({ core, clusterId }: ReplicaMetadata): LogIdentity {
  const shardId = new Uint32Array(2);
  writeU64(shardId, 0, core.shardId);
  return { clusterId, shardId, configFingerprint: configFingerprint(core) };
}

function writeNote(disk: Disk, facts: SnapshotFacts): void {
  const file = disk.create(INSTALL_FILE, NOTE_BYTES);
  try {
    file.write(0, encodeNote(facts));
    file.sync();
  } finally {
    file.close();
  }
  disk.syncDirectory();
}

/** What a note says: which snapshot is being installed. */
export type InstallNote = Pick<SnapshotFacts, "op" | "hash">;

/**
 * The bytes of a note: checksum, magic, four bytes of zero, op and hash as u64 little-endian, zeros.
 *
 * @param note What it says.
 * @returns 512 bytes.
 */
export function encodeNote({ op, hash }: InstallNote): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(NOTE_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 4);
  view.setBigUint64(16, op, true);
  view.setBigUint64(24, hash, true);
  view.setUint32(0, crc32c(bytes, 4, NOTE_BYTES), true);
  return bytes;
}

/**
 * Reads what {@linkcode encodeNote} wrote.
 *
 * @param bytes The file.
 * @returns The note; `undefined` for anything else.
 */
export function decodeNote(bytes: Uint8Array): InstallNote | undefined {
  if (bytes.length !== NOTE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const note = { op: view.getBigUint64(16, true), hash: view.getBigUint64(24, true) };
  return encodeNote(note).every((byte, i) => byte === bytes[i]) ? note : undefined;
}

/** A note that is not whole was being written, and nothing had been done yet. */
function readNote(disk: Disk): InstallNote | undefined {
  if (disk.size(INSTALL_FILE) === undefined) return undefined;
  return decodeNote(disk.readAll(INSTALL_FILE)) ?? NOTHING_INSTALLED;
}

/** No snapshot is of op 0. */
const NOTHING_INSTALLED: InstallNote = { op: 0n, hash: 0n };
