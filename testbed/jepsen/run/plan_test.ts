// The matrix is a contract with whoever reads release evidence: the exact lines, in the exact order.
import { assertEquals, assertThrows } from "@std/assert";
import { ALL_RUNS, findCombination, findRun, planLine, UnknownRunError } from "./plan.ts";

const LINES = [
  "run_id=reservation_contention-control workload=reservation_contention nemesis=none minimum_fault_window_secs=none release_blocking=true",
  "run_id=reservation_contention-crash-restart workload=reservation_contention nemesis=crash_restart minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=reservation_contention-partition-heal workload=reservation_contention nemesis=partition_heal minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=ambiguous_write_retry-control workload=ambiguous_write_retry nemesis=none minimum_fault_window_secs=none release_blocking=true",
  "run_id=ambiguous_write_retry-crash-restart workload=ambiguous_write_retry nemesis=crash_restart minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=ambiguous_write_retry-partition-heal workload=ambiguous_write_retry nemesis=partition_heal minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=failover_read_fences-control workload=failover_read_fences nemesis=none minimum_fault_window_secs=none release_blocking=true",
  "run_id=failover_read_fences-crash-restart workload=failover_read_fences nemesis=crash_restart minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=failover_read_fences-partition-heal workload=failover_read_fences nemesis=partition_heal minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=expiration_and_recovery-control workload=expiration_and_recovery nemesis=none minimum_fault_window_secs=none release_blocking=true",
  "run_id=expiration_and_recovery-crash-restart workload=expiration_and_recovery nemesis=crash_restart minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=expiration_and_recovery-partition-heal workload=expiration_and_recovery nemesis=partition_heal minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=ambiguous_write_retry-mixed-failover workload=ambiguous_write_retry nemesis=mixed_failover minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=failover_read_fences-mixed-failover workload=failover_read_fences nemesis=mixed_failover minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=expiration_and_recovery-mixed-failover workload=expiration_and_recovery nemesis=mixed_failover minimum_fault_window_secs=1800 release_blocking=true",
  "run_id=lease_safety-control workload=lease_safety nemesis=none minimum_fault_window_secs=none release_blocking=false",
  "run_id=lease_safety-crash-restart workload=lease_safety nemesis=crash_restart minimum_fault_window_secs=1800 release_blocking=false",
];

Deno.test("planLine() prints the matrix and then the supplementary runs", () => {
  assertEquals(ALL_RUNS.map(planLine), LINES);
});

Deno.test("findRun() finds every run by its id and refuses an unknown one with the nearest", () => {
  for (const run of ALL_RUNS) assertEquals(findRun(run.runId), run);
  const error = assertThrows(() => findRun("failover_read_fence-control"), UnknownRunError);
  assertEquals(error.message, 'unknown Jepsen run id "failover_read_fence-control"');
  assertEquals(error.hint.startsWith("did you mean failover_read_fences-control"), true);
  const far = assertThrows(() => findRun("zzz"), UnknownRunError);
  assertEquals(far.hint, "`allocdb jepsen plan` lists them");
});

Deno.test("findRun() suggests underscores where hyphens were typed", () => {
  const error = assertThrows(() => findRun("lease_safety-crash_restart"), UnknownRunError);
  assertEquals(error.hint, "did you mean lease_safety-crash-restart?");
});

Deno.test("combinations that do not exist are errors of their own", () => {
  const hint = "there are lease_safety-control, lease_safety-crash-restart";
  for (const nemesis of ["partition_heal", "mixed_failover"] as const) {
    const error = assertThrows(() => findCombination("lease_safety", nemesis), UnknownRunError);
    assertEquals(error.message, `the matrix has no run of lease_safety under ${nemesis}`);
    assertEquals(error.hint, hint);
  }
  const error = assertThrows(
    () => findRun("reservation_contention-mixed-failover"),
    UnknownRunError,
  );
  assertEquals(error.message.includes("no run of reservation_contention"), true);
});
