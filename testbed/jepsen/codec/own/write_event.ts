/** Events as fields. The inverse is read_event.ts; what one writes the other reads. */
import type {
  Completion,
  ExpiredHold,
  FaultEvent,
  HistoryEvent,
  Invocation,
  RecordedAnswer,
  RecordedRequest,
  ReplicaSample,
} from "../../history/event.ts";
import type { AppliedAnswer, ReservationSeen, ResourceSeen } from "../../history/operation.ts";
import { Field } from "./field.ts";
import type { FieldWriter } from "./field_writer.ts";

/** Writes the record of an event. */
export function writeEvent(out: FieldWriter, event: HistoryEvent): void {
  out.begin(event.type);
  switch (event.type) {
    case "invoke":
      writeInvocation(out, event);
      break;
    case "fault":
      writeFault(out, event);
      break;
    case "replica":
      writeSample(out, event);
      break;
    default:
      writeCompletion(out, event);
  }
  out.finish();
}

function writeTime(out: FieldWriter, timeNs: number): void {
  const rounded = Math.round(timeNs);
  if (Number.isSafeInteger(rounded)) out.number(Field.time_ns, rounded);
}

function writeInvocation(out: FieldWriter, event: Invocation): void {
  out.number(Field.process, event.process);
  writeTime(out, event.timeNs);
  out.word(Field.operation, event.request.kind);
  if (event.key !== undefined) {
    out.integer(Field.client_id, event.key.clientId);
    out.integer(Field.operation_id, event.key.operationId);
  }
  writeRequest(out, event.request);
  if (event.attempt !== undefined) out.number(Field.attempt, event.attempt);
  if (event.slot !== undefined) out.integer(Field.slot, event.slot);
}

function writeRequest(out: FieldWriter, request: RecordedRequest): void {
  switch (request.kind) {
    case "create_resource":
      return out.integer(Field.resource_id, request.resourceId);
    case "reserve":
      out.integer(Field.resource_id, request.resourceId);
      out.integer(Field.holder_id, request.holderId);
      return out.integer(Field.ttl_slots, request.ttlSlots);
    case "reserve_bundle":
      out.integers(Field.resource_ids, request.resourceIds);
      out.integer(Field.holder_id, request.holderId);
      return out.integer(Field.ttl_slots, request.ttlSlots);
    case "confirm":
    case "release":
      out.integer(Field.reservation_id, request.reservationId);
      out.integer(Field.holder_id, request.holderId);
      return out.integer(Field.epoch, request.epoch);
    case "revoke":
    case "reclaim":
      return out.integer(Field.reservation_id, request.reservationId);
    case "get_resource":
      out.integer(Field.resource_id, request.resourceId);
      return writeInteger(out, Field.required_lsn, request.requiredLsn);
    case "get_reservation":
      out.integer(Field.reservation_id, request.reservationId);
      return writeInteger(out, Field.required_lsn, request.requiredLsn);
    case "model":
      out.word(Field.f, request.f);
      if (request.key !== undefined) out.value(Field.key, request.key);
      return out.value(Field.value, request.value);
    case "tick_expirations":
  }
}

function writeCompletion(out: FieldWriter, event: Completion): void {
  const { answer, servedBy } = event;
  out.number(Field.process, event.process);
  writeTime(out, event.timeNs);
  if (answer !== undefined) {
    out.word(Field.answer, answer.kind);
    writeAnswer(out, answer);
  }
  if (event.reason !== undefined) out.text(Field.reason, event.reason);
  if (servedBy === undefined) return;
  out.number(Field.replica_id, servedBy.replicaId);
  if (servedBy.role !== undefined) out.word(Field.role, servedBy.role);
  writeInteger(out, Field.view, servedBy.view);
  writeInteger(out, Field.observed_lsn, servedBy.observedLsn);
}

function writeAnswer(out: FieldWriter, answer: RecordedAnswer): void {
  switch (answer.kind) {
    case "applied":
      return writeApplied(out, answer);
    case "resource":
      return writeResource(out, answer);
    case "reservation":
      return writeReservation(out, answer);
    case "ticked":
      writeInteger(out, Field.lsn, answer.lsn);
      if (answer.expired !== undefined) out.text(Field.expired, expiredText(answer.expired));
      return;
    case "model":
      return out.value(Field.value, answer.value);
    case "not_found":
    case "retired":
  }
}

function writeApplied(out: FieldWriter, { code, lsn, reserved }: AppliedAnswer): void {
  out.word(Field.code, code);
  writeInteger(out, Field.lsn, lsn);
  if (reserved === undefined) return;
  out.integer(Field.reservation_id, reserved.reservationId);
  out.integer(Field.epoch, reserved.epoch);
  out.integer(Field.deadline_slot, reserved.deadlineSlot);
}

function writeResource(out: FieldWriter, { state, reservationId, version }: ResourceSeen): void {
  out.word(Field.state, state);
  if (reservationId === undefined) out.none(Field.reservation_id);
  else out.integer(Field.reservation_id, reservationId);
  writeInteger(out, Field.version, version);
}

function writeReservation(out: FieldWriter, seen: ReservationSeen): void {
  out.word(Field.state, seen.state);
  writeInteger(out, Field.holder_id, seen.holderId);
  writeInteger(out, Field.epoch, seen.epoch);
  writeInteger(out, Field.deadline_slot, seen.deadlineSlot);
  const { memberResourceIds } = seen;
  if (memberResourceIds !== undefined) out.integers(Field.member_resource_ids, memberResourceIds);
  writeInteger(out, Field.created_lsn, seen.createdLsn);
  writeKnown(out, Field.released_lsn, seen.releasedLsn, "releasedLsn" in seen);
  writeKnown(out, Field.retire_after_slot, seen.retireAfterSlot, "retireAfterSlot" in seen);
}

function writeInteger(out: FieldWriter, field: Field, value: bigint | undefined): void {
  if (value !== undefined) out.integer(field, value);
}

/** What was not recorded is not what was recorded as missing. */
function writeKnown(
  out: FieldWriter,
  field: Field,
  value: bigint | undefined,
  isKnown: boolean,
): void {
  if (value !== undefined) out.integer(field, value);
  else if (isKnown) out.none(field);
}

/** What a tick freed, as text; the runbook's history has the same. */
export function expiredText(expired: readonly ExpiredHold[]): string {
  return expired.map(({ resourceId, holderId, reservationId, releasedLsn }) =>
    `${resourceId}:${holderId}:${reservationId}:${releasedLsn ?? "none"}`
  ).join(",");
}

function writeFault(out: FieldWriter, event: FaultEvent): void {
  writeTime(out, event.timeNs);
  out.word(Field.phase, event.phase);
  out.word(Field.name, event.name);
  out.number(Field.fault_id, event.id);
  if (event.detail !== undefined) out.text(Field.detail, event.detail);
  if (event.replicaIds !== undefined) out.numbers(Field.replica_ids, event.replicaIds);
}

function writeSample(out: FieldWriter, event: ReplicaSample): void {
  writeTime(out, event.timeNs);
  out.number(Field.replica_id, event.replicaId);
  out.word(Field.state, event.state);
  if (event.role !== undefined) out.word(Field.role, event.role);
  writeInteger(out, Field.view, event.view);
  writeInteger(out, Field.commit_lsn, event.commitLsn);
  if (event.detail !== undefined) out.text(Field.detail, event.detail);
}
