/** What a history says about each reservation id: who made it, who saw it, and which unanswered reserve may have made it. */
import type { ReservationSeen } from "../../history/operation.ts";
import { added } from "../small_lists.ts";
import { isWrite, type LogicalOperation, lsnOf } from "./logical.ts";
import type { ReservationBounds } from "./verdict.ts";

/** Everything that is said about one id. */
export interface Sighting {
  readonly id: bigint;
  /** Reserves that were answered with it; more than one is a violation. */
  makers: readonly LogicalOperation[];
  /** Reads that found its record. */
  records: readonly LogicalOperation[];
  /** Reads that found it on a resource, where it has no maker. */
  holds: readonly LogicalOperation[];
  /** Writes that name it; where it has a maker, those that are known to have ended it. */
  commands: readonly LogicalOperation[];
  /** Unanswered reserves that may have made it; empty when it has a maker. */
  candidates: readonly LogicalOperation[];
}

/** Collects what is said, and finds who may have made what nobody was told about. */
export function collectSightings(
  operations: readonly LogicalOperation[],
  bounds: ReservationBounds,
): Map<bigint, Sighting> {
  const sightings = new Map<bigint, Sighting>();
  for (const operation of operations) noteMaker(sightings, operation);
  for (const operation of operations) note(sightings, operation);
  const orphans = [...sightings.values()].filter((seen) => seen.makers.length === 0);
  if (orphans.length === 0) return sightings;
  const open = operations.filter((operation) =>
    operation.isOptional && operation.answer === undefined && isReserve(operation)
  );
  const lsnBefore = bounds.reservationIds !== "opaque" ? lsnFloors(operations, open) : undefined;
  for (const seen of orphans) {
    seen.candidates = open.filter((operation) =>
      couldMake(operation, seen, bounds) &&
      (lsnBefore === undefined || lsnBefore.get(operation)! < lsnOfId(seen.id))
    );
  }
  return sightings;
}

/** Whether a claim under this id must have come to be, for what is said to be true. */
export function mustHaveBeen(seen: Sighting, { history, refusals }: ReservationBounds): boolean {
  return seen.records.length > 0 || seen.holds.length > 0 ||
    seen.commands.some((command) => provesIt(command, history === "kept", refusals !== "class"));
}

/** The lsn that an id stands for, where ids are lsns. */
export function lsnOfId(id: bigint): bigint {
  return BigInt.asUintN(64, id);
}

/** The ids of a reserve's resources, in the order of the request. */
export function memberIds({ request }: LogicalOperation): readonly bigint[] {
  if (request.kind === "reserve") return [request.resourceId];
  return request.kind === "reserve_bundle" ? request.resourceIds : [];
}

/** The ids of the resources that a request names. */
export function resourceIdsOf(operation: LogicalOperation): readonly bigint[] {
  const { request } = operation;
  return "resourceId" in request ? [request.resourceId] : memberIds(operation);
}

function isReserve({ request }: LogicalOperation): boolean {
  return request.kind === "reserve" || request.kind === "reserve_bundle";
}

function noteMaker(sightings: Map<bigint, Sighting>, operation: LogicalOperation): void {
  const { answer } = operation;
  if (answer?.kind !== "applied" || answer.reserved === undefined) return;
  const made = sightingOf(sightings, answer.reserved.reservationId);
  made.makers = added(made.makers, operation);
}

function note(sightings: Map<bigint, Sighting>, operation: LogicalOperation): void {
  const { request, answer } = operation;
  if (answer?.kind === "resource" && answer.reservationId !== undefined) {
    const held = sightingOf(sightings, answer.reservationId);
    if (held.makers.length === 0) held.holds = added(held.holds, operation);
  }
  if (!("reservationId" in request)) return;
  const seen = sightingOf(sightings, request.reservationId);
  if (isWrite(request)) {
    if (seen.makers.length === 0 || hasEnded(operation)) {
      seen.commands = added(seen.commands, operation);
    }
  } else if (answer?.kind === "reservation") seen.records = added(seen.records, operation);
}

/** Whether somebody was told that this ended a reservation. */
export function hasEnded({ request, answer, isConflict }: LogicalOperation): boolean {
  return (request.kind === "release" || request.kind === "reclaim") && !isConflict &&
    answer?.kind === "applied" && answer.code === "ok";
}

/** Shared by all: most ids are never spoken of in most ways. */
const NOBODY: readonly LogicalOperation[] = [];

function sightingOf(sightings: Map<bigint, Sighting>, id: bigint): Sighting {
  let seen = sightings.get(id);
  if (seen === undefined) {
    seen = {
      id,
      makers: NOBODY,
      records: NOBODY,
      holds: NOBODY,
      commands: NOBODY,
      candidates: NOBODY,
    };
    sightings.set(id, seen);
  }
  return seen;
}

/** Where records are dropped, retired is said of ids that never were, too. */
function provesIt(
  { answer, isConflict }: LogicalOperation,
  isKept: boolean,
  isExact: boolean,
): boolean {
  if (answer?.kind !== "applied" || isConflict) return false;
  switch (answer.code) {
    case "ok":
    case "holder_mismatch":
      return true;
    case "invalid_state":
    case "stale_epoch":
      return isExact || isKept;
    default:
      return answer.code === "reservation_retired" && isKept;
  }
}

function couldMake(
  operation: LogicalOperation,
  seen: Sighting,
  bounds: ReservationBounds,
): boolean {
  const { request } = operation;
  if (!("holderId" in request)) return false;
  const members = memberIds(operation);
  return seen.records.every(({ answer }) =>
    isOf(answer as ReservationSeen, request.holderId, members)
  ) &&
    seen.holds.every(({ request: read }) =>
      read.kind === "get_resource" && members.includes(read.resourceId)
    ) &&
    (mustHaveBeen(seen, bounds) || seen.commands.some(({ isOptional }) => isOptional));
}

function isOf(
  { holderId, memberResourceIds }: ReservationSeen,
  wantedHolder: bigint,
  members: readonly bigint[],
): boolean {
  if (holderId !== undefined && holderId !== wantedHolder) return false;
  return memberResourceIds === undefined ||
    (memberResourceIds.length === members.length &&
      memberResourceIds.every((id, i) => id === members[i]));
}

/** For each open reserve the highest lsn that was answered before it began: its own is higher. */
function lsnFloors(
  operations: readonly LogicalOperation[],
  open: readonly LogicalOperation[],
): Map<LogicalOperation, bigint> {
  const answered = operations.filter((operation) => lsnOf(operation) !== undefined)
    .sort((a, b) => a.completedAt - b.completedAt);
  const floors = new Map<LogicalOperation, bigint>();
  let [next, highest] = [0, -1n];
  for (const operation of [...open].sort((a, b) => a.invokedAt - b.invokedAt)) {
    while (next < answered.length && answered[next]!.completedAt < operation.invokedAt) {
      const lsn = lsnOf(answered[next++]!)!;
      if (lsn > highest) highest = lsn;
    }
    floors.set(operation, highest);
  }
  return floors;
}
