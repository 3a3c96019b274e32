/** Everything that can be said of one history, together: linearizability, the release-blocking checks, and coverage. */
import type { Value } from "../history/model.ts";
import type { OperationKey } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import type { CheckResult, Judgement } from "./judgement.ts";
import type { Algorithm } from "./models/verdict.ts";
import type { ReservationBounds } from "./reservation/verdict.ts";

/** How far the checkers may go, what they may assume, and what has to be there. */
export interface JudgeOptions {
  /** Steps of the search for an order, in all partitions together; default {@linkcode STEPS_MAX}. */
  readonly stepsMax?: number;
  /** Configurations remembered at a time; the checkers' defaults unless told. */
  readonly configurationsMax?: number;
  /** Histories tried while shrinking a counterexample; 0 leaves it as it is. */
  readonly shrinkRunsMax?: number;
  /** Asked now and then; true ends the search as if `stepsMax` were reached. Makes the verdict depend on it. */
  readonly isOverTime?: () => boolean;
  /** Whether to try the order of the lsns first (default). Of reservations only. */
  readonly useWitness?: boolean;
  /** Stands above the bounds of the history's header. Of reservations only. */
  readonly bounds?: ReservationBounds;
  /** Of other models: see `models/verdict.ts`. */
  readonly init?: Value;
  readonly failedOps?: "drop" | "check";
  readonly nilRead?: "value" | "unknown";
  readonly algorithm?: Algorithm;
  /** Whether operations that stay in doubt are a violation; default: of runs of the harness and of histories without invocations. */
  readonly mustResolve?: boolean;
  /** Whether it is proved, by the logs of all replicas, that an operation in doubt never happened and never will. */
  readonly isAbsent?: (key: OperationKey) => boolean;
  /** Further checks that count like those made here, such as those on evidence. */
  readonly evidence?: readonly CheckResult[];
  /** Coverage figures that have to be reached, by name. */
  readonly minimum?: Readonly<Record<string, number>>;
}

/** Steps of the search that take seconds, not minutes. */
export const STEPS_MAX = 100_000_000;

/** Judges a recording. Pure, but for `isOverTime`. */
export function judge(_recording: Recording, _options: JudgeOptions = {}): Judgement {
  throw new Error("not written yet");
}
