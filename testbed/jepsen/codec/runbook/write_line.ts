/** An operation and its end as one line of a runbook history, in the order of keys that it has. */
import type { Completion, Invocation, RecordedRequest } from "../../history/event.ts";
import type { AppliedAnswer } from "../../history/operation.ts";
import { expiredText } from "../own/write_event.ts";
import type { Holds } from "./holds.ts";
import type { Pairs } from "./tokens.ts";
import { readTokens } from "./write_seen.ts";

/**
 * The keys of an operation and of its end.
 *
 * @param completion Undefined when nobody was told.
 * @returns Undefined when the format cannot say it.
 */
export function operationTokens(
  { request, key, slot }: Invocation,
  completion: Completion | undefined,
  holds: Holds,
): Pairs | undefined {
  const outcome = outcomeTokens(request, completion, holds);
  if (outcome === undefined || request.kind === "model" || request.kind === "create_resource") {
    return undefined;
  }
  const asked = "reservationId" in request ? holds.of(request.reservationId) : undefined;
  const isHolders = request.kind === "confirm" || request.kind === "release";
  const resourceIds = "resourceIds" in request ? request.resourceIds : undefined;
  const bundle = resourceIds ??
    (isHolders && asked !== undefined && asked.resourceIds.length > 1
      ? asked.resourceIds
      : undefined);
  const resource = "resourceId" in request
    ? request.resourceId
    : bundle?.[0] ?? (isHolders ? asked?.resourceIds[0] : undefined);
  return [
    ["operation", request.kind],
    ["operation_id", key?.operationId],
    ["client_id", key?.clientId],
    ["resource_id", resource],
    ["resource_ids", bundle?.join(",")],
    ["reservation_id", "reservationId" in request ? request.reservationId : undefined],
    ["holder_id", "holderId" in request ? request.holderId : undefined],
    ["lease_epoch", "epoch" in request ? request.epoch : undefined],
    ["required_lsn", "requiredLsn" in request ? request.requiredLsn : undefined],
    ["request_slot", slot ?? executedSlot(request, completion)],
    ["ttl_slots", "ttlSlots" in request ? request.ttlSlots : undefined],
    ...outcome,
  ];
}

/** The slot at which a reserve ran, which the server chose: its deadline tells. */
function executedSlot(
  request: RecordedRequest,
  completion: Completion | undefined,
): bigint | undefined {
  const answer = completion?.answer;
  if (answer?.kind !== "applied" || answer.reserved === undefined) return undefined;
  if (!("ttlSlots" in request)) return undefined;
  const slot = answer.reserved.deadlineSlot - request.ttlSlots;
  return slot < 0n ? undefined : slot;
}

function outcomeTokens(
  request: RecordedRequest,
  completion: Completion | undefined,
  holds: Holds,
): Pairs | undefined {
  if (completion === undefined) return ambiguous(request, undefined);
  const { type, answer, reason } = completion;
  if (type === "info") return ambiguous(request, reason);
  if (type === "fail" || answer === undefined) {
    return [...failed(reason), ...servedTokens(completion)];
  }
  switch (answer.kind) {
    case "applied":
      return appliedTokens(request, answer);
    case "ticked":
      if (answer.lsn === undefined) return undefined;
      return [
        ["outcome", "committed_write"],
        ["applied_lsn", answer.lsn],
        ["write_result", "tick_expired"],
        ["expired", expiredText(answer.expired ?? [])],
      ];
    case "not_found":
    case "retired":
      return [
        ["outcome", "definite_failure"],
        ["reason", answer.kind],
        ...servedTokens(completion),
      ];
    case "resource":
    case "reservation": {
      const seen = readTokens(request, answer, holds);
      if (seen === undefined || completion.servedBy === undefined) return undefined;
      const target: Pairs = [["outcome", "read_ok"], ["read_target", answer.kind]];
      return [...target, ...servedTokens(completion), ...seen];
    }
    case "model":
      return undefined;
  }
}

