/** What replies say, as schemas: the document is made of them, and tests hold real replies against it. */
import { REPLICA_ROLES } from "../vsr/role.ts";
import * as v from "valibot";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../core/tables.ts";

const u64 = text("U64Text", "A decimal string of 64 bits", "^(0|[1-9][0-9]{0,19})$");
const u128 = text("U128Text", "A decimal string of 128 bits", "^(0|[1-9][0-9]{0,38})$");
const count = v.pipe(
  v.number(),
  v.metadata({ json: { type: "integer", minimum: 0 } }),
);

function text(name: string, description: string, pattern: string): v.GenericSchema<string> {
  return v.pipe(
    v.string(),
    v.metadata({ name, json: { description, type: "string", pattern } }),
  );
}

function named<const T extends v.GenericSchema>(name: string, schema: T): v.GenericSchema {
  return v.pipe(schema, v.metadata({ name }));
}

function states(names: readonly string[]): v.GenericSchema {
  return v.picklist(names.slice(1)); // The first is no state.
}

/** A write that was applied and durable before this was said. */
export const committed = named(
  "Committed",
  v.object({
    kind: v.literal("committed"),
    code: v.picklist(["ok", "noop"]),
    reservation_id: v.optional(u128),
    epoch: v.optional(u64),
    deadline_slot: v.optional(u64),
    applied_lsn: u64,
    from_retry_cache: v.boolean(),
    operation_id: u128,
    client_id: u128,
  }),
);

/** Everything else. Source: RFC 9457. */
export const problemDetails = named(
  "Problem",
  v.object({
    type: v.string(),
    title: v.string(),
    status: count,
    kind: v.string(),
    code: v.string(),
    retry: v.picklist(["never", "same_id", "after_ms"]),
    retry_after_ms: v.optional(count),
    detail: v.optional(v.string()),
    errors: v.optional(v.array(v.object({ at: v.string(), message: v.string() }))),
    category: v.optional(v.picklist(["definite", "indefinite"])),
    reason: v.optional(v.string()),
    applied_lsn: v.optional(u64),
    from_retry_cache: v.optional(v.boolean()),
    operation_id: v.optional(u128),
    client_id: v.optional(u128),
    overflow: v.optional(v.picklist(["operation_window", "deadline", "reservation_history"])),
    request_slot: v.optional(u64),
    last_request_slot: v.optional(u64),
    slot_max: v.optional(u64),
    delta: v.optional(u64),
    encoded_len: v.optional(count),
    max_command_bytes: v.optional(count),
    max_body_bytes: v.optional(count),
    queue_depth: v.optional(count),
    queue_capacity: v.optional(count),
    in_flight: v.optional(count),
    max_in_flight: v.optional(count),
    required_lsn: v.optional(u64),
    last_applied_lsn: v.optional(v.nullable(u64)),
    view: v.optional(u64),
    primary: v.optional(v.nullable(u64)),
    halt_reason: v.optional(v.nullable(v.string())),
    fault: v.optional(v.string()),
    action: v.optional(v.string()),
    file: v.optional(v.string()),
  }),
);

/** One result for each command, in order. */
export const batch = named(
  "Batch",
  v.object({
    kind: v.literal("batch"),
    results: v.array(v.union([committed, problemDetails])),
  }),
);

/** A resource. */
export const resource = named(
  "Resource",
  v.object({
    kind: v.literal("found"),
    resource_id: u128,
    state: states(RESOURCE_STATE_NAMES),
    current_reservation_id: v.nullable(u128),
    version: u64,
  }),
);

/** A reservation. */
export const reservation = named(
  "Reservation",
  v.object({
    kind: v.literal("found"),
    reservation_id: u128,
    holder_id: u128,
    state: states(RESERVATION_STATE_NAMES),
    epoch: u64,
    created_lsn: u64,
    deadline_slot: u64,
    released_lsn: v.nullable(u64),
    retire_after_slot: v.nullable(u64),
    member_resource_ids: v.array(u128),
  }),
);

