// Scripts wait on `status --wait` and people watch `status --watch`: it must say ready only when the node takes
// writes, give up in time, and go quietly when nobody reads. Time is the scripted outside's.
import { assertEquals, assertMatch } from "@std/assert";
import { main } from "../../cli.ts";
import {
  sampleMetrics,
  sampleStatus,
  type Script,
  type Surroundings,
  type TestIo,
  testIo,
} from "../../tests/support/cli_io.ts";
import { STANDING } from "../../tests/support/wire_node.ts";
import type { ReplicationView } from "../api.ts";
import { TransportError } from "../client/types.ts";
import type { ServerStatus } from "../wire/status.ts";

const READY = sampleStatus();
const HALTED = sampleStatus(sampleMetrics({ acceptingWrites: false, haltReason: "sync failed" }));

/** A backup, or another replica that takes no writes. */
function replica(standing: Partial<ReplicationView>): ServerStatus {
  const status = sampleStatus(sampleMetrics({ acceptingWrites: false }));
  return { ...status, replication: { ...STANDING, ...standing } };
}

const AWAY = new TransportError("timeout", "no reply");

async function run(
  line: string,
  script: Script = {},
  surroundings: Surroundings = {},
): Promise<TestIo & { readonly code: number }> {
  const io = testIo(script, surroundings);
  const code = await main(line.split(" "), io);
  assertEquals(io.openClients(), 0);
  return { ...io, code };
}

Deno.test("status prints who the node is, its bounds and its state", async () => {
  const io = await run("status --json", { status: [READY] });
  const data = JSON.parse(io.stdout());
  assertEquals(
    [data.state, data.cluster_id, data.replica_id, data.version, data.uptime_ms],
    ["ready", "c1".repeat(16), "1", "9.9.9", 61_500],
  );
  assertEquals([data.core.max_ttl_slots, data.core.slot_duration_ms], ["360000", 10]);
  assertEquals([data.last_applied_lsn, data.server], ["18446744073709551600", "127.0.0.1:7100"]);
  assertMatch((await run("status", { status: [READY] })).stdout(), /^limits\.max_connections=64$/m);
});

Deno.test("--server may name several nodes, with commas, repeated, or in ALLOCDB_SERVER", async () => {
  const addresses = ["h1:1", "h2:2", "h3:3"];
  for (const flags of ["--server h1:1,h2:2,h3:3", "--server h1:1 --server h2:2,h3:3"]) {
    const io = await run(`status -q ${flags}`, { status: [READY] });
    assertEquals(io.connects.map((options) => options.addresses), [addresses]);
    const front = await run(`${flags} status -q`, { status: [READY] });
    assertEquals(front.connects.map((options) => options.addresses), [addresses]);
  }
  const io = await run("status -q", { status: [READY] }, {
    env: { ALLOCDB_SERVER: "h1:1,h2:2,h3:3" },
  });
  assertEquals(io.connects.map((options) => options.addresses), [addresses]);
});

Deno.test("status of a halted node is an answer and says why", async () => {
  const io = await run("status -q", { status: [HALTED] });
  assertEquals([io.code, io.stdout()], [0, "halted\n"]);
  assertMatch((await run("status", { status: [HALTED] })).stdout(), /^halt_reason=sync failed$/m);
});

Deno.test("status at a terminal is short", async () => {
  const io = await run("status", { status: [READY] }, { terminal: true });
  assertMatch(io.stdout(), /^uptime +1m1s$/m);
  assertMatch(io.stdout(), /^longest_ttl +1h$/m);
  assertEquals(io.stdout().includes("limits"), false);
});

