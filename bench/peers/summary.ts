/** What the rounds say: medians with their range, and ratios to AllocDB and to the bare disk. Pure. */
import type { Machine } from "./machine.ts";
import type { Measurement } from "./measurement.ts";
import { type Row, type Spread, spread } from "./rounds.ts";

/** A row's figures over its rounds. Latencies in microseconds. */
export interface Figures {
  readonly system: string;
  readonly scenario: string;
  readonly clients: number;
  readonly depth: number;
  readonly rounds: number;
  readonly opsPerSecond: Spread;
  readonly p50Us: Spread;
  readonly p95Us: Spread;
  readonly p99Us: Spread;
  /** Share of commands that changed something; null for the bare disk. */
  readonly effective: number | null;
}

/** How AllocDB and the disk compare with a row. */
export interface Ratios {
  /** AllocDB's median ops/s over this row's; null while AllocDB has none, and for the disk. */
  readonly allocdbRatio: number | null;
  /** This row's median p50 over that of the bare overwrite; null while that is not known. */
  readonly p50ToDisk: number | null;
}

/** A row without figures. */
export interface Gap {
  readonly system: string;
  readonly scenario: string;
  readonly failure: string;
}

/** Medians of a bare 4 KiB write and fdatasync, in microseconds. */
export interface SyncLatency {
  readonly p50: number;
  readonly p99: number;
}

/** What was measured, how, and on what. */
export interface Report {
  /** RFC 3339. */
  readonly startedAt: string;
  /** Length of one measurement. */
  readonly seconds: number;
  readonly machine: Machine;
  readonly systems: readonly {
    readonly name: string;
    readonly version: string;
    readonly settings: string;
  }[];
  /** Null where it was not measured. */
  readonly diskSyncUs: {
    readonly append: SyncLatency | null;
    readonly overwrite: SyncLatency | null;
  };
  readonly rows: readonly ((Figures & Ratios) | Gap)[];
}

/** Whether a row of a report has no figures. */
export function isGap(row: Figures | Gap): row is Gap {
  return "failure" in row;
}

function figuresOf({ system, scenario, measurements, failure }: Row): Figures | Gap {
  if (failure !== undefined) return { system, scenario: scenario.name, failure };
  const over = (pick: (measurement: Measurement) => number): Spread =>
    spread(measurements.map(pick));
  const effective = measurements.flatMap((measurement) => measurement.effective ?? []);
  return {
    system,
    scenario: scenario.name,
    clients: scenario.clients,
    depth: scenario.depth,
    rounds: measurements.length,
    opsPerSecond: over((measurement) => measurement.opsPerSecond),
    p50Us: over((measurement) => measurement.latencyUs.p50),
    p95Us: over((measurement) => measurement.latencyUs.p95),
    p99Us: over((measurement) => measurement.latencyUs.p99),
    effective: effective.length === 0 ? null : spread(effective).median,
  };
}

type Finder = (system: string, scenario: string) => Figures | undefined;

function ratio(over: Spread | undefined, under: Spread | undefined): number | null {
  return over === undefined || !under?.median ? null : over.median / under.median;
}

function ratiosOf(row: Figures, find: Finder): Ratios {
  const ours = row.effective === null ? undefined : find("allocdb", row.scenario);
  return {
    allocdbRatio: ratio(ours?.opsPerSecond, row.opsPerSecond),
    p50ToDisk: ratio(row.p50Us, find("disk overwrite", "1x1")?.p50Us),
  };
}

/** The rows with their ratios. */
export function summarize(rows: readonly Row[]): Pick<Report, "rows" | "diskSyncUs"> {
  const all = rows.map(figuresOf);
  const figures = all.filter((row): row is Figures => !isGap(row));
  const find: Finder = (system, scenario) =>
    figures.find((row) => row.system === system && row.scenario === scenario);
  const sync = (system: string): SyncLatency | null => {
    const row = find(system, "1x1");
    return row === undefined ? null : { p50: row.p50Us.median, p99: row.p99Us.median };
  };
  return {
    rows: all.map((row) => isGap(row) ? row : { ...row, ...ratiosOf(row, find) }),
    diskSyncUs: { append: sync("disk append"), overwrite: sync("disk overwrite") },
  };
}
