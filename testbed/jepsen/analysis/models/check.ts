/** Whether a history of another system is linearizable under one of the well-known models. */
import type { ModelOperation } from "../../history/model.ts";
import { type Board, layOut } from "./board.ts";
import { linearize } from "./linearize.ts";
import type { Settings } from "./machine.ts";
import { MACHINES, NIL_READS } from "./models.ts";
import { divide, type Partition } from "./partition.ts";
import { findFirst, prefixOf, type Question, someStateBefore, statesBefore } from "./prefix.ts";
import { Race } from "./race.ts";
import { shrink, type Shrunk } from "./shrink.ts";
import type { ModelOptions, ModelVerdict, ModelViolation, PartitionVerdict } from "./verdict.ts";
import { explain } from "./words.ts";

/**
 * Judges a history. Pure: the same operations and options give the same verdict, unless `isOverTime` is used.
 *
 * @param operations In order of their beginning.
 * @throws {ModelError} For an operation that the model does not have.
 * @throws {RangeError} When an answered operation does not end after it began.
 */
export function checkModel(
  operations: readonly ModelOperation[],
  options: ModelOptions,
): ModelVerdict {
  return new Check(options).run(operations);
}

/** Steps that every partition gets before any gets more, if there are so many; and how many times as many in the next round. */
const FAIR_STEPS = 20_000;
const ROUND_FACTOR = 8;
/** Steps that a counterexample is worth. */
const SHRINK_STEPS_MAX = 5_000_000;
/** Steps to find the states before a failure. */
const BEFORE_STEPS_MAX = 20_000;
const CONFIGURATIONS_MAX = 2_000_000;

/** A partition that is being judged. */
interface Trial {
  readonly partition: Partition;
  readonly board: Board;
  readonly race: Race;
}

class Check {
  readonly #options: ModelOptions;
  readonly #settings: Settings;
  readonly #verdicts: PartitionVerdict[] = [];
  #steps = 0;
  #isOverTime = false;

  constructor(options: ModelOptions) {
    const { model, init, failedOps = "drop", nilRead = NIL_READS[model] } = options;
    this.#options = options;
    this.#settings = { init, failedOps, nilRead };
  }

  /** Every partition gets a little, then the undecided ones more and more: one that is hopeless hides no other. */
  run(operations: readonly ModelOperation[]): ModelVerdict {
    const { model, usePartitions = true } = this.#options;
    const partitions = divide(operations, model, usePartitions);
    let undecided: Trial[] = [];
    for (const partition of partitions) {
      const trial = this.#try(partition);
      this.#runTo(trial, FAIR_STEPS);
      if (trial.race.outcome === undefined) undecided.push(trial);
      else if (this.#note(trial)) return this.#invalid(trial);
    }
    for (let steps = FAIR_STEPS; undecided.length > 0 && this.#hasSteps();) {
      steps *= undecided.length === 1 ? Infinity : ROUND_FACTOR;
      const left: Trial[] = [];
      for (const trial of undecided) {
        this.#runTo(trial, steps);
        if (trial.race.outcome === undefined) left.push(trial);
        else if (this.#note(trial)) return this.#invalid(trial);
      }
      undecided = left;
    }
    for (const trial of undecided) if (this.#note(trial)) return this.#invalid(trial);
    return this.#verdict();
  }

  #try(partition: Partition): Trial {
    const { model, algorithm = "auto", configurationsMax = CONFIGURATIONS_MAX } = this.#options;
    const { operations } = partition;
    const board = layOut(operations, MACHINES[model](operations, this.#settings));
    return { partition, board, race: new Race(board, algorithm, configurationsMax) };
  }

  #runTo({ race }: Trial, stepsMax: number): void {
    const { isOverTime = () => false } = this.#options;
    let before = race.steps;
    while (race.outcome === undefined && before < stepsMax && this.#hasSteps()) {
      race.run();
      this.#steps += race.steps - before;
      before = race.steps;
      if (isOverTime()) this.#isOverTime = true;
    }
  }

  #hasSteps(): boolean {
    return this.#steps < this.#options.stepsMax && !this.#isOverTime;
  }

  /** Keeps what came of a partition; whether it is invalid. */
  #note({ partition, board, race }: Trial): boolean {
    const { outcome, decidedBy } = race;
    const isInvalid = outcome?.kind === "invalid" || impossibleLevel(board) >= 0;
    const kind = isInvalid ? "invalid" : outcome?.kind === "valid" ? "valid" : "unknown";
    this.#verdicts.push({
      name: partition.name,
      kind,
      operations: partition.operations.length,
      unanswered: board.pending.length,
      widest: board.widest,
      steps: race.steps,
      ...(kind === "unknown" ? { reason: this.#reasonOf(partition, board, race) } : {}),
      ...(kind === "unknown" || decidedBy === undefined ? {} : { decidedBy }),
      ...(outcome?.kind === "valid"
        ? { linearization: linearize(board, outcome.path).map((index) => board.operations[index]!) }
        : {}),
    });
    return isInvalid;
  }

  #reasonOf({ name }: Partition, board: Board, race: Race): string {
    const limit = race.outcome?.kind === "full"
      ? "too many configurations had to be remembered"
      : this.#isOverTime
      ? "the time was over"
      : "no steps were left";
    return `${limit}${name === "" ? "" : ` for ${name}`}: ${race.level} of ${board.goals.length} ` +
      `answers were explained, ${board.widest} operations open at a time at most, ` +
      `${board.pending.length} unanswered`;
  }

