// Start must leave a cluster that serves or nothing at all, whatever it finds; and a replica that lost its data
// must never be let back in as if it had promised nothing. Replicas are fakes in real processes.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { inspectDataDirectory } from "../../node/data_dir.ts";
import { DenoDisk } from "../../node/io/deno_disk.ts";
import { type ClusterCommands, clusterTest } from "../../tests/support/cluster_commands.ts";

/** Role, configuration epoch and id of a data directory. */
function founded(commands: ClusterCommands, id: bigint): readonly unknown[] {
  const replica = commands.layout().replicas.find((known) => known.id === id)!;
  const found = inspectDataDirectory(new DenoDisk(replica.directory));
  assert(found.kind === "allocdb", found.kind);
  const { role, configEpoch, replicaId, view } = found.stored.metadata;
  return [role, configEpoch, replicaId, view];
}

clusterTest(
  "start makes a workspace of founders, and a stop and a start keep all of it",
  async (c) => {
    const first = await c.ok("start --profile small");
    assertMatch(first, /^cluster started\nworkspace=\/.*\nlayout=\/.*\/cluster-layout\.txt\n/);
    assertMatch(
      first,
      /^replica=1 state=active network=healthy pid=\d+ role=primary view=1 control=127\.0\.0\.1:\d+ client=127\.0\.0\.1:\d+ protocol=127\.0\.0\.1:\d+$/m,
    );
    assertMatch(
      first,
      /^replica=2 commit_lsn=7 snapshot_lsn=none accepting_writes=true startup_kind=fresh_start log=\/.*\/logs\/replica-2\.log$/m,
    );
    assertMatch(
      first,
      /^replica=3 metadata=\/.*\/replica-3\/replica\.metadata prepare_log=\/.*\.prepare snapshot=\/.*\/state\.snapshot wal=\/.*\/state\.wal pid_path=\/.*\/run\/replica-3\.pid$/m,
    );
    for (const id of [1n, 2n, 3n]) assertEquals(founded(c, id), ["backup", 1n, id, 0n]);
    const [layout, pids] = [c.layout(), c.pids()];
    assertEquals([...pids.keys()], [1n, 2n, 3n]);

    const again = await c.ok("start");
    assertMatch(again, /^cluster already running\n/);
    assertEquals(c.pids(), pids);

    assertEquals(
      (await c.ok("stop")).replaceAll(/ control=.*/g, ""),
      "replica=1 stop_requested\nreplica=2 stop_requested\nreplica=3 stop_requested\ncluster stopped\n",
    );
    assertEquals(c.pids().size, 0);
    const events = c.events().length;
    assertMatch(await c.ok("stop"), /^(replica=\d already_stopped control=\S+\n){3}$/);
    assertEquals(c.events().length, events);

    await c.ok("start");
    assertEquals([c.layout(), c.pids().size], [layout, 3]);
    assertEquals(c.events().map(({ kind, detail, outcome }) => `${kind} ${detail} ${outcome}`), [
      "cluster_start cluster_started done",
      "cluster_start already_running done",
      "cluster_stop cluster_stopped done",
      "cluster_start cluster_started done",
    ]);
  },
);

clusterTest("start starts only what does not run, and says so", async (c) => {
  await c.ok("start --profile small");
  const before = c.pids();
  await c.ok("crash --replica-id 2");
  const { already_running, started, primary, replicas } = JSON.parse(await c.ok("start --json"));
  assertEquals([already_running, started, primary], [["1", "3"], ["2"], "1"]);
  assertEquals(replicas.map(({ state }: { state: string }) => state), Array(3).fill("active"));
  const after = c.pids();
  assertEquals([after.get(1n), after.get(3n)], [before.get(1n), before.get(3n)]);
  assert(after.get(2n) !== before.get(2n) && after.size === 3);
});

clusterTest(
  "start makes as many replicas as asked, with the bounds and chores asked for",
  async (c) => {
    const flags = "--replicas 1 --profile local --bound core.max_resources=8 --manual-checkpoint";
    await c.ok(`start ${flags} --manual-failover`);
    const { members, config, manual } = c.layout();
    assertEquals([members, config.core.maxResources, config.core.maxOperations], [[1n], 8, 4_096]);
    assertEquals([...manual], ["failover", "checkpoint"]);
    assertMatch(
      await c.ok("logs"),
      /args=replica run --layout .* --manual-failover --manual-check/,
    );
    for (
      const [flag, says] of [
        ["--replicas 3", "has 1 replicas, not 3"],
        ["--bound core.max_resources=9", "core.max_resources is 8"],
        ["--profile default", "core.max_resources"],
        ["--manual-expiration", "was not made with --manual-expiration"],
        ["--secret-file s", "has no secret"],
      ] as const
    ) {
      const { code, stderr } = await c.run(`start ${flag}`);
      assertEquals(
        [code, stderr.includes(says), stderr.includes("E_CONFIG")],
        [2, true, true],
        stderr,
      );
    }
    assertMatch(await c.ok("start --replicas 1 --bound core.max_resources=8"), /already running/);
  },
);

