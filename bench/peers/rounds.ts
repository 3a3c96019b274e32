/** Who is measured when, and what several rounds say together. */
import type { Measurement, Peer, Scenario } from "./measurement.ts";

/** The middle of several figures and how far they were apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One system under one load, all rounds together. */
export interface Row {
  readonly system: string;
  readonly scenario: Scenario;
  /** In the order of the rounds; fewer than asked for when one failed. */
  readonly measurements: readonly Measurement[];
  /** Why there is no figure. */
  readonly failure?: string;
}

/** A system, or why it cannot be measured. */
export interface Candidate {
  readonly name: string;
  readonly peer: Peer | { readonly missing: string };
  supports(scenario: Scenario): boolean;
}

/** How long and how often. */
export interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Told of each result as it comes: a measurement, or what went wrong. */
  onResult(round: number, scenario: Scenario, system: string, result: Measurement | string): void;
}

/** @throws {RangeError} when there are no figures. */
export function spread(figures: readonly number[]): Spread {
  if (figures.length === 0) throw new RangeError("No figures to take the median of");
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** The reason of a failure, in one line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A row that grows; a system that failed once under a load is left out of its later rounds. */
interface Entry {
  readonly candidate: Candidate;
  readonly measurements: Measurement[];
  failure: string | undefined;
}

async function measureOnce(entry: Entry, round: number, scenario: Scenario, plan: Plan) {
  const { candidate: { name, peer } } = entry;
  if (entry.failure !== undefined || "missing" in peer) return;
  try {
    const measurement = await peer.measure(scenario, plan.seconds);
    entry.measurements.push(measurement);
    plan.onResult(round, scenario, name, measurement);
  } catch (error) {
    plan.signal.throwIfAborted();
    entry.failure = reasonOf(error);
    plan.onResult(round, scenario, name, entry.failure);
  }
}

/**
 * Measures every system under every load. Within a load the systems take turns, round by round, so
 * that a slow minute of the machine falls on all of them.
 *
 * @returns A row for each system and each load it can carry, whether or not there is a figure.
 * @throws The signal's reason when the run is called off.
 */
export async function runRounds(candidates: readonly Candidate[], plan: Plan): Promise<Row[]> {
  const rows: Row[] = [];
  for (const scenario of plan.scenarios) {
    const entries: Entry[] = candidates.filter((candidate) => candidate.supports(scenario)).map(
      (candidate) => ({
        candidate,
        measurements: [],
        failure: "missing" in candidate.peer ? candidate.peer.missing : undefined,
      }),
    );
    for (let round = 1; round <= plan.rounds; round++) {
      for (const entry of entries) await measureOnce(entry, round, scenario, plan);
    }
    rows.push(...entries.map(({ candidate, measurements, failure }) => ({
      system: candidate.name,
      scenario,
      measurements,
      ...(failure === undefined ? {} : { failure }),
    })));
  }
  return rows;
}
