// `allocdb replica run` as a process of its own: what its exit code, its signals and its last words tell whoever
// started it, and what the tools make of the files that it leaves.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { controlCall } from "../../node/control/client.ts";
import { eventually, ReplicaRoom } from "../support/replica_room.ts";
import { TestProcess } from "./server_process.ts";

function spawn(room: ReplicaRoom, id: bigint, ...flags: readonly string[]): TestProcess {
  const where = ["--layout", room.layoutPath, "--replica-id", `${id}`];
  return TestProcess.spawn(["replica", "run", ...where, ...flags]);
}

async function isReady(room: ReplicaRoom, process: TestProcess): Promise<void> {
  await process.says("startup=ready");
  const { controlAddr } = room.layout.replicas[0]!;
  await eventually("an answer", async () => {
    const status = await controlCall(controlAddr, { request: "status" }, { timeoutMs: 5_000 });
    return status.process_id === process.pid && status.role === "primary";
  });
}

/** A short-lived command: its exit code and what it printed. */
async function run(
  ...words: readonly string[]
): Promise<{ code: number; text: string; err: string }> {
  await using process = TestProcess.spawn(words);
  const { code, stdout, stderr } = await process.exit();
  return { code, text: stdout, err: stderr };
}

Deno.test("replica run ends with 0 on SIGTERM, on Ctrl-C and when it is asked, without its pid file", async () => {
  await using room = await ReplicaRoom.make(1);
  const { controlAddr, pidPath } = room.layout.replicas[0]!;
  const ways: Readonly<Record<string, (running: TestProcess) => unknown>> = {
    SIGTERM: (running) => running.signal("SIGTERM"),
    SIGINT: (running) => running.signal("SIGINT"),
    control: () =>
      controlCall(controlAddr, { request: "stop", drain_ms: 100 }, { timeoutMs: 5_000 }),
  };
  for (const [by, stop] of Object.entries(ways)) {
    await using process = spawn(room, 1n);
    await isReady(room, process);
    assertMatch(Deno.readTextFileSync(pidPath), new RegExp(`^${process.pid}\n`));
    await stop(process);
    const { code, stderr } = await process.exit();
    assertEquals(code, 0, stderr);
    assertMatch(stderr, new RegExp(`event=stopping asked_by=${by} `));
    assert(stderr.trimEnd().endsWith("replica=1 shutdown=clean"), stderr);
    assertEquals([...Deno.readDirSync(`${room.root}/run`)], []);
  }
});

Deno.test("replica run ends with the code of what is wrong, and says it in its log, too", async () => {
  await using room = await ReplicaRoom.make(3);
  const [first, second] = room.layout.replicas;
  const missing = await run("replica", "run", "--layout", "nowhere.txt", "--replica-id", "1");
  assertEquals(missing.code, 2);
  assertEquals(
    (await run("replica", "run", "--layout", room.layoutPath, "--replica-id", "7")).code,
    2,
  );
  const [, port] = first!.clientAddr.split(":");
  const taken = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
  await using blocked = spawn(room, 1n);
  const inUse = await blocked.exit();
  taken.close();
  assertEquals(inUse.code, 7);
  assertMatch(inUse.stderr, /replica=1 shutdown=error error="Cannot listen on .* by process \d+/);
  assertMatch(inUse.stderr, /error\[E_PORT_IN_USE\]/);
  Deno.renameSync(second!.directory, `${room.root}/aside`);
  Deno.renameSync(first!.directory, second!.directory);
  await using swapped = spawn(room, 2n);
  const mismatch = await swapped.exit();
  assertEquals(mismatch.code, 2);
  assertMatch(mismatch.stderr, /belongs to replica 1, not to replica 2/);
});

Deno.test("the tools refuse the files of a replica that runs and read those of one that was killed", async () => {
  await using room = await ReplicaRoom.make(1);
  const { directory, clientAddr } = room.layout.replicas[0]!;
  await using process = spawn(room, 1n);
  await isReady(room, process);
  const made = await run("create", "seat:1", "--server", clientAddr);
  assertEquals(made.code, 0, made.err);
  for (const verb of ["inspect", "verify"]) {
    const held = await run("replica", verb, directory);
    assertEquals(held.code, 7);
    assertMatch(held.err, new RegExp(`in use by process ${process.pid}`));
  }
  await process.kill();
  const inspected = JSON.parse((await run("replica", "inspect", directory, "--json")).text);
  assertEquals([inspected.state, inspected.metadata.replica_id], ["sound", "1"]);
  const archive = `${room.root}/one.tar`;
  assertEquals((await run("replica", "export", directory, "--to", archive)).code, 0);
  const target = `${room.root}/copy`;
  assertEquals((await run("replica", "import", archive, "--to", target)).code, 0);
  const verified = await run("replica", "verify", directory, "--against", target, "--json");
  const { lsn, comparison } = JSON.parse(verified.text);
  assertEquals([verified.code, lsn, comparison.verdict], [0, "1", "same_history"]);
});

Deno.test("replica inspect describes damaged data and exits with 0, replica verify with 8", async () => {
  await using room = await ReplicaRoom.make(1);
  const { directory } = room.layout.replicas[0]!;
  const path = `${directory}/state.wal`;
  const bytes = Deno.readFileSync(path);
  bytes[20]! ^= 1;
  Deno.writeFileSync(path, bytes);
  const inspected = await run("replica", "inspect", directory, "-q");
  assertEquals([inspected.code, inspected.text], [0, "damaged\n"]);
  const verified = await run("replica", "verify", directory);
  assertEquals(verified.code, 8);
  assertMatch(verified.err, /state\.wal at byte 0: invalid_header_checksum/);
});