function servedTokens({ servedBy }: Completion): Pairs {
  if (servedBy === undefined) return [];
  return [
    ["served_by", servedBy.replicaId],
    ["served_role", servedBy.role],
    ["observed_lsn", servedBy.observedLsn ?? "none"],
  ];
}

function ambiguous(request: RecordedRequest, reason: string | undefined): Pairs {
  const known = ["timeout", "transport_loss", "indefinite_write"];
  const isRead = request.kind === "get_resource" || request.kind === "get_reservation";
  const fallback = isRead ? "timeout" : "indefinite_write";
  const said = reason !== undefined && known.includes(reason) ? reason : fallback;
  return [["outcome", "ambiguous"], ["reason", said], ["exact_reason", exactReason(reason, said)]];
}

/** Reasons of rejections, by the runbook's words for them. */
const FAILURE_WORDS: Readonly<Record<string, string>> = {
  overloaded: "busy",
  lsn_exhausted: "engine_halted",
  storage_failure: "engine_halted",
  slot_overflow: "invalid_request",
  command_too_large: "invalid_request",
  fence_not_applied: "fence_not_applied",
  not_primary: "not_primary",
  engine_halted: "engine_halted",
  invalid_request: "invalid_request",
  busy: "busy",
  conflict: "conflict",
};

/** What never arrived is `busy`: nobody took it. */
function failed(reason: string | undefined): Pairs {
  const said = FAILURE_WORDS[reason ?? ""] ?? "busy";
  return [
    ["outcome", "definite_failure"],
    ["reason", said],
    ["exact_reason", exactReason(reason, said)],
  ];
}

function exactReason(reason: string | undefined, said: string): string | undefined {
  return reason === said ? undefined : reason;
}

const RESULT_WORDS: Partial<Record<RecordedRequest["kind"], string>> = {
  reserve: "reserved",
  reserve_bundle: "reserved",
  confirm: "confirmed",
  release: "released",
  revoke: "revoked",
  reclaim: "reclaimed",
};

/** Without an lsn a command cannot be told as committed here; a refusal can. */
function appliedTokens(request: RecordedRequest, answer: AppliedAnswer): Pairs | undefined {
  if (answer.code !== "ok") return refusalTokens(answer);
  const { lsn, reserved } = answer;
  const result = RESULT_WORDS[request.kind];
  const isReserve = result === "reserved";
  if (lsn === undefined || result === undefined || isReserve !== (reserved !== undefined)) {
    return undefined;
  }
  const head: Pairs = [["outcome", "committed_write"], ["applied_lsn", lsn]];
  if (reserved !== undefined) {
    return [
      ...head,
      ["write_result", result],
      ["committed_reservation_id", reserved.reservationId],
      ["committed_holder_id", "holderId" in request ? request.holderId : undefined],
      ["committed_lease_epoch", reserved.epoch],
      ["expires_at_slot", reserved.deadlineSlot],
    ];
  }
  const reservationId = "reservationId" in request ? request.reservationId : undefined;
  const holder = "holderId" in request ? request.holderId : undefined;
  return [
    ...head,
    ["write_result", result],
    ["committed_reservation_id", reservationId],
    ["committed_holder_id", holder],
    ["committed_lease_epoch", request.kind === "confirm" ? request.epoch : undefined],
    ["released_lsn", request.kind === "release" ? lsn : undefined],
  ];
}

const REFUSAL_WORDS: Readonly<Record<string, string>> = {
  resource_busy: "busy",
  stale_epoch: "stale_epoch",
  resource_not_found: "not_found",
  reservation_not_found: "not_found",
  reservation_retired: "retired",
};

function refusalTokens({ code, lsn }: AppliedAnswer): Pairs {
  return [
    ["outcome", "definite_failure"],
    ["reason", REFUSAL_WORDS[code] ?? "conflict"],
    ["result_code", code],
    ["applied_lsn", lsn],
  ];
}
