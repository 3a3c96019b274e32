/** Fields as events. The inverse of write_event.ts; refuses what that one never writes. */
import type { EventClaims } from "../../history/claims.ts";
import type {
  Completion,
  ExpiredHold,
  FaultEvent,
  Invocation,
  RecordedAnswer,
  RecordedRequest,
  ReplicaSample,
} from "../../history/event.ts";
import { quoted } from "../../history/history_error.ts";
import type {
  AppliedAnswer,
  OperationKey,
  ReservationSeen,
  ResourceSeen,
  ServedBy,
} from "../../history/operation.ts";
import { Field } from "./field.ts";
import type { Fields } from "./fields.ts";

/** What a read may show of a resource. */
export const RESOURCE_STATES = ["available", "reserved", "confirmed", "revoking"] as const;
/** What a read may show of a reservation. */
export const RESERVATION_STATES = [
  "reserved",
  "confirmed",
  "revoking",
  "released",
  "expired",
  "revoked",
] as const;
const REQUESTS = [
  "create_resource",
  "reserve",
  "reserve_bundle",
  "confirm",
  "release",
  "revoke",
  "reclaim",
  "get_resource",
  "get_reservation",
  "tick_expirations",
  "model",
] as const;
const ANSWERS = [
  "applied",
  "not_found",
  "retired",
  "resource",
  "reservation",
  "ticked",
  "model",
] as const;

/** Reads an invocation whose type has been taken. */
export function readInvocation(fields: Fields): Invocation {
  const process = fields.number(Field.process);
  const timeNs = readTime(fields);
  const key = readKey(fields);
  const request = readRequest(fields);
  const attempt = fields.optionalNumber(Field.attempt);
  const slot = fields.optionalU64(Field.slot);
  if (key !== undefined && attempt !== undefined && slot === undefined) {
    return { type: "invoke", process, timeNs, request, key, attempt };
  }
  const event: { -readonly [Name in keyof Invocation]: Invocation[Name] } = {
    type: "invoke",
    process,
    timeNs,
    request,
  };
  if (key !== undefined) event.key = key;
  if (attempt !== undefined) event.attempt = attempt;
  if (slot !== undefined) event.slot = slot;
  return event;
}

function readTime(fields: Fields): number {
  return fields.optionalNumber(Field.time_ns) ?? NaN;
}

function readKey(fields: Fields): OperationKey | undefined {
  if (!fields.has(Field.operation_id) && !fields.has(Field.client_id)) return undefined;
  return {
    clientId: fields.u128(Field.client_id),
    operationId: fields.u128(Field.operation_id),
  };
}

function readRequest(fields: Fields): RecordedRequest {
  const kind = fields.oneOf(Field.operation, REQUESTS);
  switch (kind) {
    case "create_resource":
      return { kind, resourceId: fields.u128(Field.resource_id) };
    case "reserve":
      return {
        kind,
        resourceId: fields.u128(Field.resource_id),
        holderId: fields.u128(Field.holder_id),
        ttlSlots: fields.u64(Field.ttl_slots),
      };
    case "reserve_bundle":
      return {
        kind,
        resourceIds: fields.u128s(Field.resource_ids),
        holderId: fields.u128(Field.holder_id),
        ttlSlots: fields.u64(Field.ttl_slots),
      };
    case "confirm":
    case "release":
      return {
        kind,
        reservationId: fields.u128(Field.reservation_id),
        holderId: fields.u128(Field.holder_id),
        epoch: fields.u64(Field.epoch),
      };
    case "revoke":
    case "reclaim":
      return { kind, reservationId: fields.u128(Field.reservation_id) };
    case "get_resource": {
      const resourceId = fields.u128(Field.resource_id);
      const requiredLsn = fields.optionalU64(Field.required_lsn);
      return requiredLsn === undefined ? { kind, resourceId } : { kind, resourceId, requiredLsn };
    }
    case "get_reservation": {
      const reservationId = fields.u128(Field.reservation_id);
      const requiredLsn = fields.optionalU64(Field.required_lsn);
      return requiredLsn === undefined
        ? { kind, reservationId }
        : { kind, reservationId, requiredLsn };
    }
    case "tick_expirations":
      return { kind };
    case "model": {
      const f = fields.text(Field.f);
      const key = fields.has(Field.key) ? { key: fields.value(Field.key) } : {};
      return { kind, f, ...key, value: fields.value(Field.value) };
    }
  }
}

