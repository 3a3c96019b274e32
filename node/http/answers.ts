/** The node's answers as replies: one place decides what a result looks like over HTTP. */
import { unreachable } from "../../core/assert.ts";
import { SlotOverflowKind } from "../../core/outcome.ts";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../core/tables.ts";
import type {
  CheckpointResult,
  NotPrimary,
  ReadRefusal,
  Rejection,
  ReservationRead,
  ResourceRead,
  TickResult,
} from "../api.ts";
import { type Body, type JsonReply, ok, problem, type Reply } from "./reply.ts";
import type { WriteAnswer } from "./submitter.ts";
import type { WriteKey } from "./write_key.ts";

/** Names of {@linkcode SlotOverflowKind}; index is the number. */
const OVERFLOW_NAMES = ["none", ...Object.keys(SlotOverflowKind)];

/** What a write that did what was asked is answered with. */
export interface WriteSuccess {
  readonly status: number;
  /** Where what it made is, unless it is a reservation. */
  readonly location?: string;
}

/**
 * The reply to one write.
 *
 * @param answer How it ended.
 * @param key Its retry key, which the reply repeats: a generated one is nowhere else.
 * @param success Status and place of what was asked for.
 */
export function writeReply(answer: WriteAnswer, key: WriteKey, success: WriteSuccess): JsonReply {
  const operation = { operation_id: key.operationId, client_id: key.clientId };
  if (answer.kind === "rejected") return rejectionReply(answer.rejection, operation);
  if (answer.kind === "unanswered") return deadlineReply(operation);
  const { code, appliedLsn, fromRetryCache, reservation } = answer;
  const facts = { applied_lsn: appliedLsn, from_retry_cache: fromRetryCache, ...operation };
  if (code !== "ok" && code !== "noop") return problem(code, { kind: "committed", ...facts });
  if (reservation === undefined) {
    const { status, location } = success;
    return ok(status, { kind: "committed", code, ...facts }, location ? { location } : {});
  }
  const { id, epoch, deadlineSlot } = reservation;
  const made = { reservation_id: id, epoch, deadline_slot: deadlineSlot };
  const location = `/v1/reservations/${id}`;
  return ok(success.status, { kind: "committed", code, ...made, ...facts }, { location });
}

/** A write whose answer did not come in time: it may or may not happen. */
export function deadlineReply(operation: Body): JsonReply {
  return problem("deadline_exceeded", { kind: "rejected", category: "indefinite", ...operation });
}

/** A read whose answer did not come in time; it changed nothing. */
export function lateReadReply(): JsonReply {
  return problem("deadline_exceeded", { kind: "unanswered", retry: "after_ms" });
}

/** A write that got no result. */
export function rejectionReply(rejection: Rejection, operation: Body): JsonReply {
  const { category, code } = rejection;
  const facts = { kind: "rejected", category, ...rejectionFacts(rejection), ...operation };
  return problem(code, facts);
}

function rejectionFacts(rejection: Rejection): Body {
  switch (rejection.code) {
    case "engine_halted":
    case "storage_failure":
    case "view_changed":
    case "shutting_down":
      return {};
    case "not_primary":
      return whoIsPrimary(rejection);
    case "invalid_request":
      return { reason: rejection.reason };
    case "slot_overflow": {
      const { kind, requestSlot, delta } = rejection;
      return { overflow: OVERFLOW_NAMES[kind], request_slot: requestSlot, delta };
    }
    case "slot_rewound":
      return { request_slot: rejection.requestSlot, last_request_slot: rejection.lastRequestSlot };
    case "slot_too_far":
      return { request_slot: rejection.requestSlot, slot_max: rejection.slotMax };
    case "command_too_large":
      return { encoded_len: rejection.encodedLen, max_command_bytes: rejection.maxCommandBytes };
    case "lsn_exhausted":
      return { last_applied_lsn: rejection.lastAppliedLsn };
    case "overloaded":
      return { queue_depth: rejection.queueDepth, queue_capacity: rejection.queueCapacity };
    default:
      return unreachable(rejection);
  }
}

/** Where to go instead. */
export function whoIsPrimary({ view, primary }: NotPrimary): Body {
  return { view, primary: primary ?? null };
}

/** The reply to a resource lookup. */
export function resourceReply(read: ResourceRead): Reply {
  if (read.kind === "not_found") return problem("not_found", { kind: "not_found" });
  if (read.kind !== "found") return readRefusalReply(read);
  return ok(200, {
    kind: "found",
    resource_id: read.resourceId,
    state: RESOURCE_STATE_NAMES[read.state]!,
    current_reservation_id: read.currentReservationId ?? null,
    version: read.version,
  });
}

/** The reply to a reservation lookup. */
export function reservationReply(read: ReservationRead): Reply {
  if (read.kind === "not_found") return problem("not_found", { kind: "not_found" });
  if (read.kind === "retired") return problem("retired", { kind: "retired" });
  if (read.kind !== "found") return readRefusalReply(read);
  return ok(200, {
    kind: "found",
    reservation_id: read.reservationId,
    holder_id: read.holderId,
    state: RESERVATION_STATE_NAMES[read.state]!,
    epoch: read.epoch,
    created_lsn: read.createdLsn,
    deadline_slot: read.deadlineSlot,
    released_lsn: read.releasedLsn ?? null,
    retire_after_slot: read.retireAfterSlot ?? null,
    member_resource_ids: read.memberResourceIds,
  });
}

/** The reply to a read that may not be answered with data. */
export function readRefusalReply(refusal: ReadRefusal): Reply {
  switch (refusal.kind) {
    case "engine_halted":
      return haltedReply();
    case "fence_not_applied":
      return problem("fence_not_applied", {
        kind: "fence_not_applied",
        required_lsn: refusal.requiredLsn,
        last_applied_lsn: refusal.lastAppliedLsn ?? null,
      });
    case "not_primary":
      return problem("not_primary", { kind: "not_primary", ...whoIsPrimary(refusal) });
    default:
      return unreachable(refusal);
  }
}

/** A halted node answers nothing but its figures until it is restarted. Nothing here is in doubt. */
function haltedReply(): Reply {
  return problem("engine_halted", { kind: "engine_halted", retry: "never" });
}

/** The reply to an expiration tick. */
export function tickReply(
  result: TickResult | { readonly kind: "rejected"; readonly rejection: Rejection },
): Reply {
  if (result.kind === "rejected") return rejectionReply(result.rejection, {});
  return ok(200, {
    kind: "applied",
    processed_count: result.processedCount,
    last_applied_lsn: result.lastAppliedLsn ?? null,
  });
}

/** The reply to a request for a checkpoint. */
export function checkpointReply(result: CheckpointResult): Reply {
  switch (result.kind) {
    case "engine_halted":
      return haltedReply();
    case "already_running":
      return problem("already_running", { kind: "already_running" });
    case "snapshot_file_error": {
      const { kind: fault, action, file } = result.fault;
      return problem("snapshot_file_error", { kind: "snapshot_file_error", fault, action, file });
    }
    case "done":
      return ok(200, {
        kind: "done",
        snapshot_lsn: result.snapshotLsn ?? null,
        previous_snapshot_lsn: result.previousSnapshotLsn ?? null,
        removed_segments: result.removedSegments,
      });
    default:
      return unreachable(result);
  }
}

/** The replies to the commands of a batch, in one. Each is what its own route would have answered. */
export function batchReply(replies: readonly JsonReply[]): Reply {
  return ok(200, { kind: "batch", results: replies.map(({ body }) => body) });
}
