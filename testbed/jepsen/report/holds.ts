/**
 * Who held what and when, from what clients were told. It is a picture and no verdict: a hold that nobody was told of is
 * not in it, and a hold is called an overlap only if what clients were told leaves no other way.
 */
import type { HistoryOperation, ReservedAnswer } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";

/** One resource in one reservation. Times are nanoseconds, or positions in a recording without times. */
export interface Hold {
  readonly resourceId: bigint;
  readonly holderId: bigint;
  readonly reservationId: bigint;
  readonly reserve: HistoryOperation;
  /** From its beginning: it may have held since. */
  readonly sent: number;
  /** From when it was known to hold. */
  readonly from: number;
  /** To when, as far as is known: the end of the run otherwise. */
  readonly to: number;
  readonly ending: "released" | "reclaimed" | "due" | "open";
  readonly confirmedAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly deadlineSlot: bigint;
  readonly deadlineAt: number | undefined;
  /** Reservation that held the resource already. */
  readonly over: bigint | undefined;
}

/** What happened to a reservation that is known to have happened. */
interface Fate {
  confirm?: HistoryOperation;
  revoke?: HistoryOperation;
  end?: HistoryOperation;
  /** It may have ended: somebody tried and was not told. */
  perhapsEndedAt?: number;
}

type Grant = { readonly reserve: HistoryOperation; readonly reserved: ReservedAnswer };

/** All holds of a recording, by resource in the order of their ids, then in the order of the grants. */
export function holdsOf(recording: Recording, isTimed: boolean): Hold[] {
  const fates = fatesOf(recording.operations);
  const grants = grantsOf(recording.operations);
  const slotTime = isTimed ? slotClock(recording, grants) : undefined;
  const end = isTimed ? recording.endNs : recording.events;
  const holds = grants.flatMap((grant) => {
    const { request } = grant.reserve;
    const resourceIds = request.kind === "reserve"
      ? [request.resourceId]
      : request.kind === "reserve_bundle"
      ? request.resourceIds
      : [];
    const draw = holdOf(grant, fates, { isTimed, slotTime, end });
    return resourceIds.map((resourceId) => ({ ...draw, resourceId }));
  });
  const byResource = [...Map.groupBy(holds, ({ resourceId }) => resourceId)]
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return byResource.flatMap(([, these]) => markOverlaps(these, fates));
}

/** First answer of each granted reservation, in the order of the log as far as it is known. */
function grantsOf(operations: readonly HistoryOperation[]): Grant[] {
  const grants = new Map<string, Grant>();
  for (const reserve of operations) {
    const { outcome, request } = reserve;
    if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") continue;
    const { reserved } = outcome.answer;
    if (reserved === undefined) continue;
    const of = request.kind === "reserve" ? request.resourceId : "bundle";
    const name = `${reserved.reservationId}/${of}`;
    if (!grants.has(name)) grants.set(name, { reserve, reserved });
  }
  return [...grants.values()].sort((a, b) => orderOf(a.reserve) - orderOf(b.reserve));
}

/** Place in the log, or that of the answer. */
export function orderOf({ outcome, completedAt, invokedAt }: HistoryOperation): number {
  const lsn = outcome.kind === "ok" && outcome.answer.kind === "applied"
    ? outcome.answer.lsn
    : undefined;
  return lsn === undefined ? completedAt ?? invokedAt : Number(lsn);
}

function fatesOf(operations: readonly HistoryOperation[]): Map<bigint, Fate> {
  const fates = new Map<bigint, Fate>();
  for (const operation of operations) {
    const { request, outcome } = operation;
    if (!("reservationId" in request) || request.kind === "get_reservation") continue;
    const fate = fates.get(request.reservationId) ?? {};
    fates.set(request.reservationId, fate);
    const isOk = outcome.kind === "ok" && outcome.answer.kind === "applied" &&
      outcome.answer.code === "ok";
    const isEnd = request.kind === "release" || request.kind === "reclaim";
    if (isOk && isEnd) fate.end ??= operation;
    if (isOk && request.kind === "confirm") fate.confirm ??= operation;
    if (isOk && request.kind === "revoke") fate.revoke ??= operation;
    if (isEnd && (isOk || outcome.kind === "info")) {
      fate.perhapsEndedAt = Math.min(fate.perhapsEndedAt ?? Infinity, operation.invokedAt);
    }
  }
  return fates;
}

