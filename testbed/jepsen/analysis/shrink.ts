/**
 * Makes a counterexample small without making it another one. An answered operation is not deleted but weakened: it may have happened
 * as it was answered, at any later time, or not at all. Whatever explained the larger history explains the weaker one, so
 * what cannot be explained in the end could not be explained in the beginning.
 */
import { buildProblems, type Material } from "./build.ts";
import { isWrite, type LogicalOperation } from "./fold.ts";
import type { Problem, Work } from "./problem.ts";
import { eventsOf, schedule } from "./schedule.ts";
import { search } from "./search.ts";
import { collectSightings } from "./sightings.ts";

/** Bounds of one shrinking, apart from those of the check. */
export interface ShrinkLimits {
  readonly runsMax: number;
  /** Of one run. */
  readonly stepsMax: number;
  readonly configurationsMax: number;
  readonly isOverTime: () => boolean;
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
  return isRefused ? [] : [{ ...operation, completedAt: Infinity, isOptional: true }];
}

class Shrinker {
  readonly #material: Material;
  readonly #limits: ShrinkLimits;
  #runs = 0;

  constructor(material: Material, limits: ShrinkLimits) {
    this.#material = material;
    this.#limits = limits;
  }

  shrink(works: readonly Work[], failed: Work): Shrunk {
    const last = this.#lastNeeded(works, failed);
    // Without what changes nothing, versions are seen by fewer: everything after that is cheaper.
    let left = this.#weakenMany(
      upTo(works, last.completedAt),
      (operation) => weakened(operation).length === 0,
    );
    left = this.#weakenMany(left, ({ isOptional }) => !isOptional);
    const isMinimal = this.#isInvalid(left) && !this.#isSpent();
    const operations = this.#withoutBystanders(left);
    return { operations, first: last.operation, isMinimal: isMinimal && !this.#isSpent() };
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
    const bystanders = left.filter(({ isOptional }) => isOptional);
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
    const { stepsMax, configurationsMax, isOverTime } = this.#limits;
    const budget = { steps: stepsMax, configurationsMax, isOverTime };
    return buildProblems({ ...this.#material, operations, sightings }).some((problem) =>
      search(schedule(problem, eventsOf(problem.works)), budget).kind === "invalid"
    );
  }

  #isSpent(): boolean {
    return this.#runs >= this.#limits.runsMax || this.#limits.isOverTime();
  }
}
