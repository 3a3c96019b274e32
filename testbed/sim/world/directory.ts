/** A replica's data directory as `cluster start` makes it. */
import type { CoreConfig } from "../../../core/config.ts";
import { configFingerprint } from "../../../node/config/text.ts";
import type { Disk } from "../../../node/disk.ts";
import { recoverLog } from "../../../node/log/recovery.ts";
import { createMetadata } from "../../../node/metadata/metadata.ts";
import { logSizes } from "../../../node/open_node.ts";
import { CLUSTER_ID } from "../disk/data_directory.ts";
import { u64Words } from "../workload/requests.ts";

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

function makeLog(disk: Disk, core: CoreConfig, segmentBytes: number): void {
  const identity = {
    clusterId: CLUSTER_ID,
    shardId: u64Words(core.shardId),
    configFingerprint: configFingerprint(core),
  };
  const options = { ...logSizes(segmentBytes), expectFresh: true };
  const visitor = { begin: () => undefined, frame: () => undefined };
  const log = recoverLog(disk, identity, options, visitor);
  if (log.kind !== "recovered") throw new Error(`No new log: ${log.kind}`);
  log.writer.close();
}