/** Reads a completion whose type has been taken, and what it says of its invocation. */
export function readCompletion(fields: Fields, type: Completion["type"]): Completion {
  const process = fields.number(Field.process);
  const timeNs = readTime(fields);
  const answer = fields.has(Field.answer) ? readAnswer(fields) : undefined;
  const reason = fields.optionalText(Field.reason);
  const servedBy = fields.has(Field.replica_id) ? readServedBy(fields) : undefined;
  if (answer !== undefined && reason === undefined && servedBy !== undefined) {
    return { type, process, timeNs, answer, servedBy };
  }
  const event: { -readonly [Name in keyof Completion]: Completion[Name] } = {
    type,
    process,
    timeNs,
  };
  if (answer !== undefined) event.answer = answer;
  if (reason !== undefined) event.reason = reason;
  if (servedBy !== undefined) event.servedBy = servedBy;
  return event;
}

/** What a completion says of its invocation; what wrote it need not. */
export function readClaims(fields: Fields): EventClaims | undefined {
  const index = fields.optionalNumber(Field.index);
  const operation = fields.optionalText(Field.operation);
  const f = fields.optionalText(Field.f) ?? (operation === "model" ? undefined : operation);
  const operationId = fields.optionalU128(Field.operation_id);
  const key = fields.has(Field.key) ? fields.value(Field.key) : undefined;
  const claims = {
    ...(index === undefined ? {} : { index }),
    ...(f === undefined ? {} : { f }),
    ...(key === undefined ? {} : { key }),
    ...(operationId === undefined ? {} : { operationId }),
  };
  return Object.keys(claims).length === 0 ? undefined : claims;
}

function readServedBy(fields: Fields): ServedBy {
  const replicaId = fields.number(Field.replica_id);
  const role = fields.optionalText(Field.role);
  const view = fields.optionalU64(Field.view);
  const observedLsn = fields.optionalU64(Field.observed_lsn);
  if (role !== undefined && view !== undefined) {
    return observedLsn === undefined
      ? fields.servers.of(replicaId, role, view)
      : { replicaId, role, view, observedLsn };
  }
  const served: { -readonly [Name in keyof ServedBy]: ServedBy[Name] } = { replicaId };
  if (role !== undefined) served.role = role;
  if (view !== undefined) served.view = view;
  if (observedLsn !== undefined) served.observedLsn = observedLsn;
  return served;
}

const NOT_FOUND = { kind: "not_found" } as const;
const RETIRED = { kind: "retired" } as const;

function readAnswer(fields: Fields): RecordedAnswer {
  const kind = fields.oneOf(Field.answer, ANSWERS);
  switch (kind) {
    case "applied":
      return readApplied(fields);
    case "not_found":
      return NOT_FOUND;
    case "retired":
      return RETIRED;
    case "resource":
      return readResource(fields);
    case "reservation":
      return readReservation(fields);
    case "ticked": {
      const lsn = fields.optionalU64(Field.lsn);
      const expired = fields.has(Field.expired) ? readExpired(fields) : undefined;
      return {
        kind,
        ...(lsn === undefined ? {} : { lsn }),
        ...(expired === undefined ? {} : { expired }),
      };
    }
    case "model":
      return { kind, value: fields.value(Field.value) };
  }
}

function readApplied(fields: Fields): AppliedAnswer {
  const code = fields.text(Field.code);
  const lsn = fields.optionalU64(Field.lsn);
  if (!fields.has(Field.reservation_id)) {
    return lsn === undefined ? { kind: "applied", code } : { kind: "applied", code, lsn };
  }
  const reserved = {
    reservationId: fields.u128(Field.reservation_id),
    epoch: fields.u64(Field.epoch),
    deadlineSlot: fields.u64(Field.deadline_slot),
  };
  return lsn === undefined
    ? { kind: "applied", code, reserved }
    : { kind: "applied", code, lsn, reserved };
}

