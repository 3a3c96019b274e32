/**
 * A partition laid out for the search. Its levels are the answers in their order. At a level, operations that have begun before that
 * answer and were not answered earlier may happen; the level is passed when the operation that is answered there has happened.
 *
 * A configuration is a row of words: level, state, a bit for each answered mutation that has happened; then what leaves more open
 * the fewer bits are set: reads that have not happened, and unanswered mutations that have. Places of answered ones are used again.
 */
import type { ModelOperation } from "../../history/model.ts";
import { type Machine, SILENT } from "./machine.ts";
import { type Sources, sourcesOf } from "./sources.ts";
import { type Watches, watchesOf } from "./watches.ts";

/** See the top of this file. */
export interface Board {
  readonly machine: Machine;
  readonly operations: readonly ModelOperation[];
  /** Operations that are answered, by level. */
  readonly goals: Int32Array;
  /** Of each level: mutations that are open, in the order of their answers; from `mutationsFrom[level]` on. */
  readonly mutations: Int32Array;
  readonly mutationsFrom: Int32Array;
  /** The same for pure operations. */
  readonly reads: Int32Array;
  readonly readsFrom: Int32Array;
  /** Of each level: where in `reads` those stand that were not open one level before. */
  readonly readsNewFrom: Int32Array;
  /** Unanswered mutations in the order of their beginning, and how many have begun at each level. */
  readonly pending: Int32Array;
  readonly pendingCounts: Int32Array;
  /** Of each answered operation: its bit among those of its sort. Of an unanswered one: its place in `pending`. */
  readonly bits: Int32Array;
  readonly isPure: Uint8Array;
  readonly layout: Layout;
  readonly watches: Watches | undefined;
  readonly sources: Sources | undefined;
  readonly widest: number;
}

/** Where the words of a configuration stand; the level is at 0 and the state at 1. */
export interface Layout {
  readonly mutationsAt: number;
  readonly readsAt: number;
  readonly pendingAt: number;
  readonly size: number;
}

/** Lays out. Operations that say nothing are left out. */
export function layOut(operations: readonly ModelOperation[], machine: Machine): Board {
  const isPure = Uint8Array.from(operations, (_, index) => {
    const call = machine.calls[index]!;
    return call !== SILENT && machine.isPure(call) ? 1 : 0;
  });
  const heard = operations.map((_, index) => index).filter((index) =>
    machine.calls[index] !== SILENT
  );
  const answered = heard.filter((index) => isAnswered(operations[index]!));
  const pending = heard.filter((index) =>
    !isAnswered(operations[index]!) && isPure[index] === 0 &&
    machine.isObservable(machine.calls[index]!)
  );
  const goals = Int32Array.from(answered).sort((a, b) =>
    endOf(operations, a) - endOf(operations, b)
  );
  const byBeginning = Int32Array.from(answered).sort((a, b) =>
    operations[a]!.invokedAt - operations[b]!.invokedAt
  );
  pending.sort((a, b) => operations[a]!.invokedAt - operations[b]!.invokedAt);
  const levels = new Levels(operations, isPure, goals, byBeginning);
  levels.run();
  const bits = levels.bits;
  pending.forEach((index, place) => bits[index] = place);
  const mutationsAt = 2;
  const readsAt = mutationsAt + wordsFor(levels.mutationBits);
  const pendingAt = readsAt + wordsFor(levels.readBits);
  return {
    machine,
    operations,
    goals,
    mutations: Int32Array.from(levels.mutations),
    mutationsFrom: Int32Array.from(levels.mutationsFrom),
    reads: Int32Array.from(levels.reads),
    readsFrom: Int32Array.from(levels.readsFrom),
    readsNewFrom: Int32Array.from(levels.readsNewFrom),
    pending: Int32Array.from(pending),
    pendingCounts: countPending(operations, goals, pending),
    bits,
    isPure,
    layout: { mutationsAt, readsAt, pendingAt, size: pendingAt + wordsFor(pending.length) },
    watches: watchesOf(operations, machine, goals, pending),
    sources: sourcesOf(operations, machine, goals, pending),
    widest: levels.widest,
  };
}

