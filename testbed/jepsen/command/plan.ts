/** `jepsen plan`: the runs that decide on a release. */
import type { CliIo } from "../../../node/cli/io.ts";
import type { JepsenRequest } from "../../../node/cli/jepsen_options.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { ALL_RUNS, planLine } from "../run/plan.ts";

/** Prints the matrix. */
export function showPlan(
  { json }: Extract<JepsenRequest, { readonly verb: "plan" }>,
  io: CliIo,
): void {
  if (!json) return io.out.write(ALL_RUNS.map((run) => `${planLine(run)}\n`).join(""));
  const runs = ALL_RUNS.map((run) => ({
    run_id: run.runId,
    workload: run.workload,
    nemesis: run.nemesis,
    minimum_fault_window_secs: run.minimumFaultWindowSecs ?? null,
    release_blocking: run.isReleaseBlocking,
  }));
  io.out.write(jsonText({ version: 1, runs }, 2));
}
