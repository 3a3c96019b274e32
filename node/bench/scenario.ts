/** What a scenario is given and what it hands back. */
import { CliError } from "../errors.ts";
import type { Program } from "../process_self.ts";
import type { BenchSizes } from "./sizes.ts";

/** What a scenario runs in. */
export interface BenchContext {
  /** An empty directory of its own, removed afterwards. */
  readonly directory: string;
  readonly sizes: BenchSizes;
  /** How a server process is started. */
  readonly program: Program;
  /** Fires when the user has had enough. */
  readonly signal: AbortSignal;
  /** Says what is going on to whoever waits. */
  readonly progress: (text: string) => void;
}

/** A figure, or several under their keys or in a row; a `bigint` is printed as a decimal string. */
export type Figure = string | number | bigint | boolean | null | Figures | readonly Figure[];

/** Figures under snake_case keys. */
export interface Figures {
  readonly [key: string]: Figure;
}

/** What came out of one scenario. */
export interface ScenarioReport {
  readonly scenario: string;
  /** Whether every command was on the disk, written and synced, before its answer counted. */
  readonly durable: boolean;
  /** What was measured, in a sentence or two for somebody who sees it for the first time. */
  readonly says: string;
  /** Rows for people; the first one has the names of the columns. */
  readonly table: readonly (readonly string[])[];
  /** What else to know about the figures. */
  readonly notes: readonly string[];
  /** The figures for programs, under keys that are only ever added. */
  readonly data: Figures;
}

/**
 * Lets the process look at its signals, which a scenario that never waits would keep it from.
 *
 * @param signal Fires when the user has had enough.
 * @returns How long that took, in milliseconds: not the scenario's time.
 * @throws {CliError} E_INTERRUPTED when the signal has fired.
 */
export async function pause(signal: AbortSignal): Promise<number> {
  const startMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (signal.aborted) throw interrupted();
  return performance.now() - startMs;
}

/** The error of a run that the user has ended. */
export function interrupted(): CliError {
  return new CliError("E_INTERRUPTED", "interrupted while measuring");
}

/**
 * A result that no correct build gives: the figures would mean nothing.
 *
 * @param scenario Which scenario.
 * @param step Where in it.
 * @param found What came back instead of what must.
 */
export function invariantViolation(scenario: string, step: string, found: string): CliError {
  return new CliError("E_BUG", `invariant violation in ${scenario}, ${step}: ${found}`);
}