/** Whether somebody was told how it ended; a failed one that counts was. */
function isAnswered({ outcome, completedAt }: ModelOperation): boolean {
  return outcome.kind !== "info" && completedAt !== undefined;
}

/** Position of its answer. */
function endOf(operations: readonly ModelOperation[], index: number): number {
  return operations[index]!.completedAt!;
}

function wordsFor(bits: number): number {
  return (bits + 31) >>> 5;
}

/** Walks through the levels and keeps what is open at each. */
class Levels {
  readonly mutations: number[] = [];
  readonly mutationsFrom: number[] = [0];
  readonly reads: number[] = [];
  readonly readsFrom: number[] = [0];
  readonly readsNewFrom: number[] = [];
  readonly bits: Int32Array;
  mutationBits = 0;
  readBits = 0;
  widest = 0;
  readonly #operations: readonly ModelOperation[];
  readonly #isPure: Uint8Array;
  readonly #goals: Int32Array;
  readonly #byBeginning: Int32Array;
  readonly #open: number[] = [];
  readonly #freeMutationBits: number[] = [];
  readonly #freeReadBits: number[] = [];

  constructor(
    operations: readonly ModelOperation[],
    isPure: Uint8Array,
    goals: Int32Array,
    byBeginning: Int32Array,
  ) {
    this.#operations = operations;
    this.#isPure = isPure;
    this.#goals = goals;
    this.#byBeginning = byBeginning;
    this.bits = new Int32Array(operations.length);
  }

  run(): void {
    let begun = 0;
    for (const goal of this.#goals) {
      const end = endOf(this.#operations, goal);
      const old = this.#open.filter((index) => this.#isPure[index] === 1);
      const fresh: number[] = [];
      for (; begun < this.#byBeginning.length; begun++) {
        const index = this.#byBeginning[begun]!;
        const { invokedAt, completedAt } = this.#operations[index]!;
        if (invokedAt >= completedAt!) {
          throw new RangeError(`operation ${index} ends at ${completedAt}, before it began`);
        }
        if (invokedAt >= end) break;
        this.#begin(index);
        if (this.#isPure[index] === 1) fresh.push(index);
      }
      this.widest = Math.max(this.widest, this.#open.length);
      this.#keep(old, fresh);
      this.#end(goal);
    }
  }

  #begin(index: number): void {
    const end = endOf(this.#operations, index);
    let at = this.#open.length;
    while (at > 0 && endOf(this.#operations, this.#open[at - 1]!) > end) at--;
    this.#open.splice(at, 0, index);
    this.bits[index] = this.#isPure[index] === 1
      ? this.#freeReadBits.pop() ?? this.readBits++
      : this.#freeMutationBits.pop() ?? this.mutationBits++;
  }

  #keep(old: readonly number[], fresh: readonly number[]): void {
    for (const index of this.#open) if (this.#isPure[index] === 0) this.mutations.push(index);
    this.mutationsFrom.push(this.mutations.length);
    for (const index of old) this.reads.push(index);
    this.readsNewFrom.push(this.reads.length);
    for (const index of fresh) this.reads.push(index);
    this.readsFrom.push(this.reads.length);
  }

  /** Its answer is the earliest of those that are open. */
  #end(goal: number): void {
    this.#open.shift();
    const free = this.#isPure[goal] === 1 ? this.#freeReadBits : this.#freeMutationBits;
    free.push(this.bits[goal]!);
  }
}

function countPending(
  operations: readonly ModelOperation[],
  goals: Int32Array,
  pending: readonly number[],
): Int32Array {
  let count = 0;
  return goals.map((goal) => {
    const end = endOf(operations, goal);
    while (count < pending.length && operations[pending[count]!]!.invokedAt < end) count++;
    return count;
  });
}
