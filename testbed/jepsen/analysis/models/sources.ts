/**
 * Where values come from. A value that somebody still needs must not be left when nothing can bring it back: that makes registers
 * in which every value is written once as cheap as they look.
 */
import type { ModelOperation } from "../../history/model.ts";
import type { Machine } from "./machine.ts";

/** See the top of this file. By value: */
export interface Sources {
  /** Answered operations that need it, in the order of their answers. */
  readonly needs: readonly (readonly number[])[];
  /** Operations that make it, the answered ones first. */
  readonly makers: readonly (readonly number[])[];
  /** Of each operation: the level at which it is answered, -1 for never. */
  readonly levels: Int32Array;
}

/** Prepares what there is to know; nothing for models whose state is no value. */
export function sourcesOf(
  operations: readonly ModelOperation[],
  { values, calls }: Machine,
  goals: Int32Array,
  pending: readonly number[],
): Sources | undefined {
  if (values === undefined) return undefined;
  const needs = Array.from({ length: values.count }, (): number[] => []);
  const makers = Array.from({ length: values.count }, (): number[] => []);
  const levels = new Int32Array(operations.length).fill(-1);
  goals.forEach((operation, level) => {
    const needed = values.neededBy(calls[operation]!);
    const made = values.madeBy(calls[operation]!);
    if (needed >= 0) needs[needed]!.push(operation);
    if (made >= 0) makers[made]!.push(operation);
    levels[operation] = level;
  });
  for (const operation of pending) makers[values.madeBy(calls[operation]!)]!.push(operation);
  return { needs, makers, levels };
}

/** The place of the first that is answered at a level or later. */
export function firstFrom(
  operations: readonly number[],
  levels: Int32Array,
  level: number,
): number {
  let low = 0;
  let high = operations.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (levels[operations[middle]!]! < level) low = middle + 1;
    else high = middle;
  }
  return low;
}
