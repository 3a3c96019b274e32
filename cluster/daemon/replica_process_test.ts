// A replica's process must come up only on its own data and its own ports, say why when it does not, stay reachable
// for its operator in whatever state it is, and leave nothing behind. Real files and sockets, one process.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  ask,
  eventually,
  ReplicaRoom,
  type RunningReplica,
} from "../../tests/support/replica_room.ts";
import { assert as assertFact, AssertionFailure } from "../../core/assert.ts";
import { openReplica } from "../../node/replica/replica.ts";
import { changeMetadata, imageOf } from "../../tests/support/stored_replica.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { AllocDbClient as Client } from "../../node/client/client.ts";
import { ControlFailure } from "../../node/control/client.ts";
import { encodeControl } from "../../node/control/codec.ts";
import { CliError } from "../../node/errors.ts";
import type { ReplicaMetadata } from "../../node/metadata/codec.ts";
import { METADATA_FILE } from "../../node/metadata/metadata.ts";
import { ISOLATED_MESSAGE } from "./bouncer.ts";
import { findReplica, locateReplica } from "./locate.ts";

Deno.test("ReplicaProcess listens where the layout says, names itself in its pid file, and leaves nothing", async () => {
  await using room = await ReplicaRoom.make(1);
  const one = await room.start(1n);
  const { replica, lines } = one;
  const status = await ask(one, { request: "status" });
  assertEquals(
    [status.control_addr, status.client_addr, status.protocol_addr],
    [replica.controlAddr, replica.clientAddr, replica.protocolAddr],
  );
  assertEquals([status.process_id, status.state, status.network], [Deno.pid, "active", "healthy"]);
  assertEquals(Deno.readTextFileSync(replica.pidPath).split("\n")[0], String(Deno.pid));
  await eventually(
    "a primary",
    async () => (await ask(one, { request: "status" })).role === "primary",
  );
  await ask(one, { request: "stop", drain_ms: 40 });
  assertEquals(one.stops, [40]);
  await room.stop(one);
  const marks = ["startup=begin", "event=startup_recovered", "startup=ready", "shutdown=clean"];
  const places = marks.map((mark) => lines.findIndex((line) => line.includes(`replica=1 ${mark}`)));
  assertEquals(places, [...places].sort((a, b) => a - b));
  assert(places.every((place) => place >= 0), lines.join("\n"));
  await assertRejects(() => Deno.stat(replica.pidPath), Deno.errors.NotFound);
  await assertRejects(() => ask(one, { request: "status" }), ControlFailure);
});

Deno.test("ReplicaProcess finds after a restart what it had answered", async () => {
  await using room = await ReplicaRoom.make(1);
  const first = await room.start(1n);
  await create(first, 7n);
  const before = await ask(first, { request: "digest" });
  await room.stop(first);
  const second = await room.start(1n);
  const after = await ask(second, { request: "digest" });
  assertEquals([after.lsn, after.digest], [before.lsn, before.digest]);
  const status = await ask(second, { request: "status" });
  assertEquals([status.startup_kind, status.replayed_wal_last_lsn], ["wal_only", 1n]);
});

Deno.test("ReplicaProcess refuses a directory that is not its own and changes nothing in it", async () => {
  const strange: readonly (readonly [string, Partial<ReplicaMetadata>])[] = [
    ["belongs to another cluster", { clusterId: new Uint8Array(16).fill(7) }],
    ["belongs to replica 2, not to replica 1", { replicaId: 2n }],
    ["belongs to a server of its own", { configEpoch: 0n }],
  ];
  for (const [says, changes] of strange) {
    await using room = await ReplicaRoom.make(1);
    const { directory } = room.layout.replicas[0]!;
    change(directory, changes);
    const before = files(directory);
    const error = await assertRejects(() => room.start(1n), CliError, says);
    assertEquals([error.code, error.exitCode], ["E_CONFIG_MISMATCH", 2]);
    assertEquals(files(directory), before);
    await assertRejects(() => Deno.stat(room.layout.replicas[0]!.pidPath), Deno.errors.NotFound);
  }
});

