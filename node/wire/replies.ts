/** Replies to reads, ticks and checkpoints. Source: docs/wire.md#replies. */
import { unreachable } from "../../core/assert.ts";
import { ReservationState, ResourceState } from "../../core/tables.ts";
import { readU64 as readWords, writeU64 as writeWords } from "../../core/words.ts";
import type {
  CheckpointResult,
  NotFound,
  Observed,
  ReadRefusal,
  Rejection,
  ReservationRead,
  ResourceRead,
  TickResult,
} from "../api.ts";
import { DiskFault, type DiskFaultKind } from "../disk.ts";
import { MessageType, TEXT_BYTES_MAX } from "./messages.ts";
import type { WireReader } from "./reader.ts";
import {
  DETAIL_WORDS,
  isDefinite,
  readRejection,
  REJECTION_CODE_MAX,
  RejectionCategory,
  RejectionCode,
  writeDetails,
} from "./rejection.ts";
import type { WireWriter } from "./writer.ts";

/** What an expiration tick answers. */
export type TickReply = TickResult | { readonly kind: "rejected"; readonly rejection: Rejection };

/** Third element of a resource or reservation reply. */
const ReadKind = {
  found: 1,
  not_found: 2,
  fence_not_applied: 3,
  engine_halted: 4,
  retired: 5,
  not_primary: 6,
} as const;

/** Highest number in {@linkcode ReadKind}. */
const READ_KIND_MAX = 6;

/** Elements of replies without data; index is the kind. */
const ELEMENTS_WITHOUT_DATA: readonly (number | undefined)[] = [, , 4, 5, 3, , 5];

/** Third element of a checkpoint reply. */
const CheckpointKind = {
  done: 1,
  engine_halted: 2,
  already_running: 3,
  snapshot_file_error: 4,
} as const;

/** Elements of a checkpoint reply; index is its kind. */
const CHECKPOINT_ELEMENTS: readonly number[] = [0, 6, 3, 3, 7];

const FAULT_KINDS: readonly DiskFaultKind[] = [
  "disk_full",
  "read_only",
  "permission_denied",
  "not_found",
  "io_error",
];

/** `[12, request_id, kind, …]`. */
export function writeResourceReply(out: WireWriter, requestId: bigint, read: ResourceRead): void {
  const frame = out.beginFrame();
  switch (read.kind) {
    case "found":
      beginRead(out, 8, MessageType.resource, requestId, read);
      out.id(read.resourceId);
      out.small(read.state);
      out.optionalId(read.currentReservationId);
      out.u64(read.version);
      break;
    case "not_found":
      beginRead(out, 4, MessageType.resource, requestId, read);
      break;
    default:
      writeRefusal(out, MessageType.resource, requestId, read);
  }
  out.endFrame(frame);
}

/** `[13, request_id, kind, …]`. */
export function writeReservationReply(
  out: WireWriter,
  requestId: bigint,
  read: ReservationRead,
): void {
  const frame = out.beginFrame();
  switch (read.kind) {
    case "found":
      beginRead(out, 13, MessageType.reservation, requestId, read);
      out.id(read.reservationId);
      out.id(read.holderId);
      out.small(read.state);
      out.u64(read.epoch);
      out.u64(read.createdLsn);
      out.u64(read.deadlineSlot);
      out.optionalU64(read.releasedLsn);
      out.optionalU64(read.retireAfterSlot);
      out.array(read.memberResourceIds.length);
      for (const id of read.memberResourceIds) out.id(id);
      break;
    case "not_found":
    case "retired":
      beginRead(out, 4, MessageType.reservation, requestId, read);
      break;
    default:
      writeRefusal(out, MessageType.reservation, requestId, read);
  }
  out.endFrame(frame);
}

function beginRead(
  out: WireWriter,
  elements: number,
  type: MessageType,
  requestId: bigint,
  { kind, observedLsn }: Observed & { readonly kind: keyof typeof ReadKind },
): void {
  beginReply(out, elements, type, requestId, kind);
  out.optionalU64(observedLsn);
}

function beginReply(
  out: WireWriter,
  elements: number,
  type: MessageType,
  requestId: bigint,
  kind: keyof typeof ReadKind,
): void {
  out.array(elements);
  out.small(type);
  out.u64(requestId);
  out.small(ReadKind[kind]);
}

