// What a program may believe of its results: committed happened once, rejected did not happen, and unknown
// is said only when nobody can tell. Tried with servers that refuse, fall silent, lose requests and replies.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { FlakyProxy, type Mischief } from "../../tests/support/flaky_proxy.ts";
import { frame } from "../../tests/support/raw_client.ts";
import { SAMPLE_COMMANDS } from "../../tests/support/wire_samples.ts";
import { SAMPLE_METRICS, WireNode } from "../../tests/support/wire_node.ts";
import type { Rejection } from "../api.ts";
import { type Server, startServer } from "../server/server.ts";
import type { ServerOptions } from "../server/options.ts";
import { AllocDbClient } from "./client.ts";
import {
  type ClientCommand,
  type ConnectOptions,
  type SubmitResult,
  TransportError,
} from "./types.ts";

/** Everything a test needs; gone at its end. */
interface Bench extends AsyncDisposable {
  readonly node: WireNode;
  readonly server: Server;
  readonly client: AllocDbClient;
}

async function bench(
  options: Partial<ConnectOptions> = {},
  bounds: Partial<ServerOptions> = {},
): Promise<Bench> {
  const node = new WireNode();
  const server = startServer(node, { version: "test", port: 0, ...bounds });
  const client = await AllocDbClient.connect({
    address: `127.0.0.1:${server.addr.port}`,
    clientId: 5n,
    ...options,
  });
  const dispose = async (): Promise<void> => {
    await client.close();
    await server.drain(0);
  };
  return { node, server, client, [Symbol.asyncDispose]: dispose };
}

/** The same with a proxy between the two. */
async function flakyBench(
  plan: (connection: number) => Mischief,
  options: Partial<ConnectOptions> = {},
): Promise<Bench & { readonly proxy: FlakyProxy }> {
  const node = new WireNode();
  const server = startServer(node, { version: "test", port: 0 });
  const proxy = new FlakyProxy(server.addr.port, plan);
  const address = `127.0.0.1:${proxy.port}`;
  const client = await AllocDbClient.connect({ address, clientId: 5n, ...options });
  const dispose = async (): Promise<void> => {
    await client.close();
    await proxy[Symbol.asyncDispose]();
    await server.drain(0);
  };
  return { node, server, client, proxy, [Symbol.asyncDispose]: dispose };
}

/** Gives the event loop turns until something holds. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !condition(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert(condition(), "what the test waits for did not happen");
}

function create(resourceId: bigint, operationId?: bigint): ClientCommand {
  return {
    kind: "create_resource",
    resourceId,
    ...(operationId === undefined ? {} : { operationId }),
  };
}

/** A result in one word, for comparing many. */
function gist(result: SubmitResult): string {
  if (result.kind === "committed") return result.code;
  return result.kind === "rejected"
    ? `rejected ${result.rejection.code}`
    : `unknown ${result.reason}`;
}

/** Checks that every attempt had the same bytes, and says how many there were. */
function attempts(node: WireNode): number {
  const distinct = new Set(node.received.map(({ bytes }) => bytes.join()));
  assertEquals(distinct.size, 1, "an attempt differed from the one before");
  return node.received.length;
}

const OVERLOADED: Rejection = {
  category: "definite",
  code: "overloaded",
  queueDepth: 1,
  queueCapacity: 1,
};
const HALTED: Rejection = { category: "indefinite", code: "engine_halted" };

Deno.test("a life of a reservation, with every result as it is typed", async () => {
  await using at = await bench();
  const { client } = at;
  assertEquals(await client.createResource({ resourceId: 1n, operationId: 10n }), {
    kind: "committed",
    code: "ok",
    ok: true,
    appliedLsn: 1n,
    reservationId: undefined,
    epoch: undefined,
    deadlineSlot: undefined,
    fromRetryCache: false,
    operationId: 10n,
  });
  const claim = { resourceId: 1n, holderId: 7n, ttlMs: 15, operationId: 11n };
  const reserved = await client.reserve(claim);
  const reservationId = (5n << 64n) | 2n;
  const granted = { reservationId, epoch: 1n, deadlineSlot: 1_002n };
  assertEquals(reserved, {
    ...{ kind: "committed", code: "ok", ok: true, appliedLsn: 2n, ...granted },
    ...{ fromRetryCache: false, operationId: 11n },
  });
  assert(reserved.kind === "committed");
  assertEquals(await client.reserve(claim), { ...reserved, fromRetryCache: true });
  assertEquals(await client.getResource(1n), {
    ...{
      kind: "found",
      resourceId: 1n,
      state: 2,
      currentReservationId: reservationId,
      version: 2n,
      observedLsn: 2n,
    },
  });
  const action = { reservationId, holderId: 7n, epoch: 1n };
  assertEquals(gist(await client.confirm(action)), "ok");
  const found = await client.getReservation(reservationId);
  assert(found.kind === "found" && found.holderId === 7n && found.state === 2);
  assertEquals(gist(await client.release(action)), "ok");
  const missing = await client.release({ ...action, reservationId: 9n });
  assertEquals([gist(missing), missing.kind === "committed" && missing.ok], [
    "reservation_not_found",
    false,
  ]);
});

