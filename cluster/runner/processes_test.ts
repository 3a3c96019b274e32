// Verbs that signal: each does what it says to the one process that it is meant for, leaves one event, and
// nothing else on the machine is ever touched. Replicas are fakes in real processes.
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { type ClusterCommands, clusterTest } from "../../tests/support/cluster_commands.ts";
import { TIMELINE_FILE } from "../workspace/workspace_files.ts";
import { writePidFile } from "../workspace/pid_file.ts";
import { isRunning, processMark } from "../workspace/processes.ts";

/** Kinds, ids and outcomes of what was done after the first start. */
function eventsAfterStart(commands: ClusterCommands): readonly string[] {
  return commands.events().slice(1).map(({ kind, replicaId, detail, outcome }) =>
    `${kind} ${replicaId} ${detail} ${outcome}`
  );
}

clusterTest("crash kills, restart starts again, and neither works twice", async (c) => {
  await c.ok("start --profile small");
  const pid = c.pids().get(2n)!;
  assertMatch(
    await c.ok("crash --replica-id 2"),
    new RegExp(`^replica=2 crashed pid=${pid} control`),
  );
  assertEquals([processMark(pid), c.pids().size], [undefined, 2]);
  const again = await c.run("crash --replica-id 2");
  assertEquals(again.code, 1);
  assertMatch(
    again.stderr,
    /^error\[E_NOT_RUNNING\]: replica 2 is already stopped\n {2}hint: .*restart/,
  );
  assertMatch(
    await c.ok("status"),
    /^replica=2 state=stopped network=healthy control=\S+ log=\S+$/m,
  );

  assertMatch(
    await c.ok("restart --replica-id 2"),
    /^replica=2 state=active .*\n(replica=2 .*\n){2}$/,
  );
  const twice = await c.run("restart --replica-id 2");
  assertEquals(twice.code, 7);
  assertMatch(twice.stderr, /replica 2 is already running on 127\.0\.0\.1:\d+ with pid \d+/);
  assertEquals(eventsAfterStart(c), [
    "replica_crash 2 signal=kill done",
    "replica_restart 2 replica_ready done",
  ]);
});

clusterTest(
  "restart of a replica that ends is one failed event and leaves nothing behind",
  async (c) => {
    await c.ok("start --profile small");
    await c.ok("crash --replica-id 3");
    c.setMood(3n, "exit");
    assertEquals((await c.run("restart --replica-id 3")).code, 1);
    assertEquals([c.pids().size, c.events().at(-1)?.outcome], [2, "failed"]);
    assertMatch(c.events().at(-1)!.detail!, /ended with code 3/);
    c.setMood(3n, "well");
    await c.ok("restart --replica-id 3");
  },
);

clusterTest(
  "pause freezes, resume goes on, and status, start, stop know a paused replica",
  async (c) => {
    await c.ok("start --profile small");
    const pid = c.pids().get(1n)!;
    assertMatch(await c.ok("pause --replica-id 1"), new RegExp(`^replica=1 paused pid=${pid} `));
    assertMatch(
      await c.ok("status"),
      /^replica=1 state=paused network=healthy control=\S+ pid_path=/m,
    );
    const restart = await c.run("restart --replica-id 1");
    assertMatch(
      restart.stderr,
      /still has a live pid \d+, which is paused\n {2}hint: .*cluster resume/,
    );
    assertEquals((await c.run("start")).code, 7);
    await c.ok("resume --replica-id 1");
    assertMatch(await c.ok("status"), /^replica=1 state=active/m);
    await c.ok("pause --replica-id 1");
    await c.ok("pause --replica-id 2");
    await c.ok("crash --replica-id 2");
    assertMatch(await c.ok("stop"), /^replica=1 stop_signalled .*\nreplica=2 already_stopped /);
    assertEquals(c.pids().size, 0);
    assertEquals(eventsAfterStart(c).slice(0, 2), [
      "replica_pause 1 signal=stop done",
      "replica_resume 1 signal=cont done",
    ]);
    assertEquals((await c.run("pause --replica-id 1")).code, 1);
  },
);

