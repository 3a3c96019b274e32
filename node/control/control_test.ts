// The control port is how an operator reaches a replica that is in trouble. Nothing that anybody sends to it, or
// fails to send, may stop the replica, another operator, or the port itself.
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { sampleStatus } from "../../tests/support/control_status.ts";
import { controlCall, ControlFailure } from "./client.ts";
import { decodeControl, encodeControl, parseReply, parseRequest } from "./codec.ts";
import { controlError, type ControlRequest, LOG_LEVELS } from "./messages.ts";
import type { ControlHandler } from "./handler.ts";
import { type ControlServer, startControlServer } from "./server.ts";

const REQUESTS: readonly ControlRequest[] = [
  { request: "status" },
  { request: "stop", drain_ms: 5_000 },
  { request: "digest" },
  { request: "checkpoint" },
  { request: "view_change" },
  { request: "faults" },
  { request: "log_level", level: "debug" },
  { request: "metrics" },
];

const CALL = { timeoutMs: 5_000 };
const answering: ControlHandler = (request) => {
  switch (request.request) {
    case "status":
      return sampleStatus();
    case "stop":
      return { status: "ok" };
    case "digest":
      return { status: "ok", op: 9n, lsn: 7n, digest: 2n ** 64n - 1n };
    case "checkpoint":
      return {
        status: "ok",
        snapshot_lsn: 7n,
        previous_snapshot_lsn: undefined,
        removed_segments: 0,
      };
    case "view_change":
      return { status: "ok", current_view: 2n };
    case "faults":
      return { status: "ok", network: "healthy", faults: ["link 1->2 drop"] };
    case "log_level":
      return { status: "ok", level: request.level };
    case "metrics":
      return { status: "ok", metrics: { a: 1, b: 2n, c: "x", d: true, e: undefined } };
  }
};

Deno.test("controlCall() gets to every request the answer that the replica gave", async () => {
  await withServer(answering, async (server) => {
    for (const request of REQUESTS) {
      assertEquals(
        await controlCall(server.addr, request, CALL),
        await answering(request) as never,
      );
    }
  });
});

Deno.test("parseRequest() takes what encodeControl() wrote and nothing with a field more, less or wrong", () => {
  for (const request of REQUESTS) {
    assertEquals(parseRequest(roundTrip(request)), request);
    assertEquals(parseRequest(roundTrip({ ...request, more: 1 })), undefined);
  }
  const bad = [
    {},
    [],
    7,
    null,
    "status",
    { request: "halt" },
    { request: "stop" },
    { request: "stop", drain_ms: -1 },
    { request: "stop", drain_ms: 0.5 },
    { request: "stop", drain_ms: 600_001 },
    { request: "stop", drain_ms: "5" },
    { request: "log_level", level: "loud" },
  ];
  for (const value of bad) assertEquals(parseRequest(roundTrip(value)), undefined);
});

Deno.test("parseReply() keeps every field of a status and refuses one that is out of its range", () => {
  const status = sampleStatus({ role: "faulted", accepting_writes: undefined });
  assertEquals(parseReply("status", roundTrip(status)), status);
  for (
    const wrong of [{ role: "leader" }, { current_view: -1n }, { current_view: 1 }, { peers: 1 }]
  ) {
    assertEquals(parseReply("status", roundTrip({ ...status, ...wrong })), undefined);
  }
  const refusal = controlError("unavailable", "no");
  assertEquals(parseReply("status", roundTrip(refusal)), refusal);
});

Deno.test("parseReply() drops what a later version may add to an answer", () => {
  const later = { ...sampleStatus(), colour: "blue" };
  assertEquals(parseReply("status", roundTrip(later)), sampleStatus());
});

Deno.test("decodeControl() and the checks behind it never throw, whatever the bytes", () => {
  fc.assert(
    fc.property(hostileBodies(), (bytes) => {
      const value = decodeControl(bytes);
      parseRequest(value);
      parseReply("status", value);
    }),
    { seed: 11, numRuns: 500 },
  );
});