function writeRefusal(
  out: WireWriter,
  type: MessageType,
  requestId: bigint,
  refusal: ReadRefusal,
): void {
  switch (refusal.kind) {
    case "engine_halted":
      return beginReply(out, 3, type, requestId, refusal.kind);
    case "fence_not_applied":
      beginReply(out, 5, type, requestId, refusal.kind);
      out.u64(refusal.requiredLsn);
      return out.optionalU64(refusal.lastAppliedLsn);
    case "not_primary":
      beginReply(out, 5, type, requestId, refusal.kind);
      out.u64(refusal.view);
      return out.optionalU64(refusal.primary);
    default:
      return unreachable(refusal);
  }
}

/**
 * Reads what follows the request id of a resource reply.
 *
 * @param reader Behind the request id.
 * @param elements What the head of the message said.
 * @returns The reply, or `undefined` when it is none; the reader may have failed as well.
 */
export function readResourceReply(
  reader: WireReader,
  elements: number,
): ResourceRead | undefined {
  const kind = reader.small(READ_KIND_MAX);
  if (kind !== ReadKind.found) return readOtherThanFound(reader, elements, kind);
  reader.require(elements === 8);
  const observedLsn = reader.optionalU64();
  const resourceId = reader.id();
  const state = reader.small(ResourceState.revoking) as ResourceState;
  reader.require(state >= ResourceState.available);
  const currentReservationId = reader.optionalId();
  const version = reader.u64();
  return { kind: "found", resourceId, state, currentReservationId, version, observedLsn };
}

/** As {@linkcode readResourceReply}, of a reservation reply. */
export function readReservationReply(
  reader: WireReader,
  elements: number,
): ReservationRead | undefined {
  const kind = reader.small(READ_KIND_MAX);
  if (kind === ReadKind.retired) {
    reader.require(elements === 4);
    return { kind: "retired", observedLsn: reader.optionalU64() };
  }
  if (kind !== ReadKind.found) return readOtherThanFound(reader, elements, kind);
  reader.require(elements === 13);
  const observedLsn = reader.optionalU64();
  const reservationId = reader.id();
  const holderId = reader.id();
  const state = reader.small(ReservationState.revoked) as ReservationState;
  reader.require(state >= ReservationState.reserved);
  const view = {
    epoch: reader.u64(),
    createdLsn: reader.u64(),
    deadlineSlot: reader.u64(),
    releasedLsn: reader.optionalU64(),
    retireAfterSlot: reader.optionalU64(),
    memberResourceIds: readIds(reader),
  };
  return { kind: "found", reservationId, holderId, state, ...view, observedLsn };
}

function readOtherThanFound(
  reader: WireReader,
  elements: number,
  kind: number,
): NotFound | ReadRefusal | undefined {
  reader.require(elements === ELEMENTS_WITHOUT_DATA[kind]);
  switch (kind) {
    case ReadKind.not_found:
      return { kind: "not_found", observedLsn: reader.optionalU64() };
    case ReadKind.engine_halted:
      return { kind: "engine_halted" };
    case ReadKind.fence_not_applied: {
      const requiredLsn = reader.u64();
      return { kind: "fence_not_applied", requiredLsn, lastAppliedLsn: reader.optionalU64() };
    }
    case ReadKind.not_primary:
      return { kind: "not_primary", view: reader.u64(), primary: reader.optionalU64() };
    default:
      return undefined;
  }
}

function readIds(reader: WireReader): readonly bigint[] {
  const count = reader.arrayHead();
  const ids: bigint[] = [];
  for (let i = 0; i < count && !reader.failed; i++) ids.push(reader.id());
  return ids;
}

/** `[15, request_id, [1, processed_count, last_applied_lsn | null]]`, or a rejection as in a submit reply. */
export function writeTickReply(out: WireWriter, requestId: bigint, reply: TickReply): void {
  const frame = out.beginFrame();
  out.array(3);
  out.small(MessageType.tick);
  out.u64(requestId);
  if (reply.kind === "rejected") writeRejection(out, reply.rejection);
  else {
    out.array(3);
    out.small(1);
    out.u64(reply.processedCount);
    out.optionalU64(reply.lastAppliedLsn);
  }
  out.endFrame(frame);
}