Deno.test("ReplicaProcess refuses other bounds, another version and files that are not its own", async () => {
  await using room = await ReplicaRoom.make(1);
  const { directory } = room.layout.replicas[0]!;
  const text = Deno.readTextFileSync(room.layoutPath);
  Deno.writeTextFileSync(room.layoutPath, text.replace(/(core.max_resources)=\d+/, "$1=77"));
  const bounds = await assertRejects(() => room.start(1n), CliError, "core.max_resources");
  assertEquals(bounds.code, "E_CONFIG_MISMATCH");
  Deno.writeTextFileSync(room.layoutPath, text.replace("version=2", "version=9"));
  assertEquals((await assertRejects(() => room.start(1n), CliError)).code, "E_DATA_VERSION");
  Deno.writeTextFileSync(room.layoutPath, text);
  Deno.removeSync(`${directory}/${METADATA_FILE}`);
  Deno.removeSync(`${directory}/state.wal`);
  Deno.writeTextFileSync(`${directory}/thesis.tex`, "do not lose");
  const foreign = await assertRejects(() => room.start(1n), CliError, "thesis.tex");
  assertEquals([foreign.code, files(directory)["thesis.tex"]?.slice(0, 2)], ["E_IO", "11"]);
});

Deno.test("ReplicaProcess without data makes a directory that has no vote", async () => {
  await using room = await ReplicaRoom.make(3);
  Deno.removeSync(room.layout.replicas[1]!.directory, { recursive: true });
  const two = await room.start(2n);
  assertEquals((await ask(two, { request: "status" })).role, "recovering");
  assert(two.lines.some((line) => line.startsWith("warn") && line.includes("event=data_made")));
});

Deno.test("ReplicaProcess keeps a second one off its data, and says who has it", async () => {
  await using room = await ReplicaRoom.make(1);
  await room.start(1n);
  const error = await assertRejects(() => room.start(1n), CliError, `process ${Deno.pid}`);
  assertEquals([error.code, error.exitCode], ["E_DATA_LOCKED", 7]);
});

Deno.test("ReplicaProcess names who has one of its ports, and gives back the others", async () => {
  for (const name of ["controlAddr", "clientAddr", "protocolAddr"] as const) {
    await using room = await ReplicaRoom.make(1);
    const [hostname, port] = room.layout.replicas[0]![name].split(":");
    const taken = Deno.listen({ hostname: hostname!, port: Number(port) });
    const error = await assertRejects(
      () => room.start(1n),
      CliError,
      room.layout.replicas[0]![name],
    );
    assertEquals([error.code, error.exitCode], ["E_PORT_IN_USE", 7]);
    assertMatch(error.message, new RegExp(`process ${Deno.pid} \\(`));
    taken.close();
    await room.start(1n);
  }
});

Deno.test("ReplicaProcess refuses to listen beyond loopback without a secret", async () => {
  await using room = await ReplicaRoom.make(1);
  const text = Deno.readTextFileSync(room.layoutPath);
  Deno.writeTextFileSync(room.layoutPath, text.replace(/(client_addr=)[0-9.]+/, "$10.0.0.0"));
  const error = await assertRejects(() => room.start(1n), CliError, "is not a loopback address");
  assertEquals(error.exitCode, 2);
  Deno.writeTextFileSync(room.layoutPath, text);
  await assertRejects(() => room.start(1n, "0.0.0.0:0"), CliError, "is not a loopback address");
});

Deno.test("a replica with damaged metadata is faulted, answers on all three ports, and stops cleanly", async () => {
  await using room = await ReplicaRoom.make(1);
  const { directory } = room.layout.replicas[0]!;
  const bytes = Deno.readFileSync(`${directory}/${METADATA_FILE}`);
  for (const at of [100, 4_196]) bytes[at]! ^= 1;
  Deno.writeFileSync(`${directory}/${METADATA_FILE}`, bytes);
  const before = files(directory);
  const one = await room.start(1n);
  const status = await ask(one, { request: "status" });
  assertEquals([status.state, status.role, status.accepting_writes], [
    "faulted",
    "faulted",
    undefined,
  ]);
  assertMatch(status.fault_reason ?? "", /replica\.metadata is damaged/);
  for (const request of ["digest", "checkpoint", "view_change", "metrics"] as const) {
    const error = await assertRejects(() => ask(one, { request }), ControlFailure, "faulted");
    assertEquals((error as ControlFailure).code, "unavailable");
  }
  for (const address of [one.replica.clientAddr, one.replica.protocolAddr]) {
    const [hostname, port] = address.split(":");
    (await Deno.connect({ hostname: hostname!, port: Number(port) })).close();
  }
  await room.stop(one);
  assertEquals(files(directory), before);
});

