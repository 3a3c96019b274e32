/** What a search has found, as data that can be checked without it. */
import type { HistoryOperation } from "../../history/operation.ts";
import type { OrderStep, PartitionOrder } from "./certificate_words.ts";
import type { Trace } from "./configuration.ts";
import type { Problem } from "./problem.ts";
import { Kind } from "./words.ts";

/** Places of attempts in a history. */
export type Places = ReadonlyMap<HistoryOperation, number>;

/** By attempt its place. */
export function placesOf(history: readonly HistoryOperation[]): Places {
  return new Map(history.map((attempt, place) => [attempt, place]));
}

/** The order that a search has found, from the beginning. */
export function orderOf(
  { works, claims, resourceIds }: Problem,
  last: Trace | undefined,
  places: Places,
): PartitionOrder {
  const steps: OrderStep[] = [];
  for (let trace = last; trace !== undefined; trace = trace.previous) {
    const { work, claim } = trace;
    if (work < 0) {
      const members = claims[claim]!.members.map((member) => resourceIds[member]!);
      steps.push({ kind: "expire", resourceIds: members });
      continue;
    }
    const { operation, kind, isOptional } = works[work]!;
    const attempts = operation.attempts.map((attempt) => places.get(attempt)!);
    const id = kind === Kind.reserve && isOptional && claim >= 0 ? claims[claim]!.id : undefined;
    steps.push({
      kind: "operation",
      attempts,
      ...(id === undefined ? {} : { reservationId: id }),
    });
  }
  return { resourceIds, steps: steps.reverse() };
}