  #invalid({ partition, board, race }: Trial): ModelVerdict {
    const { machine, goals, operations: all } = board;
    const outcome = race.outcome?.kind === "invalid" ? race.outcome : undefined;
    const level = outcome?.level ?? impossibleLevel(board);
    const first = outcome === undefined
      ? all[goals[level]!]!
      : findFirst(board, level, this.#question());
    const isImpossible = machine.isImpossible(machine.calls[all.indexOf(first)]!);
    const { operations, isMinimal } = isImpossible
      ? { operations: [first], isMinimal: true }
      : this.#shrink(partition, first);
    const before = this.#before(prefixOf(all, machine, first), operations, first);
    const violation: ModelViolation = {
      partition: partition.name,
      first,
      before,
      sentence: explain(first, before, operations, isImpossible),
      counterexample: operations,
      isMinimal,
    };
    return { kind: "invalid", violation, partitions: this.#verdicts, steps: this.#steps };
  }

  #shrink({ operations }: Partition, first: ModelOperation): Shrunk {
    const { shrinkRunsMax = 1_000, isOverTime = () => false } = this.#options;
    return shrink(this.#question(), operations, first, { runsMax: shrinkRunsMax, isOverTime });
  }

  /** Of the whole history if that is not too much to ask, else of what is left of it, else one of many. */
  #before(
    prefix: readonly ModelOperation[],
    counterexample: readonly ModelOperation[],
    first: ModelOperation,
  ): readonly string[] {
    const question = { ...this.#question(), stepsMax: BEFORE_STEPS_MAX };
    const states = statesBefore(prefix, question);
    if (states.length > 0) return states;
    const shrunk = statesBefore(counterexample, question);
    return shrunk.length > 0 ? shrunk : someStateBefore(prefix, first, question);
  }

  #question(): Question {
    const { model, configurationsMax = CONFIGURATIONS_MAX } = this.#options;
    return {
      model,
      settings: this.#settings,
      configurationsMax,
      stepsMax: SHRINK_STEPS_MAX,
    };
  }

  #verdict(): ModelVerdict {
    const counts = { partitions: this.#verdicts, steps: this.#steps };
    const unknown = this.#verdicts.find(({ kind }) => kind === "unknown");
    if (unknown === undefined) return { kind: "valid", ...counts };
    return { kind: "unknown", reason: unknown.reason!, ...counts };
  }
}

/** The first level that nothing whatever can lead past, -1 if there is none: reason enough, however far the search came. */
function impossibleLevel({ machine, goals }: Board): number {
  return goals.findIndex((goal) => machine.isImpossible(machine.calls[goal]!));
}
