/**
 * Whether a history of reservations is linearizable: whether its operations can have happened one at a time, each between
 * its beginning and its answer, and answered as they did.
 */
import type { HistoryOperation } from "../../history/operation.ts";
import { buildProblems } from "./build.ts";
import type { Material } from "./material.ts";
import { fold, type Folded, type LogicalOperation } from "./fold.ts";
import type { Problem, Work } from "./problem.ts";
import { type Refutation, refute } from "./refutations.ts";
import { type Board, eventsOf, schedule } from "./schedule.ts";
import { type Budget, search, type SearchResult, type UnknownReason } from "./search.ts";
import { shrink } from "./shrink.ts";
import { explain } from "./explain.ts";
import { collectSightings, resourceIdsOf } from "./sightings.ts";
import type {
  CheckCounts,
  CheckFinding,
  CheckOptions,
  ReservationVerdict,
  ReservationViolation,
} from "./verdict.ts";
import { hasLsns, inLsnOrder } from "./witness.ts";

/**
 * Judges a history. Pure: the same history and options give the same verdict, unless `isOverTime` is used.
 *
 * @param history One record for each attempt, in any order.
 * @throws {RangeError} When an answered attempt does not end after it began.
 */
export function checkReservations(
  history: readonly HistoryOperation[],
  options: CheckOptions,
): ReservationVerdict {
  return new Check(history, options).run();
}

/** Steps that a counterexample is worth, however few a check is. */
const SHRINK_STEPS_MIN = 500_000;

type Found =
  | { readonly kind: "valid" }
  | { readonly kind: "invalid"; readonly violation: ReservationViolation }
  | { readonly kind: "unknown"; readonly reason: string };

class Check {
  readonly #history: readonly HistoryOperation[];
  readonly #options: CheckOptions;
  readonly #budget: Budget;
  readonly #findings: CheckFinding[] = [];
  readonly #counts = { partitions: 0, witnessed: 0, searched: 0 };

  constructor(history: readonly HistoryOperation[], options: CheckOptions) {
    const { stepsMax, configurationsMax = 200_000, isOverTime = () => false } = options;
    this.#history = history;
    this.#options = options;
    this.#budget = { steps: stepsMax, configurationsMax, isOverTime };
  }

  run(): ReservationVerdict {
    const { bounds = {}, initialResourceIds = [] } = this.#options;
    const folded = fold(this.#history, {
      mayForget: bounds.answers === "may_be_forgotten",
      mayFill: bounds.tables !== "roomy",
    });
    const { operations } = folded;
    const sightings = collectSightings(operations, bounds);
    const refutation = refute(folded, sightings, bounds);
    if (refutation !== undefined) return this.#verdict(folded, refuted(refutation));
    if (operations.every(({ isOptional }) => isOptional)) {
      return this.#verdict(folded, { kind: "unknown", reason: "nothing was checked" });
    }
    const material = {
      operations,
      sightings,
      bounds,
      initialResourceIds: new Set(initialResourceIds),
    };
    return this.#verdict(folded, this.#judge(material));
  }

  /** Invalid wins over unknown, whatever comes first. */
  #judge(material: Material): Found {
    const problems = buildProblems(material);
    this.#counts.partitions = problems.length;
    let unknown: Found | undefined;
    for (const problem of problems) {
      const board = schedule(problem, eventsOf(problem.works));
      const result = this.#decide(board);
      if (result.kind === "invalid") {
        return { kind: "invalid", violation: this.#violation(material, board, result) };
      }
      if (result.kind !== "unknown") continue;
      unknown ??= { kind: "unknown", reason: reasonOf(problem, result.reason, result.work) };
    }
    return unknown ?? { kind: "valid" };
  }

  #decide(board: Board): SearchResult {
    const { problem } = board;
    const { useWitness = true } = this.#options;
    const witness = useWitness && hasLsns(problem) ? this.#tryLsnOrder(problem) : undefined;
    if (witness?.kind === "valid") {
      this.#counts.witnessed++;
      return witness;
    }
    this.#counts.searched++;
    const result = search(board, this.#budget);
    if (witness?.kind === "invalid" && result.kind !== "invalid") this.#note(problem);
    return result;
  }

  /** Spends at most half of what is left. */
  #tryLsnOrder(problem: Problem): SearchResult {
    const ordered = inLsnOrder(problem);
    const steps = Math.floor(this.#budget.steps / 2);
    const budget = { ...this.#budget, steps };
    const result = search(schedule(ordered, eventsOf(ordered.works)), budget);
    this.#budget.steps -= steps - Math.max(0, budget.steps);
    return result;
  }

  /** That the lsns lead to no explanation is no refutation of the answers. */
  #note({ resourceIds }: Problem): void {
    const sentence = "the lsns are in no order in which the operations can have happened";
    this.#findings.push({ rule: "lsn/explains-answers", sentence, resourceIds });
  }

  #violation(
    material: Material,
    board: Board,
    result: SearchResult & { readonly kind: "invalid" },
  ): ReservationViolation {
    const { shrinkRunsMax = 400 } = this.#options;
    const { operations, first, isMinimal } = shrink(material, board.problem, result.work, {
      runsMax: shrinkRunsMax,
      stepsMax: Math.max(this.#options.stepsMax, SHRINK_STEPS_MIN),
      configurationsMax: this.#budget.configurationsMax,
      isOverTime: this.#budget.isOverTime,
    });
    return {
      rule: "linearizable",
      sentence: explain(board, result.work, result.before, operations),
      resourceIds: board.problem.resourceIds,
      first: firstAnswer(first),
      counterexample: attemptsOf(operations),
      isMinimal,
    };
  }

  #verdict({ operations }: Folded, found: Found): ReservationVerdict {
    const unanswered = operations.filter(({ isOptional }) => isOptional).length;
    const counts: CheckCounts = {
      attempts: this.#history.length,
      operations: operations.length - unanswered,
      unanswered,
      ...this.#counts,
      steps: this.#options.stepsMax - Math.max(0, this.#budget.steps),
    };
    return { ...found, counts, findings: this.#findings };
  }
}

function refuted({ rule, sentence, operations }: Refutation): Found {
  const [first] = operations;
  const violation = {
    rule,
    sentence,
    resourceIds: [...new Set(operations.flatMap(resourceIdsOf))],
    first: first!.attempts.findLast(({ outcome }) => outcome.kind === "ok")!,
    counterexample: attemptsOf(operations),
    isMinimal: true,
  };
  return { kind: "invalid", violation };
}

function attemptsOf(operations: readonly LogicalOperation[]): HistoryOperation[] {
  return operations.flatMap(({ attempts }) => attempts).sort((a, b) => a.invokedAt - b.invokedAt);
}

function firstAnswer({ attempts, completedAt }: LogicalOperation): HistoryOperation {
  return attempts.find((attempt) => attempt.completedAt === completedAt)!;
}

function reasonOf({ resourceIds, works }: Problem, reason: UnknownReason, work: Work): string {
  const unanswered = works.filter(({ isOptional }) => isOptional).length;
  const which = resourceIds.length > 3
    ? `${resourceIds.slice(0, 3).join(", ")} and ${resourceIds.length - 3} more`
    : resourceIds.join(", ");
  return `${LIMITS[reason]} at position ${work.completedAt} of resource ${which}: ` +
    `${works.length} operations, ${unanswered} of them unanswered`;
}

const LIMITS: Record<UnknownReason, string> = {
  steps: "no steps were left",
  configurations: "too many configurations had to be remembered",
  time: "the time was over",
};
