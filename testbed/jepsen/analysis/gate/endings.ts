/** Whether a hold can have ended before a moment, and what is known of its expiring. */
import type { HistoryOperation } from "../../history/operation.ts";
import type { TickOperation } from "../../history/recording.ts";
import { type LogicalOperation, lsnOf } from "../reservation/logical.ts";
import { answeredOf, appliedOf, type Material, momentOf, momentOfRead } from "./material.ts";
import { isBefore, type Moment } from "./moment.ts";
import type { Hold, Reservation } from "./reservation.ts";

/**
 * Whatever shows that a hold stood at some time after a moment, so that it stood at that moment: what has ended never
 * comes back to life.
 */
export function signOfLifeAfter(
  material: Material,
  { reservation: { commands, reads, id } }: Hold,
  moment: Moment,
): HistoryOperation | undefined {
  const command = commands.find((other) =>
    isOk(other) && isBefore(moment, momentOf(other, material)) === true
  );
  if (command !== undefined) return answeredOf(command);
  return reads.find((read) => showsHeld(read, id) && isReadAfter(material, read, moment));
}

/** The confirm that came before a moment: from then on time frees nothing. */
export function confirmBefore(
  material: Material,
  { reservation: { commands } }: Hold,
  moment: Moment,
): HistoryOperation | undefined {
  const confirm = commands.find((command) =>
    command.request.kind === "confirm" && isOk(command) &&
    isBefore(momentOf(command, material), moment) === true
  );
  return confirm && answeredOf(confirm);
}

/** Whether a release or reclaim, perhaps one of which nobody knows the end, may have freed it before a moment. */
export function mayBeFreedBefore(
  material: Material,
  { reservation }: Hold,
  moment: Moment,
): boolean {
  return endsOf(reservation).some((end) => isBefore(moment, momentOf(end, material)) !== true);
}

/** Releases and reclaims that succeeded or may have. */
function endsOf({ commands }: Reservation): LogicalOperation[] {
  return commands.filter((command) =>
    (command.request.kind === "release" || command.request.kind === "reclaim") &&
    (command.isOptional || isOk(command))
  );
}

/** What shows that a reservation has expired. */
export interface Expiry {
  /** Whoever saw it. */
  readonly by: HistoryOperation | TickOperation;
  /** At which it was freed. */
  readonly lsn: bigint | undefined;
  /** At which it was freed, where that is told. */
  readonly slot: bigint | undefined;
  /** It was freed before this position. */
  readonly until: number;
}

/** Everything that shows that a hold has expired: ticks, reads of its record, and a holder that was refused. */
export function expiriesOf(material: Material, hold: Hold): Expiry[] {
  const { reservation } = hold;
  return [
    ...reservation.ticks.map((tick) => expiryByTick(tick, reservation.id)),
    ...reservation.reads.flatMap((read) => expiryByRead(material, read)),
    ...expiriesByRefusal(hold),
  ];
}

function expiryByTick(tick: TickOperation, id: bigint): Expiry {
  const entry = tick.expired!.find(({ reservationId }) => reservationId === id)!;
  const until = tick.completedAt ?? Infinity;
  return { by: tick, lsn: entry.releasedLsn ?? tick.lsn, slot: tick.slot, until };
}

function expiryByRead({ bounds }: Material, read: HistoryOperation): Expiry[] {
  const answer = read.outcome.kind === "ok" ? read.outcome.answer : undefined;
  if (answer?.kind !== "reservation" || answer.state !== "expired") return [];
  const { releasedLsn: lsn, retireAfterSlot } = answer;
  const { historyWindowSlots } = bounds;
  const slot = retireAfterSlot === undefined || historyWindowSlots === undefined
    ? undefined
    : retireAfterSlot - historyWindowSlots;
  return [{ by: read, lsn, slot, until: read.completedAt ?? Infinity }];
}

/** A holder learns of an end; nobody else can have brought it about. */
function expiriesByRefusal({ reservation, holderId }: Hold): Expiry[] {
  const { commands } = reservation;
  const others = commands.some((command) =>
    command.request.kind !== "confirm" && (command.isOptional || isOk(command))
  );
  if (others) return [];
  const refused = commands.filter(({ request, answer }) =>
    "epoch" in request && request.epoch === 1n && request.holderId === holderId &&
    answer?.kind === "applied" && answer.code === "stale_epoch"
  );
  // The refusal came after the end: a bound on its slot is one on that of the end.
  return refused.map((command) => ({
    by: answeredOf(command),
    lsn: lsnOf(command),
    slot: undefined,
    until: command.completedAt,
  }));
}

function isOk(command: LogicalOperation): boolean {
  return !command.isOptional && appliedOf(answeredOf(command))?.code === "ok";
}

function showsHeld({ outcome }: HistoryOperation, id: bigint): boolean {
  if (outcome.kind !== "ok") return false;
  const { answer } = outcome;
  if (answer.kind === "resource") return answer.reservationId === id;
  return answer.kind === "reservation" && HOLDING.includes(answer.state);
}

const HOLDING: readonly string[] = ["reserved", "confirmed", "revoking"];

function isReadAfter(material: Material, read: HistoryOperation, moment: Moment): boolean {
  const observed = read.servedBy?.observedLsn;
  if (observed !== undefined && moment.lsn !== undefined && observed >= moment.lsn) return true;
  return isBefore(moment, momentOfRead(read, material)) === true;
}
