/**
 * Every figure that Prometheus is given. Source: docs/metrics.md, whose tables a test compares with these.
 */
import type { Metrics } from "../api.ts";

/** One figure of the node. */
export interface NodeMetric {
  /** Path in the metrics tree, as the runbook calls it. */
  readonly runbook: string;
  /** Prometheus name. */
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** When somebody should look. */
  readonly alert: string;
  /** The value, or `undefined` when there is none; then there is no sample either. */
  readonly read: (metrics: Metrics) => number | undefined;
}

/** A number for a float: exact up to 2^53, which no lsn or slot reaches in a lifetime. */
function float(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

const INGRESS: readonly NodeMetric[] = [
  {
    runbook: "queue_depth",
    name: "allocdb_queue_depth",
    type: "gauge",
    help: "Commands that wait for their log position",
    alert: "above 80 % of the capacity for 1 min: the disk or the clients are too much",
    read: (m) => m.queueDepth,
  },
  {
    runbook: "queue_capacity",
    name: "allocdb_queue_capacity",
    type: "gauge",
    help: "Commands that may wait; further ones are rejected as overloaded",
    alert: "-",
    read: (m) => m.queueCapacity,
  },
  {
    runbook: "accepting_writes",
    name: "allocdb_accepting_writes",
    type: "gauge",
    help: "1 while the node takes writes; 0 when halted, exhausted or draining",
    alert: "0 for 30 s: page somebody",
    read: (m) => m.acceptingWrites ? 1 : 0,
  },
  {
    runbook: "halt_reason",
    name: "allocdb_halted",
    type: "gauge",
    help: "1 when the node has stopped itself because its log failed",
    alert: "1: page somebody; only a restart recovers it",
    read: (m) => m.haltReason === undefined ? 0 : 1,
  },
];

const RECOVERY: readonly NodeMetric[] = [
  {
    runbook: "recovery.startup_kind",
    name: "allocdb_startup_kind",
    type: "gauge",
    help: "What the node found when it started: 1 fresh_start, 2 wal_only, 3 snapshot_only, " +
      "4 snapshot_and_wal",
    alert: "1 on a node that had data: its directory is gone",
    read: (m) =>
      ["fresh_start", "wal_only", "snapshot_only", "snapshot_and_wal"]
        .indexOf(m.recovery.startupKind) + 1,
  },
  {
    runbook: "recovery.loaded_snapshot_lsn",
    name: "allocdb_recovery_loaded_snapshot_lsn",
    type: "gauge",
    help: "Last lsn of the snapshot that was loaded at start",
    alert: "-",
    read: (m) => float(m.recovery.loadedSnapshotLsn),
  },
  {
    runbook: "recovery.replayed_wal_frame_count",
    name: "allocdb_recovery_replayed_wal_frames",
    type: "gauge",
    help: "Log frames that were replayed at start",
    alert: "millions: checkpoints do not happen often enough",
    read: (m) => m.recovery.replayedWalFrameCount,
  },
  {
    runbook: "recovery.replayed_wal_last_lsn",
    name: "allocdb_recovery_replayed_wal_last_lsn",
    type: "gauge",
    help: "Last lsn that was replayed at start",
    alert: "-",
    read: (m) => float(m.recovery.replayedWalLastLsn),
  },
  {
    runbook: "recovery.active_snapshot_lsn",
    name: "allocdb_active_snapshot_lsn",
    type: "gauge",
    help: "Last lsn of the newest snapshot",
    alert: "does not grow while last_applied_lsn does: checkpoints fail",
    read: (m) => float(m.recovery.activeSnapshotLsn),
  },
];

const CORE: readonly NodeMetric[] = [
  {
    runbook: "core.last_applied_lsn",
    name: "allocdb_last_applied_lsn",
    type: "gauge",
    help: "Lsn of the newest applied command",
    alert: "-",
    read: (m) => float(m.core.lastAppliedLsn),
  },
  {
    runbook: "core.last_request_slot",
    name: "allocdb_last_request_slot",
    type: "gauge",
    help: "Slot of the newest applied command",
    alert: "-",
    read: (m) => float(m.core.lastRequestSlot),
  },
  {
    runbook: "core.logical_slot_lag",
    name: "allocdb_logical_slot_lag",
    type: "gauge",
    help: "Slots by which the clock is ahead of the newest applied command",
    alert: "grows together with the expiration backlog: expirations are not being sequenced",
    read: (m) => float(m.core.logicalSlotLag),
  },
  {
    runbook: "core.expiration_backlog",
    name: "allocdb_expiration_backlog",
    type: "gauge",
    help: "Reserved reservations whose deadline has passed",
    alert: "above 0 for 1 min: ticks are too rare or max_expirations_per_tick is too low",
    read: (m) => m.core.expirationBacklog,
  },
  {
    runbook: "core.operation_table_used",
    name: "allocdb_operation_table_used",
    type: "gauge",
    help: "Operations remembered for retries",
    alert: "-",
    read: (m) => m.core.operationTableUsed,
  },
  {
    runbook: "core.operation_table_capacity",
    name: "allocdb_operation_table_capacity",
    type: "gauge",
    help: "Operations that can be remembered",
    alert: "-",
    read: (m) => m.core.operationTableCapacity,
  },
  {
    runbook: "core.operation_table_utilization_pct",
    name: "allocdb_operation_table_utilization_ratio",
    type: "gauge",
    help: "Part of the operation table that is used, 0 to 1, in whole percents",
    alert: "above 0.9: operation_table_full is near; raise core.max_operations",
    read: (m) => m.core.operationTableUtilizationPct / 100,
  },
  {
    runbook: "core.resource_table_used",
    name: "allocdb_resource_table_used",
    type: "gauge",
    help: "Resources",
    alert: "above 90 % of the capacity: resources are never deleted",
    read: (m) => m.core.resourceTableUsed,
  },
  {
    runbook: "core.resource_table_capacity",
    name: "allocdb_resource_table_capacity",
    type: "gauge",
    help: "Resources that there can be",
    alert: "-",
    read: (m) => m.core.resourceTableCapacity,
  },
  {
    runbook: "core.reservation_table_used",
    name: "allocdb_reservation_table_used",
    type: "gauge",
    help: "Reservations that are live or still readable as history",
    alert: "above 90 % of the capacity: reservation_table_full is near",
    read: (m) => m.core.reservationTableUsed,
  },
  {
    runbook: "core.reservation_table_capacity",
    name: "allocdb_reservation_table_capacity",
    type: "gauge",
    help: "Reservations that there can be",
    alert: "-",
    read: (m) => m.core.reservationTableCapacity,
  },
  {
    runbook: "core.reservation_member_table_used",
    name: "allocdb_reservation_member_table_used",
    type: "gauge",
    help: "Resources named by the reservations in the table",
    alert: "-",
    read: (m) => m.core.reservationMemberTableUsed,
  },
  {
    runbook: "core.reservation_member_table_capacity",
    name: "allocdb_reservation_member_table_capacity",
    type: "gauge",
    help: "Resources that the reservations in the table can name",
    alert: "-",
    read: (m) => m.core.reservationMemberTableCapacity,
  },
];

const WAL: readonly NodeMetric[] = [
  {
    runbook: "wal.bytes",
    name: "allocdb_wal_bytes",
    type: "gauge",
    help: "Bytes of the log's segments",
    alert: "grows for hours: checkpoints fail or are switched off",
    read: (m) => m.wal.bytes,
  },
  {
    runbook: "wal.segments",
    name: "allocdb_wal_segments",
    type: "gauge",
    help: "Segments of the log",
    alert: "-",
    read: (m) => m.wal.segments,
  },
  {
    runbook: "wal.frames_since_checkpoint",
    name: "allocdb_wal_frames_since_checkpoint",
    type: "gauge",
    help: "Log frames behind the newest snapshot: what a restart would replay",
    alert: "-",
    read: (m) => m.wal.framesSinceCheckpoint,
  },
  {
    runbook: "wal.bytes_since_checkpoint",
    name: "allocdb_wal_since_checkpoint_bytes",
    type: "gauge",
    help: "Log bytes behind the newest snapshot",
    alert: "-",
    read: (m) => m.wal.bytesSinceCheckpoint,
  },
  {
    runbook: "wal.checkpoint_age_ms",
    name: "allocdb_checkpoint_age_seconds",
    type: "gauge",
    help: "Age of the newest snapshot; no sample before the first",
    alert: "several times the configured interval while commands are applied",
    read: (m) => m.wal.checkpointAgeMs === undefined ? undefined : m.wal.checkpointAgeMs / 1_000,
  },
  {
    runbook: "wal.last_sync_ms",
    name: "allocdb_wal_sync_duration_seconds",
    type: "gauge",
    help: "How long the log's newest sync took",
    alert: "above 0.1 for 1 min: the disk is slow",
    read: (m) => m.wal.lastSyncMs / 1_000,
  },
  {
    runbook: "wal.sync_count",
    name: "allocdb_wal_syncs_total",
    type: "counter",
    help: "Syncs of the log",
    alert: "-",
    read: (m) => m.wal.syncCount,
  },
  {
    runbook: "wal.apply_gap",
    name: "allocdb_apply_gap",
    type: "gauge",
    help: "Entries that are sequenced but not applied yet",
    alert: "above the queue's capacity: the log does not keep up",
    read: (m) => m.wal.applyGap,
  },
];

const COUNTERS: readonly NodeMetric[] = [
  {
    runbook: "counters.committed",
    name: "allocdb_committed_total",
    type: "counter",
    help: "Commands that were committed, whatever their result code",
    alert: "-",
    read: (m) => m.counters.committed,
  },
  {
    runbook: "counters.rejected_definite",
    name: "allocdb_rejected_definite_total",
    type: "counter",
    help: "Commands that certainly did not happen",
    alert: "a steady rate: clients send what cannot work, or the queue is full",
    read: (m) => m.counters.rejectedDefinite,
  },
  {
    runbook: "counters.rejected_indefinite",
    name: "allocdb_rejected_indefinite_total",
    type: "counter",
    help: "Commands that may or may not have happened",
    alert: "any: the log failed",
    read: (m) => m.counters.rejectedIndefinite,
  },
  {
    runbook: "counters.retry_cache_hits",
    name: "allocdb_retry_cache_hits_total",
    type: "counter",
    help: "Retries that were answered with what was decided before",
    alert: "a jump: clients lose answers",
    read: (m) => m.counters.retryCacheHits,
  },
  {
    runbook: "counters.expired",
    name: "allocdb_expired_total",
    type: "counter",
    help: "Reservations that expired",
    alert: "-",
    read: (m) => m.counters.expired,
  },
  {
    runbook: "counters.checkpoints",
    name: "allocdb_checkpoints_total",
    type: "counter",
    help: "Snapshots that were written",
    alert: "-",
    read: (m) => m.counters.checkpoints,
  },
  {
    runbook: "counters.checkpoint_failures",
    name: "allocdb_checkpoint_failures_total",
    type: "counter",
    help: "Snapshots that could not be written; the log still has everything",
    alert: "any: look at the node's log and its disk",
    read: (m) => m.counters.checkpointFailures,
  },
];

/** The node's figures, in the order of the metrics tree. */
export const NODE_METRICS: readonly NodeMetric[] = [
  ...INGRESS,
  ...RECOVERY,
  ...CORE,
  ...WAL,
  ...COUNTERS,
];
