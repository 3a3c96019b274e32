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
  const waits = waitsOf(attempts);
  const ok: number[] = [];
  for (const { outcome, end } of attempts) if (outcome === "ok" && end !== undefined) ok.push(end);
  return {
    endNs,
    windowNs,
    windows: windowsOf(attempts, windowNs, endNs),
    latencies: latencyRows(waits),
    overall: quantilesOf([...waits.values()].flatMap((these) => these.ok)),
    gaps: gapsOf(ok, endNs),
  };
}

type Waits = Record<Outcome, number[]>;

/** How long attempts that ended took, by operation and outcome. */
function waitsOf(attempts: readonly Attempt[]): Map<string, Waits> {
  const waits = new Map<string, Waits>();
  for (const attempt of attempts) {
    if (attempt.end === undefined) continue;
    let these = waits.get(attempt.f);
    if (these === undefined) waits.set(attempt.f, these = { ok: [], fail: [], info: [] });
    these[attempt.outcome].push(latencyOf(attempt));
  }
  return waits;
}

/** The commonest operation first. */
function latencyRows(waits: ReadonlyMap<string, Waits>): LatencyRow[] {
  const sizeOf = ({ ok, fail, info }: Waits): number => ok.length + fail.length + info.length;
  return [...waits]
    .sort(([a, these], [b, those]) => sizeOf(those) - sizeOf(these) || (a < b ? -1 : 1))
    .flatMap(([f, these]) =>
      OUTCOMES.filter((outcome) => these[outcome].length > 0).map((outcome) => ({
        f,
        outcome,
        count: these[outcome].length,
        quantiles: quantilesOf(these[outcome]),
      }))
    );
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
  const size = Math.max(1, Math.ceil(endNs / windowNs));
  const waits = Array.from({ length: size }, (): number[] => []);
  const counts = Array.from({ length: size }, () => ({ ok: 0, fail: 0, info: 0 }));
  for (const attempt of attempts) {
    if (attempt.end === undefined) continue;
    const index = Math.max(0, Math.min(size - 1, Math.floor(attempt.end / windowNs)));
    counts[index]![attempt.outcome]++;
    if (attempt.outcome === "ok") waits[index]!.push(latencyOf(attempt));
  }
  return counts.map((these, index) => ({
    fromNs: index * windowNs,
    counts: these,
    quantiles: quantilesOf(waits[index]!),
  }));
}

/** The value below or at which a share of the others lies; nearest rank, so that each was really measured. */
function quantilesOf(values: readonly number[]): number[] {
  if (values.length === 0) return [];
  const sorted = Float64Array.from(values).sort();
  return QUANTILES.map((share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!);
}

/** The run's beginning and end count as if they were an ok: a run without any is one gap. */
function gapsOf(oks: readonly number[], endNs: number): Gap[] {
  const longest: Gap[] = [];
  let fromNs = 0;
  for (const toNs of [...Float64Array.from(oks).sort(), endNs]) {
    const gap = { fromNs, toNs };
    if (toNs > fromNs && lengthOf(gap) > lengthOf(longest[GAPS_MAX - 1])) {
      longest.push(gap);
      longest.sort((a, b) => lengthOf(b) - lengthOf(a)).splice(GAPS_MAX);
    }
    fromNs = Math.max(fromNs, toNs);
  }
  return longest;
}

function lengthOf(gap: Gap | undefined): number {
  return gap === undefined ? 0 : gap.toNs - gap.fromNs;
}