interface Scale {
  readonly isTimed: boolean;
  readonly slotTime: ((slot: bigint) => number) | undefined;
  readonly end: number;
}

function holdOf({ reserve, reserved }: Grant, fates: Map<bigint, Fate>, scale: Scale): Hold {
  const fate = fates.get(reserved.reservationId) ?? {};
  const at = (operation: HistoryOperation): number =>
    (scale.isTimed ? operation.completedNs : operation.completedAt) ?? scale.end;
  const deadlineAt = scale.slotTime?.(reserved.deadlineSlot);
  const from = at(reserve);
  const isDue = fate.confirm === undefined && deadlineAt !== undefined && deadlineAt < scale.end;
  const to = fate.end !== undefined ? at(fate.end) : isDue ? Math.max(from, deadlineAt) : scale.end;
  const ended = fate.end?.request.kind === "reclaim" ? "reclaimed" : "released";
  return {
    resourceId: 0n,
    holderId: "holderId" in reserve.request ? reserve.request.holderId : 0n,
    reservationId: reserved.reservationId,
    reserve,
    sent: (scale.isTimed ? reserve.invokedNs : reserve.invokedAt) ?? from,
    from,
    to,
    ending: fate.end !== undefined ? ended : isDue ? "due" : "open",
    confirmedAt: fate.confirm && at(fate.confirm),
    revokedAt: fate.revoke && at(fate.revoke),
    deadlineSlot: reserved.deadlineSlot,
    deadlineAt,
    over: undefined,
  };
}

/** Marks a hold that began before the one before it can have ended. */
function markOverlaps(holds: readonly Hold[], fates: Map<bigint, Fate>): Hold[] {
  return holds.map((hold, index) => {
    const earlier = holds[index - 1];
    return earlier === undefined || !mustOverlap(earlier, hold, fates)
      ? hold
      : { ...hold, over: earlier.reservationId };
  });
}

function mustOverlap(earlier: Hold, later: Hold, fates: Map<bigint, Fate>): boolean {
  if (earlier.reservationId === later.reservationId) return false;
  const { confirm, perhapsEndedAt } = fates.get(earlier.reservationId) ?? {};
  const laterEnd = later.reserve.completedAt ?? Infinity;
  if (perhapsEndedAt !== undefined && perhapsEndedAt < laterEnd) return false;
  const isConfirmed = (confirm?.completedAt ?? Infinity) < later.reserve.invokedAt;
  const { request } = later.reserve;
  const ttl = "ttlSlots" in request ? request.ttlSlots : 0n;
  return isConfirmed || later.deadlineSlot - ttl < earlier.deadlineSlot;
}

/** The slots of a run beside its time: which slot it was at time 0, as a fraction, and how long one is. */
export interface SlotAxis {
  readonly atZero: number;
  readonly slotNs: number;
}

/** Undefined where nothing tells of slots. */
export function slotAxisOf(recording: Recording): SlotAxis | undefined {
  const clock = slotClock(recording, grantsOf(recording.operations));
  if (clock === undefined) return undefined;
  const slotNs = recording.header.slotDurationMs! * 1e6;
  return { atZero: -clock(0n) / slotNs, slotNs };
}

/**
 * When a slot began, as seen on the clock of the run: a reserve was applied in slot deadline minus ttl, somewhen between
 * its beginning and its end. The median of the middles, for single clients are far off.
 */
function slotClock(
  { header }: Recording,
  grants: readonly Grant[],
): ((slot: bigint) => number) | undefined {
  const slotNs = (header.slotDurationMs ?? 0) * 1e6;
  if (slotNs <= 0 || grants.length === 0) return undefined;
  const first = grants[0]!.reserved.deadlineSlot;
  const offsets = grants.map(({ reserve, reserved }) => {
    const ttl = "ttlSlots" in reserve.request ? reserve.request.ttlSlots : 0n;
    const middle = ((reserve.invokedNs ?? 0) + (reserve.completedNs ?? 0)) / 2;
    return middle - Number(reserved.deadlineSlot - ttl - first) * slotNs;
  }).sort((a, b) => a - b);
  const offset = offsets[offsets.length >> 1]!;
  return (slot) => offset + Number(slot - first) * slotNs;
}