Deno.test("controlCall() throws the replica's own words when it refuses or fails", async () => {
  const moody: ControlHandler = (request) => {
    if (request.request === "digest") throw new Error("disk on fire");
    return controlError("unavailable", "not now");
  };
  await withServer(moody, async (server) => {
    const refused = await failureOf(() => controlCall(server.addr, { request: "status" }, CALL));
    assertEquals([refused.kind, refused.code, refused.message], [
      "refused",
      "unavailable",
      "not now",
    ]);
    const failed = await failureOf(() => controlCall(server.addr, { request: "digest" }, CALL));
    assertEquals([failed.kind, failed.code, failed.message], ["refused", "failed", "disk on fire"]);
  });
});

Deno.test("controlCall() tells nobody there from nobody answering", async () => {
  const nobody = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = nobody.addr as Deno.NetAddr;
  nobody.close();
  const away = await failureOf(() => controlCall(address, { request: "status" }, CALL));
  assertEquals(away.kind, "unreachable");
  const silent: ControlHandler = () => new Promise(() => {});
  await withServer(silent, async (server) => {
    const text = `127.0.0.1:${server.addr.port}`;
    const late = await failureOf(() => controlCall(text, { request: "status" }, { timeoutMs: 50 }));
    assertEquals(late.kind, "timeout");
  });
  const wrong = await failureOf(() => controlCall("nonsense", { request: "status" }, CALL));
  assertEquals(wrong.kind, "unreachable");
});

Deno.test("controlCall() names a port that speaks something else", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stranger = (async () => {
    const conn = await listener.accept();
    await conn.write(new TextEncoder().encode("220 mail.example ESMTP\r\n"));
    await conn.read(new Uint8Array(100));
    conn.close();
  })();
  const failure = await failureOf(() =>
    controlCall(listener.addr as Deno.NetAddr, { request: "status" }, CALL)
  );
  assertEquals(failure.kind, "protocol");
  await stranger;
  listener.close();
});

Deno.test("ControlServer answers a caller that says no more after its request, and several requests in one packet", async () => {
  await withServer(answering, async (server) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    const ask = encodeControl({ request: "stop", drain_ms: 0 });
    await writeAll(conn, new Uint8Array([...ask, ...ask, ...ask]));
    await conn.closeWrite();
    assertEquals(count(await readToEnd(conn), encodeControl({ status: "ok" })), 3);
    conn.close();
  });
});

Deno.test("ControlServer says what is wrong with garbage, ends that connection only, and goes on", async () => {
  await withServer(answering, async (server) => {
    const steady = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    const damaged = encodeControl({ request: "status" });
    damaged[damaged.length - 1]! ^= 1;
    const hostile = [
      new TextEncoder().encode("status\n".repeat(100)),
      new Uint8Array([0xff, 0xfe, 0xff, 0xfd, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
      new Uint8Array([0, 0x10, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
      damaged,
    ];
    for (const bytes of hostile) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
      await writeAll(conn, bytes);
      const reply = await readToEnd(conn);
      assert(new TextDecoder().decode(reply).includes("malformed_frame"));
      conn.close();
    }
    await writeAll(steady, encodeControl({ request: "stop", drain_ms: 0 }));
    const ok = encodeControl({ status: "ok" });
    assertEquals(await steady.read(new Uint8Array(100)), ok.length);
    steady.close();
  });
});

Deno.test("ControlServer answers a sound frame with a senseless body and keeps the connection", async () => {
  await withServer(answering, async (server) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    for (const value of [{ request: "\ud800" }, { request: 5 }, [], "status", null]) {
      await writeAll(conn, encodeControl(value as object));
      const chunk = new Uint8Array(1_000);
      const length = await conn.read(chunk) ?? 0;
      assert(new TextDecoder().decode(chunk.subarray(0, length)).includes("malformed_request"));
    }
    conn.close();
  });
});

Deno.test("ControlServer ends a request that trickles and a connection that is idle", async () => {
  const limits = { requestDeadlineMs: 40, idleDeadlineMs: 40 };
  await withServer(answering, async (server) => {
    const idle = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    const trickling = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    await writeAll(trickling, encodeControl({ request: "status" }).subarray(0, 5));
    assert(new TextDecoder().decode(await readToEnd(trickling)).includes("deadline_exceeded"));
    assertEquals((await readToEnd(idle)).length, 0);
    for (const conn of [idle, trickling]) conn.close();
  }, limits);
});

Deno.test("ControlServer lets an operator in when others hold every connection for nothing", async () => {
  await withServer(answering, async (server) => {
    const idlers = [];
    for (let i = 0; i < 8; i++) {
      idlers.push(await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port }));
    }
    assertEquals((await controlCall(server.addr, { request: "status" }, CALL)).status, "ok");
    for (const conn of idlers) conn.close();
  }, { maxConnections: 4 });
});

