/**
 * The runs that decide on a release, and two beside them: which family of clients meets which nemesis, and how long faults
 * have to go on. Names of runs have hyphens, names of families and nemeses underscores.
 */
import { nearest } from "../../../node/nearest.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "../workload/workload_name.ts";

/** Nemeses of the matrix; a run of one's own may have others. */
export type MatrixNemesis = "none" | "crash_restart" | "partition_heal" | "mixed_failover";

/** One run of the matrix. */
export interface PlannedRun {
  readonly runId: string;
  readonly workload: WorkloadName;
  readonly nemesis: MatrixNemesis;
  /** How long faults have to go on after the first one; undefined for runs without. */
  readonly minimumFaultWindowSecs: number | undefined;
  readonly isReleaseBlocking: boolean;
}

/** A run that is not in the matrix. */
export class UnknownRunError extends Error {
  override readonly name = "UnknownRunError";
  /** What to try instead. */
  readonly hint: string;

  /**
   * @param message What was asked for.
   * @param hint What there is.
   */
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

const FAULT_WINDOW_SECS = 1800;

/** The release gate's runs in the order in which they are listed. */
export const MATRIX: readonly PlannedRun[] = [
  planned("reservation_contention", "none"),
  planned("reservation_contention", "crash_restart"),
  planned("reservation_contention", "partition_heal"),
  planned("ambiguous_write_retry", "none"),
  planned("ambiguous_write_retry", "crash_restart"),
  planned("ambiguous_write_retry", "partition_heal"),
  planned("failover_read_fences", "none"),
  planned("failover_read_fences", "crash_restart"),
  planned("failover_read_fences", "partition_heal"),
  planned("expiration_and_recovery", "none"),
  planned("expiration_and_recovery", "crash_restart"),
  planned("expiration_and_recovery", "partition_heal"),
  planned("ambiguous_write_retry", "mixed_failover"),
  planned("failover_read_fences", "mixed_failover"),
  planned("expiration_and_recovery", "mixed_failover"),
];

/** Runs that are no part of the gate. */
export const SUPPLEMENTARY: readonly PlannedRun[] = [
  { ...planned("lease_safety", "none"), isReleaseBlocking: false },
  { ...planned("lease_safety", "crash_restart"), isReleaseBlocking: false },
];

/** Everything that has a name. */
export const ALL_RUNS: readonly PlannedRun[] = [...MATRIX, ...SUPPLEMENTARY];

/** The name of a run, which is the name of its files, too. */
export function runIdOf(workload: string, nemesis: string): string {
  return `${workload}-${nemesis === "none" ? "control" : nemesis.replaceAll("_", "-")}`;
}

/** One line as `jepsen plan` prints it. */
export function planLine(run: PlannedRun): string {
  return `run_id=${run.runId} workload=${run.workload} nemesis=${run.nemesis}` +
    ` minimum_fault_window_secs=${run.minimumFaultWindowSecs ?? "none"}` +
    ` release_blocking=${run.isReleaseBlocking}`;
}

/**
 * The run of a name.
 *
 * @throws {UnknownRunError} When there is none; the hint has the nearest names.
 */
export function findRun(runId: string): PlannedRun {
  const found = ALL_RUNS.find((run) => run.runId === runId);
  if (found !== undefined) return found;
  throw missingRun(runId);
}

/**
 * The run of a family under a nemesis.
 *
 * @throws {UnknownRunError} When the matrix has no such run.
 */
export function findCombination(workload: WorkloadName, nemesis: MatrixNemesis): PlannedRun {
  const found = ALL_RUNS.find((run) => run.workload === workload && run.nemesis === nemesis);
  if (found !== undefined) return found;
  throw noSuchCombination(workload, nemesis);
}

function planned(workload: WorkloadName, nemesis: MatrixNemesis): PlannedRun {
  return {
    runId: runIdOf(workload, nemesis),
    workload,
    nemesis,
    minimumFaultWindowSecs: nemesis === "none" ? undefined : FAULT_WINDOW_SECS,
    isReleaseBlocking: true,
  };
}

/** A name that could be a run but is none says which runs its family has; any other says what it resembles. */
function missingRun(runId: string): UnknownRunError {
  for (const workload of WORKLOAD_NAMES) {
    const nemesis = runId.slice(workload.length + 1).replaceAll("-", "_");
    const isCombination = ["partition_heal", "mixed_failover"].includes(nemesis);
    if (runId.startsWith(`${workload}-`) && isCombination) {
      return noSuchCombination(workload, nemesis);
    }
  }
  const quoted = JSON.stringify(runId.slice(0, 100));
  return new UnknownRunError(`unknown Jepsen run id ${quoted}`, nearestHint(runId));
}

function noSuchCombination(workload: string, nemesis: string): UnknownRunError {
  const others = ALL_RUNS.filter((run) => run.workload === workload).map(({ runId }) => runId);
  const message = `the matrix has no run of ${workload} under ${nemesis}`;
  return new UnknownRunError(message, `there are ${others.join(", ")}`);
}

function nearestHint(runId: string): string {
  const typed = runId.slice(0, 64).replaceAll(/[\s_]+/g, "_");
  let left = ALL_RUNS.map((run) => run.runId);
  const guesses: string[] = [];
  for (
    let guess = nearest(typed, left);
    guess && guesses.length < 3;
    guess = nearest(typed, left)
  ) {
    guesses.push(guess);
    left = left.filter((id) => id !== guess);
  }
  for (const id of left) {
    if (guesses.length < 3 && typed.length > 3 && id.startsWith(typed)) guesses.push(id);
  }
  return guesses.length === 0
    ? "`allocdb jepsen plan` lists them"
    : `did you mean ${guesses.join(", ")}?`;
}