clusterTest("stop falls back to SIGTERM, and tells when that has no effect either", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  c.setMood(2n, "deaf");
  c.setMood(3n, "stubborn");
  await c.ok("start");
  const { code, stdout, stderr } = await c.run("stop --timeout 1s");
  assertEquals([code, stdout], [9, ""]);
  assertMatch(stderr, /replica 3 \(pid \d+\) did not stop within 1000 ms\n {2}hint: .*crash/);
  assertEquals([...c.pids().keys()], [3n]);
  await c.ok("crash --replica-id 3");
  assertEquals(c.events().map(({ outcome }) => outcome), [
    "done",
    "done",
    "done",
    "failed",
    "done",
  ]);
});

clusterTest("a pid file whose number was used again reaches nobody", async (c) => {
  await c.ok("start --profile small");
  await c.ok("crash --replica-id 2");
  const bystander = new Deno.Command("sleep", { args: ["60"], stdin: "null" }).spawn();
  try {
    const mark = processMark(bystander.pid)!;
    const { pidPath } = c.layout().replicas[1]!;
    for (const verb of ["crash", "pause"]) {
      writePidFile(pidPath, { ...mark, start: `1@${mark.start.split("@")[1]}` });
      assertEquals((await c.run(`${verb} --replica-id 2`)).code, 1);
      assertEquals(isRunning(mark), true);
    }
    // A file that somebody else wrote names a process that lives: it cannot be told, so nothing is done.
    Deno.writeTextFileSync(pidPath, `${bystander.pid}`);
    for (const line of ["crash --replica-id 2", "restart --replica-id 2", "start"]) {
      const { code, stderr } = await c.run(line);
      assertMatch(stderr, /replica-2\.pid is not a pid file of ours/);
      assertEquals([code === 0, isRunning(mark)], [false, true], line);
    }
    Deno.removeSync(pidPath);
    await c.ok("restart --replica-id 2");
    assertEquals(isRunning(mark), true);
  } finally {
    bystander.kill("SIGKILL");
    await bystander.status;
  }
});

clusterTest("a replica without its pid file is still known by its control port", async (c) => {
  await c.ok("start --profile small");
  const pid = c.pids().get(1n)!;
  Deno.removeSync(c.layout().replicas[0]!.pidPath);
  assertMatch(await c.ok("start"), /already running/);
  assertMatch(await c.ok("crash --replica-id 1"), new RegExp(`pid=${pid} `));
});

clusterTest("verbs on an unknown replica do nothing", async (c) => {
  await c.ok("start --profile small --no-wait");
  for (
    const line of [
      "crash",
      "restart",
      "pause",
      "resume",
      "isolate",
      "heal",
      "disk-fault --kind eio",
      "clock --skew-ms 1",
      "logs",
    ]
  ) {
    const { code, stdout, stderr } = await c.run(`${line} --replica-id 7`);
    assertEquals([code, stdout], [2, ""], line);
    assertMatch(stderr, /replica 7 is not present in \/.*cluster-layout\.txt\n {2}hint: .*1, 2, 3/);
  }
  assertEquals(c.events().length, 1);
});

clusterTest(
  "a timeline that cannot be written stops no stop and no crash, and starts nothing",
  async (c) => {
    await c.ok("start --profile small");
    const path = join(c.workspace, TIMELINE_FILE);
    await Deno.remove(path);
    await Deno.mkdir(path); // Nobody can append to a directory.
    const crash = await c.run("crash --replica-id 2");
    assertEquals([crash.code, c.pids().size], [1, 2]);
    assertMatch(crash.stderr, /E_IO\]: it was done, but is not in the timeline/);
    assertEquals([(await c.run("restart --replica-id 2")).code, c.pids().size], [1, 2]);
    assertEquals([(await c.run("stop")).code, c.pids().size], [1, 0]);
    assertEquals([(await c.run("start")).code, c.pids().size], [1, 0]);
  },
);
