// What a report says would do the run again has to be a command that is understood, and asks for the same run.
import { assertEquals } from "@std/assert";
import { ownRun, type RunOptions } from "./options.ts";
import { ALL_RUNS, findRun } from "./plan.ts";
import { reproduce, type Reproduced } from "./reproduce.ts";
import { faultWindow } from "./window.ts";

function optionsOf(
  choice: RunOptions["choice"],
  plannedSecs: number | undefined,
  overrideSecs?: number,
): Reproduced {
  return {
    ...{ choice, window: faultWindow(plannedSecs, overrideSecs), backendName: "local" },
    ...{ outputRoot: "out", seed: 7, clients: 4, ratePerSecond: 50, controlSecs: 9 },
    program: { path: undefined, sha256: undefined, isShipped: true },
  };
}

const REST = "--seed 7 --clients 4 --rate 50";

Deno.test("reproduce() names every run of the plan, and its override before it", () => {
  for (const run of ALL_RUNS) {
    const secs = run.minimumFaultWindowSecs;
    const command = `allocdb jepsen run --run-id ${run.runId} ${REST}` +
      (secs === undefined ? " --control-time 9s" : "");
    assertEquals(reproduce(optionsOf(run, secs)), command);
    const override = secs === undefined ? "" : "ALLOCDB_JEPSEN_FAULT_WINDOW_SECS_OVERRIDE=20 ";
    assertEquals(reproduce(optionsOf(run, secs, 20)), `${override}${command}`);
  }
});

Deno.test("reproduce() spells out a run of one's own, also one that has the name of another", () => {
  const named = ownRun("expiration_and_recovery", "crash_restart");
  const planned = findRun("expiration_and_recovery-crash-restart");
  assertEquals([named.runId, named.isReleaseBlocking], [planned.runId, false]);
  assertEquals(
    reproduce(optionsOf(named, 20)),
    `allocdb jepsen run --workload expiration_and_recovery --nemesis crash_restart --window 20s ${REST}`,
  );
  assertEquals(
    reproduce(optionsOf(ownRun("lease_safety", "storm"), 60)),
    `allocdb jepsen run --workload lease_safety --nemesis storm --window 60s ${REST}`,
  );
});

Deno.test("reproduce() quotes what a shell would take apart", () => {
  const options = optionsOf(ownRun("lease_safety", "storm"), 60);
  const program = { ...options.program, path: "my build/allocdb" };
  assertEquals(
    reproduce({ ...options, program }).slice(-"--program 'my build/allocdb'".length),
    "--program 'my build/allocdb'",
  );
});
