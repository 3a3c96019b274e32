/**
 * Makes a counterexample small without making it another one. An answered operation is not deleted but weakened: it may have happened
 * as it was answered, at any later time, or not at all. Whatever explained the larger history explains the weaker one, so
 * what cannot be explained in the end could not be explained in the beginning.
 */
import type { Budget } from "./budget.ts";
import { buildProblems } from "./build.ts";
import type { Material } from "./material.ts";
import { isWrite, type LogicalOperation } from "./logical.ts";
import type { Problem, Work } from "./problem.ts";
import { eventsOf, schedule } from "./schedule.ts";
import { search } from "./search.ts";
import { collectSightings, resourceIdsOf } from "./sightings.ts";
import { inLsnOrder } from "./witness.ts";

/** Bounds of one shrinking, apart from those of the check. */
export interface ShrinkLimits {
  readonly runsMax: number;
  /** Of all runs together. */
  readonly budget: Budget;
  /** Whether it is the order of the lsns that cannot be explained. */
  readonly isInLsnOrder: boolean;
}

/** What is left. */
export interface Shrunk {
  readonly operations: readonly LogicalOperation[];
  /** The operation with whose answer the history came to be inexplicable. */
  readonly first: LogicalOperation;
  /** Whether weakening any answered one of them explains the others. */
  readonly isMinimal: boolean;
}

/**
 * Shrinks a problem that cannot be explained.
 *
 * @param failed Where the search gave up. It looks ahead, so the answer that proved it right may be a later one.
 */
export function shrink(
  material: Material,
  { works }: Problem,
  failed: Work,
  limits: ShrinkLimits,
): Shrunk {
  return new Shrinker(material, limits).shrink(works, failed);
}

/** What had begun when the answer came; answers that came later had not been given. */
function upTo(works: readonly Work[], until: number): LogicalOperation[] {
  return works.filter(({ invokedAt }) => invokedAt <= until).flatMap((work) =>
    work.completedAt <= until ? [work.operation] : weakened(work.operation)
  );
}

/** What remains of an operation that may not have happened: nothing, if it changes nothing. */
function weakened(operation: LogicalOperation): LogicalOperation[] {
  const { request, answer, group } = operation;
  if (!isWrite(request) || operation.isConflict) return [];
  const isRefused = answer?.kind === "applied" && answer.code !== "ok" && group < 0;
  return isRefused ? [] : [operation.with({ completedAt: Infinity, isOptional: true })];
}

/** Whether an operation changes nothing, so that nothing remains of it when it is weakened. */
function isWatcher(operation: LogicalOperation): boolean {
  return weakened(operation).length === 0;
}

/** Without these the answers would be wrong for another reason: what they name would not be there. */
function contextOf(operations: readonly LogicalOperation[]): ReadonlySet<LogicalOperation> {
  const answered = operations.filter(({ isOptional }) => !isOptional);
  const named = new Set(answered.flatMap(namesOf));
  const makers = operations.filter(({ answer }) =>
    answer?.kind === "applied" && named.has(answer.reserved?.reservationId)
  );
  const resourceIds = new Set([...answered, ...makers].flatMap(resourceIdsOf));
  const creates = operations.filter(({ request }) =>
    request.kind === "create_resource" && resourceIds.has(request.resourceId)
  );
  return new Set([...makers, ...creates]);
}

/** Reservations that an operation speaks of. */
function namesOf({ request, answer }: LogicalOperation): (bigint | undefined)[] {
  if ("reservationId" in request) return [request.reservationId];
  return answer?.kind === "resource" && answer.reservationId !== undefined
    ? [answer.reservationId]
    : [];
}

/** Steps of one run at most: what takes longer is not worth it. */
const RUN_STEPS_MAX = 500_000;

class Shrinker {
  readonly #material: Material;
  readonly #limits: ShrinkLimits;
  #runs = 0;
  #steps: number;

  constructor(material: Material, limits: ShrinkLimits) {
    this.#material = material;
    this.#limits = limits;
    this.#steps = limits.budget.steps;
  }

