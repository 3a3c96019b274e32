/** Sentences for people about operations of models. */
import type { ModelOperation, Value } from "../../history/model.ts";
import { shortTextOf } from "./values.ts";

/** An operation in a few words. */
export function describeOperation(operation: ModelOperation): string {
  const { f, key } = operation;
  const on = key === undefined ? "" : ` on key ${shortTextOf(key)}`;
  return `${FAILED[operation.outcome.kind] ?? ""}${f}${describeValue(operation)}${on}`;
}

/** An operation with who did it and when. */
export function describePlaced(operation: ModelOperation): string {
  const { process: client, invokedAt, completedAt, outcome } = operation;
  const isAnswered = completedAt !== undefined && outcome.kind !== "info";
  const at = isAnswered
    ? `positions ${invokedAt} to ${completedAt}`
    : `from position ${invokedAt} on`;
  return `${describeOperation(operation)} by process ${client} (${at})`;
}

/**
 * Why the answer of an operation fits no order.
 *
 * @param before States that there may have been before it.
 * @param counterexample What suffices to see it.
 */
export function explain(
  first: ModelOperation,
  before: readonly string[],
  counterexample: readonly ModelOperation[],
  isImpossible: boolean,
): string {
  const why = isImpossible
    ? ", which nothing in the history can have brought about"
    : before.length > 0
    ? `: before it ${describeStates(before)}`
    : "";
  const others = counterexample.filter(({ invokedAt }) => invokedAt !== first.invokedAt);
  return `${describePlaced(first)} fits no order${why}${describeOthers(others)}`;
}

/** Of many states, the first few. */
function describeStates(states: readonly string[]): string {
  const shown = states.slice(0, STATES_MAX).join(", or ");
  return states.length > STATES_MAX ? `${shown}, or otherwise` : shown;
}

const STATES_MAX = 3;
const FAILED: Record<string, string> = { fail: "failed ", info: "unanswered " };
const OTHERS_MAX = 4;

/** All if they are few, else those that were answered, else how many. */
function describeOthers(others: readonly ModelOperation[]): string {
  if (others.length === 0) return "; it is wrong by itself";
  if (others.length <= OTHERS_MAX) return `; it takes ${listed(others)} to see it`;
  const answered = others.filter(({ outcome }) => outcome.kind !== "info");
  if (answered.length > OTHERS_MAX) return `; it takes ${others.length} others to see it`;
  const count = others.length - answered.length;
  const rest = count === 1 ? "one unanswered operation" : `${count} unanswered operations`;
  return answered.length === 0
    ? `; it takes ${rest} to see it`
    : `; it takes ${listed(answered)} to see it, with ${rest}`;
}

function listed(operations: readonly ModelOperation[]): string {
  return operations.map(describePlaced).join(", and ");
}

function describeValue({ f, value, outcome }: ModelOperation): string {
  if (f === "cas" && Array.isArray(value) && value.length === 2) {
    const [expected, next] = value as readonly Value[];
    return ` from ${shortTextOf(expected!)} to ${shortTextOf(next!)}`;
  }
  const shown = outcome.kind === "ok" ? outcome.value : value;
  if (f === "acquire" || f === "release") {
    return shown === null ? "" : ` with token ${shortTextOf(shown)}`;
  }
  return outcome.kind !== "ok" && (f === "read" || f === "get") ? "" : ` of ${shortTextOf(shown)}`;
}
