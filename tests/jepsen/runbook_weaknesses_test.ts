// What the runbook's own analyzer and runs let pass, one by one: a history that its seven checks have nothing against, or a run
// that it called passed, and what is said of it here. Those of single lines of the runbook stand in gate_runbook_test.ts.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { gateReport, isGatePassed } from "../../testbed/jepsen/analysis/gate/report.ts";
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import { READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { RecordingSink } from "../../testbed/jepsen/codec/recording_sink.ts";
import { formatNamed } from "../../testbed/jepsen/codec/formats.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";
import { ResourceState } from "../../core/tables.ts";
import type { TickReply } from "../../node/client/client.ts";
import type { ResourceView } from "../../node/api.ts";
import { TransportError } from "../../node/client/types.ts";
import {
  endingOfError,
  endingOfRead,
  endingOfTick,
} from "../../testbed/jepsen/workload/endings.ts";
import { drawStrikes } from "../../testbed/jepsen/nemesis/plan.ts";
import { ABILITIES } from "../../testbed/jepsen/backend/backend.ts";
import { minimumCoverage } from "../../testbed/jepsen/run/minimum.ts";
import { ALL_RUNS } from "../../testbed/jepsen/run/plan.ts";
import { faultWindow, isWindowReached } from "../../testbed/jepsen/run/window.ts";

/** A history in our text; times are the positions of lines. */
function history(lines: readonly string[], header = ""): Recording {
  const sink = new RecordingSink(0);
  const reader = formatNamed("text").read(sink, READ_DEFAULTS);
  const timed = lines.map((line, at) =>
    line.replace(/^(\w+ process=\d+)/, `$1 time_ns=${at + 1}000`)
  );
  const head = `allocdb-history version=1 model=reservation initial_resource_ids=7 ${header}`;
  const text = [head.trimEnd(), ...timed, `end events=${lines.length}`, ""].join("\n");
  reader.push(new TextEncoder().encode(text));
  reader.end();
  return sink.finish();
}

const reserve = (process: number, id: number): string =>
  `invoke process=${process} operation=reserve client_id=${process} operation_id=${id} ` +
  `resource_id=7 holder_id=${process} ttl_slots=50`;
const granted = (process: number, lsn: number): string =>
  `ok process=${process} answer=applied code=ok lsn=${lsn} reservation_id=${lsn} epoch=1 deadline_slot=60`;
const read = (process: number, fence = ""): string =>
  `invoke process=${process} operation=get_resource resource_id=7${fence}`;
const seen = (process: number, state: string, lsn: string): string =>
  `ok process=${process} answer=resource state=${state} replica_id=1 role=primary${lsn}`;

function failing(recording: Recording): readonly string[] {
  return judge(recording).checks.filter(({ verdict }) => verdict === "fail").map(({ name }) =>
    name
  );
}

/** Nothing wrong with it; lies are told by changing one line. */
const SOUND = [
  ...[reserve(1, 1), granted(1, 5), read(2, " required_lsn=5")],
  seen(2, "reserved reservation_id=5", " observed_lsn=5"),
];

Deno.test("weakness 1: clients wait at the same time, and a run in which nobody contended is below its minimum", () => {
  for (const run of ALL_RUNS) {
    const minimum = minimumCoverage(run, faultWindow(run.minimumFaultWindowSecs, undefined));
    assert(minimum.reserve_refused! > 0, run.runId);
    const judgement = judge(history(SOUND, "run_id=r"), { minimum });
    assertEquals(judgement.verdict, "valid");
    assertEquals(isGatePassed(judgement), false, run.runId);
  }
});

Deno.test("weakness 2: a refusal that no order explains blocks the gate", () => {
  // Nobody ever held the resource.
  const lines = [reserve(1, 1), "ok process=1 answer=applied code=resource_busy lsn=5"];
  assertEquals(failing(history(SOUND)), []);
  assertEquals(failing(history(lines)), ["linearizability"]);
});

Deno.test("weakness 3: a read at the right lsn with the wrong value blocks the gate", () => {
  const lie = seen(2, "confirmed reservation_id=5", " observed_lsn=5");
  assert(failing(history([...SOUND.slice(0, 3), lie])).includes("linearizability"));
});

Deno.test("weakness 3: the answer to a retry is held against the answer before", () => {
  const second = "ok process=1 answer=applied code=resource_busy lsn=6";
  const lines = [reserve(1, 1), granted(1, 5), reserve(1, 1), second];
  assert(failing(history(lines)).includes("duplicate_committed_execution"));
});

Deno.test("weakness 4: a fenced read that names no lsn of its own is stale", () => {
  const untold = seen(2, "reserved reservation_id=5", "");
  assertEquals(failing(history([...SOUND.slice(0, 3), untold])), ["stale_successful_read"]);
});

Deno.test("weakness 4: what a read reflects is what the server said; what a tick freed is claimed by nobody", () => {
  const view: ResourceView = {
    ...{ kind: "found", resourceId: 7n, state: ResourceState.available, version: 1n },
    ...{ currentReservationId: undefined, observedLsn: 12n },
  };
  assertEquals(endingOfRead(view, { replicaId: 1 }).servedBy?.observedLsn, 12n);
  const ticked = endingOfTick({ kind: "applied" } as TickReply);
  assertEquals(ticked, { type: "ok", answer: { kind: "ticked" } });
});

Deno.test("weakness 5: a timeout and a lost connection leave a doubt, and the run goes on", () => {
  for (const code of ["timeout", "connection_lost"] as const) {
    assertEquals(endingOfError(new TransportError(code, "")), { type: "info", reason: code });
  }
});

Deno.test("weakness 6: a definite failure that proves nothing settles no doubt, a committed refusal does", () => {
  const doubt = [reserve(1, 1), "info process=1 reason=timeout"];
  const again = (end: string): Recording =>
    history([...doubt, reserve(2, 1).replace("client_id=2", "client_id=1"), end], "run_id=r");
  assertEquals(failing(again("fail process=2 reason=not_primary")), ["unresolved_ambiguity"]);
  const committed = "ok process=2 answer=applied code=resource_not_found lsn=5";
  assert(!failing(again(committed)).includes("unresolved_ambiguity"));
});

Deno.test("weakness 7: two operations at one lsn are told, whichever stands last in the file", () => {
  const two = [reserve(1, 1), granted(1, 5), reserve(2, 2)];
  const lines = [...two, "ok process=2 answer=applied code=resource_busy lsn=5"];
  assert(failing(history(lines)).includes("split_brain"));
});

Deno.test("weakness 8: an empty history, and one in which nothing went wrong, pass no gate", () => {
  const nothing = judge(history([]));
  assertEquals([nothing.verdict, isGatePassed(nothing)], ["unknown", false]);
  assertEquals(gateReport(nothing)[0], "release_gate=blocked");
  for (const run of ALL_RUNS.filter(({ nemesis }) => nemesis !== "none")) {
    const minimum = minimumCoverage(run, faultWindow(1_800, undefined));
    assert(minimum.faults! > 0 && minimum.unanswered! > 0 && minimum.view_changes! > 0, run.runId);
  }
});

Deno.test("weakness 9: the window counts from the first fault, and a run without one never reaches it", () => {
  const window = faultWindow(1_800, undefined);
  assertEquals(isWindowReached(window, 60e9, 1_800e9), false);
  assertEquals(isWindowReached(window, 60e9, 1_860e9), true);
  assertEquals(isWindowReached(window, undefined, 9_999e9), false);
});

Deno.test("weakness 10: a history that was cut off in the middle is judged as far as it goes, and says so", () => {
  const sink = new RecordingSink(0);
  const reader = formatNamed("text").read(sink, READ_DEFAULTS);
  const head = "allocdb-history version=1 model=reservation initial_resource_ids=7 run_id=r";
  const lines = [head, ...SOUND, reserve(3, 3), ""];
  reader.push(new TextEncoder().encode(lines.join("\n")));
  reader.end();
  const { verdict, findings } = judge(sink.finish());
  assertEquals(verdict, "valid");
  assertStringIncludes(findings.join(), "no end mark");
});

Deno.test("weakness 43: a seed decides the faults, another one others", () => {
  const draw = (seed: number): string => {
    const can = new Set(ABILITIES);
    return JSON.stringify(
      drawStrikes({ nemesis: "mixed_failover", seed, windowMs: 600_000, replicas: 3, can }),
    );
  };
  assertEquals(draw(7), draw(7));
  assert(draw(7) !== draw(8));
});
