/** What all checks of the gate look at, put together once: operations by key, and all that is said of each reservation. */
import type {
  AppliedAnswer,
  HistoryOperation,
  OperationKey,
  WriteRequest,
} from "../../history/operation.ts";
import type { Recording, TickOperation } from "../../history/recording.ts";
import { attemptsByKey } from "../repeats.ts";
import { added } from "../small_lists.ts";
import { fold, foldRulesOf } from "../reservation/fold.ts";
import { type Folded, isWrite, type LogicalOperation, lsnOf } from "../reservation/logical.ts";
import type { ReservationBounds } from "../reservation/verdict.ts";

/** See the top of this file. */
export interface Material {
  readonly recording: Recording;
  readonly bounds: ReservationBounds;
  /** Whether beginnings were recorded, so that what was answered before another began came before it. */
  readonly hasTime: boolean;
  /** Attempts of writes. */
  readonly writes: readonly HistoryOperation[];
  /** Reads that were answered. */
  readonly reads: readonly HistoryOperation[];
  /** How many keys writes have. */
  readonly keys: number;
  /** The attempts of each key that was sent more than once, or is in doubt. */
  readonly tried: readonly (readonly HistoryOperation[])[];
  /** Reserves, folded, that were sent more than once or are in doubt: those that may have made more than was told. */
  readonly suspects: readonly LogicalOperation[];
  readonly reservations: ReadonlyMap<bigint, Reservation>;
}

/** Everything that is said of one reservation. */
export interface Reservation {
  readonly id: bigint;
  /** The reserve that was answered with it. */
  hold: Hold | undefined;
  /** Confirms, releases, revokes and reclaims, folded. */
  commands: readonly LogicalOperation[];
  /** Reads that were answered with it, or about it. */
  reads: readonly HistoryOperation[];
  /** Ticks that are said to have expired it. */
  ticks: readonly TickOperation[];
}

/** A successful reserve. */
export interface Hold {
  readonly reservation: Reservation;
  /** Whoever was told. */
  readonly maker: HistoryOperation;
  readonly holderId: bigint;
  readonly resourceIds: readonly bigint[];
  readonly deadlineSlot: bigint;
  /** When it was made. */
  readonly slot: bigint;
  readonly moment: Moment;
}

/**
 * When something took effect: at an lsn, or between two positions. Without recorded beginnings the positions are all there
 * are, from minus infinity to infinity: a line of a file says nothing of time.
 */
export interface Moment {
  readonly lsn: bigint | undefined;
  readonly invokedAt: number;
  /** Infinity when nobody was told. */
  readonly completedAt: number;
}

/**
 * Puts it together.
 *
 * @param folded What the attempts fold to, where that is known.
 */
export function collect(
  recording: Recording,
  bounds: ReservationBounds,
  folded: Folded = fold(recording.operations, { ...foldRulesOf(bounds), mayFill: true }),
): Material {
  const { operations: attempts } = recording;
  const { operations } = folded;
  const writes = attempts.filter(({ request }) => isWrite(request));
  const reads = attempts.filter(({ request, outcome }) =>
    !isWrite(request) && outcome.kind === "ok"
  );
  const reservations = new Map<bigint, Reservation>();
  noteAll({ recording, bounds, writes, reads, operations, reservations });
  const suspects = operations.filter(({ request, isOptional, attempts }) =>
    "ttlSlots" in request && (isOptional || attempts.length > 1)
  );
  const hasTime = recording.hasInvocations;
  return { recording, bounds, hasTime, writes, reads, ...triedOf(writes), suspects, reservations };
}

/** Whether one took effect before the other; undefined when that cannot be told. */
export function isBefore(one: Moment, other: Moment): boolean | undefined {
  if (one.lsn !== undefined && other.lsn !== undefined && one.lsn !== other.lsn) {
    return one.lsn < other.lsn;
  }
  if (one.completedAt < other.invokedAt) return true;
  return other.completedAt < one.invokedAt ? false : undefined;
}

/** When an operation took effect. */
export function momentOf(operation: LogicalOperation, { hasTime }: Material): Moment {
  const { invokedAt, completedAt } = operation;
  return moment(lsnOf(operation), invokedAt, completedAt, hasTime);
}

/** When a read was answered. */
export function momentOfRead(read: HistoryOperation, { hasTime }: Material): Moment {
  return moment(undefined, read.invokedAt, read.completedAt ?? Infinity, hasTime);
}

function moment(
  lsn: bigint | undefined,
  invokedAt: number,
  completedAt: number,
  hasTime: boolean,
): Moment {
  return hasTime
    ? { lsn, invokedAt, completedAt }
    : { lsn, invokedAt: -Infinity, completedAt: Infinity };
}

/** The answer to a write that was applied, or undefined. */
export function appliedOf({ outcome }: HistoryOperation): AppliedAnswer | undefined {
  return outcome.kind === "ok" && outcome.answer.kind === "applied" ? outcome.answer : undefined;
}

