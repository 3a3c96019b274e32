/** Each answer of a history that is right, changed in turn: which of the changes does the checker see? */
import { checkReservations } from "../../testbed/jepsen/analysis/reservation/check.ts";
import type { HistoryAnswer, HistoryOperation } from "../../testbed/jepsen/history/operation.ts";

/** What came of the changes of one kind. */
export interface MutationCount {
  changed: number;
  found: number;
}

/** By kind of change what came of it, and the changes that nobody noticed. */
export interface MutationReport {
  readonly counts: ReadonlyMap<string, MutationCount>;
  readonly survivors: readonly string[];
}

/** Changes that an answer can suffer, each a small lie. */
const LIES: Readonly<Record<string, (answer: HistoryAnswer) => HistoryAnswer | undefined>> = {
  "ok becomes a refusal": (answer) =>
    answer.kind === "applied" && answer.code === "ok" && answer.reserved === undefined
      ? { ...answer, code: "invalid_state" }
      : undefined,
  "a reserve is said to have met somebody": (answer) =>
    answer.kind === "applied" && answer.reserved !== undefined
      ? withoutReserved(answer, "resource_busy")
      : undefined,
  "a refusal becomes ok": (answer) =>
    answer.kind === "applied" && answer.code !== "ok" && answer.code !== "resource_busy"
      ? { ...answer, code: "ok" }
      : undefined,
  "a refused reserve gives a reservation": (answer) =>
    answer.kind === "applied" && answer.code === "resource_busy"
      ? {
        ...answer,
        code: "ok",
        reserved: {
          reservationId: answer.lsn ?? 1_000_000n,
          epoch: 1n,
          deadlineSlot: 1_000_000n,
        },
      }
      : undefined,
  "a deadline is a slot later": (answer) =>
    answer.kind === "applied" && answer.reserved !== undefined
      ? {
        ...answer,
        reserved: { ...answer.reserved, deadlineSlot: answer.reserved.deadlineSlot + 1n },
      }
      : undefined,
  "a held resource reads as available": (answer) =>
    answer.kind === "resource" && answer.state !== "available"
      ? { ...answer, state: "available", reservationId: undefined }
      : undefined,
  "reserved reads as confirmed, or the other way": (answer) =>
    answer.kind === "resource" && answer.state !== "available"
      ? { ...answer, state: answer.state === "reserved" ? "confirmed" : "reserved" }
      : undefined,
  "a resource reads as if it were not there": (answer) =>
    answer.kind === "resource" ? { kind: "not_found" } : undefined,
};

/** Changes every answer in every way that applies, and judges each history. */
export function mutate(
  history: readonly HistoryOperation[],
  initialResourceIds: readonly bigint[],
): MutationReport {
  const counts = new Map<string, MutationCount>();
  const survivors: string[] = [];
  for (const [at, attempt] of history.entries()) {
    if (attempt.outcome.kind !== "ok") continue;
    for (const [name, lie] of Object.entries(LIES)) {
      const answer = lie(attempt.outcome.answer);
      if (answer === undefined) continue;
      const lied = history.with(at, { ...attempt, outcome: { kind: "ok", answer } });
      const { kind } = checkReservations(lied, {
        stepsMax: 1_000_000,
        shrinkRunsMax: 0,
        initialResourceIds,
      });
      const count = counts.get(name) ?? { changed: 0, found: 0 };
      counts.set(name, count);
      count.changed++;
      if (kind === "invalid") count.found++;
      else survivors.push(`${name}: ${wordsOf(attempt)}`);
    }
  }
  return { counts, survivors };
}

function withoutReserved(
  { kind, lsn }: Extract<HistoryAnswer, { kind: "applied" }>,
  code: string,
): HistoryAnswer {
  return lsn === undefined ? { kind, code } : { kind, code, lsn };
}

function wordsOf({ invokedAt, completedAt, request, outcome }: HistoryOperation): string {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_name, it) => typeof it === "bigint" ? `${it}` : it);
  return `${invokedAt}-${completedAt} ${text(request)} -> ${text(outcome)}`;
}
