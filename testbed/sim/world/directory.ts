/** A replica's data directory as `cluster start` makes it. */
import type { CoreConfig } from "../../../core/config.ts";
import type { Disk } from "../../../node/disk.ts";
import { createMetadata } from "../../../node/metadata/metadata.ts";
import { CLUSTER_ID, makeLog } from "../disk/data_directory.ts";

/** Whose directory it is to be. */
export interface ReplicaDirectory {
  readonly replicaId: bigint;
  readonly core: CoreConfig;
  /** `backup` for a founder, `recovering` for one that lost its directory. */
  readonly role: "backup" | "recovering";
  readonly segmentBytes: number;
}

/** Makes it on an empty disk. */
export function makeReplicaDirectory(disk: Disk, directory: ReplicaDirectory): void {
  const { replicaId, core, role, segmentBytes } = directory;
  makeLog(disk, core, segmentBytes);
  createMetadata(disk, {
    clusterId: CLUSTER_ID,
    replicaId,
    core,
    configEpoch: 1n,
    view: 0n,
    logView: 0n,
    vote: null,
    role,
    commitOpHint: 0n,
    snapshotOpHint: 0n,
    createdAt: "2026-01-01T00:00:00.000Z",
  });
}
