/** Why a partition is not decided, as figures and in words. */
import type { Limit } from "./budget.ts";
import type { Board } from "./schedule.ts";
import type { SearchResult } from "./search.ts";
import type { Undecided } from "./verdict.ts";

/** The figures. */
export function undecidedOf(
  { problem: { resourceIds, works }, widest }: Board,
  { limit, work, decided }: SearchResult & { readonly kind: "unknown" },
): Undecided {
  const unanswered = works.filter(({ isOptional }) => isOptional).length;
  return {
    limit,
    resourceIds,
    operations: works.length,
    unanswered,
    decided,
    answers: works.length - unanswered,
    at: work.completedAt,
    widest,
  };
}

/** One sentence. */
export function reasonOf(undecided: Undecided): string {
  const { limit, resourceIds, operations, unanswered, decided, answers, at, widest } = undecided;
  const which = resourceIds.length > 3
    ? `${resourceIds.slice(0, 3).join(", ")} and ${resourceIds.length - 3} more`
    : resourceIds.join(", ");
  return `${LIMITS[limit]} at position ${at} of resource ${which}: ${operations} operations, ` +
    `${unanswered} of them unanswered, at most ${widest} at a time; ` +
    `${decided} of ${answers} answers were explained`;
}

const LIMITS: Record<Limit, string> = {
  steps: "no steps were left",
  configurations: "too many configurations had to be remembered",
  bytes: "the configurations took too much memory",
  time: "the time was over",
};