Deno.test("every call arrives at the node as the command it names, and asks what it says", async () => {
  await using at = await bench();
  const { client, node } = at;
  const results = [
    await client.createResource({ resourceId: 42n, operationId: 1n }),
    await client.reserve({ resourceId: 42n, holderId: 2_748n, ttlMs: 30_000, operationId: 2n }),
    await client.reserveBundle({
      ...{ resourceIds: [1n, 2n, 3n], holderId: 2_748n, ttlSlots: 500n, operationId: 3n },
    }),
    await client.confirm({ ...ACTION, operationId: 4n }),
    await client.release({ ...ACTION, operationId: 5n }, { slot: 1_234n }),
    await client.revoke({ reservationId: ACTION.reservationId, operationId: 6n }),
    await client.reclaim({ reservationId: ACTION.reservationId, operationId: 7n }),
  ];
  assertEquals(results.map(({ operationId }) => operationId), [1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  const single = node.received.splice(0);
  assertEquals(single.map(({ slot }) => slot).filter((slot) => slot !== undefined), [1_234n]);
  await client.submitMany(
    SAMPLE_COMMANDS.map((each, i) => ({ ...each, operationId: BigInt(i + 1) })),
  );
  assertEquals(node.received.map(({ bytes }) => bytes), single.map(({ bytes }) => bytes));
  assertEquals(await client.metrics(), SAMPLE_METRICS);
  assertEquals((await client.tick()).kind, "applied");
  assertEquals(await client.checkpoint(), { kind: "already_running" });
  assertEquals((await client.status()).version, "test");
  assertEquals(await client.getReservation(1n, { requiredLsn: 99n }), {
    kind: "fence_not_applied",
    requiredLsn: 99n,
    lastAppliedLsn: 7n,
  });
});

const ACTION = { reservationId: (7n << 64n) | 9n, holderId: 2_748n, epoch: 1n };

Deno.test("calls of one turn travel in one request, later ones are gathered behind the window", async () => {
  await using at = await bench({ submitWindow: 2 });
  const { client, node, server } = at;
  const requests = (): number => server.traffic().requests;
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => client.createResource({ resourceId: BigInt(i) })),
  );
  assertEquals([requests(), server.traffic().commands], [1, 50]);
  node.holds = true;
  const calls: Promise<SubmitResult>[] = [];
  for (let i = 0; i < 12; i++) {
    calls.push(client.createResource({ resourceId: BigInt(100 + i) }));
    await client.getResource(0n); // A turn passes, and the server has seen what was sent before.
  }
  assertEquals(node.heldCount, 2);
  node.holds = false;
  node.answerHeld();
  assertEquals((await Promise.all(calls)).map(gist), calls.map(() => "ok"));
  assertEquals(requests(), 1 + 12 + 2 + 1);
});

Deno.test("submitMany() splits by the server's limits and keeps results and first attempts in order", async () => {
  for (const bounds of [{ maxBatchCommands: 7 }, { maxFrameBytes: 4_096 }]) {
    await using at = await bench({}, bounds);
    const commands = Array.from({ length: 1_000 }, (_, i) => create(BigInt(i % 600), BigInt(i)));
    const results = await at.client.submitMany(commands);
    const lsns = results.map((result) => result.kind === "committed" ? result.appliedLsn : null);
    assertEquals(lsns, commands.map((_, i) => BigInt(i + 1)));
    assertEquals(results.filter((result) => gist(result) === "already_exists").length, 400);
    assert(at.server.traffic().requests >= 13);
  }
  await using at = await bench();
  assertEquals(await at.client.submitMany([]), []);
});

