/** What attempts of one operation come to, for whoever replays them. */
import type { AppliedAnswer, HistoryOperation } from "../../history/operation.ts";
import type { Happening } from "./shard.ts";

/** Text that is equal for equal commands. */
export function commandOf({ request }: HistoryOperation): string {
  return Object.entries(request).map(([name, value]) => `${name}=${value}`).sort().join(" ");
}

/** The key of a write as text; undefined for what has none. */
export function keyOf({ key }: HistoryOperation): string | undefined {
  return key === undefined ? undefined : `${key.clientId} ${key.operationId}`;
}

/** What a write was answered. */
export function appliedOf({ outcome }: HistoryOperation): AppliedAnswer | undefined {
  return outcome.kind === "ok" && outcome.answer.kind === "applied" ? outcome.answer : undefined;
}

/** Whether the answer says that the key belongs to another command. */
export function isConflict(attempt: HistoryOperation): boolean {
  return appliedOf(attempt)?.code === "operation_conflict";
}

/** Ids that an answered reserve made. */
export function madeIds(history: readonly HistoryOperation[]): Set<bigint> {
  return new Set(history.flatMap((it) => appliedOf(it)?.reserved?.reservationId ?? []));
}

/** Deadlines that reads found, by reservation. */
export function seenDeadlines(history: readonly HistoryOperation[]): Map<bigint, bigint> {
  const deadlines = new Map<bigint, bigint>();
  for (const { request, outcome } of history) {
    if (outcome.kind !== "ok" || request.kind !== "get_reservation") continue;
    const { answer } = outcome;
    if (answer.kind !== "reservation" || answer.deadlineSlot === undefined) continue;
    deadlines.set(request.reservationId, answer.deadlineSlot);
  }
  return deadlines;
}

/**
 * Attempts of one operation as one thing that happens.
 *
 * @param candidates Those of which any one may be the one that ran.
 * @param until When it has happened: only what began before can have run.
 */
export function happeningOf(
  attempts: readonly HistoryOperation[],
  candidates: readonly HistoryOperation[],
  until: number,
): Happening {
  const begun = candidates.filter(({ invokedAt }) => invokedAt <= until);
  const isFree = begun.some(({ slot }) => slot === undefined);
  const answered = attempts.find(({ outcome }) => outcome.kind === "ok");
  return {
    request: attempts[0]!.request,
    answer: answered?.outcome.kind === "ok" ? answered.outcome.answer : undefined,
    slots: isFree ? [] : begun.map(({ slot }) => slot!).sort((a, b) => a < b ? -1 : 1),
  };
}
