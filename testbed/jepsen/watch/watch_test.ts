import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { testIo } from "../../../tests/support/cli_io.ts";
import { look } from "./look.ts";
import { dashboard, type Drawing } from "./render.ts";
import { parseEvents, parseStatus } from "./run_files.ts";
import type { LaneView, ReplicaView } from "./view.ts";
import { bar, compact, cut, percent, since, span } from "./words.ts";
import { runWatch } from "./watch.ts";

const PLAIN: Drawing = { color: false, refreshMs: 2_000, follow: false, nowMillis: 0 };

const PRIMARY: ReplicaView = {
  ...{ id: "2", health: "up", role: "primary", view: 7n, commit: 12_500n, writes: "on" },
  ...{ queue: 3, lag: 0n, due: 0, note: "3 queued" },
};

function laneOf(change: Partial<LaneView> = {}): LaneView {
  const status = parseStatus(
    [
      ...["run_id=r-crash-restart", "state=running", "phase=executing", "elapsed_secs=95"],
      ...["minimum_fault_window_secs=180", "history_events=1234567", "blockers=0"],
      ...["release_gate_passed=none", "detail=two\\nlines", "last_error=none"],
      "started_at_millis=1000",
    ].join("\n"),
  );
  const events = [{ timeMillis: 2_500, detail: "kill 2" }];
  const lane = { name: "run", statusFile: "s", status, events, replicas: [PRIMARY] };
  return { ...lane, problem: undefined, ...change };
}

Deno.test("compact() never needs more than three digits and a unit", () => {
  const said = [0, 999, 999.5, 1_200, 12_500_000, 99_949, 99_950, 7_200_000_000n, 10n ** 13n];
  assertEquals(said.map(compact), [
    ...["0", "999", "1.0K", "1.2K", "12.5M", "99.9K", "100K", "7.2B", "10.0T"],
  ]);
  assertEquals(compact(undefined), "-");
});

Deno.test("bar() and percent() clamp, and are full when nothing was to be done", () => {
  assertEquals([bar(1, 4, 8), bar(9, 4, 8), bar(-1, 4, 8), bar(0, 0, 4)], [
    ...["[##......]", "[########]", "[........]", "[####]"],
  ]);
  assertEquals([percent(1, 3), percent(5, 0), percent(9, 3)], ["33.3%", "100.0%", "100.0%"]);
});

Deno.test("since() and span() say tenths, then minutes, then hours", () => {
  assertEquals([since(1_540), since(61_000), since(-5)], ["+1.5s", "+1m01s", "+0.0s"]);
  assertEquals([span(59.9), span(3_600), span(86_399)], ["59s", "1h00m00s", "23h59m59s"]);
});

Deno.test("cut() counts characters, not halves of them", () => {
  assertEquals([cut("abc", 3), cut("abcd", 3), cut("🂡🂢🂣🂤", 3)], ["abc", "ab…", "🂡🂢…"]);
});

Deno.test("dashboard() of one run says how far it is and who leads", () => {
  const text = dashboard([laneOf()], false, PLAIN).join("\n");
  assertStringIncludes(text, "Run         r-crash-restart");
  assertStringIncludes(text, "[#########.........] 1m35s/3m00s 52.8%");
  assertStringIncludes(text, "Gate        pending");
  assertStringIncludes(text, "Detail      two\\u{a}lines");
  assertStringIncludes(
    text,
    "2    up       primary      7       12.5K     on   3      0      0      3 queued",
  );
  assertStringIncludes(text, "+1.5s  kill 2");
});

Deno.test("dashboard() says of a run that goes on when it was last heard of, if that is long ago", () => {
  const at = (nowMillis: number, state = "running"): string => {
    const status = new Map([["state", state], ["updated_at_millis", "1000"]]);
    return [false, true].map((isFleet) =>
      dashboard([laneOf({ status })], isFleet, { ...PLAIN, nowMillis }).join("\n")
    ).join();
  };
  assertEquals(at(126_000).split("nothing heard for 2m05s").length, 3);
  for (const text of [at(9_000), at(126_000, "passed")]) assert(!text.includes("nothing heard"));
});