Deno.test("garbage on any port leaves the replica serving on all of them", async () => {
  await using room = await ReplicaRoom.make(1);
  const one = await room.start(1n);
  const { controlAddr, clientAddr, protocolAddr } = one.replica;
  const garbage = [
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    crypto.getRandomValues(new Uint8Array(5_000)),
    encodeControl({ request: "status" }),
    new Uint8Array([0, 0, 0]),
  ];
  for (const address of [controlAddr, clientAddr, protocolAddr]) {
    for (const bytes of garbage) await shout(address, bytes);
  }
  await create(one, 1n);
  assertEquals((await ask(one, { request: "status" })).state, "active");
  assertEquals(one.bugs, []);
});

Deno.test("an isolated replica turns clients away without resetting them, answers its operator, and serves when healed", async () => {
  await using room = await ReplicaRoom.make(1);
  const one = await room.start(1n);
  await create(one, 1n);
  room.setFaults({ isolated: [1n] });
  const faults = await ask(one, { request: "faults" });
  assertEquals([faults.network, faults.faults[0]], ["isolated", "replica.1.network=isolated"]);
  for (let i = 0; i < 20; i++) {
    const heard = await shout(one.replica.clientAddr, new Uint8Array(3_000));
    assert(heard?.includes(ISOLATED_MESSAGE), `client ${i} heard ${heard}`);
  }
  assertEquals((await ask(one, { request: "status" })).network, "isolated");
  room.setFaults({});
  assertEquals((await ask(one, { request: "faults" })).network, "healthy");
  await create(one, 2n);
});

Deno.test("a faults file that nobody understands changes nothing and is told about once", async () => {
  await using room = await ReplicaRoom.make(1);
  const one = await room.start(1n);
  Deno.writeTextFileSync(
    `${room.root}/cluster-faults.txt`,
    "version=2\nreplica.1.network=sideways\n",
  );
  await ask(one, { request: "faults" });
  await ask(one, { request: "faults" });
  assertEquals(one.lines.filter((line) => line.includes("event=faults_unreadable")).length, 1);
  await create(one, 1n);
});

Deno.test("a disk that fails leaves the replica faulted but reachable, and one that is mended lets it go on", async () => {
  for (const kind of ["fsync-failure", "eio"] as const) await failAndMend(kind);
});

async function failAndMend(kind: "fsync-failure" | "eio"): Promise<void> {
  await using room = await ReplicaRoom.make(1);
  const one = await room.start(1n);
  await create(one, 1n);
  room.setFaults({ disks: new Map([[1n, { kind, after: 0, setAtMillis: 1 }]]) });
  await ask(one, { request: "faults" });
  await using client = await Client.connect({
    addresses: [one.replica.clientAddr],
    clientName: "test",
    requestTimeoutMs: 500,
  });
  const answer = await client.createResource({ resourceId: 2n });
  assert(answer.kind !== "committed");
  await eventually("a faulted replica that has tried once to open its data again", async () => {
    const { state, counters } = await ask(one, { request: "status" });
    return state === "faulted" && (counters["reopens"] ?? 0) > 0;
  });
  room.setFaults({});
  await eventually("a replica that works again", async () => {
    const { state, role } = await ask(one, { request: "status" });
    return state === "active" && role === "primary";
  });
  await create(one, 3n);
}

Deno.test("an operator can have a line for each write, and have that stop", async () => {
  await using room = await ReplicaRoom.make(1);
  const one = await room.start(1n);
  await create(one, 1n);
  const told = (): number => one.lines.filter((line) => line.includes("submit_committed")).length;
  assertEquals(told(), 0);
  await ask(one, { request: "log_level", level: "debug" });
  await create(one, 2n);
  assertEquals(told(), 1);
  await ask(one, { request: "log_level", level: "warning" });
  await create(one, 3n);
  assertEquals(told(), 1);
});

