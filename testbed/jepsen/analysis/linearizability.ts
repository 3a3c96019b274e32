/** The check that decides: whether the whole history is linearizable, by the checker of its model, as one of all checks. */
import type { HistoryOperation } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import type { CheckResult, Violation } from "./judgement.ts";
import { checkModel } from "./models/check.ts";
import type { ModelOptions, ModelViolation } from "./models/verdict.ts";
import { checkReservations } from "./reservation/check.ts";
import type { CheckOptions, ReservationViolation } from "./reservation/verdict.ts";

/** What the checker says, and what it looked at. */
export interface Linearizability {
  readonly result: CheckResult;
  readonly operations: number;
  readonly unanswered: number;
  readonly partitions: number;
  readonly findings: readonly string[];
}

/** Judges a history of reservations. Without invocations everything may have begun at once: what is wrong then is wrong in any order. */
export function checkReservationHistory(
  recording: Recording,
  options: CheckOptions,
): Linearizability {
  const { hasInvocations, operations } = recording;
  const certain = hasInvocations ? undefined : certainOf(operations);
  const { folded, ...others } = options;
  const verdict = certain !== undefined
    ? checkReservations(certain.operations, others)
    : checkReservations(operations, folded === undefined ? others : { ...others, folded });
  const { counts } = verdict;
  return {
    result: resultOf({
      examined: counts.operations,
      hasInvocations,
      reason: verdict.kind === "unknown" ? verdict.reason : undefined,
      violation: verdict.kind === "invalid"
        ? ofReservations(verdict.violation, certain?.originals)
        : undefined,
    }),
    ...{ operations: counts.operations + counts.unanswered, unanswered: counts.unanswered },
    partitions: counts.partitions,
    findings: verdict.findings.map(({ sentence, resourceIds }) =>
      `${sentence} (resources ${resourceIds.slice(0, 5).join(", ")}${
        resourceIds.length > 5 ? ", ..." : ""
      })`
    ),
  };
}

/** Judges a history of another model. */
export function checkModelHistory(recording: Recording, options: ModelOptions): Linearizability {
  const { modelOperations, hasInvocations } = recording;
  const verdict = checkModel(modelOperations, options);
  const { partitions } = verdict;
  const unanswered = modelOperations.filter(({ outcome }) => outcome.kind === "info").length;
  const answered = modelOperations.filter(({ outcome }) => outcome.kind === "ok").length;
  return {
    result: resultOf({
      examined: answered,
      hasInvocations,
      reason: verdict.kind === "unknown" ? verdict.reason : undefined,
      violation: verdict.kind === "invalid" ? ofModel(verdict.violation) : undefined,
    }),
    ...{ operations: modelOperations.length, unanswered, partitions: partitions.length },
    findings: [],
  };
}

interface Found {
  readonly examined: number;
  readonly hasInvocations: boolean;
  /** Why it cannot be said. */
  readonly reason: string | undefined;
  readonly violation: Violation | undefined;
}

function resultOf({ examined, hasInvocations, reason, violation }: Found): CheckResult {
  const subject = {
    ...{ name: "linearizability", isReleaseBlocking: true, isDecisive: true },
    ...{ examined, unit: "answered operations" },
  };
  if (violation !== undefined) {
    const { sentence } = violation;
    return { ...subject, verdict: "fail", sentence, violations: [violation] };
  }
  const why = examined === 0
    ? "nothing was answered, so nothing was checked"
    : reason ?? (hasInvocations ? undefined : "recorded without invocations: there is an order " +
      "that explains every answer, and nobody knows whether it fits the time");
  if (why !== undefined) {
    return { ...subject, verdict: "inconclusive", sentence: why, violations: [] };
  }
  const sentence = "there is an order in which every answer is right, and which fits the time";
  return { ...subject, verdict: "pass", sentence, violations: [] };
}

function ofReservations(
  violation: ReservationViolation,
  originals: ReadonlyMap<HistoryOperation, HistoryOperation> | undefined,
): Violation {
  const original = (attempt: HistoryOperation): HistoryOperation =>
    originals?.get(attempt) ?? attempt;
  const { rule, sentence, resourceIds, counterexample, first, isMinimal, before } = violation;
  const ids = resourceIds.slice(0, 20).join(",") || "none";
  return {
    line: `blocker=linearizability rule=${rule} resource_ids=${ids}`,
    ...{ sentence, resourceIds, isMinimal, before },
    operations: counterexample.map(original),
    modelOperations: [],
    first: original(first),
  };
}

function ofModel(violation: ModelViolation): Violation {
  const { partition, first, before, sentence, counterexample, isMinimal } = violation;
  return {
    line: `blocker=linearizability rule=linearizable partition=${
      partition.replaceAll(/\s+/g, "_") || "none"
    }`,
    ...{ sentence, resourceIds: [], operations: [], isMinimal, before },
    modelOperations: counterexample,
    first,
  };
}

/**
 * What certainly says something in a history without invocations. Such histories mix slots that count from the beginning
 * of time with such that count from that of a run, and leave out who made resources, whose key may be that of a conflict.
 */
function certainOf(operations: readonly HistoryOperation[]): {
  readonly operations: readonly HistoryOperation[];
  readonly originals: ReadonlyMap<HistoryOperation, HistoryOperation>;
} {
  const originals = new Map<HistoryOperation, HistoryOperation>();
  const certain = operations.filter((operation) => !isConflict(operation)).map((operation) => {
    const { slot: _slot, ...others } = operation;
    originals.set(others, operation);
    return others;
  });
  return { operations: certain, originals };
}

function isConflict({ outcome }: HistoryOperation): boolean {
  return outcome.kind === "ok" && outcome.answer.kind === "applied" &&
    outcome.answer.code === "operation_conflict";
}
