/**
 * One line of a runbook history as two events. The format says less than our events: `busy` may be an answer or a refusal
 * before it was sequenced, `released` an expiration, `confirmed` a revocation under way. What is uncertain is read as what it
 * certainly says. Our own writer adds keys that make it certain again.
 */
import type {
  Completion,
  Invocation,
  RecordedAnswer,
  RecordedRequest,
} from "../../history/event.ts";
import { quoted } from "../../history/history_error.ts";
import type { ServedBy } from "../../history/operation.ts";
import { parseExpired } from "../own/read_event.ts";
import { readSeen } from "./read_seen.ts";
import type { Tokens } from "./tokens.ts";

const OPERATIONS = [
  "reserve",
  "reserve_bundle",
  "confirm",
  "release",
  "revoke",
  "reclaim",
  "tick_expirations",
  "get_resource",
  "get_reservation",
] as const;
const OUTCOMES = ["committed_write", "read_ok", "definite_failure", "ambiguous"] as const;
const RESULTS = [
  "reserved",
  "confirmed",
  "released",
  "revoked",
  "reclaimed",
  "tick_expired",
] as const;
const FAILURES = [
  "busy",
  "conflict",
  "stale_epoch",
  "not_found",
  "retired",
  "fence_not_applied",
  "not_primary",
  "engine_halted",
  "invalid_request",
] as const;
const AMBIGUITIES = ["timeout", "transport_loss", "indefinite_write"] as const;

/** What a line says, but for process and time. */
export interface ReadLine {
  readonly invocation: Pick<Invocation, "request" | "key" | "slot">;
  readonly completion: Pick<Completion, "type" | "answer" | "reason" | "servedBy">;
}

/** @param revoked Reservations that somebody tried to revoke so far; grows. */
export function readLine(tokens: Tokens, revoked: Set<bigint>): ReadLine {
  const request = readRequest(tokens);
  if (request.kind === "revoke") revoked.add(request.reservationId);
  const slot = tokens.optionalU64("request_slot");
  const key = readKey(tokens, request);
  const invocation = {
    request,
    ...(key === undefined ? {} : { key }),
    ...(slot === undefined ? {} : { slot }),
  };
  return { invocation, completion: readCompletion(tokens, request, revoked) };
}

function readRequest(tokens: Tokens): RecordedRequest {
  const kind = tokens.oneOf("operation", OPERATIONS);
  switch (kind) {
    case "reserve":
      return {
        kind,
        resourceId: tokens.u128("resource_id"),
        holderId: tokens.u128("holder_id"),
        ttlSlots: tokens.u64("ttl_slots"),
      };
    case "reserve_bundle":
      return {
        kind,
        resourceIds: tokens.u128s("resource_ids"),
        holderId: tokens.u128("holder_id"),
        ttlSlots: tokens.u64("ttl_slots"),
      };
    case "confirm":
    case "release":
      return {
        kind,
        reservationId: tokens.u128("reservation_id"),
        holderId: tokens.u128("holder_id"),
        epoch: tokens.u64("lease_epoch"),
      };
    case "revoke":
    case "reclaim":
      return { kind, reservationId: tokens.u128("reservation_id") };
    case "tick_expirations":
      return { kind };
    case "get_resource":
      return { kind, resourceId: tokens.u128("resource_id"), ...readFence(tokens) };
    case "get_reservation":
      return { kind, reservationId: tokens.u128("reservation_id"), ...readFence(tokens) };
  }
}

function readFence(tokens: Tokens): { readonly requiredLsn?: bigint } {
  const requiredLsn = tokens.optionalU64("required_lsn");
  return requiredLsn === undefined ? {} : { requiredLsn };
}

/** The format has no clients: all operation ids are of one, unless our key says of which. */
function readKey(tokens: Tokens, { kind }: RecordedRequest): Invocation["key"] {
  if (isRead(kind) || tokens.optional("operation_id") === undefined) return undefined;
  const clientId = tokens.optional("client_id") === undefined ? 0n : tokens.u128("client_id");
  return { clientId, operationId: tokens.u128("operation_id") };
}

function isRead(kind: RecordedRequest["kind"]): boolean {
  return kind === "get_resource" || kind === "get_reservation";
}