Deno.test("dashboard() waits where there is no run yet, and says why a cluster cannot be seen", () => {
  const waiting = laneOf({ status: undefined, events: [], replicas: [], problem: "no workspace" });
  const text = dashboard([waiting], false, PLAIN).join("\n");
  for (const words of ["waiting for a run", "no replicas to see", "no workspace", "nothing yet"]) {
    assertStringIncludes(text, words);
  }
});

Deno.test("dashboard() of a fleet has a line for each lane and one table of replicas", () => {
  const idle = laneOf({ name: "b", status: undefined, replicas: [], problem: "there is no ws/b" });
  const lines = dashboard([laneOf({ name: "a" }), idle], true, PLAIN);
  const lane = lines.find((line) => line.startsWith("  a "))!;
  for (const words of ["running", "executing", "1m35s", "1.2M", "r2"]) {
    assertStringIncludes(lane, words);
  }
  assert(lines.some((line) => line.startsWith("  b ") && line.includes("there is no ws/b")));
});

Deno.test("dashboard() lets nothing that it shows move the cursor", () => {
  const hostile = "\x1b[2J\u202e\r";
  const status = new Map([["run_id", hostile], ["state", hostile], ["last_error", hostile]]);
  const events = [{ timeMillis: 1, detail: hostile }];
  const replicas = [{ ...PRIMARY, note: hostile, role: hostile }];
  for (const isFleet of [false, true]) {
    const lane = laneOf({ status, events, replicas, problem: hostile, name: hostile });
    const text = dashboard([lane], isFleet, PLAIN).join("\n");
    assert(!["\x1b", "\r", "\u202e"].some((character) => text.includes(character)));
  }
});

Deno.test("parseEvents() and parseStatus() pass over what is half there", () => {
  const text = "ime_millis=1 detail=a\ntime_millis=2 detail=b\\\\n\\nc\ntime_millis=3 det";
  assertEquals(parseEvents(text), [{ timeMillis: 2, detail: "b\\n\nc" }]);
  assertEquals([...parseStatus("a=1\nb\n=c\nd=e=f")], [["a", "1"], ["d", "e=f"]]);
});

Deno.test("look() finds the latest run of a root, a named one, and none", async () => {
  const root = await Deno.makeTempDir();
  try {
    const lane = { name: "run", outputRoot: root };
    assertEquals((await look(lane, undefined)).status, undefined);
    Deno.writeTextFileSync(join(root, "allocdb-jepsen-latest-status.txt"), "run_id=a/b\n");
    Deno.writeTextFileSync(join(root, "a_b-events.log"), "time_millis=5 detail=here\n");
    const seen = await look(lane, undefined);
    assertEquals(seen.events, [{ timeMillis: 5, detail: "here" }]);
    assertEquals((await look(lane, "other")).status, undefined);
    const lost = await look({ ...lane, workspace: join(root, "nowhere") }, undefined);
    assertStringIncludes(lost.problem!, "there is no");
    for (const [name, millis] of [["old", 5], ["new", 7], ["elsewhere", 9]] as const) {
      const workspace = join(root, name === "elsewhere" ? "lane-11" : "lane-1", name);
      const text = `run_id=${name}\nworkspace=${workspace}\nupdated_at_millis=${millis}\n`;
      Deno.writeTextFileSync(join(root, `${name}-status.txt`), text);
    }
    const ofLane = await look({ ...lane, workspace: join(root, "lane-1") }, undefined);
    assertEquals(ofLane.status?.get("run_id"), "new");
    const io = testIo();
    const request = { lanes: [lane], refreshMs: 250, follow: false, json: true, color: false };
    await runWatch({ verb: "watch", ...request }, io);
    assertEquals(JSON.parse(io.stdout()).lanes[0].status, { run_id: "a/b" });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
