/** What is asked of every system, what comes back, and what a system under measurement is. */
import { build, type Histogram } from "hdr-histogram-js";

/** A load: `clients` connections that each send `depth` commands in one go and wait for all answers. */
export interface Scenario {
  /** `<clients>x<depth>`. */
  readonly name: string;
  readonly clients: number;
  readonly depth: number;
}

/** A load by its two numbers. */
export function scenario(clients: number, depth: number): Scenario {
  return { name: `${clients}x${depth}`, clients, depth };
}

/** Every load that is measured, lightest first. */
export const SCENARIOS: readonly Scenario[] = [
  scenario(1, 1),
  scenario(64, 1),
  scenario(256, 1),
  scenario(64, 64),
  scenario(1, 1024),
];

/** Percentiles in microseconds, each from the first byte of a go to its last answer. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** One run of one system under one load. */
export interface Measurement {
  /** Commands answered per second; every one of them was durable before it was answered. */
  readonly opsPerSecond: number;
  readonly latencyUs: Latency;
  /** Share of the commands that changed something, 0 to 1; absent for the bare disk. */
  readonly effective?: number;
}

/** A system that is installed and ready to be measured. It keeps files in its directory and nothing running. */
export interface Peer {
  readonly version: string;
  /** How it is set up, for whoever wants to repeat or doubt a figure. */
  readonly settings: string;
  /**
   * Runs the load on a server of its own, which is gone when this returns.
   *
   * @param scenario The load.
   * @param seconds How long, roughly: some tools count commands, not time.
   * @throws {Error} when the system or its tool fails; its message says how.
   */
  measure(scenario: Scenario, seconds: number): Promise<Measurement>;
}

/** Where a peer works and when it has to give up. */
export interface Surroundings {
  /** An existing empty directory on the disk under measurement. */
  readonly directory: string;
  /** Fires when the run is called off. */
  readonly signal: AbortSignal;
}

/** A system by name, before anybody knows whether it is there. */
export interface System {
  readonly name: string;
  /** The loads it can carry. */
  supports(scenario: Scenario): boolean;
  /** @throws {NotInstalled} when it is not on this machine. */
  open(surroundings: Surroundings): Promise<Peer>;
}

/** A system that cannot be measured because it is not on this machine. */
export class NotInstalled extends Error {
  override readonly name = "NotInstalled";
}

/** Longest latency that is told apart, in microseconds; anything slower counts as this. */
const LATENCY_US_MAX = 60_000_000;

/** A histogram of latencies in microseconds, exact to three digits. */
export function latencyHistogram(): Histogram {
  return build({ highestTrackableValue: LATENCY_US_MAX, numberOfSignificantValueDigits: 3 });
}

/** Adds one latency in microseconds to the histogram. */
export function recordLatency(histogram: Histogram, latencyUs: number): void {
  histogram.recordValue(Math.min(Math.round(latencyUs), LATENCY_US_MAX));
}

/** The percentiles of what was recorded. */
export function latencyOf(histogram: Histogram): Latency {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile);
  return { p50: at(50), p95: at(95), p99: at(99) };
}