function readResource(fields: Fields): ResourceSeen {
  const state = fields.oneOf(Field.state, RESOURCE_STATES);
  const reservationId = fields.isNone(Field.reservation_id)
    ? undefined
    : fields.u128(Field.reservation_id);
  const version = fields.optionalU64(Field.version);
  return version === undefined
    ? { kind: "resource", state, reservationId }
    : { kind: "resource", state, reservationId, version };
}

function readReservation(fields: Fields): ReservationSeen {
  const state = fields.oneOf(Field.state, RESERVATION_STATES);
  const seen: { -readonly [Name in keyof ReservationSeen]: ReservationSeen[Name] } = {
    kind: "reservation",
    state,
  };
  const { holder_id, epoch, deadline_slot, member_resource_ids, created_lsn } = Field;
  if (fields.has(holder_id)) seen.holderId = fields.u128(holder_id);
  if (fields.has(epoch)) seen.epoch = fields.u64(epoch);
  if (fields.has(deadline_slot)) seen.deadlineSlot = fields.u64(deadline_slot);
  if (fields.has(member_resource_ids)) seen.memberResourceIds = fields.u128s(member_resource_ids);
  if (fields.has(created_lsn)) seen.createdLsn = fields.u64(created_lsn);
  if (fields.has(Field.released_lsn)) seen.releasedLsn = readKnown(fields, Field.released_lsn);
  if (fields.has(Field.retire_after_slot)) {
    seen.retireAfterSlot = readKnown(fields, Field.retire_after_slot);
  }
  return seen;
}

function readKnown(fields: Fields, field: Field): bigint | undefined {
  return fields.isNone(field) ? undefined : fields.u64(field);
}

const HOLD = /^([0-9]{1,39}):([0-9]{1,39}):([0-9]{1,39}):([0-9]{1,20}|none)$/;

function readExpired(fields: Fields): readonly ExpiredHold[] {
  const text = fields.text(Field.expired);
  const holds = parseExpired(text);
  if (holds === undefined) {
    throw fields.error(`expired ${quoted(text)}`, "resource:holder:reservation:lsn between commas");
  }
  return holds;
}

/** What a tick freed, out of text; undefined when it is no such text. */
export function parseExpired(text: string): readonly ExpiredHold[] | undefined {
  if (text === "") return [];
  const holds: ExpiredHold[] = [];
  for (const part of text.split(",")) {
    const match = HOLD.exec(part);
    if (match === null) return undefined;
    const [resourceId, holderId, reservationId] = match.slice(1, 4).map(BigInt);
    const hold = {
      resourceId: resourceId!,
      holderId: holderId!,
      reservationId: reservationId!,
    };
    holds.push(match[4] === "none" ? hold : { ...hold, releasedLsn: BigInt(match[4]!) });
  }
  return holds;
}

/** Reads a fault whose type has been taken. */
export function readFault(fields: Fields): FaultEvent {
  const timeNs = readTime(fields);
  const phase = fields.oneOf(Field.phase, ["start", "stop"]);
  const name = fields.text(Field.name);
  const id = fields.number(Field.fault_id);
  const detail = fields.optionalText(Field.detail);
  const replicaIds = fields.has(Field.replica_ids) ? fields.numbers(Field.replica_ids) : undefined;
  return {
    type: "fault",
    timeNs,
    phase,
    name,
    id,
    ...(detail === undefined ? {} : { detail }),
    ...(replicaIds === undefined ? {} : { replicaIds }),
  };
}

/** Reads what a replica said of itself, whose type has been taken. */
export function readSample(fields: Fields): ReplicaSample {
  const timeNs = readTime(fields);
  const replicaId = fields.number(Field.replica_id);
  const state = fields.text(Field.state);
  const role = fields.optionalText(Field.role);
  const view = fields.optionalU64(Field.view);
  const commitLsn = fields.optionalU64(Field.commit_lsn);
  const detail = fields.optionalText(Field.detail);
  return {
    type: "replica",
    timeNs,
    replicaId,
    state,
    ...(role === undefined ? {} : { role }),
    ...(view === undefined ? {} : { view }),
    ...(commitLsn === undefined ? {} : { commitLsn }),
    ...(detail === undefined ? {} : { detail }),
  };
}
