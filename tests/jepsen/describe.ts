/** Histories as lines of text, for whoever has to understand a failed test. */
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";

/** One line for each attempt. */
export function describeHistory(history: readonly HistoryOperation[]): string {
  return ["", ...history.map(describeAttempt)].join("\n");
}

function describeAttempt(attempt: HistoryOperation): string {
  const { process, key, request, invokedAt, completedAt, outcome } = attempt;
  const answer = outcome.kind === "ok" ? fieldsOf(outcome.answer) : "";
  return `${process} op ${key?.operationId ?? "-"} [${invokedAt}, ${completedAt ?? ""}] ` +
    `${fieldsOf(request)} -> ${outcome.kind} ${answer}`;
}

function fieldsOf(fields: object): string {
  return Object.entries(fields).map(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? `${name} (${fieldsOf(value)})`
      : `${name} ${value}`
  ).join(", ");
}
