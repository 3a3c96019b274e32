/**
 * The smallest contradiction in a history that has one. An answer is weakened, not cut out: what was done may then have happened
 * or not, at any time after its beginning. So a value that is read is never left without the write that it came from.
 *
 * Minimal means that every operation matters: with any answer weakened the others can be explained, and without any unanswered
 * operation some answer could be spared, or would be wrong for another reason.
 */
import type { ModelOperation } from "../../history/model.ts";
import { type Machine, SILENT } from "./machine.ts";
import { MACHINES } from "./models.ts";
import { judge, prefixOf, type Question, statesBefore, weakened } from "./prefix.ts";

/** How far to go. */
export interface ShrinkLimits {
  /** Histories tried at most. */
  readonly runsMax: number;
  readonly isOverTime: () => boolean;
}

/** What is left. */
export interface Shrunk {
  /** In order of their beginning. */
  readonly operations: readonly ModelOperation[];
  readonly isMinimal: boolean;
}

/** Steps that one attempt is worth. */
const RUN_STEPS_MAX = 200_000;

/**
 * Shrinks.
 *
 * @param question `stepsMax` is of all attempts together.
 * @param operations Of one partition, which is not linearizable.
 * @param first The one with whose answer it came to be so.
 */
export function shrink(
  question: Question,
  operations: readonly ModelOperation[],
  first: ModelOperation,
  limits: ShrinkLimits,
): Shrunk {
  return new Shrinker(question, first, limits).run(operations);
}

class Shrinker {
  readonly #question: Question;
  readonly #first: ModelOperation;
  readonly #limits: ShrinkLimits;
  #runs = 0;
  /** Whether an attempt took too long to tell, so that what it was about was kept. */
  #isUnsure = false;
  #steps: number;

  constructor(question: Question, first: ModelOperation, limits: ShrinkLimits) {
    this.#question = question;
    this.#first = first;
    this.#limits = limits;
    this.#steps = question.stepsMax;
  }

  run(operations: readonly ModelOperation[]): Shrunk {
    const before = prefixOf(operations, this.#machineOf(operations), this.#first);
    const isUsed = this.#limits.runsMax > 0 && this.#isInvalid(before);
    const weak = isUsed
      ? this.#weakenMany(this.#withoutRounds(this.#withRecentReads(before)))
      : before;
    const left = isUsed ? this.#withoutBystanders(weak) : before;
    return {
      operations: withOwnProcesses(left),
      isMinimal: isUsed && !this.#isUnsure && !this.#isSpent(),
    };
  }

  /** Tries whether the last few of those that change nothing suffice: mostly they do, and halves of many are dear. */
  #withRecentReads(operations: readonly ModelOperation[]): readonly ModelOperation[] {
    const machine = this.#machineOf(operations);
    const reads = operations.filter((operation, index) =>
      operation !== this.#first && machine.isPure(machine.calls[index]!)
    );
    reads.sort((a, b) => b.completedAt! - a.completedAt!);
    for (let count = 0; count < reads.length; count = count * 4 + 1) {
      const gone = new Set(reads.slice(count));
      const tried = operations.filter((operation) => !gone.has(operation));
      if (this.#isInvalid(tried)) return tried;
    }
    return operations;
  }

  /** Of locks: leaves out what somebody acquired and released again, as long as it makes no difference in the end. */
  #withoutRounds(operations: readonly ModelOperation[]): readonly ModelOperation[] {
    const rounds = this.#isLock() ? roundsOf(operations, this.#first) : [];
    const before = rounds.length > 0 ? `${statesBefore(operations, this.#question)}` : "";
    if (before === "") return operations;
    let left = operations;
    for (let size = rounds.length; size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
      for (let from = 0; from < rounds.length && !this.#isSpent(); from += size) {
        const gone = new Set(rounds.slice(from, from + size).flat());
        const tried = left.filter((operation) => !gone.has(operation));
        this.#runs++;
        if (`${statesBefore(tried, this.#question)}` === before) left = tried;
      }
    }
    return left;
  }

