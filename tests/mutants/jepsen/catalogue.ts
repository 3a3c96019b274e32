/**
 * Every bug that is planted in replicas of a real cluster. Most are those that the simulator looks for, too. Each is treated
 * as it takes to show: a bug of commands under load alone, one of logs while replicas die or lose each other.
 */
import { MUTANTS } from "../catalogue.ts";
import type { Edit } from "../mutant.ts";
import { OWN_BUGS } from "./own_bugs.ts";
import type { RealMutant } from "./real_mutant.ts";

/** See the top of this file. */
export const REAL_MUTANTS: readonly RealMutant[] = [
  {
    ...known("read-without-a-round"),
    ...{ workload: "failover_read_fences", nemesis: "pause", windowSecs: 30 },
    checks: ["linearizability", "stale_successful_read"],
  },
  {
    ...known("read-from-any-replica"),
    ...{ workload: "failover_read_fences", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "stale_successful_read"],
  },
  {
    ...known("fence-ignored"),
    ...{ workload: "failover_read_fences", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "stale_successful_read"],
  },
  {
    ...known("retry-executes-again"),
    ...{ workload: "ambiguous_write_retry", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "duplicate_committed_execution"],
  },
  {
    ...known("conflict-told-as-success"),
    ...{ workload: "ambiguous_write_retry", nemesis: "none", windowSecs: 30 },
    checks: ["linearizability", "duplicate_committed_execution"],
  },
  {
    ...known("bundle-takes-one"),
    ...{ workload: "lease_safety", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "double_allocation"],
  },
  {
    ...known("double-allocation"),
    ...{ workload: "reservation_contention", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "double_allocation"],
  },
  {
    ...known("holder-not-checked"),
    ...{ workload: "lease_safety", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "stale_holder_not_rejected"],
  },
  {
    ...known("fencing-token-stays"),
    ...{ workload: "lease_safety", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "stale_holder_not_rejected"],
  },
  {
    ...known("expires-what-is-confirmed"),
    ...{ workload: "expiration_and_recovery", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "double_allocation"],
  },
  {
    ...known("quorum-off-by-one"),
    ...{ workload: "reservation_contention", nemesis: "partition_heal", windowSecs: 45 },
    checks: ["linearizability", "logs_agree"],
  },
  {
    ...known("apply-before-commit"),
    ...{ workload: "reservation_contention", nemesis: "partition_heal", windowSecs: 45 },
    checks: ["linearizability", "acknowledged_is_in_log"],
  },
  {
    ...known("shortest-log-wins"),
    ...{ workload: "ambiguous_write_retry", nemesis: "mixed_failover", windowSecs: 30 },
    checks: ["linearizability", "logs_agree"],
  },
  {
    ...known("uncommitted-replayed"),
    ...{ workload: "ambiguous_write_retry", nemesis: "mixed_failover", windowSecs: 20 },
    checks: ["logs_agree"],
  },
  ...OWN_BUGS,
];

/** A bug that the simulator looks for, too. */
function known(
  wanted: string,
): { readonly name: string; readonly what: string; readonly edits: readonly Edit[] } {
  const found = MUTANTS.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`No planted bug is called ${wanted}`);
  const { name, what, edits } = found;
  return { name, what, edits };
}
