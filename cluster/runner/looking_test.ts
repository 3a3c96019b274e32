// What the verbs print is an interface: the runbook's lines for people and scripts, one document for programs.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { clusterTest } from "../../tests/support/cluster_commands.ts";
import { TIMELINE_FILE } from "../workspace/workspace_files.ts";

clusterTest("status prints the runbook's lines", async (c) => {
  await c.ok("start --profile small");
  await c.ok("crash --replica-id 3");
  const ws = c.workspace;
  const lines = (await c.ok("status")).trimEnd().split("\n")
    .map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, "ADDR").replaceAll(/pid=\d+/g, "pid=P"));
  assertEquals(lines, [
    `workspace=${ws}`,
    `layout=${ws}/cluster-layout.txt`,
    `fault_state=${ws}/cluster-faults.txt`,
    `timeline=${ws}/cluster-timeline.log`,
    "timeline_events=2",
    ...[1, 2].flatMap((id) => [
      `replica=${id} state=active network=healthy pid=P role=${id === 1 ? "primary" : "backup"} ` +
      "view=1 control=ADDR client=ADDR protocol=ADDR",
      `replica=${id} commit_lsn=7 snapshot_lsn=none accepting_writes=true ` +
      `startup_kind=fresh_start log=${ws}/logs/replica-${id}.log`,
      `replica=${id} metadata=${ws}/replica-${id}/replica.metadata ` +
      `prepare_log=${ws}/replica-${id}/replica.metadata.prepare ` +
      `snapshot=${ws}/replica-${id}/state.snapshot wal=${ws}/replica-${id}/state.wal ` +
      `pid_path=${ws}/run/replica-${id}.pid`,
    ]),
    `replica=3 state=stopped network=healthy control=ADDR log=${ws}/logs/replica-3.log`,
  ]);
});

clusterTest("every verb prints one JSON document with numbers of 64 bits as strings", async (c) => {
  const documents: Record<string, Record<string, unknown>> = {};
  for (
    const line of [
      "start --profile small",
      "status",
      "crash --replica-id 2",
      "restart --replica-id 2",
      "pause --replica-id 2",
      "resume --replica-id 2",
      "isolate --replica-id 2",
      "heal --replica-id 2",
      "link --from 1 --to 2 --cut",
      "partition --groups 1/2,3",
      "disk-fault --replica-id 1 --kind slow",
      "clock --replica-id 1 --skew-ms 5",
      "heal --all",
      "timeline",
      "logs --lines 1",
      "stop",
    ]
  ) {
    documents[line.split(" ")[0]!] = JSON.parse(await c.ok(`${line} --json`));
  }
  const { status, timeline, logs, stop, crash } = documents;
  assertEquals([status!.primary, status!.view, status!.members], ["1", "1", ["1", "2", "3"]]);
  assertEquals((status!.replicas as { commit_lsn: unknown }[])[0]!.commit_lsn, "7");
  assertEquals([crash!.replica, crash!.outcome], ["2", "crashed"]);
  const events = timeline!.events as { sequence: number; kind: string; outcome: string }[];
  assertEquals(events.map(({ kind }) => kind), [
    "cluster_start",
    "replica_crash",
    "replica_restart",
    "replica_pause",
    "replica_resume",
    "replica_isolate",
    "replica_heal",
    "link_fault",
    "cluster_partition",
    "disk_fault",
    "clock_fault",
    "cluster_heal",
  ]);
  assertEquals((logs!.replicas as { lines: unknown[] }[]).map(({ lines }) => lines.length), [
    1,
    1,
    1,
  ]);
  assertEquals(stop!.stopped, true);
});

clusterTest(
  "timeline shows every verb in order and reports lines that make no sense",
  async (c) => {
    await c.ok("start --profile small --no-wait");
    await c.ok("isolate --replica-id 2");
    const path = join(c.workspace, TIMELINE_FILE);
    Deno.writeTextFileSync(path, "\nsequence=x\nkind=nonsense\n", { append: true });
    await c.ok("heal --all");
    const { code, stdout, stderr } = await c.run("timeline");
    assertEquals(code, 0);
    assertMatch(
      stderr,
      /^notice: .*cluster-timeline\.log: line \d+: sequence is missing or malformed\n$/,
    );
    const lines = stdout.trimEnd().split("\n").map((line) =>
      line.replace(/timestamp_millis=\d+ /, "").replace(/duration_ms=\d+ /, "")
    );
    assertEquals(lines, [
      "sequence=1 kind=cluster_start replica_id=none outcome=done detail=cluster_started",
      "sequence=2 kind=replica_isolate replica_id=2 outcome=done detail=scope=client+protocol",
      "sequence=3 kind=cluster_heal replica_id=none outcome=done detail=scope=all",
    ]);
  },
);

clusterTest("logs shows the end of each log, and only one replica's when asked", async (c) => {
  await c.ok("start --profile small --no-wait");
  for (const { id, logPath } of c.layout().replicas) {
    Deno.writeTextFileSync(logPath, `plain\nreplica=${id} last \u001b[31mred\n`, { append: true });
  }
  assertEquals(
    await c.ok("logs --lines 2"),
    [1, 2, 3].map((id) => `replica=${id} plain\nreplica=${id} last \\u{1b}[31mred\n`).join(""),
  );
  assertEquals(await c.ok("logs --lines 1 --replica-id 2"), "replica=2 last \\u{1b}[31mred\n");
  assertEquals(await c.ok("logs --lines 0"), "");
  assert((await c.ok("logs --replica-id 1")).includes("mood=well"));
  const followed = await c.run("logs --replica-id 2 --lines 1 --follow --json", c.workspace, {
    interruptAtSleep: 3,
  });
  assertEquals([followed.code, followed.stderr], [0, ""]);
  assertEquals(JSON.parse(followed.stdout), {
    replica: "2",
    line: "replica=2 last \u001b[31mred",
  });
});