/** As {@linkcode readResourceReply}, of a tick reply. */
export function readTickReply(reader: WireReader, elements: number): TickReply | undefined {
  reader.require(elements === 3);
  const inner = reader.arrayHead();
  if (reader.small(1) === 0) {
    reader.require(inner === 6);
    const rejection = readRejectionFields(reader);
    return rejection && { kind: "rejected", rejection };
  }
  reader.require(inner === 3);
  return {
    kind: "applied",
    processedCount: reader.count(),
    lastAppliedLsn: reader.optionalU64(),
  };
}

/** `[0, category, code, a, b, c]`. */
function writeRejection(out: WireWriter, rejection: Rejection): void {
  const words = new Uint32Array(DETAIL_WORDS);
  writeDetails(rejection, words, 0);
  out.array(6);
  out.small(0);
  out.small(RejectionCategory[rejection.category]);
  out.small(RejectionCode[rejection.code]);
  for (let i = 0; i < DETAIL_WORDS; i += 2) out.u64(readWords(words, i));
}

function readRejectionFields(reader: WireReader): Rejection | undefined {
  const category = reader.small(RejectionCategory.indefinite);
  const code = reader.small(REJECTION_CODE_MAX);
  const { definite, indefinite } = RejectionCategory;
  reader.require(category === (isDefinite(code) ? definite : indefinite));
  const words = new Uint32Array(DETAIL_WORDS);
  for (let i = 0; i < DETAIL_WORDS; i += 2) writeWords(words, i, reader.u64());
  return readRejection(code, words, 0);
}

/** `[16, request_id, kind, …]`. */
export function writeCheckpointReply(
  out: WireWriter,
  requestId: bigint,
  result: CheckpointResult,
): void {
  const frame = out.beginFrame();
  out.array(CHECKPOINT_ELEMENTS[CheckpointKind[result.kind]]!);
  out.small(MessageType.checkpoint_reply);
  out.u64(requestId);
  out.small(CheckpointKind[result.kind]);
  switch (result.kind) {
    case "done":
      out.optionalU64(result.snapshotLsn);
      out.optionalU64(result.previousSnapshotLsn);
      out.u64(result.removedSegments);
      break;
    case "snapshot_file_error":
      out.small(FAULT_KINDS.indexOf(result.fault.kind) + 1);
      out.text(result.fault.action, TEXT_BYTES_MAX);
      out.text(result.fault.file, TEXT_BYTES_MAX);
      out.text(faultDetail(result.fault), TEXT_BYTES_MAX);
      break;
    case "engine_halted":
    case "already_running":
      break;
    default:
      unreachable(result);
  }
  out.endFrame(frame);
}

/** The system's own words, which a fault keeps only in its message. */
function faultDetail(fault: DiskFault): string {
  const prefix = new DiskFault(fault.kind, fault.action, fault.file, "").message;
  return fault.message.startsWith(prefix) ? fault.message.slice(prefix.length) : fault.message;
}

/** As {@linkcode readResourceReply}, of a checkpoint reply. */
export function readCheckpointReply(
  reader: WireReader,
  elements: number,
): CheckpointResult | undefined {
  const kind = reader.small(CheckpointKind.snapshot_file_error);
  reader.require(elements === CHECKPOINT_ELEMENTS[kind]);
  switch (kind) {
    case CheckpointKind.done:
      return {
        kind: "done",
        snapshotLsn: reader.optionalU64(),
        previousSnapshotLsn: reader.optionalU64(),
        removedSegments: reader.count(),
      };
    case CheckpointKind.engine_halted:
      return { kind: "engine_halted" };
    case CheckpointKind.already_running:
      return { kind: "already_running" };
    case CheckpointKind.snapshot_file_error:
      return readFault(reader);
    default:
      return undefined;
  }
}

function readFault(reader: WireReader): CheckpointResult | undefined {
  const kind = FAULT_KINDS[reader.small(FAULT_KINDS.length) - 1];
  const action = reader.text(TEXT_BYTES_MAX);
  const file = reader.text(TEXT_BYTES_MAX);
  const detail = reader.text(TEXT_BYTES_MAX);
  if (kind === undefined) return undefined;
  return { kind: "snapshot_file_error", fault: new DiskFault(kind, action, file, detail) };
}
