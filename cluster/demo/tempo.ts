/** How long the acts of the demo take. What is waited for ends when it is there; these are only for the eye. */

/** Times in milliseconds; shares of the seats from 0 to 1. */
export interface Tempo {
  /** How long an unpaid hold lasts: longer than most outages, so that most who mean to pay can. */
  readonly holdMs: number;
  /** How long selling everything shall take while nothing goes wrong. */
  readonly saleMs: number;
  readonly killAtShare: number;
  /** When the primary is killed at the latest, after the doors opened. */
  readonly killWithinMs: number;
  /** How long the audience looks at what has happened. */
  readonly lookMs: number;
  readonly partitionAtShare: number;
  /** When the network is split at the latest, after the killed replica was back. */
  readonly partitionWithinMs: number;
  /** When the doors close at the latest, after the network was whole again. */
  readonly closesWithinMs: number;
}

/** For people. */
export const SLOW: Tempo = {
  holdMs: 3_000,
  saleMs: 12_000,
  killAtShare: 0.25,
  killWithinMs: 4_000,
  lookMs: 1_200,
  partitionAtShare: 0.6,
  partitionWithinMs: 2_500,
  closesWithinMs: 4_500,
};

/** For programs. */
export const FAST: Tempo = {
  holdMs: 1_500,
  saleMs: 3_000,
  killAtShare: 0.3,
  killWithinMs: 1_200,
  lookMs: 30,
  partitionAtShare: 0.65,
  partitionWithinMs: 800,
  closesWithinMs: 1_500,
};