  #isLock(): boolean {
    return this.#question.model === "mutex" || this.#question.model === "lock";
  }

  /** Weakens as many as it can: halves, quarters, … and at last one by one until none can be weakened. */
  #weakenMany(operations: readonly ModelOperation[]): readonly ModelOperation[] {
    let left = operations;
    let size = left.length;
    while (size > 0 && !this.#isSpent()) {
      const before = left;
      this.#isUnsure = false;
      left = this.#weakenChunks(left, size);
      if (size > 1) size = Math.ceil(size / 2);
      else if (before === left) break;
    }
    return left;
  }

  #weakenChunks(operations: readonly ModelOperation[], size: number): readonly ModelOperation[] {
    let left = operations;
    const meant = left.filter((operation) =>
      operation !== this.#first && this.#canWeaken(operation, operations)
    );
    for (let from = 0; from < meant.length && !this.#isSpent(); from += size) {
      const tried = this.#weaken(left, new Set(meant.slice(from, from + size)));
      if (this.#isInvalid(tried)) left = tried;
    }
    return left;
  }

  #weaken(
    operations: readonly ModelOperation[],
    meant: ReadonlySet<ModelOperation>,
  ): readonly ModelOperation[] {
    const machine = this.#machineOf(operations);
    return operations.flatMap((operation, index) =>
      meant.has(operation)
        ? weakened(operation, machine.isPure(machine.calls[index]!))
        : [operation]
    );
  }

  /** Whoever holds a lock by name and goes on cannot have gone without an answer. */
  #canWeaken(operation: ModelOperation, among: readonly ModelOperation[]): boolean {
    if (operation.outcome.kind === "info") return false;
    return this.#question.model !== "lock" ||
      !among.some((other) =>
        other.process === operation.process && other.invokedAt > operation.invokedAt
      );
  }

  /** Leaves out what may or may not have happened, as long as every answer is still needed without it. */
  #withoutBystanders(operations: readonly ModelOperation[]): readonly ModelOperation[] {
    let left = operations;
    const pending = left.filter(({ outcome }) => outcome.kind === "info");
    for (let size = pending.length; size >= 1 && !this.#isSpent();) {
      const before = left;
      for (let from = 0; from < pending.length; from += size) {
        const gone = new Set(pending.slice(from, from + size));
        const tried = left.filter((operation) => !gone.has(operation));
        if (tried.length < left.length && this.#isTight(tried) && this.#isSame(left, tried)) {
          left = tried;
        }
      }
      if (size > 1) size = Math.ceil(size / 2);
      else if (before === left) break;
    }
    return left;
  }

  /** Whether it is a contradiction of which no answer can be spared. */
  #isTight(operations: readonly ModelOperation[]): boolean {
    if (!this.#isInvalid(operations)) return false;
    return operations.every((operation) =>
      !this.#canWeaken(operation, operations) ||
      !this.#isInvalid(this.#weaken(operations, new Set([operation])))
    ) && !this.#isSpent();
  }

  /**
   * Whether it is the same contradiction: nothing that was read has become something that nobody wrote, and a lock is not held only
   * for want of a release.
   */
  #isSame(left: readonly ModelOperation[], tried: readonly ModelOperation[]): boolean {
    const machine = this.#machineOf(tried);
    if (machine.calls.some((call) => call !== SILENT && machine.isImpossible(call))) return false;
    if (!this.#isLock()) return true;
    const before = [left, tried].map((operations) => statesBefore(operations, this.#question));
    return `${before[0]}` === `${before[1]}`;
  }

  /** Whether these operations certainly cannot be explained. False when the search was too long. */
  #isInvalid(operations: readonly ModelOperation[]): boolean {
    if (this.#isSpent()) return false;
    this.#runs++;
    const { model, settings, configurationsMax } = this.#question;
    const stepsMax = Math.min(this.#steps, RUN_STEPS_MAX);
    const { kind, steps } = judge(
      operations,
      { model, settings, configurationsMax, stepsMax },
      true,
    );
    this.#steps -= steps;
    if (kind === "unknown") this.#isUnsure = true;
    return kind === "invalid";
  }

  #machineOf(operations: readonly ModelOperation[]): Machine {
    const { model, settings } = this.#question;
    return MACHINES[model](operations, settings);
  }

  #isSpent(): boolean {
    return this.#runs >= this.#limits.runsMax || this.#steps <= 0 || this.#limits.isOverTime();
  }
}

/** Pairs of an acquire and the release by the same process that comes next, both answered. */
function roundsOf(
  operations: readonly ModelOperation[],
  last: ModelOperation,
): readonly (readonly ModelOperation[])[] {
  const rounds: ModelOperation[][] = [];
  const acquired = new Map<number, ModelOperation>();
  for (const operation of operations.toSorted((a, b) => a.invokedAt - b.invokedAt)) {
    const { process: client, f, outcome } = operation;
    const acquire = acquired.get(client);
    acquired.delete(client);
    if (outcome.kind !== "ok" || operation === last) continue;
    if (f === "acquire") acquired.set(client, operation);
    else if (acquire !== undefined) rounds.push([acquire, operation]);
  }
  return rounds;
}

/** A process that was not answered does nothing more: weakened operations whose process went on get a new one. */
function withOwnProcesses(operations: readonly ModelOperation[]): readonly ModelOperation[] {
  const last = new Map(operations.map(({ process: client, invokedAt }) => [client, invokedAt]));
  let fresh = operations.reduce((max, { process: client }) => Math.max(max, client), 0);
  return operations.map((operation) => {
    const { process: client, invokedAt, outcome } = operation;
    const isOver = outcome.kind !== "info" || last.get(client) === invokedAt;
    return isOver ? operation : { ...operation, process: ++fresh };
  });
}