Deno.test("ControlServer carries out nothing that its guard stops", async () => {
  let carriedOut = 0;
  const counting: ControlHandler = () => {
    carriedOut++;
    return { status: "ok" };
  };
  const guard = () => {
    let isKnown = false;
    return {
      check: (message: unknown) => {
        if (isKnown) return "pass";
        isKnown = (message as { secret?: string }).secret === "sesame";
        return isKnown ? { status: "ok" } : controlError("denied", "who are you?");
      },
    } as const;
  };
  await withServer(counting, async (server) => {
    const stop = { request: "stop", drain_ms: 0 } as const;
    const denied = await failureOf(() => controlCall(server.addr, stop, CALL));
    assertEquals([denied.code, carriedOut], ["denied", 0]);
    const prove = async (exchange: (message: object) => Promise<unknown>) => {
      await exchange({ secret: "sesame" });
    };
    await controlCall(server.addr, stop, { ...CALL, prove });
    assertEquals(carriedOut, 1);
  }, { guard });
});

Deno.test("ControlServer.close() lets an answer under way out", async () => {
  let asked: () => void = () => {};
  const wasAsked = new Promise<void>((resolve) => asked = resolve);
  const slow: ControlHandler = async () => {
    asked();
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { status: "ok" };
  };
  const server = startControlServer(slow, { hostname: "127.0.0.1", port: 0 });
  const call = controlCall(server.addr, { request: "stop", drain_ms: 0 }, CALL);
  await wasAsked;
  await server.close();
  assertEquals(await call, { status: "ok" });
});

Deno.test("LOG_LEVELS are the words that a request may carry", () => {
  for (const level of LOG_LEVELS) {
    assertEquals(parseRequest({ request: "log_level", level }), { request: "log_level", level });
  }
});

function hostileBodies(): fc.Arbitrary<Uint8Array> {
  const good = bodyOf({ request: "stop", drain_ms: 5_000 });
  const patched = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1 })
    .map((patches) => {
      const bytes = good.slice();
      for (const [at, byte] of patches) bytes[at] = byte;
      return bytes;
    });
  const nested = fc.nat(4_000).map((depth) => new Uint8Array(depth + 1).fill(0x81));
  const huge = fc.nat(800).map((depth) =>
    Uint8Array.from({ length: 5 * depth + 5 }, (_, i) => [0x9a, 1, 0xff, 0xff, 0xff][i % 5]!)
  );
  return fc.oneof(patched, nested, huge, fc.uint8Array({ maxLength: 300 }));
}

function bodyOf(message: object): Uint8Array {
  return encodeControl(message).subarray(12);
}

function roundTrip(value: unknown): unknown {
  return decodeControl(bodyOf(value as object));
}

async function failureOf(call: () => Promise<unknown>): Promise<ControlFailure> {
  return await assertRejects(call, ControlFailure) as ControlFailure;
}

async function withServer(
  handler: ControlHandler,
  use: (server: ControlServer) => Promise<void>,
  limits: Partial<Parameters<typeof startControlServer>[1]> = {},
): Promise<void> {
  const server = startControlServer(handler, { hostname: "127.0.0.1", port: 0, ...limits });
  try {
    await use(server);
  } finally {
    await server.close();
    assertEquals(server.connections, 0);
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function readToEnd(conn: Deno.Conn): Promise<Uint8Array> {
  const all: number[] = [];
  const chunk = new Uint8Array(4_096);
  for (let length = await conn.read(chunk); length !== null; length = await conn.read(chunk)) {
    all.push(...chunk.subarray(0, length));
  }
  return Uint8Array.from(all);
}

/** How often `part` occurs, one behind the other, from the start of `all`. */
function count(all: Uint8Array, part: Uint8Array): number {
  assertEquals(all.length % part.length, 0);
  for (let i = 0; i < all.length; i++) assertEquals(all[i], part[i % part.length]);
  return all.length / part.length;
}
