/** Latencies, rates and gaps of a run. Times are nanoseconds; all of it is for pictures and tables, nothing for a verdict. */
import { type Attempt, type Outcome, OUTCOMES } from "./attempts.ts";

/** Quantiles that are shown, 1 being the greatest. */
export const QUANTILES = [0.5, 0.95, 0.99, 1] as const;

/** Windows that a run is cut into, at most. */
const WINDOWS_MAX = 120;
/** Gaps without an ok that are told one by one. */
const GAPS_MAX = 8;

/** See the top of this file. */
export interface Figures {
  readonly endNs: number;
  readonly windowNs: number;
  readonly windows: readonly Window[];
  /** By operation and outcome, the commonest operation first. */
  readonly latencies: readonly LatencyRow[];
  /** Quantiles of all that ended ok, in the order of {@linkcode QUANTILES}; empty if nothing did. */
  readonly overall: readonly number[];
  /** Longest stretches without an ok, the longest first. */
  readonly gaps: readonly Gap[];
}

/** One window of the run. */
export interface Window {
  readonly fromNs: number;
  /** Completions, by outcome. */
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Of what ended ok in it, in the order of {@linkcode QUANTILES}; empty if nothing did. */
  readonly quantiles: readonly number[];
}

/** Latencies of one operation with one outcome. */
export interface LatencyRow {
  readonly f: string;
  readonly outcome: Outcome;
  readonly count: number;
  readonly quantiles: readonly number[];
}

/** From one ok to the next. */
export interface Gap {
  readonly fromNs: number;
  readonly toNs: number;
}

/**
 * Counts a run.
 *
 * @param attempts With times.
 * @param endNs When the run ended.
 */
export function figuresOf(attempts: readonly Attempt[], endNs: number): Figures {
  const windowNs = windowSize(endNs);
  const ended = attempts.filter(({ end }) => end !== undefined);
  const latencies = Object.entries(Object.groupBy(ended, ({ f }) => f))
    .sort(([a, these], [b, those]) => those!.length - these!.length || (a < b ? -1 : 1))
    .flatMap(([f, these]) => rowsOf(f, these!));
  const ok = ended.filter(({ outcome }) => outcome === "ok");
  return {
    endNs,
    windowNs,
    windows: windowsOf(attempts, windowNs, endNs),
    latencies,
    overall: quantilesOf(ok.map(latencyOf)),
    gaps: gapsOf(ok.map(({ end }) => end!), endNs),
  };
}

/** How long somebody waited. */
export function latencyOf({ start, end }: Attempt): number {
  return Math.max(0, end! - start);
}

/**
 * 1, 2 or 5 times a power of ten nanoseconds: the least of which `max` cover a run.
 *
 * @param endNs How long the run was.
 */
export function windowSize(endNs: number, max = WINDOWS_MAX): number {
  const rough = Math.max(1, endNs) / max;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
}

/** Counts what ended in each window; attempts without an end are left out. */
export function windowsOf(
  attempts: readonly Attempt[],
  windowNs: number,
  endNs: number,
): Window[] {
  const ended = attempts.filter(({ end }) => end !== undefined);
  const count = Math.max(1, Math.ceil(endNs / windowNs));
  const indexOf = ({ end }: Attempt): number =>
    Math.max(0, Math.min(count - 1, Math.floor(end! / windowNs)));
  const byWindow = Map.groupBy(ended, indexOf);
  return Array.from({ length: count }, (_, index) => {
    const these = byWindow.get(index) ?? [];
    const counts = { ok: 0, fail: 0, info: 0 };
    for (const { outcome } of these) counts[outcome]++;
    const ok = these.filter(({ outcome }) => outcome === "ok").map(latencyOf);
    return { fromNs: index * windowNs, counts, quantiles: quantilesOf(ok) };
  });
}

function rowsOf(f: string, attempts: readonly Attempt[]): LatencyRow[] {
  return OUTCOMES.flatMap((outcome) => {
    const these = attempts.filter((attempt) => attempt.outcome === outcome).map(latencyOf);
    return these.length === 0
      ? []
      : [{ f, outcome, count: these.length, quantiles: quantilesOf(these) }];
  });
}

/** The value below or at which a share of the others lies; nearest rank, so that each was really measured. */
function quantilesOf(values: readonly number[]): number[] {
  if (values.length === 0) return [];
  const sorted = Float64Array.from(values).sort();
  return QUANTILES.map((share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!);
}

/** The run's beginning and end count as if they were an ok: a run without any is one gap. */
function gapsOf(oks: readonly number[], endNs: number): Gap[] {
  const moments = [0, ...Float64Array.from(oks).sort(), endNs];
  const gaps = moments.slice(1).map((toNs, index) => ({ fromNs: moments[index]!, toNs }));
  return gaps.filter(({ fromNs, toNs }) => toNs > fromNs)
    .sort((a, b) => b.toNs - b.fromNs - (a.toNs - a.fromNs)).slice(0, GAPS_MAX);
}
