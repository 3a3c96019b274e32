/**
 * How long each fault kept a cluster from serving: from its beginning to the first write that was begun after it and
 * acknowledged. For tables, nothing for a verdict.
 */
import type { ReplicaSample } from "../history/event.ts";
import type { FaultSpan, Recording } from "../history/recording.ts";
import { isWrite } from "../analysis/reservation/logical.ts";
import type { Attempt } from "./attempts.ts";

/** One fault. Times are nanoseconds since the run began. */
export interface Outage {
  readonly fault: FaultSpan;
  /** Whether it hit the replica that had last said that it is primary. */
  readonly isOfPrimary: boolean;
  /** How long nothing new was acknowledged; undefined when nothing ever was again. */
  readonly unservedNs: number | undefined;
}

/** Faults of one name that hit primaries, or that did not. */
export interface OutageRow {
  readonly name: string;
  readonly isOfPrimary: boolean;
  readonly count: number;
  /** After how many of them nothing was acknowledged any more. */
  readonly forEver: number;
  /** Of the others; undefined if there are none. */
  readonly medianNs: number | undefined;
  readonly longestNs: number | undefined;
}

/**
 * Every fault of a recording, in the order of their beginning.
 *
 * @param attempts Of the recording, with times.
 */
export function outagesOf({ faults, samples }: Recording, attempts: readonly Attempt[]): Outage[] {
  const writes = attempts.filter(isAcknowledgedWrite).sort((a, b) => a.start - b.start);
  const firstEnd = firstEndsFrom(writes);
  const primaries = samples.filter(({ role }) => role === "primary")
    .sort((a, b) => a.timeNs - b.timeNs);
  return [...faults].sort((a, b) => a.startNs - b.startNs).map((fault) => {
    const end = firstEnd[firstFrom(writes, fault.startNs)];
    const primary = primaryBefore(primaries, fault.startNs);
    return {
      fault,
      isOfPrimary: primary !== undefined && fault.replicaIds.includes(primary),
      unservedNs: end === undefined ? undefined : end - fault.startNs,
    };
  });
}

/** The same by name, the longest first. */
export function outageRows(outages: readonly Outage[]): OutageRow[] {
  const groups = Map.groupBy(outages, ({ fault, isOfPrimary }) => `${isOfPrimary} ${fault.name}`);
  return [...groups.values()].map(rowOf)
    .sort((a, b) => (b.longestNs ?? 0) - (a.longestNs ?? 0) || (a.name < b.name ? -1 : 1));
}

function rowOf(group: readonly Outage[]): OutageRow {
  const { fault: { name }, isOfPrimary } = group[0]!;
  const lengths = group.flatMap(({ unservedNs }) => unservedNs ?? []).sort((a, b) => a - b);
  return {
    ...{ name, isOfPrimary, count: group.length, forEver: group.length - lengths.length },
    ...{ medianNs: lengths[(lengths.length - 1) >>> 1], longestNs: lengths.at(-1) },
  };
}

function isAcknowledgedWrite({ outcome, end, source }: Attempt): boolean {
  if (outcome !== "ok" || end === undefined) return false;
  return "request" in source ? isWrite(source.request) : !/^(read|get)/.test(source.f);
}

/** At `i` when the first of the writes from the `i`-th on ended. */
function firstEndsFrom(writes: readonly Attempt[]): readonly number[] {
  const ends: number[] = [];
  let first = Infinity;
  for (let i = writes.length - 1; i >= 0; i--) ends[i] = first = Math.min(first, writes[i]!.end!);
  return ends;
}

/** Index of the first that began at or behind a time. */
function firstFrom(writes: readonly Attempt[], timeNs: number): number {
  let [low, high] = [0, writes.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (writes[middle]!.start < timeNs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whoever last said so; of two that both do, the one that said so later. */
function primaryBefore(samples: readonly ReplicaSample[], timeNs: number): number | undefined {
  return samples.findLast((sample) => sample.timeNs <= timeNs)?.replicaId;
}
