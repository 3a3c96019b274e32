/**
 * Why one operation must come before or after another: for each that overlaps it, an order is searched for in which it comes
 * first, and one in which it comes last. Where one of the two does not exist, the answers force the other.
 */
import type { HistoryOperation } from "../../history/operation.ts";
import { buildProblems } from "./build.ts";
import { describeAnswer, describeRequest } from "./explain.ts";
import { fold } from "./fold.ts";
import type { Problem, Work } from "./problem.ts";
import { eventsOf, schedule } from "./schedule.ts";
import { search, type SearchResult } from "./search.ts";
import { collectSightings } from "./sightings.ts";
import type { CheckOptions } from "./verdict.ts";

/** Where an operation stands to another. */
export interface Relation {
  /** The other, by its first attempt. */
  readonly other: HistoryOperation;
  /** `free`: either may come first. `unknown`: a limit was met. `neither`: no order explains both. */
  readonly relation: "before" | "after" | "free" | "unknown" | "neither";
  /** What the other is to it, and whose answer says so. */
  readonly sentence: string;
}

/** What can be said of the place of an operation. */
export interface PlaceExplanation {
  readonly operation: HistoryOperation;
  readonly resourceIds: readonly bigint[];
  /** Answered operations of the same partition that overlap it, in the order of their beginning. */
  readonly relations: readonly Relation[];
  /** Those that were answered before it began, and those that began after it was answered: time says enough. */
  readonly earlier: number;
  readonly later: number;
}

/** Operations that are compared with one, at most. */
const RELATIONS_MAX = 50;

/**
 * Explains the place of an attempt's operation.
 *
 * @param attempt One of the history that was answered.
 * @param options Steps are of each pair.
 * @returns undefined when it was not answered.
 */
export function explainPlace(
  history: readonly HistoryOperation[],
  attempt: HistoryOperation,
  options: CheckOptions,
): PlaceExplanation | undefined {
  const { bounds = {}, initialResourceIds = [] } = options;
  const { operations } = fold(history, {
    mayForget: bounds.answers === "may_be_forgotten",
    retryWindowSlots: bounds.retryWindowSlots,
    mayFill: bounds.tables !== "roomy",
  });
  const sightings = collectSightings(operations, bounds);
  const material = {
    ...{ operations, sightings, bounds },
    initialResourceIds: new Set(initialResourceIds),
  };
  for (const problem of buildProblems(material)) {
    const own = problem.works.find(({ operation, isOptional }) =>
      !isOptional && operation.attempts.includes(attempt)
    );
    if (own !== undefined) return explainWork(problem, own, options);
  }
  return undefined;
}

function explainWork(problem: Problem, own: Work, options: CheckOptions): PlaceExplanation {
  const others = problem.works.filter((work) => work !== own && !work.isOptional);
  const overlapping = others.filter((work) =>
    work.invokedAt <= own.completedAt && own.invokedAt <= work.completedAt
  );
  return {
    operation: own.operation.first,
    resourceIds: problem.resourceIds,
    relations: overlapping.slice(0, RELATIONS_MAX).map((other) =>
      relate(problem, own, other, options)
    ),
    earlier: others.filter((work) => work.completedAt < own.invokedAt).length,
    later: others.filter((work) => work.invokedAt > own.completedAt).length,
  };
}

function relate(problem: Problem, own: Work, other: Work, options: CheckOptions): Relation {
  const first = searchForced(problem, other, own, options);
  const last = searchForced(problem, own, other, options);
  const [it, that] = [nameOf(own), nameOf(other)];
  const say = (relation: Relation["relation"], sentence: string): Relation => ({
    other: other.operation.first,
    relation,
    sentence,
  });
  if (first.kind === "unknown" || last.kind === "unknown") {
    return say("unknown", `whether ${it} comes before ${that} was not found out within the limits`);
  }
  if (first.kind === "invalid" && last.kind === "invalid") {
    return say("neither", `${it} can come neither before nor after ${that}`);
  }
  if (first.kind === "invalid") {
    return say("after", `${it} comes after ${that}: else ${failureOf(first.work)}`);
  }
  if (last.kind === "invalid") {
    return say("before", `${it} comes before ${that}: else ${failureOf(last.work)}`);
  }
  return say("free", `${it} may come before or after ${that}`);
}

/** An order in which `later` comes after `earlier`. */
function searchForced(
  problem: Problem,
  later: Work,
  earlier: Work,
  { stepsMax, configurationsMax = 200_000, isOverTime = () => false }: CheckOptions,
): SearchResult {
  const after = problem.after.with(later.index, [...problem.after[later.index]!, earlier.index]);
  const forced = { ...problem, after };
  return search(schedule(forced, eventsOf(problem.works)), {
    steps: stepsMax,
    configurationsMax,
    bytesMax: 2 ** 28,
    isOverTime,
    algorithm: "auto",
  });
}

function nameOf({ operation: { request, first } }: Work): string {
  return `the ${describeRequest(request)} by process ${first.process}`;
}

function failureOf({ operation: { request, answer } }: Work): string {
  return `the answer ${describeAnswer(answer)} to the ${describeRequest(request)} fits no order`;
}