function readCompletion(
  tokens: Tokens,
  request: RecordedRequest,
  revoked: ReadonlySet<bigint>,
): ReadLine["completion"] {
  const outcome = tokens.oneOf("outcome", OUTCOMES);
  switch (outcome) {
    case "committed_write":
      return { type: "ok", answer: readCommitted(tokens, request) };
    case "read_ok":
      return readSuccessfulRead(tokens, request, revoked);
    case "definite_failure":
      return readFailure(tokens, request);
    case "ambiguous": {
      const reason = tokens.oneOf("reason", AMBIGUITIES);
      return { type: "info", reason: tokens.optional("exact_reason") ?? reason };
    }
  }
}

const RESULT_OF: Partial<Record<RecordedRequest["kind"], (typeof RESULTS)[number]>> = {
  reserve: "reserved",
  reserve_bundle: "reserved",
  confirm: "confirmed",
  release: "released",
  revoke: "revoked",
  reclaim: "reclaimed",
  tick_expirations: "tick_expired",
};

function readCommitted(tokens: Tokens, { kind }: RecordedRequest): RecordedAnswer {
  const result = tokens.oneOf("write_result", RESULTS);
  const expected = RESULT_OF[kind];
  if (result !== expected) {
    throw tokens.error(`write_result ${result} of ${kind}`, expected ?? "read_ok");
  }
  const lsn = tokens.u64("applied_lsn");
  if (result === "tick_expired") return { kind: "ticked", lsn, expired: readExpired(tokens) };
  if (result !== "reserved") return { kind: "applied", code: "ok", lsn };
  const reserved = {
    reservationId: tokens.u128("committed_reservation_id"),
    epoch: tokens.u64("committed_lease_epoch"),
    deadlineSlot: tokens.u64("expires_at_slot"),
  };
  return { kind: "applied", code: "ok", lsn, reserved };
}

function readExpired(tokens: Tokens): NonNullable<ReturnType<typeof parseExpired>> {
  const text = tokens.optional("expired") ?? "";
  const expired = parseExpired(text);
  if (expired !== undefined) return expired;
  throw tokens.error(`expired ${quoted(text)}`, "resource:holder:reservation:lsn between commas");
}

/** Reasons that are answers: what they say was committed, or seen. */
function readFailure(tokens: Tokens, request: RecordedRequest): ReadLine["completion"] {
  const reason = tokens.oneOf("reason", FAILURES);
  const served = readServedBy(tokens);
  if (isRead(request.kind)) {
    const isSeen = reason === "not_found" ||
      (reason === "retired" && request.kind === "get_reservation");
    if (isSeen) return { type: "ok", answer: { kind: reason }, ...served };
  } else {
    const code = tokens.optional("result_code") ?? codeOf(reason, request);
    const lsn = tokens.optionalU64("applied_lsn");
    const withLsn = lsn === undefined ? {} : { lsn };
    if (code !== undefined) {
      return { type: "ok", answer: { kind: "applied", code, ...withLsn }, ...served };
    }
  }
  return { type: "fail", reason: tokens.optional("exact_reason") ?? reason, ...served };
}

function codeOf(reason: string, { kind }: RecordedRequest): string | undefined {
  if (kind === "tick_expirations") return undefined;
  switch (reason) {
    case "stale_epoch":
      return "stale_epoch";
    case "retired":
      return "reservation_retired";
    case "not_found":
      return kind === "reserve" || kind === "reserve_bundle"
        ? "resource_not_found"
        : "reservation_not_found";
    default:
      return undefined;
  }
}

function readSuccessfulRead(
  tokens: Tokens,
  request: RecordedRequest,
  revoked: ReadonlySet<bigint>,
): ReadLine["completion"] {
  const expected = request.kind === "get_resource" ? "resource" : "reservation";
  if (!isRead(request.kind)) throw tokens.error(`read_ok of ${request.kind}`, "committed_write");
  if (tokens.oneOf("read_target", ["resource", "reservation"]) !== expected) {
    throw tokens.error(`another read_target for ${request.kind}`, expected);
  }
  const served = readServedBy(tokens);
  const answer = readSeen(tokens, expected, revoked);
  if (answer !== undefined) return { type: "ok", answer, ...served };
  return { type: "info", reason: "confirmed or revoking", ...served };
}

function readServedBy(tokens: Tokens): { readonly servedBy?: ServedBy } {
  if (tokens.optional("served_by") === undefined) return {};
  const role = tokens.optional("served_role");
  const observedLsn = tokens.optionalU64("observed_lsn");
  const servedBy: ServedBy = {
    replicaId: tokens.number("served_by"),
    ...(role === undefined ? {} : { role }),
    ...(observedLsn === undefined ? {} : { observedLsn }),
  };
  return { servedBy };
}