Deno.test("commands with different slots never share a request", async () => {
  await using at = await bench({ submitWindow: 1 });
  const slots = [5n, 5n, undefined, 6n, 5n];
  await Promise.all(
    slots.map((slot, i) =>
      at.client.createResource({ resourceId: BigInt(i) }, slot === undefined ? {} : { slot })
    ),
  );
  assertEquals(at.node.received.map(({ slot }) => slot), slots);
  assertEquals(at.server.traffic().requests, 4);
});

Deno.test("a lost reply is fetched by the same bytes, and the command is applied once", async () => {
  await using at = await flakyBench((connection) => connection < 2 ? "lose_reply" : "pass");
  const result = await at.client.createResource({ resourceId: 1n });
  assert(result.kind === "committed" && result.ok && result.fromRetryCache);
  assertEquals([attempts(at.node), at.proxy.connections, result.appliedLsn], [3, 3, 1n]);
});

Deno.test("a lost request is sent again, and nothing is in doubt in the end", async () => {
  await using at = await flakyBench((connection) => connection < 2 ? "lose_request" : "pass");
  const result = await at.client.createResource({ resourceId: 1n });
  assert(result.kind === "committed" && result.ok && !result.fromRetryCache);
  assertEquals([attempts(at.node), at.proxy.connections], [1, 3]);
});

Deno.test("a server that falls silent is left, and the command goes the same to the next connection", async () => {
  const plan = (connection: number): Mischief => connection < 1 ? "go_silent" : "pass";
  await using at = await flakyBench(plan, { silenceTimeoutMs: 300 });
  const [result, read] = await Promise.all([
    at.client.createResource({ resourceId: 1n }),
    at.client.metrics(),
  ]);
  assert(result.kind === "committed" && result.fromRetryCache);
  assertEquals([attempts(at.node), read], [2, SAMPLE_METRICS]);
});

Deno.test("a checkpoint may take longer than silence is borne", async () => {
  await using at = await bench({ silenceTimeoutMs: 40 });
  at.node.holds = true;
  const checkpoint = at.client.checkpoint();
  await new Promise((resolve) => setTimeout(resolve, 200));
  at.node.answerHeld();
  assertEquals(await checkpoint, { kind: "already_running" });
  assertEquals(at.server.traffic().connectionsAccepted, 1);
});

Deno.test("an indefinite answer is asked about again with the same bytes until it is definite", async () => {
  const codes = ["engine_halted", "storage_failure", "engine_halted"] as const;
  await using at = await bench();
  at.node.script = (_, position) => {
    const code = codes[position];
    return code === undefined ? "apply" : { category: "indefinite", code };
  };
  assertEquals(gist(await at.client.createResource({ resourceId: 1n })), "ok");
  assertEquals(attempts(at.node), 4);
});

Deno.test("an answer that stays indefinite is unknown at the deadline, with the id to ask again", async () => {
  await using at = await bench();
  at.node.script = () => HALTED;
  const result = await at.client.createResource({ resourceId: 1n, operationId: 9n }, {
    timeoutMs: 150,
  });
  assert(result.kind === "unknown");
  assertEquals([result.reason, result.operationId], ["engine_halted", 9n]);
  assert(attempts(at.node) > 1);
});

Deno.test("overloaded is waited out, and at the deadline it is a definite rejection", async () => {
  await using at = await bench();
  at.node.script = (_, position) => position < 3 ? OVERLOADED : "apply";
  assertEquals(gist(await at.client.createResource({ resourceId: 1n })), "ok");
  assertEquals(attempts(at.node), 4);
  at.node.script = () => OVERLOADED;
  const result = await at.client.createResource({ resourceId: 2n }, { timeoutMs: 400 });
  assert(result.kind === "rejected");
  assertEquals(result.rejection, OVERLOADED);
});

Deno.test("other definite rejections are answers: they are not tried again", async () => {
  const rejections: Rejection[] = [
    { category: "definite", code: "slot_rewound", requestSlot: 1n, lastRequestSlot: 2n },
    { category: "definite", code: "slot_too_far", requestSlot: 3n, slotMax: 2n },
    { category: "definite", code: "lsn_exhausted", lastAppliedLsn: 2n ** 64n - 1n },
    { category: "definite", code: "command_too_large", encodedLen: 53, maxCommandBytes: 52 },
    { category: "definite", code: "invalid_request", reason: "invalid_layout" },
    { category: "definite", code: "slot_overflow", kind: 2, requestSlot: 1n, delta: 2n },
  ];
  for (const rejection of rejections) {
    await using at = await bench();
    at.node.script = () => rejection;
    const result = await at.client.createResource({ resourceId: 1n, operationId: 3n });
    assertEquals(result, {
      kind: "rejected",
      rejection: rejection as typeof OVERLOADED,
      operationId: 3n,
    });
    assertEquals(at.node.received.length, 1);
  }
});

