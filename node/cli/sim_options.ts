/** What the command line hands to the simulator, already checked. */
import type { CliIo } from "./io.ts";
import type { Style } from "./output.ts";

/** Names for `--profile`. Source: docs/simulator.md#profiles. */
export const SIM_PROFILES = ["swarm", "calm", "lite", "ci", "single"] as const;

/** One of {@linkcode SIM_PROFILES}. */
export type SimProfile = typeof SIM_PROFILES[number];

/** Where something is written: to a file, or with everything else that the command has to say. */
export type Destination = { readonly file: string } | "output";

/** Which lives are lived. */
export type SimLives =
  /** The lives of `count` seeds in a row; absent for no end but the seeds'. */
  | { readonly kind: "seeds"; readonly from: number; readonly count: number | undefined }
  /** One life. */
  | { readonly kind: "seed"; readonly seed: number }
  /** The life that a file describes. */
  | { readonly kind: "plan"; readonly file: string }
  /** No life but a protocol script, which is played; with `updates` what happened is written into it. */
  | { readonly kind: "script"; readonly file: string; readonly updates: boolean }
  /** Seeds come on standard input, results go to standard output: for processes of this program. */
  | { readonly kind: "worker" };

/** `allocdb sim`. */
export interface SimOptions {
  readonly lives: SimLives;
  readonly profile: SimProfile;
  /** Processes that live lives; 1 is this one. */
  readonly jobs: number;
  /** Whether the first life that goes wrong is the last. */
  readonly untilFailure: boolean;
  /** Real milliseconds after which no further life begins. */
  readonly forMs?: number;
  /** Events after which a life is stopped. */
  readonly stepsMax?: number;
  /** Transcript of the one life. */
  readonly trace?: Destination;
  /** File for the timeline of the one life. */
  readonly html?: string;
  /** Virtual milliseconds around which the timeline has its messages. */
  readonly atMs?: number;
  /** Whether the one life is lived twice, and compared. */
  readonly twice: boolean;
  /** Where the time goes: a table, and the profile as a file. */
  readonly cost?: Destination;
  /** Directory for the plans and transcripts of lives that went wrong. */
  readonly out: string;
  /** Whether such a life is made shorter first. */
  readonly shrinks: boolean;
  readonly style: Style;
}

/** `runSim` of testbed/sim/main.ts. */
export type RunSim = (options: SimOptions, io: CliIo) => Promise<void>;
