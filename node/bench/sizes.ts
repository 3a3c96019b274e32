/** How much each scenario does. The reference scenarios have flags of their own instead. */

/** Counts and times of one run. */
export interface BenchSizes {
  readonly engineResources: number;
  /** Reservations that are held at any time while all resources are wanted. */
  readonly engineHeld: number;
  /** Resources that are wanted when few are; half of them are held. */
  readonly engineHot: number;
  /** Commands for each slot of the engine's clock: 10,000 in 10 ms are a million in a second. */
  readonly engineCommandsPerSlot: number;
  /** Commands of each of the two, after the tables have filled up to where they stay. */
  readonly engineCommands: number;
  /** Each load of the throughput scenario, after the warm-up. */
  readonly loadSeconds: number;
  readonly warmupSeconds: number;
  readonly connections: number;
  readonly batchCommands: number;
  /** One command at a time, in turns with the bare disk. */
  readonly latencySeconds: number;
  /** Each of the fixed rates. */
  readonly rateSeconds: number;
  /** Commands per second that arrive whether or not earlier ones were answered. */
  readonly ratesPerSecond: readonly number[];
  /** Entries of the log that is read back. */
  readonly recoveryFrames: number;
  /** Resources, and as many confirmed reservations, in the snapshot. */
  readonly checkpointRecords: number;
  /** Load before the checkpoint starts, to compare with. */
  readonly checkpointBaselineSeconds: number;
}

/** For a scenario that is asked for by name. */
export const FULL_SIZES: BenchSizes = {
  engineResources: 1_000_000,
  engineHeld: 65_536,
  engineHot: 1_000,
  engineCommandsPerSlot: 10_000,
  engineCommands: 12_000_000,
  loadSeconds: 5,
  warmupSeconds: 1,
  connections: 256,
  batchCommands: 1_024,
  latencySeconds: 10,
  rateSeconds: 5,
  ratesPerSecond: [1_000, 10_000, 30_000],
  recoveryFrames: 1_000_000,
  checkpointRecords: 1_000_000,
  checkpointBaselineSeconds: 2,
};

/** For a run of every scenario, in about a minute. */
export const SHORT_SIZES: BenchSizes = {
  ...FULL_SIZES,
  engineCommands: 4_000_000,
  loadSeconds: 2,
  warmupSeconds: 0.5,
  latencySeconds: 4,
  rateSeconds: 1.5,
  checkpointBaselineSeconds: 1,
};
