// The life of a server process as its operator sees it: the lock, a planned stop, a restart, and a start that
// contradicts what is there. Exit codes are the contract of docs/cli.md#exit-codes.
import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { AllocDbClient } from "../../node/client/client.ts";
import type { SubmitResult } from "../../node/client/types.ts";
import { hashFiles } from "./data_files.ts";
import { run, startServer, TemporaryDirectory } from "./server_process.ts";

const ANY_PORT = ["--listen", "127.0.0.1:0"];
const SMALL = ["--profile", "small"];

Deno.test("a second process on the same data exits with 7, names the first and disturbs nothing", async () => {
  using directory = new TemporaryDirectory();
  await using server = await startServer(["--data", directory.path, ...ANY_PORT, ...SMALL]);
  await using client = await AllocDbClient.connect({ address: server.address });
  const second = await run(["serve", "--data", directory.path, ...ANY_PORT]);
  assertEquals([second.code, second.stdout], [7, ""]);
  assertStringIncludes(second.stderr, "error[E_DATA_LOCKED]");
  assertStringIncludes(second.stderr, `process ${server.process.pid}`);
  assertEquals((await client.createResource({ resourceId: 1n })).kind, "committed");
});

Deno.test("a second process on the same port exits with 7", async () => {
  using one = new TemporaryDirectory();
  using two = new TemporaryDirectory();
  await using server = await startServer(["--data", one.path, ...ANY_PORT, ...SMALL]);
  const second = await run(["serve", "--data", two.path, "--listen", server.address, ...SMALL]);
  assertEquals(second.code, 7);
  assertStringIncludes(second.stderr, "error[E_PORT_IN_USE]");
});

Deno.test("a gateway port that is taken exits with 7 and leaves the data as it was", async () => {
  using one = new TemporaryDirectory();
  using two = new TemporaryDirectory();
  await using server = await startServer(["--data", one.path, ...ANY_PORT, ...SMALL]);
  const flags = ["--data", two.path, ...ANY_PORT, "--http", server.address, ...SMALL];
  const second = await run(["serve", ...flags]);
  assertEquals([second.code, second.stdout], [7, ""]);
  assertStringIncludes(second.stderr, "error[E_PORT_IN_USE]");
  await using again = await startServer(["--data", two.path, ...ANY_PORT]);
  assertEquals(again.serving["startup_kind"], "fresh_start");
});

Deno.test("SIGTERM under load: what was acknowledged is there after a restart, the rest happens once", async () => {
  using directory = new TemporaryDirectory();
  const flags = ["--data", directory.path, ...SMALL];
  const server = await startServer([...flags, ...ANY_PORT]);
  const options = { address: server.address, reconnectBackoffMsMax: 50 };
  await using client = await AllocDbClient.connect(options);
  const answers: Promise<SubmitResult>[] = [];
  for (let id = 0n; id < 400n; id++) {
    answers.push(client.createResource({ resourceId: id }, { timeoutMs: 20_000 }));
    if (id % 20n === 0n) await new Promise((resolve) => setTimeout(resolve, 1));
    if (id === 200n) server.process.signal("SIGTERM");
  }
  const stopped = await server.process.exit();
  assertEquals(stopped.code, 0);
  assertMatch(stopped.stderr, /stopping: signal=SIGTERM\n.*stopped: everything acknowledged is on/);
  await using again = await startServer([...flags, "--listen", server.address]);
  assertEquals(again.serving["startup_kind"], "wal_only");
  const results = await Promise.all(answers);
  assertEquals(results.filter((result) => result.kind !== "committed" || !result.ok), []);
  const lsns = new Set(results.map((result) => result.kind === "committed" && result.appliedLsn));
  assertEquals(lsns.size, 400, "each of them once");
});