Deno.test("a definite rejection of a retry does not speak for the attempt before it", async () => {
  const rewound = { category: "definite", code: "slot_rewound" } as const;
  const tooLarge = { category: "definite", code: "command_too_large" } as const;
  const cases: [Rejection, string][] = [
    [{ ...rewound, requestSlot: 1n, lastRequestSlot: 2n }, "unknown slot_rewound"],
    [{ category: "definite", code: "lsn_exhausted", lastAppliedLsn: 1n }, "unknown lsn_exhausted"],
    [{ ...tooLarge, encodedLen: 53, maxCommandBytes: 52 }, "rejected command_too_large"],
  ];
  for (const [rejection, expected] of cases) {
    await using at = await flakyBench((connection) => connection < 1 ? "lose_reply" : "pass");
    at.node.script = (_, position) => position < 1 ? "apply" : rejection;
    assertEquals(gist(await at.client.createResource({ resourceId: 1n })), expected);
    assertEquals(attempts(at.node), 2);
  }
});

Deno.test("a command that never left is rejected, one that may have arrived is unknown", async () => {
  await using at = await flakyBench(() => "go_silent", { requestTimeoutMs: 500 });
  const sent = at.client.createResource({ resourceId: 1n });
  await until(() => at.node.received.length === 1);
  await at.proxy[Symbol.asyncDispose]();
  await until(() => at.server.traffic().connectionsOpen === 0);
  const kept = at.client.createResource({ resourceId: 2n });
  const [first, second] = await Promise.all([sent, kept]);
  assertEquals([gist(first), gist(second)], ["unknown unreachable", "rejected not_sent"]);
  assert(second.kind === "rejected" && second.rejection.code === "not_sent");
  assertEquals(second.rejection.reason, "unreachable");
  assertEquals(attempts(at.node), 1);
});

Deno.test("a server that says goodbye leaves nothing in doubt that it has not taken", async () => {
  await using at = await bench({ requestTimeoutMs: 300 });
  at.node.holds = true;
  const taken = at.client.createResource({ resourceId: 1n });
  await until(() => at.node.heldCount === 1);
  const drained = at.server.drain(5_000);
  const refused = at.client.createResource({ resourceId: 2n });
  await until(() => at.server.traffic().commands === 2);
  at.node.answerHeld();
  assertEquals((await Promise.all([taken, refused])).map(gist), ["ok", "rejected shutting_down"]);
  await drained;
  assertEquals(at.node.received.length, 1);
});

Deno.test("the next address takes over when a server is gone", async () => {
  await using first = await bench();
  await using second = await bench();
  const addresses = [first, second].map(({ server }) => `127.0.0.1:${server.addr.port}`);
  await using client = await AllocDbClient.connect({ addresses });
  assertEquals(gist(await client.createResource({ resourceId: 1n })), "ok");
  await first.server.drain(0);
  assertEquals(gist(await client.createResource({ resourceId: 2n })), "ok");
  assertEquals([first.node.received.length, second.node.received.length], [1, 1]);
  assertEquals(client.server.address, addresses[1]);
});

Deno.test("a client does not follow its address to another cluster", async () => {
  const plan = (connection: number): Mischief => connection < 1 ? "lose_request" : "pass";
  await using at = await flakyBench(plan, { requestTimeoutMs: 500 });
  at.node.identity.clusterId.fill(99); // The same port, and another data directory behind it.
  const result = await at.client.createResource({ resourceId: 1n });
  assertEquals(gist(result), "unknown wrong_cluster");
  assertEquals(at.node.received.length, 0);
  const error = await assertRejects(() => at.client.metrics({ timeoutMs: 50 }), TransportError);
  assertEquals(error.code, "wrong_cluster");
});

Deno.test("reads outlive lost connections, and throw when their time is up", async () => {
  await using at = await flakyBench((connection) => connection < 2 ? "lose_reply" : "pass");
  assertEquals(await at.client.getResource(1n), { kind: "not_found", observedLsn: 0n });
  assertEquals(at.proxy.connections, 3);
  at.node.holds = true;
  const late = await assertRejects(() => at.client.tick({ timeoutMs: 60 }), TransportError);
  assertEquals(late.code, "timeout");
  at.node.holds = false;
  at.node.answerHeld(); // The late reply is nobody's, and no reason to doubt the connection.
  assertEquals((await at.client.tick()).kind, "applied");
  assertEquals(at.proxy.connections, 3);
});

