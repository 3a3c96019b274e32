// The load against a real server in this process: what the load counts is what the node did, nothing stays
// reserved, and at a fixed rate every arrival counts, answered or not.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { CliError } from "../errors.ts";
import type { Node } from "../node.ts";
import { startServer } from "../server/server.ts";
import { writeServerHello } from "../wire/hello.ts";
import { WireWriter } from "../wire/writer.ts";
import { closeBenchNode, openBenchNode } from "./bench_node.ts";
import { LaneFactory, type Load, runClosedLoop } from "./closed_loop.ts";
import { LOAD_CONFIG, TTL_SLOTS } from "./load_bounds.ts";
import { LoadConnection } from "./load_connection.ts";
import { runOpenLoop } from "./open_loop.ts";

const NEVER = new AbortController().signal;
const LANES = (): LaneFactory => new LaneFactory(BigInt(TTL_SLOTS));

async function withServer(body: (address: string, node: Node) => Promise<void>): Promise<void> {
  const node = openBenchNode(new MemoryDisk(), LOAD_CONFIG);
  {
    await using server = startServer(node, { version: "test", port: 0 });
    await body(`127.0.0.1:${server.addr.port}`, node);
  }
  await closeBenchNode(node);
}

async function connect(address: string, load: Load): Promise<LoadConnection[]> {
  const factory = LANES();
  const opening = Array.from(
    { length: load.connections },
    () => LoadConnection.open(address, factory.lanes(load)),
  );
  return await Promise.all(opening);
}

function resourceCount({ connections, inFlight, batch }: Load): number {
  return connections * inFlight * batch;
}

function assertAllAvailable(node: Node, load: Load): void {
  for (let id = 1n; id <= BigInt(resourceCount(load)); id++) {
    const read = node.getResource(id);
    assert(read.kind === "found");
    assertEquals([id, read.currentReservationId], [id, undefined]);
  }
}

Deno.test("runClosedLoop() counts what the node committed, and releases all that it reserved", async () => {
  const loads: Load[] = [
    { connections: 1, inFlight: 1, batch: 1 },
    { connections: 5, inFlight: 1, batch: 1 },
    { connections: 1, inFlight: 3, batch: 23 },
    { connections: 2, inFlight: 2, batch: 24 },
    { connections: 1, inFlight: 2, batch: 256 },
  ];
  for (const load of loads) {
    await withServer(async (address, node) => {
      const connections = await connect(address, load);
      const { recorder } = await runClosedLoop(connections, 0.03, NEVER);
      for (const connection of connections) connection.close();
      const { committed } = node.metrics().counters;
      assertEquals(recorder.commands + resourceCount(load), committed);
      assertEquals(recorder.results(), { ok: recorder.commands });
      assertEquals(recorder.times.count * load.batch, recorder.commands);
      assert(recorder.commands >= 3 * resourceCount(load));
      assertAllAvailable(node, load);
    });
  }
});

Deno.test("runOpenLoop() sends and counts every arrival once", async () => {
  const load = { connections: 2, inFlight: 4, batch: 1 };
  await withServer(async (address, node) => {
    const connections = await connect(address, load);
    const { recorder, unanswered } = await runOpenLoop(connections, 2_000, 0.2, NEVER);
    assertEquals([recorder.times.count, recorder.commands, unanswered], [400, 400, 0]);
    assertEquals(node.metrics().counters.committed, 400 + resourceCount(load));
  });
});

/** A server that says hello and acknowledges the creates, then does as `then` says with each read. */
async function withStub(
  load: Load,
  then: "silence" | "close" | "garbage",
  body: (connections: LoadConnection[]) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const conn = await listener.accept();
    const buffer = new Uint8Array(65_536);
    for (let reads = 0; await conn.read(buffer).catch(() => null) !== null; reads++) {
      if (reads === 0) await conn.write(hello());
      else if (reads === 1) await conn.write(emptyFrame());
      else if (then === "garbage") await conn.write(new Uint8Array(64).fill(0xff));
      else if (then === "close") break;
    }
    conn.close();
  })();
  try {
    const lanes = LANES().lanes(load);
    await body([await LoadConnection.open(`127.0.0.1:${listener.addr.port}`, lanes)]);
  } finally {
    await serving;
    listener.close();
  }
}

function hello(): Uint8Array<ArrayBuffer> {
  const out = new WireWriter();
  writeServerHello(out, {
    clusterId: new Uint8Array(16),
    version: "stub",
    shardId: 0n,
    slotDurationMs: 10,
    maxFrameBytes: 1_048_576,
    maxCommandBytes: 4_096,
    maxBatchCommands: 16,
    maxBundleSize: 1,
    maxTtlSlots: 100n,
    currentSlot: 1n,
  });
  return out.bytes.subarray(0, out.end);
}

function emptyFrame(): Uint8Array<ArrayBuffer> {
  const out = new WireWriter();
  const frame = out.beginFrame();
  out.nil();
  out.endFrame(frame);
  return out.bytes.subarray(0, out.end);
}

const ONE: Load = { connections: 1, inFlight: 1, batch: 1 };

Deno.test("runOpenLoop() counts what arrived while the server was silent, sent or not", async () => {
  await withStub(ONE, "silence", async (connections) => {
    const { recorder, unanswered } = await runOpenLoop(connections, 1_000, 0.05, NEVER);
    // One was sent and 49 waited for its lane: coordinated omission would have left them out.
    assertEquals([recorder.times.count, recorder.commands, unanswered], [50, 0, 50]);
  });
});

Deno.test("a load ends with E_PROTOCOL when the server closes or sends nonsense", async () => {
  for (const then of ["close", "garbage"] as const) {
    await withStub(ONE, then, async (connections) => {
      const error = await assertRejects(() => runClosedLoop(connections, 5, NEVER), CliError);
      assertEquals(error.code, "E_PROTOCOL");
      for (const connection of connections) connection.close();
    });
    await withStub(ONE, then, async (connections) => {
      const error = await assertRejects(() => runOpenLoop(connections, 10, 5, NEVER), CliError);
      assertEquals(error.code, "E_PROTOCOL");
    });
  }
});

Deno.test("LoadConnection.open() refuses a server that takes smaller batches", async () => {
  const opened = withStub({ ...ONE, batch: 17 }, "silence", () => Promise.resolve());
  const error = await assertRejects(() => opened, CliError);
  assertEquals(error.message, "the measured server failed: it takes 16 commands in one request");
});
