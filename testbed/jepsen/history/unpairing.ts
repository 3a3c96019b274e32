/** Attempts become events again: what a counterexample is written from. */
import type { Completion, HistoryEvent, Invocation } from "./event.ts";
import type { ModelOperation } from "./model.ts";
import type { HistoryOperation } from "./operation.ts";

/** Events of attempts, in the order in which they happened. A time that is not a number was not recorded. */
export function eventsOf(
  operations: readonly (HistoryOperation | ModelOperation)[],
): readonly HistoryEvent[] {
  const placed: [number, HistoryEvent][] = [];
  for (const operation of operations) {
    placed.push([operation.invokedAt, invocationOf(operation)]);
    if (operation.completedAt !== undefined) {
      placed.push([operation.completedAt, completionOf(operation)]);
    }
  }
  return placed.sort(([a], [b]) => a - b).map(([, event]) => event);
}

/** What was known up to a position: later answers are not there yet, and later beginnings neither. */
export function prefixOf<T extends HistoryOperation | ModelOperation>(
  operations: readonly T[],
  position: number,
): readonly T[] {
  return operations.filter(({ invokedAt }) => invokedAt <= position).map((operation) => {
    const { completedAt } = operation;
    if (completedAt !== undefined && completedAt <= position) return operation;
    return { ...operation, completedAt: undefined, outcome: { kind: "info" } };
  });
}

function invocationOf(operation: HistoryOperation | ModelOperation): Invocation {
  const { process: client, invokedNs: timeNs = NaN } = operation;
  const base = { type: "invoke", process: client, timeNs } as const;
  if ("f" in operation) {
    const { f, key, value } = operation;
    const keyed = key === undefined ? {} : { key };
    return { ...base, request: { kind: "model", f, value, ...keyed } };
  }
  const { key, slot, request } = operation;
  return {
    ...{ ...base, request },
    ...key === undefined ? {} : { key },
    ...slot === undefined ? {} : { slot },
  };
}

function completionOf(operation: HistoryOperation | ModelOperation): Completion {
  const { process: client, outcome, completedNs: timeNs = NaN } = operation;
  const base = { type: outcome.kind, process: client, timeNs };
  const reason = "reason" in outcome && outcome.reason !== undefined
    ? { reason: outcome.reason }
    : {};
  if ("f" in operation) {
    const { value } = operation.outcome as { readonly value?: ModelOperation["value"] };
    return {
      ...base,
      ...reason,
      ...value === undefined ? {} : { answer: { kind: "model", value } },
    };
  }
  const { servedBy } = operation;
  const answer = operation.outcome.kind === "ok" ? { answer: operation.outcome.answer } : {};
  return { ...base, ...reason, ...answer, ...servedBy === undefined ? {} : { servedBy } };
}