Deno.test("close() ends what is under way, and calls after it fail at once", async () => {
  await using at = await bench();
  at.node.holds = true;
  const write = at.client.createResource({ resourceId: 1n });
  const read = at.client.tick().catch((error: TransportError) => error.code);
  await until(() => at.node.heldCount === 2);
  await at.client.close();
  assertEquals([gist(await write), await read], ["unknown closed", "closed"]);
  assertEquals(gist(await at.client.createResource({ resourceId: 1n })), "rejected not_sent");
  const error = await assertRejects(() => at.client.status(), TransportError);
  assertEquals(error.code, "closed");
  await at.client.close();
});

Deno.test("connect() says why there is no server for this client", async () => {
  await using at = await bench();
  const address = `127.0.0.1:${at.server.addr.port}`;
  const clusterId = new Uint8Array(16).fill(9);
  const wrong = () => AllocDbClient.connect({ address, clusterId });
  assertEquals((await assertRejects(wrong, TransportError)).code, "wrong_cluster");
  await at.server.drain(0);
  const gone = () => AllocDbClient.connect({ address });
  assertEquals((await assertRejects(gone, TransportError)).code, "unreachable");
  await assertRejects(() => AllocDbClient.connect({}), TypeError, "no address");
  await assertRejects(() => AllocDbClient.connect({ address: "nowhere" }), TypeError);
  await assertRejects(() => AllocDbClient.connect({ address, clientId: -1n }), RangeError);
});

/** Connects to a listener that answers everything with the same bytes. */
async function connectTo(answer: Uint8Array, connectTimeoutMs = 5_000): Promise<string> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = listener.accept().then(async (conn) => {
    await conn.read(new Uint8Array(100));
    await conn.write(answer);
    return conn;
  });
  const connecting = AllocDbClient.connect({ address: `127.0.0.1:${port}`, connectTimeoutMs });
  const error = await assertRejects(() => connecting, TransportError);
  (await serving).close();
  return error.code;
}

Deno.test("connect() is not taken in by something else that listens", async () => {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  assertEquals(await connectTo(text("HTTP/1.1 400 Bad Request\r\n\r\n")), "wrong_version");
  assertEquals(await connectTo(frame(text("hello to you too"))), "protocol_error");
  assertEquals(await connectTo(frame(text("x")).with(11, 0)), "protocol_error");
  assertEquals(await connectTo(new Uint8Array(0), 100), "unreachable");
});

Deno.test("commands that cannot be said are refused before anything is sent", async () => {
  await using at = await bench({}, { maxFrameBytes: 4_096 });
  const bad = () => at.client.submitMany([create(1n), create(2n ** 128n)]);
  await assertRejects(bad, RangeError);
  const bundle = { resourceIds: new Array(300).fill(1n), holderId: 1n, ttlMs: 1 };
  const result = await at.client.reserveBundle({ ...bundle, operationId: 1n });
  assertEquals(gist(result), "rejected command_too_large");
  assertEquals(at.node.received.length, 0);
});

Deno.test("through a proxy that breaks every other connection, 500 commands are applied once each", async () => {
  let seed = 11;
  const draw = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) >>> 16;
  const mischiefs = ["lose_request", "lose_reply", "pass", "lose_reply"] as const;
  await using at = await flakyBench(() => mischiefs[draw() % 4]!, { submitWindow: 1 });
  const timer = setInterval(() => at.proxy.cut(), 40);
  const results: SubmitResult[] = [];
  for (let i = 0; i < 20; i++) {
    const commands = Array.from({ length: 25 }, (_, j) => create(BigInt(i * 25 + j)));
    results.push(...await at.client.submitMany(commands));
  }
  clearInterval(timer);
  assertEquals(results.map(gist), results.map(() => "ok"));
  const lsns = results.map((result) => result.kind === "committed" ? Number(result.appliedLsn) : 0);
  assertEquals(lsns.sort((a, b) => a - b), results.map((_, i) => i + 1));
  const sent = new Set(at.node.received.map(({ bytes }) => bytes.join()));
  assertEquals(sent.size, 500, "an operation was sent with more than one content");
  assert(at.node.received.length > 500, "the proxy broke nothing");
});
