/**
 * Whether a history of reservations is linearizable: whether its operations can have happened one at a time, each between
 * its beginning and its answer, and answered as they did.
 */
import type { HistoryOperation } from "../../history/operation.ts";
import type { Budget } from "./budget.ts";
import { buildProblems } from "./build.ts";
import type { PartitionOrder } from "./certificate_words.ts";
import type { Decided } from "./decided.ts";
import { explain, explainLsns, stateLines } from "./explain.ts";
import { fold, foldRulesOf } from "./fold.ts";
import type { Folded, LogicalOperation } from "./logical.ts";
import type { Material } from "./material.ts";
import type { Refutation } from "./order_refutations.ts";
import { orderOf, placesOf } from "./order.ts";
import type { Problem } from "./problem.ts";
import { refute } from "./refutations.ts";
import { type Board, eventsOf, schedule, type ScheduleEvent } from "./schedule.ts";
import { search, type SearchResult } from "./search.ts";
import { shrink } from "./shrink.ts";
import { collectSightings, resourceIdsOf } from "./sightings.ts";
import { expiriesOf, refuteTicks } from "./ticks.ts";
import { reasonOf, undecidedOf } from "./undecided.ts";
import type {
  CheckCounts,
  CheckFinding,
  CheckOptions,
  Decision,
  ReservationBounds,
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
/** Steps to find out whether answers are wrong by themselves where their lsns are. */
const PLAIN_STEPS_MAX = 200_000;
/** Steps that the order of the lsns is worth: at least so many, and so many for each operation. */
const WITNESS_STEPS_MIN = 200_000;
const WITNESS_STEPS_PER_WORK = 40;
const CONFIGURATIONS_MAX = 200_000;
const BYTES_MAX = 2 ** 29;
/** Ways in which things may have stood that are told. */
const FRONTIER_TOLD_MAX = 20;

/** What a search says, and of what. */
interface Refused {
  readonly board: Board;
  readonly result: Decided & { readonly kind: "invalid" };
  readonly isOfLsns: boolean;
}

/** What came of a problem. */
interface Found {
  /** That was searched last. */
  readonly board: Board;
  readonly result: SearchResult;
  readonly refused?: Refused;
}

class Check {
  readonly #history: readonly HistoryOperation[];
  readonly #options: CheckOptions;
  readonly #bounds: ReservationBounds;
  readonly #budget: Budget;
  readonly #findings: CheckFinding[] = [];
  readonly #counts = { partitions: 0, witnessed: 0, searched: 0, undecided: 0 };
  readonly #orders: PartitionOrder[] = [];

  constructor(history: readonly HistoryOperation[], options: CheckOptions) {
    this.#history = history;
    this.#options = options;
    this.#bounds = options.bounds ?? {};
    this.#budget = {
      steps: options.stepsMax,
      configurationsMax: options.configurationsMax ?? CONFIGURATIONS_MAX,
      bytesMax: options.configurationBytesMax ?? BYTES_MAX,
      isOverTime: options.isOverTime ?? (() => false),
      algorithm: options.algorithm ?? "auto",
    };
  }

  run(): ReservationVerdict {
    const bounds = this.#bounds;
    const expiries = expiriesOf(this.#options.ticks ?? []);
    const isAlone = expiries.length === 0;
    const seen = isAlone ? this.#history : [...this.#history, ...expiries.map(({ read }) => read)];
    const known = isAlone ? this.#options.folded : undefined;
    const folded = known ?? fold(seen, foldRulesOf(bounds));
    const { operations } = folded;
    const sightings = collectSightings(operations, bounds);
    const refutation = refute(folded, sightings, bounds) ?? refuteTicks(expiries, sightings);
    if (refutation !== undefined) return this.#verdict(folded, this.#refuted(refutation, seen));
    if (operations.every(({ isOptional }) => isOptional)) {
      return this.#verdict(folded, { kind: "unknown", reason: "nothing was checked" });
    }
    const initialResourceIds = new Set(this.#options.initialResourceIds);
    const material = { operations, sightings, bounds, initialResourceIds };
    return this.#verdict(folded, this.#judge(material, seen));
  }

  /** Invalid wins over unknown, whatever comes first. */
  #judge(material: Material, seen: readonly HistoryOperation[]): Decision {
    const { onPartition, certify = false } = this.#options;
    const places = certify ? placesOf(seen) : new Map();
    let unknown: Decision | undefined;
    for (const problem of buildProblems(material)) {
      this.#counts.partitions++;
      onPartition?.();
      const { board, result, refused } = this.#decide(problem);
      if (refused !== undefined) return this.#violation(material, refused, seen);
      if (result.kind === "valid") {
        if (certify) this.#orders.push(orderOf(problem, result.trace, places));
      } else if (result.kind === "unknown") {
        this.#counts.undecided++;
        if (unknown !== undefined) continue;
        const undecided = undecidedOf(board, result);
        unknown = { kind: "unknown", reason: reasonOf(undecided), undecided };
      }
    }
    if (unknown !== undefined) return unknown;
    if (!certify) return { kind: "valid" };
    return { kind: "valid", certificate: { kind: "order", partitions: this.#orders } };
  }

  #decide(problem: Problem): Found {
    const { useWitness = true, lsns } = this.#options;
    const events = eventsOf(problem.works);
    const witness = useWitness && hasLsns(problem) ? this.#tryLsnOrder(problem, events) : undefined;
    if (witness?.result.kind === "valid") {
      this.#counts.witnessed++;
      return witness;
    }
    this.#counts.searched++;
    const board = schedule(problem, events);
    const isBound = lsns === "binding" && witness?.result.kind === "invalid";
    const result = isBound ? this.#searchSome(board) : search(board, this.#budget);
    if (result.kind === "invalid") {
      return { board, result, refused: { board, result, isOfLsns: false } };
    }
    if (witness?.result.kind !== "invalid") return { board, result };
    this.#note(problem);
    if (!isBound) return { board, result };
    const refused = { board: witness.board, result: witness.result, isOfLsns: true };
    return { ...witness, refused };
  }

  /** Spends at most half of what is left: where it is hard to follow, another order may be easy to find. */
  #tryLsnOrder(problem: Problem, events: readonly ScheduleEvent[]): Found {
    const board = schedule(inLsnOrder(problem), events);
    const worth = Math.max(WITNESS_STEPS_MIN, problem.works.length * WITNESS_STEPS_PER_WORK);
    const steps = Math.min(worth, Math.floor(this.#budget.steps / 2));
    return { board, result: this.#searchWithin(board, steps) };
  }

  #searchSome(board: Board): SearchResult {
    return this.#searchWithin(board, Math.min(this.#budget.steps, PLAIN_STEPS_MAX));
  }

  #searchWithin(board: Board, steps: number): SearchResult {
    const budget = { ...this.#budget, steps };
    const result = search(board, budget);
    this.#budget.steps -= steps - Math.max(0, budget.steps);
    return result;
  }

  /** That the lsns lead to no explanation is by itself no refutation of the answers. */
  #note({ resourceIds }: Problem): void {
    const sentence = "the lsns are in no order in which the operations can have happened";
    this.#findings.push({ rule: "lsn/explains-answers", sentence, resourceIds });
  }

  #violation(
    material: Material,
    { board, result, isOfLsns }: Refused,
    seen: readonly HistoryOperation[],
  ): Decision {
    const { shrinkRunsMax = 400, stepsMax, onPartition } = this.#options;
    onPartition?.();
    const { operations, first, isMinimal } = shrink(material, board.problem, result.work, {
      runsMax: shrinkRunsMax,
      budget: { ...this.#budget, steps: Math.max(stepsMax, SHRINK_STEPS_MIN) },
      isInLsnOrder: isOfLsns,
    });
    const violation: ReservationViolation = {
      rule: isOfLsns ? "lsn/explains-answers" : "linearizable",
      sentence: (isOfLsns ? explainLsns : explain)(board, result.work, result.before, operations),
      resourceIds: board.problem.resourceIds,
      first: firstAnswer(first),
      counterexample: attemptsOf(operations),
      isMinimal,
      before: stateLines(board, result.work, result.before[0]!),
    };
    const frontier = result.before.slice(0, FRONTIER_TOLD_MAX).map((configuration) =>
      stateLines(board, result.work, configuration)
    );
    return this.#invalid(violation, operations, frontier, seen);
  }

  #refuted(
    { rule, sentence, operations }: Refutation,
    seen: readonly HistoryOperation[],
  ): Decision {
    const [first] = operations;
    const violation: ReservationViolation = {
      rule,
      sentence,
      resourceIds: [...new Set(operations.flatMap(resourceIdsOf))],
      first: first!.attempts.findLast(({ outcome }) => outcome.kind === "ok")!,
      counterexample: attemptsOf(operations),
      isMinimal: true,
      before: [],
    };
    return this.#invalid(violation, operations, [], seen);
  }

  #invalid(
    violation: ReservationViolation,
    operations: readonly LogicalOperation[],
    frontier: readonly (readonly string[])[],
    seen: readonly HistoryOperation[],
  ): Decision {
    if (this.#options.certify !== true) return { kind: "invalid", violation };
    const places = placesOf(seen);
    const weak = operations.filter(({ isOptional, answer }) => isOptional && answer !== undefined);
    const certificate = {
      kind: "counterexample" as const,
      rule: violation.rule,
      attempts: violation.counterexample.map((attempt) => places.get(attempt)!),
      weakened: attemptsOf(weak).map((attempt) => places.get(attempt)!),
      frontier,
    };
    return { kind: "invalid", violation, certificate };
  }

  #verdict({ operations }: Folded, found: Decision): ReservationVerdict {
    let unanswered = 0;
    for (const { isOptional } of operations) if (isOptional) unanswered++;
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

function attemptsOf(operations: readonly LogicalOperation[]): HistoryOperation[] {
  return operations.flatMap(({ attempts }) => attempts).sort((a, b) => a.invokedAt - b.invokedAt);
}

function firstAnswer({ attempts, completedAt }: LogicalOperation): HistoryOperation {
  return attempts.find((attempt) => attempt.completedAt === completedAt)!;
}
