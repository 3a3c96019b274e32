/** How long faults have to go on in a run, and who said so. */
import { CliError } from "../../../node/errors.ts";

/** Shortens, or lengthens, the window of runs with faults: for rehearsals. */
export const WINDOW_OVERRIDE_VARIABLE = "ALLOCDB_JEPSEN_FAULT_WINDOW_SECS_OVERRIDE";

/** What a timer can hold. */
const WINDOW_SECS_MAX = 2_000_000;

/** See the top of this file. */
export interface FaultWindow {
  /** What the run should have; undefined for runs without faults. */
  readonly plannedSecs: number | undefined;
  /** What it gets. */
  readonly secs: number | undefined;
  readonly overrideSecs: number | undefined;
}

/**
 * The override, if there is one.
 *
 * @param text Of the environment.
 * @throws {CliError} When it is no positive number of seconds.
 */
export function parseWindowOverride(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const secs = /^[0-9]{1,7}$/.test(text.trim()) ? Number(text) : 0;
  if (secs > 0 && secs <= WINDOW_SECS_MAX) return secs;
  const said = JSON.stringify(text.slice(0, 60));
  throw new CliError("E_BAD_NUMBER", `${WINDOW_OVERRIDE_VARIABLE}=${said} is no window`, {
    hint: `set it to a whole number of seconds from 1 to ${WINDOW_SECS_MAX}, or unset it`,
  });
}

/** The window of a run; an override is about runs with faults only. */
export function faultWindow(
  plannedSecs: number | undefined,
  overrideSecs: number | undefined,
): FaultWindow {
  if (plannedSecs === undefined) return { plannedSecs, secs: undefined, overrideSecs: undefined };
  return { plannedSecs, secs: overrideSecs ?? plannedSecs, overrideSecs };
}

/** Measured from the first fault that took hold, on one clock. */
export function isWindowReached(
  { secs }: FaultWindow,
  firstFaultNs: number | undefined,
  endNs: number,
): boolean {
  if (secs === undefined) return true;
  return firstFaultNs !== undefined && endNs - firstFaultNs >= secs * 1e9;
}