  shrink(works: readonly Work[], failed: Work): Shrunk {
    const [last, few] = this.#begin(works, failed);
    // Without what changes nothing, versions are seen by fewer: everything after that is cheaper.
    let left = this.#weakenMany(few, isWatcher);
    left = this.#weakenMany(left, ({ isOptional }) => !isOptional);
    const isMinimal = this.#isInvalid(left) && !this.#isSpent();
    const operations = this.#withoutBystanders(left);
    return { operations, first: last.operation, isMinimal: isMinimal && !this.#isSpent() };
  }

  /** With whose answer it came to be inexplicable, and what is left without most of those that change nothing. */
  #begin(works: readonly Work[], failed: Work): [Work, readonly LogicalOperation[]] {
    const soon = upTo(works, failed.completedAt);
    const few = this.#withFewWatchers(soon);
    if (few !== soon) return [failed, few];
    const last = this.#lastNeeded(works, failed);
    return [last, this.#withFewWatchers(upTo(works, last.completedAt))];
  }

  /** The first answer up to which nothing explains the history. */
  #lastNeeded(works: readonly Work[], failed: Work): Work {
    const answered = works.filter(({ isOptional, completedAt }) =>
      !isOptional && completedAt >= failed.completedAt
    ).sort((a, b) => a.completedAt - b.completedAt);
    let [low, high] = [0, answered.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isInvalid(upTo(works, answered[middle]!.completedAt))) high = middle;
      else low = middle + 1;
    }
    return this.#isSpent() ? failed : answered[high]!;
  }

  /** Tries whether the last few of those that change nothing suffice: mostly they do, and halves of many are dear. */
  #withFewWatchers(operations: readonly LogicalOperation[]): readonly LogicalOperation[] {
    const watchers = operations.filter(isWatcher).sort((a, b) => b.completedAt - a.completedAt);
    for (let count = 1; count < watchers.length; count *= 4) {
      const gone = new Set(watchers.slice(count));
      const tried = operations.filter((operation) => !gone.has(operation));
      if (this.#isInvalid(tried)) return tried;
    }
    return operations;
  }

  /** Weakens as many as it can: halves, quarters, … and at last one by one until none can be weakened. */
  #weakenMany(
    operations: readonly LogicalOperation[],
    isMeant: (operation: LogicalOperation) => boolean,
  ): readonly LogicalOperation[] {
    let left = operations;
    let size = left.filter(isMeant).length;
    while (size > 0 && !this.#isSpent()) {
      const before = left;
      left = this.#weakenChunks(left, isMeant, size);
      if (size > 1) size = Math.ceil(size / 2);
      else if (before === left) break;
    }
    return left;
  }

  #weakenChunks(
    operations: readonly LogicalOperation[],
    isMeant: (operation: LogicalOperation) => boolean,
    size: number,
  ): readonly LogicalOperation[] {
    let left = operations;
    const meant = left.filter(isMeant);
    for (let from = 0; from < meant.length; from += size) {
      const chunk = new Set(meant.slice(from, from + size));
      const tried = left.flatMap((operation) =>
        chunk.has(operation) ? weakened(operation) : [operation]
      );
      if (this.#isInvalid(tried)) left = tried;
    }
    return left;
  }

  /** Leaves out what may or may not have happened and helps nobody to understand: every answer is still needed without it. */
  #withoutBystanders(operations: readonly LogicalOperation[]): readonly LogicalOperation[] {
    let left = operations;
    const drop = (gone: readonly LogicalOperation[]): boolean => {
      const tried = left.filter((operation) => !gone.includes(operation));
      if (!this.#isInvalid(tried) || !this.#isMinimal(tried)) return false;
      left = tried;
      return true;
    };
    const needed = contextOf(left);
    const bystanders = left.filter((operation) => operation.isOptional && !needed.has(operation));
    for (let size = bystanders.length; size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
      for (let from = 0; from < bystanders.length; from += size) {
        const gone = bystanders.slice(from, from + size).filter((it) => left.includes(it));
        if (gone.length > 0) drop(gone);
      }
    }
    return left;
  }

  #isMinimal(operations: readonly LogicalOperation[]): boolean {
    return operations.every((operation) =>
      operation.isOptional ||
      !this.#isInvalid(
        operations.flatMap((other) => other === operation ? weakened(other) : [other]),
      )
    );
  }

  /** Whether these operations certainly cannot be explained. False when the search was too long. */
  #isInvalid(operations: readonly LogicalOperation[]): boolean {
    if (this.#isSpent()) return false;
    this.#runs++;
    const sightings = collectSightings(operations, this.#material.bounds);
    const { budget: whole, isInLsnOrder } = this.#limits;
    const steps = Math.min(this.#steps, RUN_STEPS_MAX);
    const budget = { ...whole, steps };
    let isInvalid = false;
    for (const problem of buildProblems({ ...this.#material, operations, sightings })) {
      const meant = isInLsnOrder ? inLsnOrder(problem) : problem;
      isInvalid = search(schedule(meant, eventsOf(meant.works)), budget).kind === "invalid";
      if (isInvalid) break;
    }
    this.#steps -= steps - Math.max(0, budget.steps);
    return isInvalid;
  }

  #isSpent(): boolean {
    return this.#runs >= this.#limits.runsMax || this.#steps <= 0 ||
      this.#limits.budget.isOverTime();
  }
}
