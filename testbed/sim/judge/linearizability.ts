/**
 * Whether what the clients of a life saw is linearizable, by the checker that judges histories of real clusters. Of
 * every life the order of the lsns is tried as a proof; of some an order is searched for as if nobody knew any lsn,
 * for a defect may tell wrong answers at lsns that fit. A search that does not end is counted and proves nothing.
 */
import type { CoreConfig } from "../../../core/config.ts";
import { checkReservations } from "../../jepsen/analysis/reservation/check.ts";
import type {
  ReservationBounds,
  ReservationViolation,
} from "../../jepsen/analysis/reservation/verdict.ts";
import type { HistoryOperation } from "../../jepsen/history/operation.ts";

/** What is judged, and how. */
export interface HistoryCase {
  readonly attempts: readonly HistoryOperation[];
  readonly core: CoreConfig;
  /** Virtual time that it took, in milliseconds. */
  readonly elapsedMs: number;
  /** Whether to search without lsns too. */
  readonly isSearched: boolean;
}

/** How often something was judged. */
export interface HistoryCounts {
  /** Histories for which an order was found. */
  linearized: number;
  /** Those for which one was found without any lsn. */
  searched: number;
  /** Checks that did not end. */
  unknown: number;
}

const STEPS_MAX = 30_000;

/**
 * Judges a history.
 *
 * @param history What clients saw.
 * @param counts Counted up.
 * @returns What is broken, as one sentence and the attempts that cannot be explained together.
 */
export function judgeHistory(history: HistoryCase, counts: HistoryCounts): string | undefined {
  const { attempts } = history;
  if (!attempts.some(({ outcome }) => outcome.kind === "ok")) return undefined;
  const bounds = boundsOf(history);
  // The simulated cluster answers with the lsns of its log: if no order of them explains what it said, it has lied.
  const byLsn = checkReservations(attempts, { stepsMax: STEPS_MAX, bounds, lsns: "binding" });
  if (byLsn.kind === "invalid") return textOf(byLsn.violation);
  counts[byLsn.kind === "valid" ? "linearized" : "unknown"]++;
  if (!history.isSearched) return undefined;
  const blind = checkReservations(attempts.map(withoutLsn), {
    stepsMax: STEPS_MAX,
    bounds: { ...bounds, reservationIds: "opaque" },
    useWitness: false,
  });
  if (blind.kind === "invalid") return textOf(blind.violation);
  counts[blind.kind === "valid" ? "searched" : "unknown"]++;
  return undefined;
}

/** What has a window may be forgotten once that is over; clocks may run at twice the pace at most. */
function boundsOf({ core, elapsedMs }: HistoryCase): ReservationBounds {
  const isOver = (slots: bigint): boolean => Number(slots) * core.slotDurationMs <= 2 * elapsedMs;
  return {
    answers: isOver(core.maxClientRetryWindowSlots) ? "may_be_forgotten" : "kept",
    history: isOver(core.reservationHistoryWindowSlots) ? "may_retire" : "kept",
    retryWindowSlots: core.maxClientRetryWindowSlots,
    maxBundleSize: core.maxBundleSize,
    maxTtlSlots: core.maxTtlSlots,
    historyWindowSlots: core.reservationHistoryWindowSlots,
  };
}

function withoutLsn(attempt: HistoryOperation): HistoryOperation {
  const { outcome } = attempt;
  if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") return attempt;
  const { lsn: _lsn, ...answer } = outcome.answer;
  return { ...attempt, outcome: { kind: "ok", answer } };
}

/** `linearizable: a sentence`, then the attempts, one in a line. */
function textOf({ rule, sentence, counterexample }: ReservationViolation): string {
  const attempts = counterexample.slice(0, ATTEMPTS_TOLD_MAX).map(lineOf);
  const name = rule === "linearizable" ? rule : `linearizable: ${rule}`;
  return [`${name}: ${sentence}`, ...attempts].join("\n  ");
}

const ATTEMPTS_TOLD_MAX = 20;

function lineOf({ invokedAt, completedAt, request, outcome }: HistoryOperation): string {
  const answer = outcome.kind === "ok" ? outcome.answer : outcome;
  return `${invokedAt}-${completedAt ?? ""} ${wordsOf(request)} -> ${wordsOf(answer)}`;
}

function wordsOf(record: object): string {
  return Object.entries(record).map(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? `${name}(${wordsOf(value)})`
      : `${name}=${value}`
  ).join(" ");
}
