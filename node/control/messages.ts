/**
 * What an operator asks a replica on its control port, and what it answers: one CBOR map each, in a frame.
 * Source: docs/wire.md#control.
 */
import * as v from "valibot";
import { U64_MAX } from "../../core/config.ts";
import { REPLICA_ROLES } from "../vsr/role.ts";

/** Version of the control protocol, in every status. */
export const CONTROL_PROTOCOL_VERSION = 1;

/** How much a replica logs. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

const u64 = v.pipe(v.bigint(), v.minValue(0n), v.maxValue(U64_MAX));
const u64OrNone = v.undefinedable(u64);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const countOrNone = v.undefinedable(count);
const text = v.string();
const textOrNone = v.undefinedable(text);
const scalar = v.undefinedable(v.union([v.string(), v.boolean(), v.bigint(), v.number()]));

/** Longest that a replica is asked to wait for its clients before it stops, in milliseconds. */
const DRAIN_MS_MAX = 600_000;

/** Every request. */
export const requestSchema = v.variant("request", [
  v.strictObject({ request: v.literal("status") }),
  v.strictObject({
    request: v.literal("stop"),
    /** How long to wait for clients, in milliseconds. */
    drain_ms: v.pipe(count, v.maxValue(DRAIN_MS_MAX)),
  }),
  v.strictObject({ request: v.literal("digest") }),
  v.strictObject({ request: v.literal("checkpoint") }),
  v.strictObject({ request: v.literal("view_change") }),
  v.strictObject({ request: v.literal("faults") }),
  v.strictObject({ request: v.literal("log_level"), level: v.picklist(LOG_LEVELS) }),
  v.strictObject({ request: v.literal("metrics") }),
]);

/** What an operator may ask. */
export type ControlRequest = v.InferOutput<typeof requestSchema>;
/** The name of a request. */
export type ControlVerb = ControlRequest["request"];

const peerSchema = v.object({
  replica_id: u64,
  connected: v.boolean(),
  /** Up to here its log is known to agree with this one. */
  match_op: u64,
  /** Ops that it lacks. */
  lag: u64,
  last_heard_ms: v.undefinedable(v.number()),
  state: v.picklist(["probe", "stream", "snapshot"]),
});

/** What one replica knows of another. */
export type ControlPeer = v.InferOutput<typeof peerSchema>;

/** The runbook's fields in the runbook's order, then ours. */
const statusSchema = v.object({
  status: v.literal("ok"),
  protocol_version: count,
  process_id: count,
  replica_id: u64,
  state: v.picklist(["active", "faulted"]),
  role: v.picklist(REPLICA_ROLES),
  current_view: u64,
  commit_lsn: u64OrNone,
  active_snapshot_lsn: u64OrNone,
  accepting_writes: v.undefinedable(v.boolean()),
  startup_kind: textOrNone,
  loaded_snapshot_lsn: u64OrNone,
  replayed_wal_frame_count: countOrNone,
  replayed_wal_last_lsn: u64OrNone,
  fault_reason: textOrNone,
  workspace_dir: text,
  log_path: text,
  pid_path: text,
  metadata_path: text,
  prepare_log_path: text,
  snapshot_path: text,
  wal_path: text,
  control_addr: text,
  client_addr: text,
  protocol_addr: text,
  /** 32 hex digits. */
  cluster_id: text,
  version: text,
  uptime_ms: count,
  /** The replica that it takes for the primary. */
  primary: u64OrNone,
  log_view: u64,
  last_normal_view: u64,
  /** `viewV->replicaR`. */
  durable_vote: textOrNone,
  commit_op: u64,
  applied_op: u64,
  synced_op: u64,
  tip_op: u64,
  /** 16 hex digits. */
  tip_hash: text,
  applied_lsn: u64OrNone,
  network: v.picklist(["healthy", "isolated"]),
  /** By how much the replica's timer went off late at most since it started, in milliseconds. */
  event_loop_gap_ms_max: count,
  /** The last time. */
  event_loop_gap_ms: count,
  peers: v.array(peerSchema),
  counters: v.record(v.string(), v.number()),
});

/** Everything that a replica says about itself. */
export type ControlStatus = v.InferOutput<typeof statusSchema>;

/** For each request the shape of its answer. */
export const REPLY_SCHEMAS = {
  status: statusSchema,
  stop: v.object({ status: v.literal("ok") }),
  digest: v.object({ status: v.literal("ok"), op: u64, lsn: u64, digest: u64 }),
  checkpoint: v.object({
    status: v.literal("ok"),
    snapshot_lsn: u64OrNone,
    previous_snapshot_lsn: u64OrNone,
    removed_segments: count,
  }),
  view_change: v.object({ status: v.literal("ok"), current_view: u64 }),
  faults: v.object({ status: v.literal("ok"), network: text, faults: v.array(text) }),
  log_level: v.object({ status: v.literal("ok"), level: v.picklist(LOG_LEVELS) }),
  metrics: v.object({ status: v.literal("ok"), metrics: v.record(v.string(), scalar) }),
} as const satisfies Record<ControlVerb, unknown>;

/** The answer to each request. */
export type ControlReplies = {
  readonly [Verb in ControlVerb]: v.InferOutput<(typeof REPLY_SCHEMAS)[Verb]>;
};

/** Why a request was not carried out. */
export const CONTROL_ERROR_CODES = [
  /** The bytes are no request. */
  "malformed_request",
  /** The frame is damaged, too large or of another version; the connection ends. */
  "malformed_frame",
  /** The request did not come in time; the connection ends. */
  "deadline_exceeded",
  /** The caller has not proved who he is. */
  "denied",
  /** He has, and may not ask this. */
  "forbidden",
  /** The replica cannot do this in the state it is in. */
  "unavailable",
  /** It was tried and failed. */
  "failed",
] as const;

/** One of {@linkcode CONTROL_ERROR_CODES}. */
export type ControlErrorCode = typeof CONTROL_ERROR_CODES[number];

/** A request that was not carried out. */
export const errorSchema = v.object({
  status: v.literal("error"),
  code: v.picklist(CONTROL_ERROR_CODES),
  message: text,
});

/** A request that was not carried out. */
export type ControlErrorReply = v.InferOutput<typeof errorSchema>;

/** Whatever a replica answers. */
export type ControlReply = ControlReplies[ControlVerb] | ControlErrorReply;

/** A refusal in the words of the protocol. */
export function controlError(code: ControlErrorCode, message: string): ControlErrorReply {
  return { status: "error", code, message };
}
