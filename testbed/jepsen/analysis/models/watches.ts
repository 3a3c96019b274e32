/**
 * What a state that grows must still be able to lead to. A read that has not happened needs what it saw: a state that has outgrown
 * it is lost, unless a reset that explains the read may come in between.
 */
import type { ModelOperation } from "../../history/model.ts";
import type { Growth, Machine } from "./machine.ts";

/** See the top of this file. Of each part of the state: */
export interface Watches {
  /** Its reads in the order of their answers. */
  readonly reads: readonly Int32Array[];
  /** The first of them that is not answered before a level, at `level * parts + part`. */
  readonly from: Int32Array;
  /** Of each read: the level from which on no reset that explains it can come before it. */
  readonly since: readonly Int32Array[];
}

/** A read or a reset of one part. */
interface Event {
  readonly operation: number;
  /** Level at which it is answered, `NEVER` for never. */
  readonly level: number;
}

const NEVER = 2 ** 31 - 1;
/** Resets looked at for one read; those before count as explaining it. */
const RESETS_MAX = 64;

/** Prepares what there is to watch; nothing for models that do not grow. */
export function watchesOf(
  operations: readonly ModelOperation[],
  machine: Machine,
  goals: Int32Array,
  pending: readonly number[],
): Watches | undefined {
  const { growth } = machine;
  if (growth === undefined) return undefined;
  const [reads, resets] = collect(machine, growth, goals, pending);
  return {
    reads: reads.map((events) => Int32Array.from(events, ({ operation }) => operation)),
    from: firstOpen(reads, goals.length),
    since: reads.map((events, part) =>
      Int32Array.from(events, (read) => sinceWhen(operations, machine, read, resets[part]!))
    ),
  };
}

/** Reads and resets of each part, in the order of their answers. */
function collect(
  machine: Machine,
  growth: Growth,
  goals: Int32Array,
  pending: readonly number[],
): readonly [readonly Event[][], readonly Event[][]] {
  const { calls } = machine;
  const reads = Array.from({ length: growth.parts }, (): Event[] => []);
  const resets = Array.from({ length: growth.parts }, (): Event[] => []);
  goals.forEach((operation, level) => {
    const call = calls[operation]!;
    const part = growth.partOf(call);
    if (growth.isReset(call)) resets[part]!.push({ operation, level });
    else if (machine.isPure(call)) reads[part]!.push({ operation, level });
  });
  for (const operation of pending) {
    const call = calls[operation]!;
    if (growth.isReset(call)) resets[growth.partOf(call)]!.push({ operation, level: NEVER });
  }
  return [reads, resets];
}

function sinceWhen(
  operations: readonly ModelOperation[],
  { calls, growth }: Machine,
  read: Event,
  resets: readonly Event[],
): number {
  const end = operations[read.operation]!.completedAt!;
  let looked = 0;
  for (let i = resets.length - 1; i >= 0; i--) {
    const { operation, level } = resets[i]!;
    if (operations[operation]!.invokedAt > end) continue;
    const explains = growth!.explains(calls[operation]!, calls[read.operation]!);
    if (explains || ++looked === RESETS_MAX) return Math.min(NEVER, level + 1);
  }
  return 0;
}

function firstOpen(parts: readonly (readonly Event[])[], levels: number): Int32Array {
  const from = new Int32Array((levels + 1) * parts.length);
  parts.forEach((reads, part) => {
    let first = 0;
    for (let level = 0; level <= levels; level++) {
      while (first < reads.length && reads[first]!.level < level) first++;
      from[level * parts.length + part] = first;
    }
  });
  return from;
}
