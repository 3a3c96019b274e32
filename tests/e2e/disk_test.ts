// Disks that refuse: full, read-only, not ours. The process says so with the right exit code and loses nothing;
// a server whose disk fills up while it runs stops writing, stays up for its metrics, and comes back.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { AllocDbClient } from "../../node/client/client.ts";
import { hashFiles } from "./data_files.ts";
import {
  run,
  type RunningServer,
  type SpawnOptions,
  startServer,
  TemporaryDirectory,
} from "./server_process.ts";
import { SmallDisk } from "./small_disk.ts";

const ANY_PORT = ["--listen", "127.0.0.1:0"];
const SMALL = ["--profile", "small"];

/** Starts a program to whom file modes apply even if it runs as root. */
const OBEYING_MODES: SpawnOptions = Deno.uid() === 0
  ? {
    through: [
      "setpriv",
      "--bounding-set=-dac_override,-dac_read_search",
      "--inh-caps=-dac_override,-dac_read_search",
    ],
  }
  : {};

/** Starts a program that may write so many blocks of 512 bytes to a file; more is an error and no signal. */
function withFileLimit(blocks: number): SpawnOptions {
  return { through: ["sh", "-c", `trap '' XFSZ; ulimit -f ${blocks}; exec "$0" "$@"`] };
}

/** Whether this user may mount file systems; where not, what needs one is shown as ignored. */
const CAN_MOUNT = await SmallDisk.isAllowed();

function mountingTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !CAN_MOUNT, fn });
}

/** A server on a new directory with resource 1, stopped. */
async function makeData(data: string): Promise<void> {
  await using server = await startServer(["--data", data, ...ANY_PORT, ...SMALL]);
  await using client = await AllocDbClient.connect({ address: server.address });
  await client.createResource({ resourceId: 1n });
  await stop(server);
}

async function stop(server: RunningServer): Promise<void> {
  server.process.signal("SIGTERM");
  assertEquals((await server.process.exit()).code, 0);
}

/** Starts once more without hindrance: what was acknowledged must be there. */
async function assertIntact(data: string): Promise<void> {
  await using server = await startServer(["--data", data, ...ANY_PORT]);
  await using client = await AllocDbClient.connect({ address: server.address });
  assertEquals((await client.getResource(1n)).kind, "found");
  await stop(server);
}

Deno.test("serve says that it may not write a directory, and changes nothing in it", async () => {
  using directory = new TemporaryDirectory();
  await makeData(directory.path);
  const before = await hashFiles(directory.path);
  Deno.chmodSync(directory.path, 0o555);
  for (const name of ["LOCK", "state.wal", "replica.metadata"]) {
    Deno.chmodSync(`${directory.path}/${name}`, 0o444);
  }
  const refused = await run(["serve", "--data", directory.path, ...ANY_PORT], OBEYING_MODES);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "error[E_PERMISSION_DENIED]");
  assertEquals(await hashFiles(directory.path), before);
  Deno.chmodSync(directory.path, 0o755);
  for (const name of Object.keys(before)) Deno.chmodSync(`${directory.path}/${name}`, 0o644);
  Deno.chmodSync(`${directory.path}/LOCK`, 0o644);
  await assertIntact(directory.path);
});

Deno.test("serve says that it may not make its directory", async () => {
  using directory = new TemporaryDirectory();
  Deno.chmodSync(directory.path, 0o555);
  const refused = await run(
    ["serve", "--data", `${directory.path}/new`, ...ANY_PORT],
    OBEYING_MODES,
  );
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "error[E_PERMISSION_DENIED]");
});

Deno.test("serve that cannot write its files says so, and the next start has everything", async () => {
  using directory = new TemporaryDirectory();
  await makeData(directory.path);
  const refused = await run(["serve", "--data", directory.path, ...ANY_PORT], withFileLimit(100));
  assert(refused.code === 1 || refused.code === 10, refused.stderr);
  assertStringIncludes(refused.stderr, "state.wal.next");
  await assertIntact(directory.path);
});