clusterTest(
  "start of which one replica ends shows its last words and stops the others",
  async (c) => {
    await c.ok("start --profile small");
    await c.ok("stop");
    c.setMood(2n, "exit");
    const { code, stdout, stderr } = await c.run("start");
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /^error\[E_REPLICA_FAILED\]: replica 2 ended with code 3 before it was ready/,
    );
    assertMatch(stderr, /its log ends with: .*replica=2 mood=exit/);
    assertEquals(c.pids().size, 0);
    assertEquals(c.events().at(-1)?.outcome, "failed");
    assertMatch(await c.ok("status"), /^replica=1 state=stopped /m);
  },
);

clusterTest(
  "start of which one replica is mute ends in time and stops all, the mute one too",
  async (c) => {
    await c.ok("start --profile small");
    await c.ok("stop");
    c.setMood(3n, "mute");
    const { code, stderr } = await c.run("start --timeout 1500ms");
    assertEquals(code, 9);
    assertMatch(
      stderr,
      /^error\[E_WAIT_TIMEOUT\]: replica 3 did not answer on 127\.0\.0\.1:\d+ within/,
    );
    assertEquals(c.pids().size, 0);
  },
);

clusterTest("start waits for a primary unless told not to", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  c.setMood(1n, "backup");
  const { code, stderr } = await c.run("start --timeout 1500ms");
  assertEquals([code, c.pids().size], [9, 0]);
  assertMatch(
    stderr,
    /no replica became a serving primary within 1500 ms: replica 1 is active backup/,
  );
  assertMatch(stderr, /heal --workspace \/.* --all/);
  const { primary, replicas } = JSON.parse(await c.ok("start --no-wait --json"));
  assertEquals([primary, replicas.length, c.pids().size], [null, 3, 3]);
});

clusterTest("start shows a faulted replica and leaves the others in service", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  c.setMood(2n, "faulted");
  const { code, stdout, stderr } = await c.run("start");
  assertEquals([code, stderr], [0, "notice: replica 2 is faulted: told to be\n"]);
  assertMatch(stdout, /^replica=2 state=faulted .*role=faulted/m);
  assertMatch(stdout, /^replica=2 commit_lsn=none .*$/m);
  assertMatch(stdout, /^replica=2 fault_reason=told to be$/m);
});

clusterTest("a replica that lost its data comes back without a vote", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  await Deno.remove(c.layout().replicas[2]!.directory, { recursive: true });
  const { code, stderr } = await c.run("start");
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /^notice: replica 3 had lost its data: .* no vote until it has caught up\n$/);
  assertEquals(founded(c, 3n), ["recovering", 1n, 3n, 0n]);
  await c.ok("crash --replica-id 1");
  await Deno.remove(c.layout().replicas[0]!.directory, { recursive: true });
  assertMatch((await c.run("restart --replica-id 1")).stderr, /replica 1 had lost its data/);
  assertEquals(founded(c, 1n), ["recovering", 1n, 1n, 0n]);
});

clusterTest("start refuses when a majority lost its data, and makes nothing", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  for (const { directory } of c.layout().replicas.slice(1)) {
    await Deno.remove(directory, { recursive: true });
  }
  const { code, stderr } = await c.run("start");
  assertEquals(code, 8);
  assertMatch(stderr, /the data of replica 2, 3 is gone, and with it the majority of 3/);
  assertEquals((await c.run("restart --replica-id 2")).code, 8);
  const left = [...Deno.readDirSync(c.workspace)].map(({ name }) => name);
  assertEquals(left.includes("replica-2") || left.includes("replica-3"), false);
});

clusterTest("a workspace that was moved is the same cluster", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  const { clusterId } = c.layout();
  const moved = `${c.directory}/elsewhere`;
  await Deno.rename(c.workspace, moved);
  assertMatch(await c.ok("start", moved), new RegExp(`workspace=${moved}\n`));
  assertMatch(await c.ok("timeline", moved), /sequence=3 .*cluster_start/);
  await c.ok("stop", moved);
  await Deno.rename(moved, c.workspace);
  assertEquals(c.layout().clusterId, clusterId);
});