Deno.test("status of a replica says its role, its view, whom it follows and how the others are", async () => {
  const backup = replica({});
  const data = JSON.parse((await run("status --json", { status: [backup] })).stdout());
  assertEquals([data.state, data.replication.view, data.replication.primary], ["backup", "4", "3"]);
  assertEquals(data.replication.peers["3"].last_heard_ms, 12);
  const lines = (await run("status", { status: [backup] })).stdout();
  assertMatch(lines, /^replication\.role=backup\nreplication\.view=4\nreplication\.primary=3$/m);
  assertMatch(lines, /^replication\.peers\.2\.connected=false$/m);
  const table = await run("status", { status: [backup] }, { terminal: true });
  assertMatch(table.stdout(), /^peers +2 not connected, 3 lag 0$/m);
  assertEquals(
    (await run("status -q", { status: [replica({ role: "faulted" })] })).stdout(),
    "faulted\n",
  );
});

Deno.test("status --wait ready is content with a backup that has somebody to send writers to", async () => {
  const lost = replica({ primary: undefined });
  const io = await run("status --wait ready -q", {
    status: [lost, replica({ role: "recovering" }), replica({})],
  });
  assertEquals([io.code, io.stdout(), io.calls.length], [0, "backup\n", 3]);
});

Deno.test("status --wait ready waits through silence and a halt until the node takes writes", async () => {
  const io = await run("status --wait ready -q", { status: [AWAY, HALTED, READY] });
  assertEquals([io.code, io.stdout(), io.calls.length], [0, "ready\n", 3]);
});

Deno.test("status --wait ready exits with 9 when the time is over, and says what it saw last", async () => {
  const io = await run("status --wait ready --timeout 2s", { status: [AWAY, HALTED] });
  assertEquals([io.code, io.stdout(), io.nowMs()], [9, "", 2_000]);
  assertMatch(io.stderr(), /^error\[E_WAIT_TIMEOUT\]: not ready after 2s: the node is halted\n/);
  const nobody = await run("status --wait ready --timeout 1s", {
    connect: new TransportError("unreachable", "no server answered"),
  });
  assertEquals(nobody.code, 9);
  assertMatch(nobody.stderr(), /after 1s: no server answered/);
});

Deno.test("status --wait ready does not wait for what waiting cannot mend", async () => {
  const io = await run("status --wait ready", {
    connect: new TransportError("wrong_version", "speaks version 9"),
  });
  assertEquals([io.code, io.connects.length], [1, 1]);
});

Deno.test("status --wait ready leaves no look more than the time that is left", async () => {
  const io = await run("status --wait ready --timeout 250ms", { status: [HALTED] });
  assertEquals(io.connects.map(({ requestTimeoutMs }) => requestTimeoutMs), [250, 150, 50]);
});

Deno.test("status --watch looks until interrupted, with a gap between looks", async () => {
  const io = await run("status --watch", { status: [READY, AWAY, HALTED] }, {
    interruptAtSleep: 3,
  });
  assertEquals([io.code, io.stderr(), io.nowMs()], [0, "", 3_000]);
  const looks = io.stdout().split("\n\n");
  assertEquals(looks.map((look) => /^state=(.*)$/m.exec(look)?.[1]), [
    "ready",
    "unreachable",
    "halted",
  ]);
});

Deno.test("status --watch redraws a terminal and sends no escapes into a pipe", async () => {
  const script = { status: [READY] };
  const terminal = await run("status --watch", script, { interruptAtSleep: 2, terminal: true });
  assertEquals(terminal.stdout().split("\x1b[H\x1b[J").length, 3);
  const pipe = await run("status --watch", script, { interruptAtSleep: 2 });
  assertEquals(pipe.stdout().includes("\x1b"), false);
  const lines = await run("status --watch -o ndjson", script, { interruptAtSleep: 2 });
  assertEquals(lines.stdout().trimEnd().split("\n").map((line) => JSON.parse(line).state), [
    "ready",
    "ready",
  ]);
});

Deno.test("status --watch ends quietly with exit 0 when its reader goes away", async () => {
  const io = await run("status --watch", { status: [READY] }, { closesAfter: 3_000 });
  assertEquals([io.code, io.stderr()], [0, ""]);
});

Deno.test("status --watch and --wait contradict each other", async () => {
  assertEquals((await run("status --watch --wait ready")).code, 2);
});
