/** Every figure that `allocdb metrics` prints, with what it means. A test compares it with what a node gives. */

/** One figure. */
export interface MetricPage {
  /** As `metrics` prints it. */
  readonly name: string;
  /** A gauge goes up and down, a counter only up until the node restarts, a text is a word. */
  readonly kind: "gauge" | "counter" | "text";
  readonly says: string;
}

function gauge(name: string, says: string): MetricPage {
  return { name, kind: "gauge", says };
}
function counter(name: string, says: string): MetricPage {
  return { name, kind: "counter", says };
}
function text(name: string, says: string): MetricPage {
  return { name, kind: "text", says };
}

/** In the order of the output. */
export const METRICS: readonly MetricPage[] = [
  gauge("queue_depth", "commands waiting for their log position"),
  gauge("queue_capacity", "commands that may wait before the node says overloaded"),
  text("accepting_writes", "false when halted, exhausted or draining"),
  text("halt_reason", "why the node stopped itself, else none"),
  text("recovery.startup_kind", "fresh_start, wal_only, snapshot_only or snapshot_and_wal"),
  gauge("recovery.loaded_snapshot_lsn", "position of the snapshot that start-up loaded"),
  gauge("recovery.replayed_wal_frame_count", "log entries that start-up replayed"),
  gauge("recovery.replayed_wal_last_lsn", "last position that start-up replayed"),
  gauge("recovery.active_snapshot_lsn", "position of the newest snapshot"),
  gauge("core.last_applied_lsn", "last position applied"),
  gauge("core.last_request_slot", "slot of the last applied command"),
  gauge("core.logical_slot_lag", "slots between the last applied command and now"),
  gauge("core.expiration_backlog", "reservations past their deadline that are not expired yet"),
  gauge("core.operation_table_used", "operations remembered for retries"),
  gauge("core.operation_table_capacity", "operations that can be remembered"),
  gauge("core.operation_table_utilization_pct", "share of the operation table in use, in percent"),
  gauge("core.resource_table_used", "resources"),
  gauge("core.resource_table_capacity", "resources there can be"),
  gauge("core.reservation_table_used", "reservations, ended ones within their history included"),
  gauge("core.reservation_table_capacity", "reservations there can be"),
  gauge("core.reservation_member_table_used", "resources named by remembered reservations"),
  gauge("core.reservation_member_table_capacity", "resources that reservations can name"),
  gauge("wal.bytes", "bytes of log on disk"),
  gauge("wal.segments", "files of log on disk"),
  gauge("wal.frames_since_checkpoint", "log entries behind the newest snapshot"),
  gauge("wal.bytes_since_checkpoint", "bytes of log behind the newest snapshot"),
  gauge("wal.checkpoint_age_ms", "milliseconds since the newest snapshot, none without one"),
  gauge("wal.last_sync_ms", "milliseconds the last sync of the log took"),
  counter("wal.sync_count", "syncs of the log"),
  gauge("wal.apply_gap", "log entries sequenced but not applied"),
  counter("counters.committed", "commands committed"),
  counter("counters.rejected_definite", "commands refused before they were sequenced"),
  counter("counters.rejected_indefinite", "commands whose outcome the node cannot tell"),
  counter("counters.retry_cache_hits", "retries answered from memory"),
  counter("counters.expired", "reservations expired"),
  counter("counters.checkpoints", "snapshots written"),
  counter("counters.checkpoint_failures", "snapshots that could not be written"),
];