/** The answer of an attempt that tells how its own command ended: neither a conflict nor a full table. */
export function executedOf(attempt: HistoryOperation): AppliedAnswer | undefined {
  const answer = appliedOf(attempt);
  const code = answer?.code;
  return code === "operation_conflict" || code === "operation_table_full" ? undefined : answer;
}

/** Equal for equal keys. */
export function keyText({ clientId, operationId }: OperationKey): string {
  return `${clientId} ${operationId}`;
}

/** The attempt that was answered first. */
export function answeredOf({ attempts }: LogicalOperation): HistoryOperation {
  if (attempts.length === 1) return attempts[0]!;
  const answered = attempts.filter(({ outcome }) => outcome.kind === "ok");
  return answered.reduce(
    (first, next) => next.completedAt! < first.completedAt! ? next : first,
    answered[0] ?? attempts[0]!,
  );
}

/** Resources that a reserve names. */
export function membersOf(request: WriteRequest): readonly bigint[] {
  if (request.kind === "reserve") return [request.resourceId];
  return request.kind === "reserve_bundle" ? request.resourceIds : [];
}

/** Most keys are sent once and answered: nothing is kept of them. */
function triedOf(writes: readonly HistoryOperation[]): Pick<Material, "keys" | "tried"> {
  const tried: (readonly HistoryOperation[])[] = [];
  let keys = 0;
  for (const attempts of attemptsByKey(writes)) {
    keys++;
    if (attempts.length > 1 || attempts[0].outcome.kind === "info") tried.push(attempts);
  }
  return { keys, tried };
}

interface Collecting {
  readonly recording: Recording;
  readonly bounds: ReservationBounds;
  readonly writes: readonly HistoryOperation[];
  readonly reads: readonly HistoryOperation[];
  readonly operations: readonly LogicalOperation[];
  readonly reservations: Map<bigint, Reservation>;
}

/** Shared by all that nothing is said of. */
const NOTHING: readonly never[] = [];

function noteAll({ recording, bounds, writes, reads, operations, reservations }: Collecting): void {
  const named = (id: bigint): Reservation => {
    let known = reservations.get(id);
    if (known === undefined) {
      known = { id, hold: undefined, commands: NOTHING, reads: NOTHING, ticks: NOTHING };
      reservations.set(id, known);
    }
    return known;
  };
  const { hasInvocations } = recording;
  for (const operation of operations) {
    if (operation.answer?.kind !== "applied" || operation.answer.reserved === undefined) continue;
    const reservation = named(operation.answer.reserved.reservationId);
    const { invokedAt, completedAt } = operation;
    const span = { invokedAt, completedAt };
    reservation.hold ??= holdOf(reservation, answeredOf(operation), span, bounds, hasInvocations);
  }
  // Of an operation with two answers, the second.
  for (const write of writes) {
    const reserved = appliedOf(write)?.reserved;
    if (reserved === undefined || reservations.has(reserved.reservationId)) continue;
    const reservation = named(reserved.reservationId);
    const span = { invokedAt: -Infinity, completedAt: write.completedAt ?? Infinity };
    reservation.hold = holdOf(reservation, write, span, bounds, hasInvocations);
  }
  for (const operation of operations) {
    const { request, isConflict } = operation;
    if (isConflict || !("reservationId" in request) || !isWrite(request)) continue;
    const reservation = named(request.reservationId);
    reservation.commands = added(reservation.commands, operation);
  }
  for (const read of reads) {
    const id = reservationSeen(read);
    if (id === undefined) continue;
    const reservation = named(id);
    reservation.reads = added(reservation.reads, read);
  }
  for (const tick of recording.ticks) {
    for (const { reservationId } of tick.expired ?? []) {
      const reservation = named(reservationId);
      reservation.ticks = added(reservation.ticks, tick);
    }
  }
}

/** The reservation that a read is about, or that it found on a resource. */
function reservationSeen({ request, outcome }: HistoryOperation): bigint | undefined {
  if (request.kind === "get_reservation") return request.reservationId;
  const answer = outcome.kind === "ok" ? outcome.answer : undefined;
  return answer?.kind === "resource" ? answer.reservationId : undefined;
}

function holdOf(
  reservation: Reservation,
  maker: HistoryOperation,
  { invokedAt, completedAt }: Omit<Moment, "lsn">,
  { reservationIds }: ReservationBounds,
  hasTime: boolean,
): Hold | undefined {
  const { request } = maker;
  const answer = appliedOf(maker)!;
  if (!("ttlSlots" in request)) return undefined;
  const { deadlineSlot, reservationId } = answer.reserved!;
  const ofId = reservationIds === "opaque" ? undefined : BigInt.asUintN(64, reservationId);
  return {
    reservation,
    maker,
    holderId: request.holderId,
    resourceIds: membersOf(request),
    deadlineSlot,
    slot: deadlineSlot - request.ttlSlots,
    moment: moment(answer.lsn ?? ofId, invokedAt, completedAt, hasTime),
  };
}
