/** What can go wrong in a life, as plain data. */

/** Every kind of fault. */
export const FAULTS = [
  "crash",
  "kill",
  "crash_primary",
  "power_failure",
  "crash_midway",
  "pause",
  "pause_primary",
  "partition",
  "isolate_primary",
  "usurp",
  "cut_one_way",
  "storm",
  "slow_disk",
  "disk_fault",
  "full_disk",
  "view_change",
  "checkpoint",
  "wipe",
  "rot",
] as const;

/** One of {@linkcode FAULTS}. */
export type FaultName = typeof FAULTS[number];

/**
 * One thing that goes wrong. What a strike leaves to chance is drawn from its own seed when it happens, so that
 * taking one away leaves the choices of all others as they were.
 */
export interface Strike {
  /** Virtual milliseconds after the beginning. */
  readonly atMs: number;
  readonly fault: FaultName;
  /** Any 32-bit number. */
  readonly seed: number;
  /** How long it lasts at most, in milliseconds, for faults that last. */
  readonly forMs: number;
}
