// What the reading and maintaining verbs ask for, how answers are printed, and that a refusal to answer never
// looks like an answer. Through the whole program against a scripted node.
import { assertEquals, assertMatch } from "@std/assert";
import { main } from "../../cli.ts";
import { ReservationState, ResourceState } from "../../core/tables.ts";
import { sampleMetrics, type Script, type TestIo, testIo } from "../../tests/support/cli_io.ts";
import type { ReservationView, ResourceView } from "../api.ts";
import { TransportError } from "../client/types.ts";
import { DiskFault } from "../disk.ts";
import { nameId } from "./ids.ts";
import { METRICS } from "./metric_names.ts";

const BIG = 2n ** 128n - 1n;

const RESOURCE: ResourceView = {
  kind: "found",
  resourceId: BIG,
  state: ResourceState.confirmed,
  currentReservationId: 12n,
  version: 2n,
  observedLsn: 9n,
};
const RESERVATION: ReservationView = {
  kind: "found",
  reservationId: 12n,
  holderId: 7n,
  state: ReservationState.reserved,
  epoch: 1n,
  createdLsn: 12n,
  deadlineSlot: 960n,
  releasedLsn: undefined,
  retireAfterSlot: undefined,
  memberResourceIds: [1n, BIG],
  observedLsn: 9n,
};

async function run(line: string, script: Script = {}): Promise<TestIo & { readonly code: number }> {
  const io = testIo(script);
  const code = await main(line.split(" "), io);
  assertEquals(io.openClients(), 0);
  return { ...io, code };
}

Deno.test("get asks for what was typed, in every spelling", async () => {
  const script = { resource: RESOURCE, reservation: RESERVATION };
  for (
    const [line, method, args] of [
      ["get seat:21A", "get_resource", [nameId("seat:21A"), {}]],
      ["get resource seat:21A", "get_resource", [nameId("seat:21A"), {}]],
      ["get resource resource", "get_resource", [nameId("resource"), {}]],
      ["get 5 --required-lsn 40", "get_resource", [5n, { requiredLsn: 40n }]],
      ["get reservation 12", "get_reservation", [12n, {}]],
      ["get --reservation 0/12", "get_reservation", [12n, {}]],
      [
        "get --reservation 12 --slot 9 --required-lsn 40",
        "get_reservation",
        [12n, { requiredLsn: 40n, currentSlot: 9n }],
      ],
    ] as const
  ) {
    const io = await run(line, script);
    assertEquals([io.code, io.calls], [0, [{ method, args }]], line);
  }
});

Deno.test("get refuses to guess what is meant", async () => {
  for (
    const line of [
      ...["get", "get resource", "get reservation", "get 1 2", "get resource 1 2"],
      ...["get 1 --reservation 2", "get reservation 1 --reservation 2"],
      "get 1 --slot 5",
    ]
  ) {
    const io = await run(line);
    assertEquals([io.code, io.connects.length], [2, 0], line);
    assertMatch(io.stderr(), /^error\[E_USAGE\]/);
  }
});

Deno.test("get prints a resource and a reservation in every format", async () => {
  const script = { resource: RESOURCE, reservation: RESERVATION };
  assertEquals(
    (await run("get 1", script)).stdout(),
    `resource_id=${BIG}\nstate=confirmed\ncurrent_reservation_id=12\nversion=2\n`,
  );
  assertEquals(
    (await run("get --reservation 12 -o ndjson", script)).stdout(),
    `{"reservation_id":"12","state":"reserved","holder_id":"7","epoch":"1","created_lsn":"12",` +
      `"deadline_slot":"960","released_lsn":null,"retire_after_slot":null,` +
      `"member_resource_ids":["1","${BIG}"]}\n`,
  );
  assertEquals((await run("get 1 -q", script)).stdout(), "confirmed\n");
  assertMatch((await run("get 1 --ids hex", script)).stdout(), /^resource_id=0xf{32}$/m);
  assertMatch((await run("get 1 -o table", script)).stdout(), /^state {19}confirmed$/m);
});

