/** A data directory as `serve` makes and opens it, on any disk; and looking at one from outside. */
import type { CoreConfig } from "../../../core/config.ts";
import { crc32c } from "../../../core/crc32c.ts";
import { configFingerprint } from "../../../node/config/text.ts";
import { initDataDirectory, inspectDataDirectory } from "../../../node/data_dir.ts";
import type { Disk } from "../../../node/disk.ts";
import { recoverLog } from "../../../node/log/recovery.ts";
import { settleMetadata } from "../../../node/metadata/metadata.ts";
import { logSizes } from "../../../node/open_node.ts";
import type { MemoryDisk } from "./memory_disk.ts";
import { u64Words } from "../workload/requests.ts";

/** The cluster of every directory made here. */
export const CLUSTER_ID: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

/**
 * Settles the directory that is there, or makes one.
 *
 * @param disk The directory.
 * @param core Bounds of a new one.
 * @param segmentBytes Length of the first segment of a new one.
 * @returns Its cluster id.
 */
export function openDirectory(disk: Disk, core: CoreConfig, segmentBytes: number): Uint8Array {
  const found = inspectDataDirectory(disk);
  if (found.kind === "empty" || found.kind === "incomplete") {
    makeDirectory(disk, core, segmentBytes);
    return CLUSTER_ID;
  }
  if (found.kind !== "allocdb") throw new Error(`Not a data directory: ${found.kind}`);
  settleMetadata(disk, found.stored);
  return found.stored.metadata.clusterId;
}

function makeDirectory(disk: Disk, core: CoreConfig, segmentBytes: number): void {
  const result = initDataDirectory(disk, {
    replicaId: 1n,
    core,
    createdAt: "2026-01-01T00:00:00.000Z",
    fillClusterId: (into) => into.set(CLUSTER_ID),
    createLog: () => makeLog(disk, core, segmentBytes),
  });
  if (result.kind === "refused") throw new Error(`Not a data directory: ${result.found.kind}`);
}

/**
 * Makes an empty log.
 *
 * @throws {DiskFault} When the disk fails.
 */
export function makeLog(disk: Disk, core: CoreConfig, segmentBytes: number): void {
  const identity = {
    clusterId: CLUSTER_ID,
    shardId: u64Words(core.shardId),
    configFingerprint: configFingerprint(core),
  };
  const options = { ...logSizes(segmentBytes), expectFresh: true };
  const visitor = { begin: () => undefined, frame: () => undefined };
  const log = recoverLog(disk, identity, options, visitor);
  if (log.kind === "disk_fault") throw log.fault;
  if (log.kind !== "recovered") throw new Error(`No new log: ${log.kind}`);
  log.writer.close();
}

/** The names of a disk's files, sorted. */
export function fileNames(disk: Disk): string[] {
  return disk.list().sort();
}

/** Every file with its length and a checksum, to compare a disk with itself. */
export function diskImage(disk: MemoryDisk): Record<string, string> {
  return Object.fromEntries(
    fileNames(disk).map((name) => {
      const bytes = disk.contents(name);
      return [name, `${bytes.length} bytes, ${crc32c(bytes, 0, bytes.length)}`];
    }),
  );
}
