// Verbs that only write the faults file: they work whether or not replicas run, change nothing but what they
// name, and a file that a hand has spoiled stops none of the others. Replicas are fakes in real processes.
import { assertEquals, assertMatch } from "@std/assert";
import { type ClusterCommands, clusterTest } from "../../tests/support/cluster_commands.ts";
import { faultsPath } from "../workspace/workspace_files.ts";

function file(commands: ClusterCommands): string {
  return Deno.readTextFileSync(faultsPath(commands.layout()));
}

/** The faults file without the networks of replicas that are healthy. */
function faults(commands: ClusterCommands): readonly string[] {
  return file(commands).trim().split("\n").slice(1).filter((line) => !line.endsWith("=healthy"));
}

clusterTest(
  "isolate and heal are idempotent on the file, and each call is one event",
  async (c) => {
    await c.ok("start --profile small");
    const addresses = "client=127\\.0\\.0\\.1:\\d+ protocol=127\\.0\\.0\\.1:\\d+\n$";
    for (const network of ["isolated", "isolated", "healthy", "healthy"]) {
      const verb = network === "isolated" ? "isolate" : "heal";
      const said = await c.ok(`${verb} --replica-id 2`);
      assertMatch(said, new RegExp(`^replica=2 network=${network} ${addresses}`));
      assertEquals(faults(c), network === "isolated" ? ["replica.2.network=isolated"] : []);
      assertMatch(
        await c.ok("status"),
        new RegExp(`^replica=2 state=active network=${network} `, "m"),
      );
    }
    await c.ok("stop");
    await c.ok("isolate --replica-id 1");
    assertMatch(await c.ok("status"), /^replica=1 state=stopped network=isolated /m);
    assertEquals(
      c.events().map(({ kind, replicaId, detail }) => `${kind} ${replicaId} ${detail}`).slice(1, 3),
      Array(2).fill("replica_isolate 2 scope=client+protocol"),
    );
    assertEquals(c.events().length, 7);
  },
);

clusterTest(
  "each fault is a line of its own, replaced by the next of its kind, and heal --all ends all",
  async (c) => {
    await c.ok("start --profile small --no-wait");
    await c.ok("stop");
    await c.ok("link --from 1 --to 2 --drop 0.1 --delay 50±20");
    await c.ok("link --from 2 --to 1 --cut");
    await c.ok("link --from client --to 3 --throttle 1000 --duplicate 1 --reorder .5");
    assertEquals(faults(c), [
      "link.1.2.drop=0.1",
      "link.1.2.delay_ms=50",
      "link.1.2.jitter_ms=20",
      "link.2.1.cut=true",
      "link.client.3.duplicate=1",
      "link.client.3.reorder=0.5",
      "link.client.3.throttle_bytes=1000",
    ]);
    await c.ok("link --from 1 --to 2 --drop 0.2");
    await c.ok("link --from client --to 3 --clear");
    assertEquals(faults(c), ["link.2.1.cut=true", "link.1.2.drop=0.2"]);
    await c.ok("link --clear");
    assertEquals(await c.ok("partition --groups 1,3/2"), "partition=1,3/2\n");
    await c.ok("disk-fault --replica-id 3 --kind torn-write --after 5 --for 60");
    assertEquals(
      await c.ok("clock --replica-id 1 --skew-ms -250 --rate 0.5"),
      "replica=1 clock_skew_ms=-250 clock_rate=0.5\n",
    );
    const [partition, kind, after, until, delay, set, skew, rate] = faults(c);
    assertEquals(
      [partition, kind, after, delay, skew, rate],
      [
        "partition=1,3/2",
        "replica.3.disk.kind=torn-write",
        "replica.3.disk.after=5",
        "replica.3.disk.delay_ms=none",
        "replica.1.clock.skew_ms=-250",
        "replica.1.clock.rate=0.5",
      ],
    );
    assertEquals(Number(until!.split("=")[1]) - Number(set!.split("=")[1]), 60_000);
    assertMatch(await c.ok("status"), /^replica=3 partition=1,3 disk_fault=torn-write$/m);
    await c.ok("clock --replica-id 1 --clear");
    await c.ok("disk-fault --replica-id 3 --clear");
    await c.ok("partition --clear");
    assertEquals(faults(c), []);
    await c.ok("isolate --replica-id 2");
    await c.ok("link --from all --to all --delay 5");
    assertEquals(faults(c).length, 7);
    await c.ok("heal --all");
    assertEquals(faults(c), []);
  },
);

clusterTest("faults that make no sense are refused by name and change nothing", async (c) => {
  await c.ok("start --profile small --no-wait");
  const before = file(c);
  for (
    const [line, says] of [
      ["partition --groups 1,2/9", "replica 9 is not present"],
      ["partition --groups 1,2", "is not like 1,2/3"],
      ["partition --groups 1/2", "every replica exactly once"],
      ["partition --groups 1,2/2,3", "every replica exactly once"],
      ["partition --groups 1/2/3 --clear", "either --groups or --clear"],
      ["link --from 1 --to 1 --cut", "no link"],
      ["link --from client --to client --cut", "no link"],
      ["link --from 1 --to 9 --cut", "replica 9 is not present"],
      ["link --from 1 --cut", "both --from and --to"],
      ["link --from 1 --to 2", "not told what is to be wrong"],
      ["link --from 1 --to 2 --cut --clear", "contradict"],
      ["link --from 1 --to 2 --drop 1.1", "not a share"],
      ["link --from 1 --to 2 --delay soon", "not MS or MS±J"],
      ["link --from 1 --to 2 --throttle 0", "out of range"],
      ["disk-fault --replica-id 1", "either --kind"],
      ["disk-fault --replica-id 1 --kind rust", "Allowed choices"],
      ["disk-fault --replica-id 1 --kind eio --delay-ms 5", "belongs to --kind slow"],
      ["clock --replica-id 1", "either --skew-ms"],
      ["clock --replica-id 1 --rate 0", "not a number from 0.01 to 100"],
      ["clock --replica-id 1 --skew-ms fast", "not a whole number"],
      ["heal", "either --replica-id or --all"],
      ["isolate", "required option '--replica-id <n>'"],
    ] as const
  ) {
    const { code, stdout, stderr } = await c.run(line);
    assertEquals([code, stdout, file(c)], [2, "", before], line);
    assertEquals(stderr.includes(says), true, `${line}: ${stderr}`);
  }
  assertEquals(c.events().length, 1);
});

clusterTest(
  "a faults file that a hand has spoiled is an error with its line, until heal --all",
  async (c) => {
    await c.ok("start --profile small");
    const path = faultsPath(c.layout());
    Deno.writeTextFileSync(path, `${file(c)}link.1.2.wobble=3\n`);
    for (const line of ["isolate --replica-id 1", "heal --replica-id 1", "start"]) {
      const { code, stderr } = await c.run(line);
      assertEquals(code, 8, line);
      assertMatch(
        stderr,
        /cluster-faults\.txt: line 5: link\.1\.2\.wobble: .*\n {2}hint: .*heal --all/,
      );
    }
    const status = await c.run("status");
    assertEquals([status.code, status.stdout.match(/state=active/g)?.length], [0, 3]);
    assertMatch(status.stderr, /^notice: .*wobble/);
    assertEquals(c.pids().size, 3);
    await c.ok("heal --all");
    assertEquals(faults(c), []);
    Deno.removeSync(path); // No file: nothing is wrong.
    assertMatch(await c.ok("status"), /network=healthy/);
    await c.ok("isolate --replica-id 3");
    assertEquals(faults(c), ["replica.3.network=isolated"]);
  },
);
