/**
 * What ticks say that they ended. Of each hold that one names, the tick is judged like a read that found it expired; and none
 * may have ended early, twice, or elsewhere than it was.
 */
import type { ExpiredHold } from "../../history/event.ts";
import type { HistoryOperation, ReservationSeen } from "../../history/operation.ts";
import type { TickOperation } from "../../history/recording.ts";
import { reserveSlotOf } from "./logical.ts";
import type { Refutation } from "./order_refutations.ts";
import { memberIds, type Sighting } from "./sightings.ts";

/** A hold that a tick ended, and the read that it is judged as. */
export interface ExpirySeen {
  readonly tick: TickOperation;
  readonly hold: ExpiredHold;
  readonly read: HistoryOperation;
}

/** Everything that ticks have named, in their order. */
export function expiriesOf(ticks: readonly TickOperation[]): readonly ExpirySeen[] {
  return ticks.filter(({ kind }) => kind === "ok").flatMap((tick) =>
    (tick.expired ?? []).map((hold) => ({ tick, hold, read: readOf(tick, hold) }))
  );
}

/** The first hold that ended as none can. */
export function refuteTicks(
  expiries: readonly ExpirySeen[],
  sightings: ReadonlyMap<bigint, Sighting>,
): Refutation | undefined {
  const byReservation = new Map<bigint, ExpirySeen>();
  for (const expiry of expiries) {
    const { reservationId } = expiry.hold;
    const seen = sightings.get(reservationId)!;
    const refutation = refuteEarly(expiry, seen) ?? refutePlace(expiry, seen) ??
      refuteAgain(expiry, byReservation.get(reservationId), seen);
    if (refutation !== undefined) return refutation;
    byReservation.set(reservationId, expiry);
  }
  return undefined;
}

function readOf(tick: TickOperation, hold: ExpiredHold): HistoryOperation {
  const { reservationId, holderId, releasedLsn } = hold;
  const answer: ReservationSeen = {
    kind: "reservation",
    state: "expired",
    holderId,
    ...(releasedLsn === undefined ? {} : { releasedLsn }),
  };
  return {
    process: tick.process,
    request: { kind: "get_reservation", reservationId },
    invokedAt: tick.invokedAt,
    completedAt: tick.completedAt,
    outcome: { kind: "ok", answer },
  };
}

function refuteEarly({ tick, hold, read }: ExpirySeen, seen: Sighting): Refutation | undefined {
  const deadline = deadlineOf(seen);
  if (tick.slot === undefined || deadline === undefined || tick.slot >= deadline) return undefined;
  const sentence = `a tick at slot ${tick.slot} expired reservation ${hold.reservationId}, whose ` +
    `deadline is ${deadline}`;
  return { rule: "expire/never-early", sentence, operations: operationsOf(read, seen) };
}

function refutePlace({ hold, read }: ExpirySeen, seen: Sighting): Refutation | undefined {
  const [maker] = seen.makers;
  if (maker === undefined || memberIds(maker).includes(hold.resourceId)) return undefined;
  const sentence = `a tick freed resource ${hold.resourceId} of reservation ` +
    `${hold.reservationId}, which never held it`;
  return { rule: "expire/frees-what-was-held", sentence, operations: operationsOf(read, seen) };
}

function refuteAgain(
  { tick, hold, read }: ExpirySeen,
  earlier: ExpirySeen | undefined,
  seen: Sighting,
): Refutation | undefined {
  if (earlier === undefined || earlier.tick === tick || isRetry(earlier.tick, tick)) {
    return undefined;
  }
  const sentence = `two ticks expired reservation ${hold.reservationId}`;
  const operations = [...operationsOf(read, seen, 0), ...operationsOf(earlier.read, seen, 0)];
  return { rule: "expire/once", sentence, operations };
}

function isRetry({ key: a }: TickOperation, { key: b }: TickOperation): boolean {
  return a !== undefined && a.clientId === b?.clientId && a.operationId === b.operationId;
}

function deadlineOf({ makers, records }: Sighting): bigint | undefined {
  const [maker] = makers;
  if (maker !== undefined && "ttlSlots" in maker.request) {
    return reserveSlotOf(maker.request, maker.answer)! + maker.request.ttlSlots;
  }
  for (const { answer } of records) {
    if (answer?.kind === "reservation" && answer.deadlineSlot !== undefined) {
      return answer.deadlineSlot;
    }
  }
  return undefined;
}

/** The read that a hold is judged as, and who made it. */
function operationsOf(
  read: HistoryOperation,
  { records, makers }: Sighting,
  makersMax = 1,
): Refutation["operations"] {
  const own = records.filter(({ first }) => first === read);
  return [...own, ...makers.slice(0, makersMax)];
}