/** What a tick did. */
export const tick = named(
  "Tick",
  v.object({
    kind: v.literal("applied"),
    processed_count: count,
    last_applied_lsn: v.nullable(u64),
  }),
);

/** What a checkpoint did. */
export const checkpoint = named(
  "Checkpoint",
  v.object({
    kind: v.literal("done"),
    snapshot_lsn: v.nullable(u64),
    previous_snapshot_lsn: v.nullable(u64),
    removed_segments: count,
  }),
);

/** A checkpoint that goes on after the reply. */
export const checkpointRunning = named(
  "CheckpointRunning",
  v.object({ kind: v.literal("running") }),
);

/** The metrics tree, under the runbook's names. */
export const metrics = named(
  "Metrics",
  v.object({
    queue_depth: count,
    queue_capacity: count,
    accepting_writes: v.boolean(),
    halt_reason: v.nullable(v.string()),
    recovery: v.object({
      startup_kind: v.picklist(["fresh_start", "wal_only", "snapshot_only", "snapshot_and_wal"]),
      loaded_snapshot_lsn: v.nullable(u64),
      replayed_wal_frame_count: count,
      replayed_wal_last_lsn: v.nullable(u64),
      active_snapshot_lsn: v.nullable(u64),
    }),
    core: v.object({
      last_applied_lsn: v.nullable(u64),
      last_request_slot: v.nullable(u64),
      logical_slot_lag: u64,
      expiration_backlog: count,
      operation_table_used: count,
      operation_table_capacity: count,
      operation_table_utilization_pct: count,
      resource_table_used: count,
      resource_table_capacity: count,
      reservation_table_used: count,
      reservation_table_capacity: count,
      reservation_member_table_used: count,
      reservation_member_table_capacity: count,
    }),
    wal: v.object({
      bytes: count,
      segments: count,
      frames_since_checkpoint: count,
      bytes_since_checkpoint: count,
      checkpoint_age_ms: v.nullable(v.number()),
      last_sync_ms: v.number(),
      sync_count: count,
      apply_gap: count,
    }),
    counters: v.object({
      committed: count,
      rejected_definite: count,
      rejected_indefinite: count,
      retry_cache_hits: count,
      expired: count,
      checkpoints: count,
      checkpoint_failures: count,
    }),
  }),
);

/** Who the node is and how it is bounded. */
export const status = named(
  "Status",
  v.object({
    name: v.literal("allocdb"),
    version: v.string(),
    cluster_id: text("ClusterId", "32 hex digits", "^[0-9a-f]{32}$"),
    replica_id: u64,
    uptime_ms: count,
    current_slot: u64,
    core: v.object({
      shard_id: u64,
      max_resources: count,
      max_reservations: count,
      max_operations: count,
      max_bundle_size: count,
      max_ttl_slots: u64,
      max_expiration_bucket_len: count,
      reservation_history_window_slots: u64,
      max_client_retry_window_slots: u64,
      slot_duration_ms: count,
    }),
    engine: v.object({
      max_submission_queue: count,
      max_command_bytes: count,
      max_expirations_per_tick: count,
    }),
    limits: v.object({
      max_body_bytes: count,
      max_in_flight: count,
      request_timeout_ms: count,
      max_batch_commands: count,
    }),
    metrics,
    replication: v.nullable(v.object({
      role: v.picklist(REPLICA_ROLES),
      view: u64,
      primary: v.nullable(u64),
      commit_op: u64,
      applied_op: u64,
      tip_op: u64,
      peers: v.array(v.object({
        replica_id: u64,
        connected: v.boolean(),
        match_op: u64,
        lag: u64,
        last_heard_ms: v.nullable(v.number()),
      })),
    })),
  }),
);

/** The process is alive, or ready. */
export const health = named("Health", v.object({ status: v.picklist(["ok", "ready"]) }));

/** What there is. */
export const index = named(
  "Index",
  v.object({
    name: v.literal("allocdb"),
    version: v.string(),
    document: v.string(),
    routes: v.array(v.object({ method: v.string(), path: v.string(), summary: v.string() })),
  }),
);
