/** What all checks of the gate look at, put together once: operations by key, and all that is said of each reservation. */
import type {
  AppliedAnswer,
  HistoryOperation,
  OperationKey,
  WriteRequest,
} from "../../history/operation.ts";
import type { Recording } from "../../history/recording.ts";
import { chosenOf } from "../large_lists.ts";
import { attemptsByKey } from "../repeats.ts";
import { fold, foldRulesOf } from "../reservation/fold.ts";
import { type Folded, isWrite, type LogicalOperation, lsnOf } from "../reservation/logical.ts";
import type { ReservationBounds } from "../reservation/verdict.ts";
import { type Moment, moment } from "./moment.ts";
import { Hold, Reservation } from "./reservation.ts";

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
  const writes = chosenOf(attempts, ({ request }) => isWrite(request));
  const reads = chosenOf(
    attempts,
    ({ request, outcome }) => !isWrite(request) && outcome.kind === "ok",
  );
  const reservations = new Map<bigint, Reservation>();
  noteAll({ recording, bounds, writes, reads, operations, reservations });
  const suspects = operations.filter(({ request, isOptional, attempts }) =>
    "ttlSlots" in request && (isOptional || attempts.length > 1)
  );
  const hasTime = recording.hasInvocations;
  return { recording, bounds, hasTime, writes, reads, ...triedOf(writes), suspects, reservations };
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

function noteAll({ recording, bounds, writes, reads, operations, reservations }: Collecting): void {
  const named = (id: bigint): Reservation => {
    let known = reservations.get(id);
    if (known === undefined) {
      known = new Reservation(id);
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
    named(request.reservationId).addCommand(operation);
  }
  for (const read of reads) {
    const id = reservationSeen(read);
    if (id === undefined) continue;
    named(id).addRead(read);
  }
  for (const tick of recording.ticks) {
    for (const { reservationId } of tick.expired ?? []) named(reservationId).addTick(tick);
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
  const reserved = answer.reserved!;
  const ofId = reservationIds === "opaque" ? undefined : BigInt.asUintN(64, reserved.reservationId);
  const made = moment(answer.lsn ?? ofId, invokedAt, completedAt, hasTime);
  return new Hold({ reservation, maker, request, reserved }, made);
}