Deno.test("get without an answer prints no data and says why by its exit code", async () => {
  const fence = { kind: "fence_not_applied", requiredLsn: 40n, lastAppliedLsn: 12n } as const;
  const backup = { kind: "not_primary", view: 3n, primary: undefined } as const;
  for (
    const [line, script, exit, code] of [
      ["get 1", { resource: { kind: "not_found", observedLsn: 9n } }, 1, "E_RESOURCE_NOT_FOUND"],
      ["get 1", { resource: { kind: "engine_halted" } }, 4, "E_ENGINE_HALTED"],
      ["get 1", { resource: fence }, 4, "E_FENCE_NOT_APPLIED"],
      ["get 1", { resource: backup }, 4, "E_NOT_PRIMARY"],
      [
        "get reservation 1",
        { reservation: { kind: "not_found", observedLsn: 9n } },
        1,
        "E_RESERVATION_NOT_FOUND",
      ],
      [
        "get reservation 1",
        { reservation: { kind: "retired", observedLsn: 9n } },
        1,
        "E_RESERVATION_RETIRED",
      ],
      ["get reservation 1", { reservation: fence }, 4, "E_FENCE_NOT_APPLIED"],
      ["get 1", { fails: new TransportError("timeout", "no reply") }, 4, "E_NO_ANSWER"],
      ["metrics", { fails: new TransportError("connection_lost", "gone") }, 4, "E_NO_ANSWER"],
    ] as const
  ) {
    const io = await run(`${line} --json`, script);
    assertEquals([io.code, io.stdout()], [exit, ""]);
    assertEquals(JSON.parse(io.stderr()).error.code, code);
  }
});

Deno.test("metrics prints every figure that metrics --list explains, and no other", async () => {
  const io = await run("metrics --slot 9", { metrics: sampleMetrics() });
  assertEquals(io.calls, [{ method: "metrics", args: [{ currentSlot: 9n }] }]);
  const names = io.stdout().trimEnd().split("\n").map((line) => line.split("=")[0]!);
  assertEquals(names, METRICS.map(({ name }) => name));
  assertMatch(io.stdout(), /^core\.last_applied_lsn=18446744073709551600$/m);
  const json = JSON.parse((await run("metrics --json", { metrics: sampleMetrics() })).stdout());
  assertEquals(json.core.last_applied_lsn, "18446744073709551600");
  assertEquals([json.halt_reason, json.queue_capacity], [null, 64]);
});

Deno.test("metrics --list needs no node", async () => {
  const io = await run("metrics --list -q");
  assertEquals([io.code, io.connects.length], [0, 0]);
  assertEquals(io.stdout().trimEnd().split("\n"), METRICS.map(({ name }) => name));
  const json = JSON.parse((await run("metrics --list --json")).stdout());
  assertEquals(Object.keys(json).length, METRICS.length);
});

Deno.test("tick prints what it did", async () => {
  const tick = { kind: "applied", processedCount: 3, lastAppliedLsn: 15n } as const;
  const io = await run("tick --slot 960", { tick });
  assertEquals(io.calls, [{ method: "tick", args: [{ currentSlot: 960n }] }]);
  assertEquals(io.stdout(), "processed_count=3\nlast_applied_lsn=15\n");
  assertEquals((await run("tick -q", { tick })).stdout(), "3\n");
});

Deno.test("tick that was rejected is definite or not, as the node says", async () => {
  const definite = { category: "definite", code: "shutting_down" } as const;
  const stopped = await run("tick", { tick: { kind: "rejected", rejection: definite } });
  assertEquals(stopped.code, 4);
  const indefinite = { category: "indefinite", code: "storage_failure" } as const;
  const failed = await run("tick", { tick: { kind: "rejected", rejection: indefinite } });
  assertEquals([failed.code, failed.stdout()], [6, ""]);
  assertMatch(failed.stderr(), /hint: tick again/);
});

Deno.test("checkpoint waits for a minute unless told, and prints what it did", async () => {
  const done = {
    kind: "done",
    snapshotLsn: 15n,
    previousSnapshotLsn: undefined,
    removedSegments: 2,
  } as const;
  const io = await run("checkpoint", { checkpoint: done });
  assertEquals(io.calls, [{ method: "checkpoint", args: [{ timeoutMs: 60_000 }] }]);
  assertEquals(io.stdout(), "snapshot_lsn=15\nprevious_snapshot_lsn=none\nremoved_segments=2\n");
  const brief = await run("checkpoint --timeout 1s", { checkpoint: done });
  assertEquals(brief.calls, [{ method: "checkpoint", args: [{ timeoutMs: 1_000 }] }]);
});

Deno.test("checkpoint that failed says why by its exit code", async () => {
  const fault = (kind: "disk_full" | "io_error"): DiskFault =>
    new DiskFault(kind, "write", "state.snapshot", "the system's words");
  for (
    const [checkpoint, exit, code] of [
      [{ kind: "already_running" }, 7, "E_CHECKPOINT_RUNNING"],
      [{ kind: "engine_halted" }, 4, "E_ENGINE_HALTED"],
      [{ kind: "snapshot_file_error", fault: fault("disk_full") }, 10, "E_DISK_FULL"],
      [{ kind: "snapshot_file_error", fault: fault("io_error") }, 1, "E_CHECKPOINT_FAILED"],
    ] as const
  ) {
    const io = await run("checkpoint --json", { checkpoint });
    assertEquals([io.code, JSON.parse(io.stderr()).error.code], [exit, code]);
  }
});
