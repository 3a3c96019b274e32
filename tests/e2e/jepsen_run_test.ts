// The whole way on a real cluster, in short: runs without faults and through a storm pass and leave a bundle that stands every
// check; a run that is broken off keeps what it saw and says that it failed. Longer runs: `allocdb jepsen run`.
//
// ALLOCDB_BIN=dist/allocdb for the compiled program.
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { join, resolve } from "@std/path";
import { LocalBackend } from "../../testbed/jepsen/backend/local/local_backend.ts";
import { READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";
import { checkBundle } from "../../testbed/jepsen/run/check_bundle.ts";
import { ownRun, type RunOptions } from "../../testbed/jepsen/run/options.ts";
import { runPaths } from "../../testbed/jepsen/run/paths.ts";
import { findRun } from "../../testbed/jepsen/run/plan.ts";
import { programUnderTest } from "../../testbed/jepsen/run/program.ts";
import { runOne, type RunOutcome } from "../../testbed/jepsen/run/run.ts";
import { tryCluster } from "../../testbed/jepsen/run/surface.ts";
import { faultWindow } from "../../testbed/jepsen/run/window.ts";
import { parseEvents, parseStatus } from "../../testbed/jepsen/watch/run_files.ts";
import { TemporaryDirectory } from "./server_process.ts";

const PROGRAM = resolve(Deno.env.get("ALLOCDB_BIN") ?? "cli.ts");

interface Ran {
  readonly outcome: RunOutcome;
  readonly status: ReadonlyMap<string, string>;
  readonly events: readonly string[];
  readonly outputRoot: string;
}

async function run(
  root: string,
  runId: string,
  change: Partial<RunOptions> & { readonly windowSecs?: number },
): Promise<Ran> {
  const choice = change.choice ?? findRun(runId);
  const outputRoot = join(root, "out");
  const planned = change.choice === undefined ? findRun(runId).minimumFaultWindowSecs : undefined;
  const outcome = await runOne({
    ...{ choice, window: faultWindow(planned, change.windowSecs) },
    backend: (workspace, notice) => new LocalBackend({ workspace, notice, program: PROGRAM }),
    ...{ backendName: "local", workspace: join(root, "ws"), outputRoot, seed: 5, controlSecs: 4 },
    ...{ program: await programUnderTest(PROGRAM), ...change },
  });
  const paths = runPaths(outputRoot, runId, "local", 0);
  const status = parseStatus(await Deno.readTextFile(paths.status));
  assertEquals(status, parseStatus(await Deno.readTextFile(paths.latestStatus)));
  const events = parseEvents(await Deno.readTextFile(paths.events)).map(({ detail }) => detail);
  return { outcome, status, events, outputRoot };
}

/** Each replica was read from by itself: whoever was primary answered, and the others said that they are not. */
async function verifyReaders(path: string): Promise<void> {
  const { operations, processNames } = await readHistory(path, READ_DEFAULTS);
  const said = operations.flatMap(({ process, outcome, servedBy }) => {
    const [, replica] = /^replica ([0-9]+) reader/.exec(processNames.get(process) ?? "") ?? [];
    if (replica === undefined || outcome.kind === "info") return [];
    assertEquals(servedBy?.replicaId, Number(replica));
    return [outcome.kind === "ok" ? "answered" : `${replica} ${outcome.reason}`];
  });
  assert(said.includes("answered"), "no replica answered");
  const refusing = new Set(said.filter((text) => text.endsWith("not_primary")));
  assertGreaterOrEqual(refusing.size, 2);
}

Deno.test("runOne() without faults passes, and its bundle stands every check", async () => {
  using directory = new TemporaryDirectory();
  const { outcome, status, events } = await run(directory.path, "lease_safety-control", {});
  assertEquals([outcome.error, outcome.verdict], [undefined, "valid"]);
  assertMatch(outcome.report, /^release_gate=passed\n/);
  assertEquals([outcome.state, status.get("state"), status.get("phase")], [
    ...["passed", "passed", "completed"],
  ]);
  assertGreater(outcome.attempts, 500);
  assertEquals(outcome.isGateEvidence, false);
  assertMatch(outcome.gateEvidenceReason, /the run is none of the release matrix/);
  const { manifest, problems } = await checkBundle(outcome.bundle!);
  assertEquals(problems, []);
  assertEquals(manifest?.verdict, "valid");
  assertEquals(manifest?.settings.seed, 5);
  for (const detail of ["run initialized", "analyzing Jepsen history", "run completed"]) {
    assert(events.includes(detail), `no event: ${detail}`);
  }
  await verifyReaders(join(outcome.bundle!, "history.cbor"));
  // The cluster has been ended, and can be tried again as often as one likes.
  const backend = (): LocalBackend =>
    new LocalBackend({ workspace: join(directory.path, "ws"), program: PROGRAM });
  const first = await tryCluster(backend());
  const again = await tryCluster(backend());
  assertEquals(first.replicas.length, 3);
  assertGreater(again.probeLsn, first.probeLsn);
});

Deno.test("runOne() passes through a storm, and its report says how long nobody served", async () => {
  using directory = new TemporaryDirectory();
  const choice = ownRun("ambiguous_write_retry", "storm");
  const { outcome } = await run(directory.path, choice.runId, {
    ...{ choice, window: faultWindow(12, undefined), seed: 4 },
  });
  assertEquals([outcome.error, outcome.verdict], [undefined, "valid"]);
  const { bundle, faults } = outcome;
  assertGreater(faults, 3);
  const { strikes, report } = JSON.parse(Deno.readTextFileSync(join(bundle!, "nemesis.json")));
  assertGreater(strikes.length, 2);
  assertGreater(report.windowMs, 12_000 - 1);
  const { retries } = JSON.parse(Deno.readTextFileSync(join(bundle!, "workload.json")));
  assertGreater(retries, 100);
  const { outages } = JSON.parse(Deno.readTextFileSync(join(bundle!, "report.json")));
  assertGreaterOrEqual(outages.length, faults);
  assertEquals((await checkBundle(bundle!)).problems, []);
  for (const { unserved_ns } of outages) assertGreater(unserved_ns, 0);
});

Deno.test("runOne() that is broken off keeps and judges what it saw, and says that it failed", async () => {
  using directory = new TemporaryDirectory();
  const stop = new AbortController();
  const runId = "ambiguous_write_retry-crash-restart";
  const { outcome, status, events } = await run(directory.path, runId, {
    ...{ windowSecs: 120, signal: stop.signal },
    onEvent: (detail) => {
      if (detail.startsWith("strike 1 ")) stop.abort();
    },
  });
  assertEquals([outcome.state, status.get("state"), status.get("phase")], [
    ...["error", "failed", "failed"],
  ]);
  assertEquals(status.get("last_error"), outcome.error);
  assertEquals(status.get("fault_window_overridden"), "true");
  assertEquals(events.at(-1), `error: ${outcome.error}`);
  assert(outcome.verdict !== undefined, "nothing was judged");
  assertMatch(outcome.gateEvidenceReason, /^the run broke off; /);
  const { manifest, problems } = await checkBundle(outcome.bundle!);
  assertEquals(problems, []);
  assertEquals(manifest?.faultWindowOverrideSecs, 120);
  assertEquals(manifest?.facts.problem, outcome.error);
});

Deno.test("runOne() that cannot even write down any more how it goes ends its cluster all the same", async () => {
  using directory = new TemporaryDirectory();
  let isBroken = false;
  let backend: LocalBackend | undefined;
  const running = run(directory.path, "lease_safety-control", {
    ...{ controlSecs: 60 },
    backend: (workspace, notice) =>
      backend = new LocalBackend({ workspace, notice, program: PROGRAM }),
    onEvent: (detail) => isBroken ||= detail.startsWith("control elapsed"),
    nowMillis: () => {
      if (isBroken) throw new Error("nothing can be written");
      return Date.now();
    },
  });
  await assertRejects(() => running, Error, "nothing can be written");
  const states = (await backend!.statuses()).map(({ state }) => state);
  assertEquals(states, ["stopped", "stopped", "stopped"]);
});
