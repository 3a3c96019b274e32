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
  const { process: client, invokedAt, completedAt } = operation;
  const to = completedAt === undefined ? "and never answered" : `to ${completedAt}`;
  return `${describeOperation(operation)} by process ${client} (positions ${invokedAt} ${to})`;
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
  if (others.length <= OTHERS_MAX) return `; to see it suffices ${listed(others)}`;
  const answered = others.filter(({ outcome }) => outcome.kind !== "info");
  if (answered.length > OTHERS_MAX) return `; ${others.length} others suffice to see it`;
  const rest = `${others.length - answered.length} unanswered operations`;
  return answered.length === 0
    ? `; ${rest} suffice to see it`
    : `; to see it suffices ${listed(answered)}, with ${rest}`;
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
