import type { Metrics, NodeIdentity } from "../api.ts";

/** The figures of a replica whose data is not open. */
export function emptyMetrics({ core, engine }: NodeIdentity, haltReason: string): Metrics {
  return {
    queueDepth: 0,
    queueCapacity: engine.maxSubmissionQueue,
    acceptingWrites: false,
    haltReason,
    recovery: {
      startupKind: "fresh_start",
      loadedSnapshotLsn: undefined,
      replayedWalFrameCount: 0,
      replayedWalLastLsn: undefined,
      activeSnapshotLsn: undefined,
    },
    core: {
      lastAppliedLsn: undefined,
      lastRequestSlot: undefined,
      logicalSlotLag: 0n,
      expirationBacklog: 0,
      operationTableUsed: 0,
      operationTableCapacity: core.maxOperations,
      operationTableUtilizationPct: 0,
      resourceTableUsed: 0,
      resourceTableCapacity: core.maxResources,
      reservationTableUsed: 0,
      reservationTableCapacity: core.maxReservations,
      reservationMemberTableUsed: 0,
      reservationMemberTableCapacity: core.maxReservations * core.maxBundleSize,
    },
    wal: {
      bytes: 0,
      segments: 0,
      framesSinceCheckpoint: 0,
      bytesSinceCheckpoint: 0,
      checkpointAgeMs: undefined,
      lastSyncMs: 0,
      syncCount: 0,
      applyGap: 0,
    },
    counters: {
      committed: 0,
      rejectedDefinite: 0,
      rejectedIndefinite: 0,
      retryCacheHits: 0,
      expired: 0,
      checkpoints: 0,
      checkpointFailures: 0,
    },
  };
}
