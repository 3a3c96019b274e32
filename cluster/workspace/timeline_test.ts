// The timeline is how a test run is understood afterwards. Every verb is one event in order, one that failed or
// died can be told, and a line that a crash cut short hides neither what was before it nor what comes after.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { join } from "@std/path";
import { CliError } from "../../node/errors.ts";
import { type Intent, OpenEvent, readTimeline } from "./timeline.ts";
import { type Block, formatBlock, parseTimeline, TIMELINE_HEAD } from "./timeline_text.ts";

const CRASH: Intent = { kind: "replica_crash", replicaId: 2n, detail: "signal=kill" };

async function inFile(use: (path: string) => void): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    use(join(directory, "cluster-timeline.log"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("OpenEvent writes the golden blocks, and readTimeline() folds them into events", async () => {
  await inFile((path) => {
    let now = 1_000;
    const clock = () => now;
    assertEquals(readTimeline(path).events, []);
    const start = new OpenEvent(
      path,
      { ...CRASH, kind: "cluster_start", replicaId: undefined },
      clock,
    );
    now = 1_250;
    start.end("done", "cluster_started");
    new OpenEvent(path, CRASH, clock).end("failed", "no\nsuch\u001b[2Jthing");
    new OpenEvent(path, CRASH, clock);
    assertEquals(
      Deno.readTextFileSync(path),
      `version=1

sequence=1
timestamp_millis=1000
kind=cluster_start
replica_id=none
detail=signal=kill
phase=begin

sequence=1
timestamp_millis=1250
kind=cluster_start
replica_id=none
detail=cluster_started
phase=done

sequence=2
timestamp_millis=1250
kind=replica_crash
replica_id=2
detail=signal=kill
phase=begin

sequence=2
timestamp_millis=1250
kind=replica_crash
replica_id=2
detail=no such [2Jthing
phase=failed

sequence=3
timestamp_millis=1250
kind=replica_crash
replica_id=2
detail=signal=kill
phase=begin
`,
    );
    const { events, problems } = readTimeline(path);
    assertEquals(problems, []);
    assertEquals(
      events.map(({ sequence, outcome, detail, durationMs }) => [
        sequence,
        outcome,
        detail,
        durationMs,
      ]),
      [
        [1, "done", "cluster_started", 250],
        [2, "failed", "no such [2Jthing", 0],
        [3, "begun", "signal=kill", undefined],
      ],
    );
  });
});

Deno.test("parseTimeline() reads version 1, whose events have one block each", () => {
  const text = "version=1\n\nsequence=1\ntimestamp_millis=5\nkind=cluster_start\n" +
    "replica_id=none\ndetail=cluster_started\n\nsequence=2\ntimestamp_millis=6\n" +
    "kind=replica_crash\nreplica_id=3\ndetail=signal=kill\n";
  const { events, problems } = parseTimeline(text);
  assertEquals(problems, []);
  assertEquals(events.map(({ kind, outcome }) => [kind, outcome]), [
    ["cluster_start", "done"],
    ["replica_crash", "done"],
  ]);
});

Deno.test("OpenEvent after a block that was cut short anywhere leaves all other events readable", async () => {
  await inFile((path) => {
    new OpenEvent(path, CRASH, () => 1).end("done");
    const whole = Deno.readTextFileSync(path);
    const torn = formatBlock({ sequence: 2, timestampMillis: 2, phase: "begin", ...CRASH });
    for (let length = 0; length <= torn.length; length++) {
      Deno.writeTextFileSync(path, whole + torn.slice(0, length));
      new OpenEvent(path, { ...CRASH, replicaId: 1n }, () => 3).end("done");
      const { events } = readTimeline(path);
      assertEquals([events[0]?.outcome, events[0]?.replicaId], ["done", 2n], `${length}`);
      assertEquals([events.at(-1)?.outcome, events.at(-1)?.replicaId], ["done", 1n], `${length}`);
      assert(events.length <= 3 && events.length >= 2);
    }
  });
});

Deno.test("parseTimeline() finds every whole block between lines of any kind, and never throws", () => {
  const junk = fc.array(fc.string().map((text) => text.replaceAll("\n", " ")), { maxLength: 3 });
  const blocks = fc.array(fc.tuple(
    fc.record({
      timestampMillis: fc.nat(),
      kind: fc.constantFrom("cluster_start", "something_newer"),
      replicaId: fc.constantFrom(undefined, 1n, 9n),
      detail: fc.constantFrom(undefined, "a=b c", "x"),
      phase: fc.constantFrom<Block["phase"]>("begin", "done", "failed"),
    }),
    junk,
  ));
  fc.assert(
    fc.property(blocks, (list) => {
      const made = list.map(([block], i): Block => ({ sequence: i + 1, ...block }));
      const text = TIMELINE_HEAD +
        made.map((block, i) =>
          formatBlock(block) + list[i]![1].map((line) => `\n${line}\n`).join("")
        ).join("");
      const { events } = parseTimeline(text);
      assertEquals(
        events.map(({ outcome: _, durationMs: __, ...block }) => block),
        made.map(({ phase: _, ...block }) => block),
      );
    }),
    { seed: 51 },
  );
  fc.assert(fc.property(fc.string(), (text) => void parseTimeline(text)), { seed: 52 });
});

Deno.test("OpenEvent appends nothing to a timeline of another version", async () => {
  await inFile((path) => {
    Deno.writeTextFileSync(path, "version=7\n\nsomething=else\n");
    const error = assertThrows(() => new OpenEvent(path, CRASH), CliError);
    assertEquals(error.code, "E_DATA_VERSION");
    assertEquals(Deno.readTextFileSync(path), "version=7\n\nsomething=else\n");
  });
});

Deno.test("OpenEvent counts on in a timeline that is too long to be read whole each time", async () => {
  const block = (sequence: number): string =>
    formatBlock({
      ...{ sequence, timestampMillis: 1_000, kind: "replica_crash", replicaId: 2n },
      ...{ detail: "x".repeat(sequence % 90), phase: "begin" },
    });
  const long = Array.from({ length: 2_000 }, (_, i) => block(i + 1)).join("");
  const ends = ["", "\nsequence=20", "\n\nsequence=77\nkind=", "\n".repeat(70_000)];
  for (const end of ends) {
    await inFile((path) => {
      Deno.writeTextFileSync(path, TIMELINE_HEAD + long + end);
      new OpenEvent(path, CRASH).end("done");
      assertEquals(readTimeline(path).events.at(-1)!.sequence, 2_001);
      assertEquals(readTimeline(path).events.at(-1)!.outcome, "done");
    });
  }
  await inFile((path) => {
    Deno.writeTextFileSync(path, `version=9\n${long}`);
    const error = assertThrows(() => new OpenEvent(path, CRASH), CliError);
    assertEquals(error.code, "E_DATA_VERSION");
    assert(error.message.includes("version=9"));
    assertEquals(Deno.readTextFileSync(path), `version=9\n${long}`);
  });
});
