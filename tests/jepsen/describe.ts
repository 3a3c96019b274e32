/** Histories as lines of text, for whoever has to understand a failed test. */
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";

/** One line for each attempt. */
export function describeHistory(history: readonly HistoryOperation[]): string {
  return ["", ...history.map(describeAttempt)].join("\n");
}

function describeAttempt(attempt: HistoryOperation): string {
  const { process, key, request, invokedAt, completedAt, outcome, slot, servedBy } = attempt;
  const answer = outcome.kind === "ok" ? fieldsOf(outcome.answer) : "";
  const asked = slot === undefined ? "" : ` at slot ${slot}`;
  const seen = servedBy?.observedLsn === undefined ? "" : ` up to lsn ${servedBy.observedLsn}`;
  return `${process} op ${key?.operationId ?? "-"} [${invokedAt}, ${completedAt ?? ""}] ` +
    `${fieldsOf(request)}${asked} -> ${outcome.kind} ${answer}${seen}`;
}

function fieldsOf(fields: object): string {
  return Object.entries(fields).map(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? `${name} (${fieldsOf(value)})`
      : `${name} ${value}`
  ).join(", ");
}
