/** What a history says about each reservation id: who made it, who saw it, and which unanswered reserve may have made it. */
import type { ReservationSeen } from "../../history/operation.ts";
import { added, type Few, listOf } from "../small_lists.ts";
import { isWrite, type LogicalOperation, lsnOf } from "./logical.ts";
import type { ReservationBounds } from "./verdict.ts";

/** Everything that is said about one id. */
export class Sighting {
  readonly id: bigint;
  #makers: Few<LogicalOperation>;
  #records: Few<LogicalOperation>;
  #holds: Few<LogicalOperation>;
  #commands: Few<LogicalOperation>;
  /** Unanswered reserves that may have made it; empty when it has a maker. */
  candidates: readonly LogicalOperation[] = NOBODY;

  constructor(id: bigint) {
    this.id = id;
  }

  /** Reserves that were answered with it; more than one is a violation. */
  get makers(): readonly LogicalOperation[] {
    return listOf(this.#makers);
  }

  /** Whether any reserve was answered with it. */
  get hasMaker(): boolean {
    return this.#makers !== undefined;
  }

  /** Reads that found its record. */
  get records(): readonly LogicalOperation[] {
    return listOf(this.#records);
  }

  /** Reads that found it on a resource, where it has no maker. */
  get holds(): readonly LogicalOperation[] {
    return listOf(this.#holds);
  }

  /** Writes that name it; where it has a maker, those that are known to have ended it. */
  get commands(): readonly LogicalOperation[] {
    return listOf(this.#commands);
  }

  addMaker(operation: LogicalOperation): void {
    this.#makers = added(this.#makers, operation);
  }

  addRecord(operation: LogicalOperation): void {
    this.#records = added(this.#records, operation);
  }

  addHold(operation: LogicalOperation): void {
    this.#holds = added(this.#holds, operation);
  }

  addCommand(operation: LogicalOperation): void {
    this.#commands = added(this.#commands, operation);
  }
}

/** Shared by all that have no candidates. */
const NOBODY: readonly LogicalOperation[] = [];

/** Collects what is said, and finds who may have made what nobody was told about. */
export function collectSightings(
  operations: readonly LogicalOperation[],
  bounds: ReservationBounds,
): Map<bigint, Sighting> {
  const sightings = new Map<bigint, Sighting>();
  for (const operation of operations) noteMaker(sightings, operation);
  for (const operation of operations) note(sightings, operation);
  const orphans = [...sightings.values()].filter((seen) => !seen.hasMaker);
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
  sightingOf(sightings, answer.reserved.reservationId).addMaker(operation);
}

function note(sightings: Map<bigint, Sighting>, operation: LogicalOperation): void {
  const { request, answer } = operation;
  if (answer?.kind === "resource" && answer.reservationId !== undefined) {
    const held = sightingOf(sightings, answer.reservationId);
    if (!held.hasMaker) held.addHold(operation);
  }
  if (!("reservationId" in request)) return;
  const seen = sightingOf(sightings, request.reservationId);
  if (isWrite(request)) {
    if (!seen.hasMaker || hasEnded(operation)) seen.addCommand(operation);
  } else if (answer?.kind === "reservation") seen.addRecord(operation);
}

/** Whether somebody was told that this ended a reservation. */
export function hasEnded({ request, answer, isConflict }: LogicalOperation): boolean {
  return (request.kind === "release" || request.kind === "reclaim") && !isConflict &&
    answer?.kind === "applied" && answer.code === "ok";
}

function sightingOf(sightings: Map<bigint, Sighting>, id: bigint): Sighting {
  let seen = sightings.get(id);
  if (seen === undefined) {
    seen = new Sighting(id);
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
