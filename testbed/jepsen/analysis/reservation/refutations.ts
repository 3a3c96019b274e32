/**
 * What can be refuted without a search: two or three operations that contradict each other whatever happened in between. Each
 * rule looks at a history once and names the first contradiction.
 */
import type {
  AppliedAnswer,
  HistoryAnswer,
  HistoryRequest,
  ReservationSeen,
  WriteRequest,
} from "../../history/operation.ts";
import { describeAnswer } from "./explain.ts";

import { type Folded, type LogicalOperation, reserveSlotOf } from "./logical.ts";
import { type Refutation, refuteLsns, refuteSlots } from "./order_refutations.ts";
import { hasEnded, lsnOfId, memberIds, mustHaveBeen, type Sighting } from "./sightings.ts";
import type { ReservationBounds } from "./verdict.ts";

/** The first contradiction, if there is one. */
export function refute(
  { operations, contradiction }: Folded,
  sightings: ReadonlyMap<bigint, Sighting>,
  bounds: ReservationBounds,
): Refutation | undefined {
  if (contradiction !== undefined) {
    const { first, second } = contradiction;
    const operation = operations.find(({ attempts }) => attempts.includes(second))!;
    const [one, other] = [first, second].map(({ outcome }) =>
      outcome.kind === "ok" && outcome.answer.kind === "applied" ? textOf(outcome.answer) : "?"
    );
    return {
      rule: "operation/one-answer",
      sentence: `two attempts of one ${operation.request.kind} were answered ${one} and ${other}`,
      operations: [operation.with({ attempts: [first, second] })],
    };
  }
  return refuteKinds(operations, bounds) ?? refuteUnnamed(operations) ??
    refuteHolds(operations) ?? refuteLsns(operations) ?? refuteSlots(operations) ??
    refuteReservations(sightings, bounds);
}

function textOf({ code, lsn, reserved }: AppliedAnswer): string {
  const made = reserved === undefined ? "" : ` with reservation ${reserved.reservationId}`;
  return `${code} at lsn ${lsn}${made}`;
}

/** Each request has answers of its own. */
function refuteKinds(
  operations: readonly LogicalOperation[],
  { refusals }: ReservationBounds,
): Refutation | undefined {
  const isExact = refusals !== "class";
  const odd = operations.find(({ request, answer }) =>
    answer !== undefined && !isAnswerTo(request.kind, answer, isExact)
  );
  if (odd === undefined) return undefined;
  const { request, answer } = odd;
  const sentence = `no ${request.kind} is ever answered ${describeAnswer(answer)}`;
  return { rule: "answer/possible", sentence, operations: [odd] };
}

function isAnswerTo(
  kind: HistoryRequest["kind"],
  answer: HistoryAnswer,
  isExact: boolean,
): boolean {
  if (kind === "get_resource") return answer.kind === "resource" || answer.kind === "not_found";
  if (kind === "get_reservation") {
    return ["reservation", "not_found", "retired"].includes(answer.kind);
  }
  if (answer.kind !== "applied") return false;
  return OF_ANY_WRITE.includes(answer.code) || OF_KIND[kind].includes(answer.code) ||
    (!isExact && answer.code === "stale_epoch" && OF_KIND[kind] === OF_OPERATOR);
}

const OF_ANY_WRITE: readonly string[] = ["ok", "operation_conflict", "operation_table_full"];
const OF_RESERVE: readonly string[] = [
  "bundle_too_large",
  "ttl_out_of_range",
  "resource_not_found",
  "resource_busy",
  "reservation_table_full",
  "expiration_index_full",
];
const OF_OPERATOR: readonly string[] = [
  "reservation_not_found",
  "reservation_retired",
  "invalid_state",
];
const OF_HOLDER: readonly string[] = [...OF_OPERATOR, "holder_mismatch", "stale_epoch"];
const OF_KIND: Record<WriteRequest["kind"], readonly string[]> = {
  create_resource: ["already_exists", "resource_table_full"],
  reserve: OF_RESERVE,
  reserve_bundle: OF_RESERVE,
  confirm: OF_HOLDER,
  release: OF_HOLDER,
  revoke: OF_OPERATOR,
  reclaim: OF_OPERATOR,
};

/** Whoever succeeds in reserving is told what. */
function refuteUnnamed(operations: readonly LogicalOperation[]): Refutation | undefined {
  const unnamed = operations.find(({ request, answer }) =>
    answer?.kind === "applied" &&
    (answer.reserved !== undefined) !== ("ttlSlots" in request && answer.code === "ok")
  );
  if (unnamed === undefined) return undefined;
  const { request, answer } = unnamed;
  const { code, reserved } = answer as AppliedAnswer;
  const sentence = `a ${request.kind} was answered ${code} ` +
    `${reserved === undefined ? "without" : "with"} a reservation, which comes with the ok to a ` +
    "reserve and with no other answer";
  return { rule: "reservation/is-named", sentence, operations: [unnamed] };
}

/** Whatever is held is held by a reservation. */
function refuteHolds(operations: readonly LogicalOperation[]): Refutation | undefined {
  const odd = operations.find(({ answer }) =>
    answer?.kind === "resource" &&
    (answer.state === "available") !== (answer.reservationId === undefined)
  );
  if (odd === undefined) return undefined;
  const sentence = "a resource is held by a reservation, unless it is available";
  return { rule: "resource/held-by-one", sentence, operations: [odd] };
}

