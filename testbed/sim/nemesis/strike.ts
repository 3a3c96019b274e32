/** What can go wrong in a life, as plain data. Source: docs/simulator.md#faults. */

/** Every kind of fault; what each does is in the table of the file named here. */
export const FAULTS = [
  // process_faults.ts
  "crash",
  "crash_primary",
  "crash_majority",
  "power_failure",
  "kill",
  "kill_again",
  "outage",
  "pause",
  "pause_primary",
  "pause_majority",
  "version_skew",
  // network_faults.ts
  "partition",
  "isolate_primary",
  "bridge",
  "ring",
  "cut_one_way",
  "deaf",
  "mute",
  "stuck",
  "clog",
  "narrow",
  "swizzle",
  "storm",
  "usurp",
  // clock_faults.ts
  "clock_jump",
  "clock_pace",
  "clock_restart",
  "suspend",
  // disk_faults.ts
  "crash_midway",
  "slow_disk",
  "disk_fault",
  "full_disk",
  "wipe",
  // storage_faults.ts
  "rot",
  "latent",
  "misdirect",
  "lost_write",
  "torn_crash",
  "capacity",
  "fsync",
  "eio",
  // operator_faults.ts
  "view_change",
  "checkpoint",
  // plots.ts
  "forget_committed",
  "forget_view",
  "late_answers",
  "old_answers",
] as const;

/** One of {@linkcode FAULTS}. */
export type FaultName = typeof FAULTS[number];

/** Faults that are several things one after the other. */
export const PLOTS: ReadonlySet<FaultName> = new Set<FaultName>([
  "usurp",
  "forget_committed",
  "forget_view",
  "late_answers",
  "old_answers",
]);

/** Faults that take or change what was durable, of a plan's victims more than of others. Source: `fault_atlas.ts`. */
export const DURABLE_FAULTS: ReadonlySet<FaultName> = new Set<FaultName>([
  "wipe",
  "rot",
  "latent",
  "misdirect",
  "lost_write",
  "forget_committed",
  "forget_view",
]);

/**
 * Faults that a lease does not survive: a clock that leaps or stands still breaks the promise that clocks run at
 * somewhat different paces, on which leases rest. Lives with leases go without them.
 */
export const LEASELESS_FAULTS: ReadonlySet<FaultName> = new Set<FaultName>([
  "clock_jump",
  "suspend",
]);

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
