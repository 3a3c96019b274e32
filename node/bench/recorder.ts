/** Counts answers and how long they took. */
import { build, type Histogram } from "hdr-histogram-js";
import { RESULT_NAMES } from "../../core/outcome.ts";
import { rounded } from "./format.ts";
import type { Lane } from "./load_lane.ts";
import type { Figures } from "./scenario.ts";

/** Longest time that is told apart, in microseconds: a minute. */
const TIME_US_MAX = 60_000_000;
const CODES = 32;

/** Percentiles of a time, in microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

/** Times with three significant digits. */
export class Times {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: TIME_US_MAX,
    numberOfSignificantValueDigits: 3,
  });

  /** How many were added. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Adds one time, given in milliseconds. */
  add(ms: number): void {
    const us = Math.round(ms * 1_000);
    this.#histogram.recordValue(Math.min(Math.max(us, 1), TIME_US_MAX));
  }

  /** Adds all of another collection. */
  addAll(others: Times): void {
    this.#histogram.add(others.#histogram);
  }

  /** What they come to; all 0 when there are none. */
  percentiles(): Percentiles {
    const histogram = this.#histogram;
    const max = this.count === 0 ? 0 : histogram.maxValue;
    // A bucket is known by its upper end, which may lie above everything in it.
    const at = (percent: number): number => Math.min(histogram.getValueAtPercentile(percent), max);
    const mean = this.count === 0 ? 0 : rounded(histogram.mean, 1);
    return { p50: at(50), p90: at(90), p95: at(95), p99: at(99), p999: at(99.9), max, mean };
  }
}

/** Times that are also kept one by one, for another thread to add to its own. */
export class KeptTimes extends Times {
  /** In milliseconds, in the order in which they were added. */
  readonly kept: number[] = [];

  override add(ms: number): void {
    super.add(ms);
    this.kept.push(ms);
  }
}

/** The keys of a report for percentiles. */
export function timeKeys(percentiles: Percentiles): Figures {
  return { ...percentiles };
}

/** What came back during one load. */
export class Recorder {
  readonly times: Times;
  /** Results by code; index 0 counts rejections. */
  readonly codes: Float64Array = new Float64Array(CODES);
  commands = 0;

  /** @param times Where times go; its own unless told. */
  constructor(times: Times = new Times()) {
    this.times = times;
  }

  /** Takes note of the answer to a lane's request. */
  answered(lane: Lane): void {
    this.times.add(performance.now() - lane.dueMs);
    this.commands += lane.batch;
  }

  /** Results by name, those that occurred. */
  results(): Readonly<Record<string, number>> {
    const entries = [...this.codes].map((count, code): [string, number] => [
      code === 0 ? "rejected" : RESULT_NAMES[code] ?? `code_${code}`,
      count,
    ]);
    return Object.fromEntries(entries.filter(([, count]) => count > 0));
  }
}