/** Everything that is said of one reservation agrees. */
function refuteReservations(
  sightings: ReadonlyMap<bigint, Sighting>,
  bounds: ReservationBounds,
): Refutation | undefined {
  for (const seen of sightings.values()) {
    const refutation = refuteOrigin(seen, bounds) ?? refuteRecords(seen, bounds);
    if (refutation !== undefined) return refutation;
  }
  return undefined;
}

function refuteOrigin(
  seen: Sighting,
  bounds: ReservationBounds,
): Refutation | undefined {
  const { id, makers, candidates } = seen;
  const [maker, another] = makers;
  if (maker === undefined) {
    if (candidates.length > 0 || !mustHaveBeen(seen, bounds)) return undefined;
    const witness = [...seen.records, ...seen.holds, ...seen.commands].filter(({ answer }) =>
      answer !== undefined
    ).slice(0, 1);
    const sentence = `reservation ${id} was seen, and no reserve can have made it`;
    return { rule: "reservation/has-a-reserve", sentence, operations: witness };
  }
  if (another !== undefined) {
    const sentence = `two reserves were both answered with reservation ${id}`;
    return { rule: "reservation/one-reserve", sentence, operations: [another, maker] };
  }
  const { reserved, lsn } = maker.answer as AppliedAnswer;
  if (reserved!.epoch !== 1n) {
    const sentence = `reservation ${id} began with epoch ${reserved!.epoch}`;
    return { rule: "reservation/first-epoch", sentence, operations: [maker] };
  }
  if (bounds.reservationIds !== "opaque" && lsn !== undefined && lsn !== lsnOfId(id)) {
    const sentence = `reservation ${id} was made at lsn ${lsn}, which is not in its id`;
    return { rule: "reservation/id-is-lsn", sentence, operations: [maker] };
  }
  return refuteDeadline(id, maker);
}

/** A deadline is the slot of the attempt that happened and its time to live. */
function refuteDeadline(id: bigint, maker: LogicalOperation): Refutation | undefined {
  const slot = reserveSlotOf(maker.request, maker.answer)!;
  if (slot < 0n) {
    const sentence = `reservation ${id} has a deadline before its time to live can have passed`;
    return { rule: "reservation/deadline", sentence, operations: [maker] };
  }
  const asked = maker.attempts.filter(({ invokedAt }) => invokedAt < maker.completedAt)
    .map((attempt) => attempt.slot);
  if (asked.some((it) => it === undefined || it === slot)) return undefined;
  const sentence = `reservation ${id} was made at slot ${slot}, as its deadline says, and its ` +
    `reserve was asked for at slot ${[...new Set(asked)].join(" and ")}`;
  return { rule: "reservation/deadline", sentence, operations: [maker] };
}

function refuteRecords(seen: Sighting, bounds: ReservationBounds): Refutation | undefined {
  // Without a record, only two ends can say different things of the same.
  if (seen.records.length === 0 && seen.commands.filter(hasEnded).length < 2) return undefined;
  const facts = new Map<string, { value: string; operation: LogicalOperation }>();
  for (const operation of [...seen.makers, ...seen.records, ...seen.commands]) {
    for (const [name, value] of factsOf(operation)) {
      const known = facts.get(name);
      if (known === undefined) facts.set(name, { value, operation });
      else if (known.value !== value) {
        const sentence = `the ${name} of reservation ${seen.id} was ${known.value} ` +
          `to one client and ${value} to another`;
        const operations = [operation, known.operation];
        return { rule: "reservation/one-record", sentence, operations };
      }
    }
  }
  for (const record of seen.records) {
    const refutation = refuteRecord(seen.id, record, bounds);
    if (refutation !== undefined) return refutation;
  }
  return undefined;
}

/** What never changes about a reservation, as far as this operation tells. */
function factsOf(operation: LogicalOperation): [string, string][] {
  const { request, answer, isConflict } = operation;
  const facts: [string, string][] = [];
  const say = (name: string, value: unknown): void => {
    if (value !== undefined) facts.push([name, `${value}`]);
  };
  if (answer?.kind === "reservation") {
    say("holder", answer.holderId);
    say("deadline", answer.deadlineSlot);
    say("members", answer.memberResourceIds);
    say("lsn of the reserve", answer.createdLsn);
    say("lsn of the end", answer.releasedLsn);
    say("last slot as history", answer.retireAfterSlot);
  } else if (answer?.kind === "applied" && !isConflict) {
    if (answer.reserved !== undefined && "ttlSlots" in request) {
      say("holder", request.holderId);
      say("deadline", answer.reserved.deadlineSlot);
      say("members", memberIds(operation));
      say("lsn of the reserve", answer.lsn);
    }
    if (hasEnded(operation)) say("lsn of the end", answer.lsn);
  }
  return facts;
}

function refuteRecord(
  id: bigint,
  record: LogicalOperation,
  { historyWindowSlots }: ReservationBounds,
): Refutation | undefined {
  const { state, epoch, deadlineSlot, retireAfterSlot } = record.answer as ReservationSeen;
  const holds = state === "reserved" || state === "confirmed";
  if (epoch !== undefined && epoch !== (holds ? 1n : 2n)) {
    const sentence = `reservation ${id} was ${state} with epoch ${epoch}`;
    return { rule: "reservation/epoch-fits-state", sentence, operations: [record] };
  }
  if (state !== "expired" || historyWindowSlots === undefined) return undefined;
  if (deadlineSlot === undefined || retireAfterSlot === undefined) return undefined;
  const endedAt = retireAfterSlot - historyWindowSlots;
  if (endedAt >= deadlineSlot) return undefined;
  const sentence =
    `reservation ${id} expired at slot ${endedAt}, before its deadline ${deadlineSlot}`;
  return { rule: "expire/never-early", sentence, operations: [record] };
}
