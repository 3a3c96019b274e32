/** Sentences for people about what the search found. */
import type { HistoryAnswer, HistoryRequest } from "../../history/operation.ts";
import { type Configuration, statusOf } from "./configuration.ts";
import type { LogicalOperation } from "./logical.ts";
import type { Work } from "./problem.ts";
import type { Board } from "./schedule.ts";
import { ABSENT, AVAILABLE, statusName } from "./words.ts";

/**
 * Why the answer of `work` fits no order.
 *
 * @param before The ways in which things may have stood when it came; at least one.
 * @param counterexample What suffices to see it.
 */
export function explain(
  board: Board,
  work: Work,
  before: readonly Configuration[],
  counterexample: readonly LogicalOperation[],
): string {
  const { request, answer, first } = work.operation;
  const answered = counterexample.filter(({ isOptional }) => !isOptional).length;
  const state = stateLines(board, work, before[0]!).join(" and ");
  return `${describeRequest(request)} by process ${first.process} was answered ` +
    `${describeAnswer(answer)} between positions ${work.invokedAt} and ${work.completedAt}, ` +
    "which fits no order" +
    (state === "" ? "" : `: before it ${state}${before.length > 1 ? ", or otherwise" : ""}`) +
    ` (${answered} ${answered === 1 ? "answer suffices" : "answers suffice"} to see it)`;
}

/** The same of an answer that fits no order of the lsns; parameters as of {@linkcode explain}. */
export function explainLsns(
  board: Board,
  work: Work,
  before: readonly Configuration[],
  counterexample: readonly LogicalOperation[],
): string {
  return `in the order of the lsns: ${explain(board, work, before, counterexample)}`;
}

/** A request in words. */
export function describeRequest(request: HistoryRequest): string {
  const holder = "holderId" in request ? ` for holder ${request.holderId}` : "";
  if ("resourceIds" in request) {
    return `${request.kind} of resources ${request.resourceIds}${holder}`;
  }
  return "resourceId" in request
    ? `${request.kind} of resource ${request.resourceId}${holder}`
    : `${request.kind} of reservation ${request.reservationId}${holder}`;
}

/** An answer in words. */
export function describeAnswer(answer: HistoryAnswer | undefined): string {
  if (answer === undefined) return "nothing";
  switch (answer.kind) {
    case "applied":
      return answer.reserved === undefined
        ? answer.code
        : `${answer.code} with reservation ${answer.reserved.reservationId}`;
    case "resource": {
      const by = answer.reservationId === undefined
        ? ""
        : ` by reservation ${answer.reservationId}`;
      const version = answer.version === undefined ? "" : ` at version ${answer.version}`;
      return `"${answer.state}${by}${version}"`;
    }
    case "reservation":
      return `"${answer.state}"`;
    default:
      return `"${answer.kind}"`;
  }
}

/** How the resources stood that an operation is about, one line each. */
export function stateLines(board: Board, work: Work, { words }: Configuration): string[] {
  const { problem: { resourceIds, claims }, layout } = board;
  const resources = work.touches.filter((touched) => touched < resourceIds.length);
  return resources.map((resource) => {
    const current = words[layout.currentAt + resource]!;
    const name = `resource ${resourceIds[resource]}`;
    if (current === ABSENT) return `${name} did not exist`;
    if (current === AVAILABLE) return `${name} was available`;
    const { id, holderId } = claims[current]!;
    const which = id === undefined ? "an unanswered reservation" : `reservation ${id}`;
    return `${name} was ${statusName(statusOf(words, layout, current))} by ${which} ` +
      `of holder ${holderId}`;
  });
}