Deno.test("the control port gives checkpoints, metrics and view changes", async () => {
  await using room = await ReplicaRoom.make(1);
  const one = await room.start(1n);
  await create(one, 1n);
  assertEquals((await ask(one, { request: "checkpoint" })).snapshot_lsn, 1n);
  assertEquals((await ask(one, { request: "status" })).active_snapshot_lsn, 1n);
  const { metrics } = await ask(one, { request: "metrics" });
  assertEquals([metrics["core.last_applied_lsn"], metrics["accepting_writes"]], [1n, true]);
  const { current_view: before } = await ask(one, { request: "status" });
  await ask(one, { request: "view_change" });
  await eventually("a later view", async () => {
    return (await ask(one, { request: "status" })).current_view > before;
  });
});

Deno.test("a broken invariant in the replica is told once, as what it is, and nothing goes on after it", async () => {
  await using room = await ReplicaRoom.make(1);
  let ticks = 0;
  const one = await room.start(1n, undefined, (options) => {
    const replica = openReplica(options);
    replica.tick = () => {
      ticks++;
      assertFact(false, "test/planted");
    };
    return replica;
  });
  await eventually("the bug", () => one.bugs.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals([one.bugs.length, ticks], [1, 1]);
  assert(one.bugs[0] instanceof AssertionFailure);
  one.process.abandon();
  await assertRejects(() => Deno.stat(one.replica.pidPath), Deno.errors.NotFound);
});

Deno.test("three replicas elect, replicate and agree", async () => {
  await using room = await ReplicaRoom.make(3);
  const all = [await room.start(1n), await room.start(2n), await room.start(3n)];
  await eventually("a primary", async () => {
    const roles = await Promise.all(all.map((one) => ask(one, { request: "status" })));
    return roles.some(({ role }) => role === "primary");
  });
  await using client = await connect(...all);
  for (let id = 1n; id <= 20n; id++) {
    assertEquals((await client.createResource({ resourceId: id })).kind, "committed");
  }
  await eventually("equal digests", async () => {
    const digests = await Promise.all(all.map((one) => ask(one, { request: "digest" })));
    return digests.every(({ lsn, digest }) => lsn === 20n && digest === digests[0]!.digest);
  });
  assertEquals(all.flatMap(({ bugs }) => bugs), []);
});

Deno.test("findReplica() and locateReplica() say what is missing", async () => {
  await using room = await ReplicaRoom.make(1);
  const { controlAddr } = room.layout.replicas[0]!;
  const located = { address: controlAddr, secretFile: undefined };
  assertEquals(await locateReplica(room.root, 1n), located);
  const codes = [
    () => findReplica(room.layoutPath, 2n),
    () => findReplica(`${room.root}/nowhere.txt`, 1n),
  ].map((find) => {
    try {
      find();
      return "found";
    } catch (error) {
      return error instanceof CliError ? error.code : error;
    }
  });
  assertEquals(codes, ["E_NO_SUCH_REPLICA", "E_NO_WORKSPACE"]);
});

function connect(...replicas: readonly RunningReplica[]): Promise<Client> {
  const addresses = replicas.map(({ replica }) => replica.clientAddr);
  return Client.connect({ addresses, clientName: "test", requestTimeoutMs: 20_000 });
}

async function create(one: RunningReplica, resourceId: bigint): Promise<void> {
  await using client = await connect(one);
  const answer = await client.createResource({ resourceId });
  assertEquals(answer.kind, "committed");
}

/** Sends bytes, hears to the end; `undefined` when the connection was reset. */
async function shout(address: string, bytes: Uint8Array): Promise<string | undefined> {
  const [hostname, port] = address.split(":");
  const conn = await Deno.connect({ hostname: hostname!, port: Number(port) });
  const heard: string[] = [];
  try {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    await conn.closeWrite();
    const chunk = new Uint8Array(4_096);
    for (let n = await conn.read(chunk); n !== null; n = await conn.read(chunk)) {
      heard.push(new TextDecoder().decode(chunk.subarray(0, n)));
    }
    return heard.join("");
  } catch {
    return undefined;
  } finally {
    conn.close();
  }
}

function change(directory: string, changes: Partial<ReplicaMetadata>): void {
  const disk = new MemoryDisk();
  disk.install(METADATA_FILE, Deno.readFileSync(`${directory}/${METADATA_FILE}`));
  changeMetadata(disk, changes);
  Deno.writeFileSync(`${directory}/${METADATA_FILE}`, disk.contents(METADATA_FILE));
}

/** The lock says who looked, which is no change. */
function files(directory: string): Record<string, string> {
  const { LOCK: _, ...rest } = imageOf(directory);
  return rest;
}