Deno.test("after a checkpoint a restart goes by snapshot and log", async () => {
  using directory = new TemporaryDirectory();
  const flags = ["--data", directory.path, ...ANY_PORT, ...SMALL];
  {
    await using server = await startServer(flags);
    await using client = await AllocDbClient.connect({ address: server.address });
    await client.createResource({ resourceId: 1n });
    const result = await client.checkpoint();
    assertEquals(result.kind === "done" && result.snapshotLsn, 1n);
    await client.createResource({ resourceId: 2n });
    server.process.signal("SIGTERM");
    assertEquals((await server.process.exit()).code, 0);
  }
  await using server = await startServer(["--data", directory.path, ...ANY_PORT]);
  assertEquals(server.serving["startup_kind"], "snapshot_and_wal");
  await using client = await AllocDbClient.connect({ address: server.address });
  for (const id of [1n, 2n]) assertEquals((await client.getResource(id)).kind, "found");
  const { recovery } = await client.metrics();
  assertEquals(recovery.loadedSnapshotLsn, 1n);
  assertEquals(recovery.replayedWalFrameCount, 1);
});

Deno.test("bounds that contradict the data exit with 2, name both values and change nothing", async () => {
  using directory = new TemporaryDirectory();
  await using server = await startServer(["--data", directory.path, ...ANY_PORT, ...SMALL]);
  await server.process.kill();
  const before = await hashFiles(directory.path);
  const contradictions: [string[], string][] = [
    [
      ["--bound", "core.max_resources=2000"],
      "core.max_resources is 1024 in the data directory but 2000",
    ],
    [["--profile", "local"], "core.max_operations is 8192 in the data directory but 4096"],
    [["--cluster-id", "0".repeat(32)], "belongs to another cluster"],
  ];
  for (const [flags, text] of contradictions) {
    const refused = await run(["serve", "--data", directory.path, ...ANY_PORT, ...flags]);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "error[E_CONFIG_MISMATCH]");
    assertStringIncludes(refused.stderr, text);
    assertEquals(await hashFiles(directory.path), before);
  }
});

Deno.test("bounds that cannot run exit with 2 and make no directory", async () => {
  using parent = new TemporaryDirectory();
  const data = `${parent.path}/new`;
  for (const bound of ["core.max_resorces=5", "core.max_ttl_slots=0", "core.max_bundle_size"]) {
    const refused = await run(["serve", "--data", data, ...ANY_PORT, "--bound", bound]);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "error[E_BAD_CONFIG]");
    assertEquals([...Deno.readDirSync(parent.path)], []);
  }
});

Deno.test("a bound of the node, which data is not bound to, may change", async () => {
  using directory = new TemporaryDirectory();
  const flags = ["--data", directory.path, ...ANY_PORT];
  {
    await using server = await startServer([...flags, ...SMALL]);
    server.process.signal("SIGTERM");
    await server.process.exit();
  }
  await using server = await startServer([...flags, "--bound", "engine.max_submission_queue=9"]);
  await using client = await AllocDbClient.connect({ address: server.address });
  assertEquals((await client.metrics()).queueCapacity, 9);
});

Deno.test("an address beyond this machine is refused before anything is made", async () => {
  using directory = new TemporaryDirectory();
  const data = `${directory.path}/new`;
  const refused = await run(["serve", "--data", data, "--listen", "0.0.0.0:0"]);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "not a loopback address");
  assertEquals([...Deno.readDirSync(directory.path)], []);
});

Deno.test("a server expires what is due by itself", async () => {
  using directory = new TemporaryDirectory();
  await using server = await startServer(["--data", directory.path, ...ANY_PORT, ...SMALL]);
  await using client = await AllocDbClient.connect({ address: server.address });
  await client.createResource({ resourceId: 1n });
  const claim = await client.reserve({ resourceId: 1n, holderId: 1n, ttlMs: 50 });
  assert(claim.kind === "committed" && claim.ok);
  const version = await resourceVersionOnceFree(client);
  assertEquals(version, 2n);
  const { expired } = (await client.metrics()).counters;
  assertGreater(expired, 0);
});

/** Asks until the resource is free, at most some seconds. */
async function resourceVersionOnceFree(client: AllocDbClient): Promise<bigint> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const read = await client.getResource(1n);
    if (read.kind === "found" && read.currentReservationId === undefined) return read.version;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("It never expires");
}
