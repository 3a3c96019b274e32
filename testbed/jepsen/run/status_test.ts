// A watcher sees a run only through these files: their text is a contract, and a run that is over stays as it ended.
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { parseEvents, parseStatus } from "../watch/run_files.ts";
import { runPaths } from "./paths.ts";
import { eventLine, type RunStatus, statusText } from "./status.ts";
import { Tracker } from "./tracker.ts";

const STATUS: RunStatus = {
  ...{ backend: "local", runId: "lease_safety-control", state: "failed", phase: "failed" },
  ...{ detail: "run failed", startedAtMillis: 1_000, updatedAtMillis: 62_999 },
  ...{ minimumFaultWindowSecs: undefined, historyEvents: 12, historyFile: "out/h.txt" },
  ...{ artifactBundle: undefined, logsArchive: undefined, releaseGatePassed: false, blockers: 3 },
  ...{ lastError: "line 1\nline 2 \\n", isWindowOverridden: false, workspace: "ws", seed: 7 },
  ...{ verdict: "invalid", isGateEvidence: false },
};

Deno.test("statusText() writes the runbook's keys in their order, and ours behind them", () => {
  assertEquals(
    statusText(STATUS).split("\n"),
    [
      "version=1",
      "backend=local",
      "run_id=lease_safety-control",
      "state=failed",
      "phase=failed",
      "detail=run failed",
      "started_at_millis=1000",
      "updated_at_millis=62999",
      "elapsed_secs=61",
      "minimum_fault_window_secs=none",
      "history_events=12",
      "history_file=out/h.txt",
      "artifact_bundle=none",
      "logs_archive=none",
      "release_gate_passed=false",
      "blockers=3",
      "last_error=line 1\\nline 2 \\\\n",
      "fault_window_overridden=false",
      "workspace=ws",
      "seed=7",
      "verdict=invalid",
      "gate_evidence=false",
      "",
    ],
  );
});

Deno.test("what a watcher reads is what was written, line breaks and backslashes included", () => {
  assertEquals(parseStatus(statusText(STATUS)).get("last_error"), STATUS.lastError);
  const detail = "a\\nb\nc \\";
  assertEquals(parseEvents(eventLine(17, detail)), [{ timeMillis: 17, detail }]);
});

Deno.test("runPaths() are the runbook's names, and of no other directory whatever the id is", () => {
  const paths = runPaths("root", "../a b", "local", 55);
  assertEquals(paths.status, join("root", "___a_b-status.txt"));
  assertEquals(paths.events, join("root", "___a_b-events.log"));
  assertEquals(paths.history, join("root", "___a_b-history.txt"));
  assertEquals(paths.logsArchive, join("root", "___a_b-local-logs.tar.gz"));
  assertEquals(paths.bundle, join("root", "___a_b-55"));
  assertEquals(paths.latestStatus, join("root", "allocdb-jepsen-latest-status.txt"));
  assertEquals(runPaths("root", "", "local", 5).status, join("root", "run-status.txt"));
});

function track(
  root: string,
  millis = { now: 1_000 },
): { tracker: Tracker; paths: ReturnType<typeof runPaths> } {
  const paths = runPaths(root, "r", "local", millis.now);
  const { state: _, phase: __, detail: ___, updatedAtMillis: ____, ...first } = STATUS;
  return { tracker: new Tracker(paths, first, () => millis.now++), paths };
}

Deno.test("Tracker keeps its status and the copy equal, and its events in a log that is only appended to", () => {
  const root = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(join(root, "r-events.log"), "time_millis=1 detail=of an earlier run\n");
    const { tracker, paths } = track(root);
    using _tracker = tracker;
    tracker.enter("verifying_surface", "verifying external surface");
    tracker.enter("executing", "executing Jepsen scenario");
    tracker.update({ historyEvents: 99 });
    const text = Deno.readTextFileSync(paths.status);
    assertEquals(text, Deno.readTextFileSync(paths.latestStatus));
    const status = parseStatus(text);
    assertEquals(status.get("phase"), "executing");
    assertEquals(status.get("history_events"), "99");
    assertEquals(parseEvents(Deno.readTextFileSync(paths.events)).map(({ detail }) => detail), [
      "of an earlier run",
      "run initialized",
      "verifying external surface",
      "executing Jepsen scenario",
    ]);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("Tracker refuses to go back, and to go on after its end", () => {
  const root = Deno.makeTempDirSync();
  try {
    const { tracker, paths } = track(root);
    using _tracker = tracker;
    tracker.enter("executing", "executing");
    assertThrows(() => tracker.enter("verifying_surface", "again"), Error, "does not enter");
    assertThrows(() => tracker.enter("executing", "again"), Error, "does not enter");
    tracker.fail("it broke\nbadly");
    const status = parseStatus(Deno.readTextFileSync(paths.status));
    assertEquals(
      [status.get("state"), status.get("phase"), status.get("detail"), status.get("last_error")],
      ["failed", "failed", "run failed", "it broke\nbadly"],
    );
    for (const act of [() => tracker.complete(true, {}), () => tracker.update({ blockers: 1 })]) {
      assertThrows(act, Error, "the run is over");
    }
    assertStringIncludes(Deno.readTextFileSync(paths.events), "detail=error: it broke\\nbadly\n");
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("Tracker.complete() is the only way to passed", () => {
  const root = Deno.makeTempDirSync();
  try {
    for (const isPassed of [true, false]) {
      const { tracker } = track(root);
      using _tracker = tracker;
      assertEquals(tracker.status.state, "running");
      tracker.complete(isPassed, { verdict: "valid" });
      assertEquals(tracker.status.state, isPassed ? "passed" : "failed");
      assertEquals(tracker.status.phase, "completed");
    }
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
