/** Whether a run says anything about a release: only one that was long, hard and of the shipped program does. */
import type { WorkloadCounts } from "../workload/counts.ts";
import type { FaultWindow } from "./window.ts";

/** What is known of a run that came to its end. */
export interface RunFacts {
  readonly window: FaultWindow;
  /** Whether the window was reached after the first fault. */
  readonly isWindowReached: boolean;
  /** Faults that took hold. */
  readonly faults: number;
  /** Whether the replicas under test are those of this very program, compiled. */
  readonly isShippedProgram: boolean;
  /** Whether the run is one of the release matrix, by its own name. */
  readonly isInMatrix: boolean;
  /** What the matrix asks of this run. */
  readonly minimumSecs: number | undefined;
  readonly counts: WorkloadCounts;
  /** Seconds of load. */
  readonly loadSecs: number;
  /** Coverage figures that were not reached, in words. */
  readonly missingCoverage: readonly string[];
}

/** Operations a second that were answered, at least: a cluster that answers next to nothing proves next to nothing. */
const OK_PER_SECOND_MIN = 5;
/** How long a run without faults has to load the cluster, at least, in seconds. */
const CONTROL_SECS_MIN = 30;
/** Of the operations that a run of seconds must have, whatever it is. */
const OK_MIN = 100;
/** What must have been answered at least once. */
const KINDS = ["reserve", "reserve_bundle", "confirm", "release", "get_resource"] as const;

/** Why a run is no evidence for the release gate; none when it is. */
export function ineligibilities(facts: RunFacts): readonly string[] {
  const { window, counts } = facts;
  const reasons: string[] = [];
  if (!facts.isInMatrix) reasons.push("the run is none of the release matrix");
  if (!facts.isShippedProgram) {
    reasons.push("the program under test is not the compiled one that judged");
  }
  if (window.overrideSecs !== undefined) {
    reasons.push(`the fault window was set to ${window.overrideSecs} s by hand`);
  }
  reasons.push(...tooShort(facts));
  if (window.secs !== undefined && facts.faults === 0) reasons.push("the nemesis did nothing");
  if (!facts.isWindowReached) reasons.push("the fault window was not reached");
  const least = Math.max(OK_MIN, Math.floor(facts.loadSecs * OK_PER_SECOND_MIN));
  if (counts.ok < least) reasons.push(`${counts.ok} operations were answered, fewer than ${least}`);
  const missing = KINDS.filter((kind) => (counts.byKind[kind]?.ok ?? 0) === 0);
  if (missing.length > 0) reasons.push(`nothing was answered to ${missing.join(", ")}`);
  if (counts.unresolved > 0) reasons.push(`${counts.unresolved} outcomes are unknown`);
  return [...reasons, ...facts.missingCoverage];
}

/** A run of one's own may have the name of one of the matrix, and any window. */
function tooShort({ window, minimumSecs, loadSecs }: RunFacts): readonly string[] {
  if (window.secs === undefined) {
    const load = Math.floor(loadSecs);
    return load >= CONTROL_SECS_MIN
      ? []
      : [`load went on for ${load} s, less than ${CONTROL_SECS_MIN} s`];
  }
  if (minimumSecs === undefined || window.overrideSecs !== undefined) return [];
  return window.secs >= minimumSecs
    ? []
    : [`the fault window of ${window.secs} s is shorter than the ${minimumSecs} s of the matrix`];
}