mountingTest("serve on a read-only file system says so, and changes nothing", async () => {
  await using disk = await SmallDisk.mount(8_192);
  await makeData(`${disk.path}/data`);
  const before = await hashFiles(`${disk.path}/data`);
  await disk.remount("ro");
  const refused = await run(["serve", "--data", `${disk.path}/data`, ...ANY_PORT]);
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertStringIncludes(refused.stderr, "error[E_DISK_READ_ONLY]");
  const fresh = await run(["serve", "--data", `${disk.path}/new`, ...ANY_PORT]);
  assertStringIncludes(fresh.stderr, "error[E_DISK_READ_ONLY]");
  assertEquals(await hashFiles(`${disk.path}/data`), before);
  await disk.remount("rw");
  await assertIntact(`${disk.path}/data`);
});

mountingTest(
  "serve on a full disk exits with 10, for a new directory and for an old one",
  async () => {
    await using disk = await SmallDisk.mount(8_192);
    await makeData(`${disk.path}/data`);
    disk.fill();
    for (const data of ["new", "data"]) {
      const refused = await run(["serve", "--data", `${disk.path}/${data}`, ...ANY_PORT]);
      assertEquals([refused.code, refused.stdout], [10, ""], refused.stderr);
      assertStringIncludes(refused.stderr, "error[E_DISK_FULL]");
    }
    disk.empty();
    await assertIntact(`${disk.path}/data`);
  },
);

mountingTest(
  "a disk that fills up halts writing; metrics stay, and a restart with room has everything",
  async () => {
    await using disk = await SmallDisk.mount(16_384);
    const flags = ["--data", `${disk.path}/data`, "--profile", "small"];
    const bounds = ["--bound", "core.max_operations=200000", "--manual-checkpoint"];
    const server = await startServer([...flags, ...bounds, ...ANY_PORT, "--http", "127.0.0.1:0"]);
    const options = { address: server.address, requestTimeoutMs: 3_000, reconnectBackoffMsMax: 50 };
    const client = await AllocDbClient.connect(options);
    await client.createResource({ resourceId: 1n });
    disk.fill();
    const acknowledged = await writeUntilUnknown(client);

    const { acceptingWrites, haltReason, core } = await client.metrics();
    assertEquals(acceptingWrites, false);
    assertStringIncludes(haltReason!, "Cannot write state.wal");
    assertEquals(await client.getResource(1n), { kind: "engine_halted" });
    const refused = await client.createResource({ resourceId: 2n }, { timeoutMs: 300 });
    assertEquals(refused.kind === "unknown" && refused.reason, "engine_halted");
    const page = await (await fetch(`http://${server.serving["http"]}/metrics`)).text();
    assertStringIncludes(page, "accepting_writes");
    const ready = await fetch(`http://${server.serving["http"]}/readyz`);
    await ready.body?.cancel();
    assertEquals(ready.status, 503);
    assertStringIncludes(
      server.process.stderr,
      "halting engine on WAL error, accepting_writes set to false: operation_id=",
    );
    await client.close();
    await stop(server);

    disk.empty();
    await using again = await startServer([...flags, ...bounds, ...ANY_PORT]);
    await using reader = await AllocDbClient.connect({ address: again.address });
    const lsn = (await reader.metrics()).core.lastAppliedLsn!;
    assert(lsn >= acknowledged, `${acknowledged} was acknowledged, ${lsn} is there`);
    assert(lsn >= core.lastAppliedLsn!);
    assertEquals((await reader.getResource(1n)).kind, "found");
    assertEquals((await reader.createResource({ resourceId: 3n })).kind, "committed");
  },
);

/** Writes until the outcome is unknown; answers the last acknowledged position. */
async function writeUntilUnknown(client: AllocDbClient): Promise<bigint> {
  let last = 0n;
  for (let round = 0; round < 200; round++) {
    const commands = Array.from({ length: 500 }, () => ({
      kind: "create_resource" as const,
      resourceId: 1n,
    }));
    for (const result of await client.submitMany(commands)) {
      if (result.kind === "unknown") return last;
      if (result.kind === "committed") last = result.appliedLsn;
    }
  }
  throw new Error("The disk never fills up");
}
