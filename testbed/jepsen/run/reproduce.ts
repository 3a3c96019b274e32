/** The command line that does a run again. */
import { shellCommand } from "../../../node/cli/text.ts";
import { type RunOptions, settingsOf } from "./options.ts";
import { ALL_RUNS } from "./plan.ts";
import { WINDOW_OVERRIDE_VARIABLE } from "./window.ts";

/** What has to be known of a run. */
export type Reproduced = Omit<RunOptions, "backend" | "workspace">;

/** For a shell, with the seed and whatever else decides what clients and nemesis do. */
export function reproduce(options: Reproduced): string {
  const { window, program } = options;
  const { seed, clients, ratePerSecond, controlSecs } = settingsOf(options);
  const isNamed = isOfPlan(options);
  const command = shellCommand([
    ...["allocdb", "jepsen", "run", ...isNamed ? ["--run-id", options.choice.runId] : own(options)],
    ...["--seed", `${seed}`, "--clients", `${clients}`, "--rate", `${ratePerSecond}`],
    ...window.secs === undefined ? ["--control-time", `${controlSecs}s`] : [],
    ...program.path === undefined ? [] : ["--program", program.path],
  ]);
  return isNamed && window.overrideSecs !== undefined
    ? `${WINDOW_OVERRIDE_VARIABLE}=${window.overrideSecs} ${command}`
    : command;
}

/** Whether a name says it all: a run of one's own may have the name of another one, and any window. */
function isOfPlan({ choice, window }: Reproduced): boolean {
  const { runId, workload, nemesis } = choice;
  return ALL_RUNS.some((run) =>
    run.runId === runId && run.workload === workload && run.nemesis === nemesis &&
    run.minimumFaultWindowSecs === window.plannedSecs
  );
}

function own({ choice: { workload, nemesis }, window }: Reproduced): readonly string[] {
  const length = window.secs === undefined ? [] : ["--window", `${window.secs}s`];
  return ["--workload", workload, "--nemesis", nemesis, ...length];
}
