// A port on a network is open to everybody: whatever arrives, the sender is told once and cut off, memory
// stays bounded, and whoever keeps to the protocol on another connection notices nothing.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { create, frame, hello, message, RawClient } from "../../tests/support/raw_client.ts";
import { frameOf, idBytes, SAMPLES } from "../../tests/support/wire_samples.ts";
import { WireNode } from "../../tests/support/wire_node.ts";
import { FRAME_HEADER_BYTES } from "../wire/framing.ts";
import { type Server, startServer } from "./server.ts";
import type { ServerOptions } from "./options.ts";

/** A server, and a well-behaved client that must be served before and after. */
async function besideAnother(
  options: Partial<ServerOptions>,
  use: (port: number, server: Server) => Promise<void>,
): Promise<void> {
  const server = startServer(new WireNode(), { version: "test", port: 0, ...options });
  try {
    const { port } = server.addr;
    using other = await RawClient.greeted(port);
    assertEquals(await other.ask(1, 1n, null, [create(1, 1)]), [11, 1n, [[1, 1n, 0]]]);
    await use(port, server);
    assertEquals(await other.ask(1, 2n, null, [create(1, 1)]), [11, 2n, [[1, 1n, 1]]]);
  } finally {
    await server.drain(0);
  }
}

/** What a server says to a stranger before it closes. */
async function refusal(port: number, ...parts: readonly Uint8Array[]): Promise<unknown> {
  using client = await RawClient.connect(port);
  await client.send(...parts);
  const messages = await client.rest();
  assertEquals(messages.map((each) => each.slice(0, 2)), [[20, 0n]]);
  return messages[0]![2];
}

/** The same to a client that said hello first. */
async function refusalOfRequest(port: number, ...parts: readonly Uint8Array[]): Promise<unknown> {
  using client = await RawClient.greeted(port);
  await client.send(...parts);
  const messages = await client.rest();
  assertEquals(messages.map((each) => each.slice(0, 2)), [[20, 0n]]);
  return messages[0]![2];
}

function damagedHeader(at: number, value: number): Uint8Array {
  return hello().with(at, value);
}

Deno.test("a stranger is told what is wrong with its first bytes and cut off", async () => {
  await besideAnother({}, async (port, server) => {
    const cases: [string, Uint8Array][] = [
      ["unsupported_version", damagedHeader(4, 2)],
      ["malformed_header", damagedHeader(5, 1)],
      ["malformed_header", damagedHeader(7, 1)],
      ["checksum_mismatch", damagedHeader(8, hello()[8]! ^ 1)],
      ["frame_too_large", damagedHeader(0, 0xff)],
      ["frame_too_large", Uint8Array.from([0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0])],
      ["unsupported_version", new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
      ["unsupported_version", message(0, 2, null, "from the future", null)],
      ["wrong_cluster", message(0, 1, new Uint8Array(16).fill(9), "lost", null)],
      ["unexpected_message", message(1, 1n, null, [])],
      ["unexpected_message", message(7, 1n)],
      ["unexpected_message", message(0, 1, null, "one element short")],
      ["unexpected_message", message(0, 1, new Uint8Array(15), "short id", null)],
      ["unexpected_message", message(0, 1, null, 5, null)],
      ["unexpected_message", message(0, 1, null, "x".repeat(257), null)],
      ["unexpected_message", message(0, 1, null, "credentials", "before their time")],
      ["unexpected_message", frame(new Uint8Array(0))],
    ];
    for (const [code, bytes] of cases) assertEquals(await refusal(port, bytes), code);
    assertEquals(server.traffic().connectionsFailed, cases.length);
  });
});

Deno.test("a client that breaks the protocol is told so once and cut off", async () => {
  await besideAnother({}, async (port) => {
    const id = idBytes(1n);
    const nested = new Uint8Array(100_000).fill(0x81);
    nested.set([0x84, 0x01, 0x1b, 0, 0, 0, 0, 0, 0, 0, 1, 0xf6]);
    const good = frameOf(SAMPLES.find(({ name }) => name === "submit")!);
    const body = good.slice(FRAME_HEADER_BYTES);
    const endless = body.slice();
    endless[body.indexOf(0x87, 10)] = 0x9f;
    const cases: [string, Uint8Array][] = [
      ["unexpected_message", hello()],
      ["unexpected_message", message(23)],
      ["unexpected_message", message(11, 1n, [])],
      ["unexpected_message", message("text")],
      ["unexpected_message", frame(new Uint8Array(0))],
      ["unexpected_message", frame(Uint8Array.from([0x80]))],
      ["unexpected_message", frame(Uint8Array.from([0xff, 0xff]))],
      ["malformed_message", message(2, 1n, id)],
      ["malformed_message", message(2, 1, id, null)],
      ["malformed_message", message(2, -1n, id, null)],
      ["malformed_message", message(2, 1n, "an id", null)],
      ["malformed_message", message(2, 1n, id, 5)],
      ["malformed_message", message(2, 1n, id, null, null)],
      ["malformed_message", message(3, 1n, id, null)],
      ["malformed_message", message(4, 1n, 1.5)],
      ["malformed_message", message(5, 1n, true)],
      ["malformed_message", message(6, 1n, null)],
      ["malformed_message", message(7)],
      ["malformed_message", message(1, 1n, null, "commands")],
      ["malformed_message", message(1, 1n, 5, [create(1, 1)])],
      ["malformed_message", message(1, 1n, null, [create(1, 1)], null)],
      ["malformed_message", frame(Uint8Array.from([...body, 0]))],
      ["malformed_message", frame(body.slice(0, -1))],
      ["malformed_message", frame(endless)],
      ["malformed_message", frame(nested)],
      ["malformed_message", frame(body.with(13, 0x99))],
      ["checksum_mismatch", good.with(good.length - 1, good.at(-1)! ^ 1)],
      ["frame_too_large", new Uint8Array(12).fill(0xff).fill(1, 4, 5).fill(0, 5, 8)],
    ];
    for (const [code, bytes] of cases) assertEquals(await refusalOfRequest(port, bytes), code);
  });
});

Deno.test("requests before the one that breaks the protocol are answered, those behind it are not taken", async () => {
  const node = new WireNode();
  const server = startServer(node, { version: "test", port: 0 });
  using client = await RawClient.greeted(server.addr.port);
  const first = message(1, 1n, null, [create(1, 1)]);
  const third = message(1, 3n, null, [create(3, 3)]);
  await client.send(first, message(2, 2n, "no id"), third);
  assertEquals((await client.rest()).map(([type, id]) => [type, id]), [[11, 1n], [20, 0n]]);
  assertEquals(node.received.length, 1);
  await server.drain(0);
});

Deno.test("nothing of a malformed request reaches the node, however many good commands it starts with", async () => {
  const node = new WireNode();
  const server = startServer(node, { version: "test", port: 0 });
  const body = message(1, 1n, null, [create(1, 1), create(2, 2), create(3, 3)]).slice(12);
  assertEquals(
    await refusalOfRequest(server.addr.port, frame(body.slice(0, -1))),
    "malformed_message",
  );
  assertEquals(node.received.length, 0);
  await server.drain(0);
});

Deno.test("a frame that is begun must be finished in time, an idle connection may live", async () => {
  const deadlines = { frameDeadlineMs: 80, handshakeDeadlineMs: 10_000 };
  await besideAnother(deadlines, async (port) => {
    using idle = await RawClient.greeted(port);
    const request = message(6, 1n);
    for (const length of [1, 11, 12, request.length - 1]) {
      assertEquals(await refusalOfRequest(port, request.slice(0, length)), "deadline_exceeded");
    }
    assertEquals(await idle.ask(6, 1n), [16, 1n, 3]);
  });
});

Deno.test("a byte now and then does not keep an unfinished frame alive", async () => {
  await besideAnother({ frameDeadlineMs: 80 }, async (port) => {
    using client = await RawClient.greeted(port);
    const request = frame(new Uint8Array(10_000));
    let sent = 0;
    const dripping = (async () => {
      for (; sent < request.length; sent++) {
        await client.send(request.subarray(sent, sent + 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })().catch(() => {});
    assertEquals((await client.rest()).map((each) => each[2]), ["deadline_exceeded"]);
    client.conn.close();
    await dripping;
    assert(sent < request.length);
  });
});

Deno.test("hello must come in time, and an idle limit is kept when there is one", async () => {
  await besideAnother({ handshakeDeadlineMs: 400 }, async (port) => {
    assertEquals(await refusal(port), "deadline_exceeded");
  });
  const server = startServer(new WireNode(), { version: "test", port: 0, idleDeadlineMs: 60 });
  assertEquals(await refusalOfRequest(server.addr.port), "deadline_exceeded");
  await server.drain(0);
});

Deno.test("clients that reset, vanish or send garbage at any point disturb nobody", async () => {
  await besideAnother({}, async (port, server) => {
    const whole = new Uint8Array([...hello(), ...message(1, 1n, null, [create(9, 9)])]);
    for (let length = 0; length < whole.length; length += 3) {
      using client = await RawClient.connect(port);
      await client.send(whole.subarray(0, length));
      // With replies unread, closing resets.
      client.conn.close();
    }
    for (let turn = 0; turn < 1_000 && server.traffic().connectionsOpen > 1; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(server.traffic().connectionsOpen, 1);
  });
});

/** Requests; a few replies among them, which have no business here. */
const TARGETS = SAMPLES.filter(({ general }, i) => (general as number[])[0]! < 10 || i % 7 === 0);

interface Damage {
  readonly sample: number;
  readonly changes: readonly (readonly [number, number])[];
  readonly cut: number | null;
  readonly insert: readonly [number, Uint8Array] | null;
  readonly isRepaired: boolean;
}

/** Damage to a frame: bytes changed, cut, put in or doubled; its checksum made good again, most of the time. */
const NONE = fc.constant(null);
const DAMAGE: fc.Arbitrary<Damage> = fc.record({
  sample: fc.nat(TARGETS.length - 1),
  changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
  cut: fc.oneof({ weight: 9, arbitrary: NONE }, fc.nat()),
  insert: fc.oneof({ weight: 9, arbitrary: NONE }, fc.tuple(fc.nat(), fc.uint8Array())),
  isRepaired: fc.integer({ min: 0, max: 19 }).map((draw) => draw > 0),
});

function damaged(
  { sample, changes, cut, insert, isRepaired }: Damage,
): Uint8Array {
  const whole = frameOf(TARGETS[sample]!);
  let body = whole.slice(FRAME_HEADER_BYTES);
  for (const [at, value] of changes) body[at % body.length] = value;
  if (cut !== null) body = body.slice(0, cut % body.length);
  if (insert !== null) {
    const at = insert[0] % (body.length + 1);
    body = Uint8Array.from([...body.slice(0, at), ...insert[1], ...body.slice(at)]);
  }
  const bytes = frame(body);
  if (!isRepaired) bytes.set(whole.subarray(0, FRAME_HEADER_BYTES));
  return bytes;
}

Deno.test("10,000 damaged frames are each answered or refused, and the server goes on", async () => {
  const frames = fc.sample(DAMAGE.map(damaged), { seed: 10, numRuns: 10_000 });
  const outcomes = new Map<unknown, number>();
  await besideAnother({ frameDeadlineMs: 150 }, async (port) => {
    const work = async (own: readonly Uint8Array[]): Promise<void> => {
      let client = await RawClient.greeted(port);
      for (const bytes of own) {
        // A frame that lies about its length swallows the probe, and waits for more in vain.
        await client.send(bytes, message(6, 0xfeedn)).catch(() => {});
        let next = await client.next();
        while (next !== undefined && next[1] !== 0xfeedn && next[1] !== 0n) {
          next = await client.next();
        }
        const outcome = next?.[0] === 20 ? next[2] : next?.[0];
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (next?.[0] === 16) continue;
        client.conn.close();
        client = await RawClient.greeted(port);
      }
      client.conn.close();
    };
    const shares = Array.from({ length: 16 }, (_, i) => frames.filter((_, at) => at % 16 === i));
    await Promise.all(shares.map(work));
  });
  assertEquals(outcomes.get(undefined), undefined, "a connection ended without a word");
  const total = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
  assertEquals(total, 10_000);
  for (const outcome of [16, "malformed_message", "unexpected_message", "checksum_mismatch"]) {
    assert((outcomes.get(outcome) ?? 0) > 100, `${outcome} came up too rarely to mean anything`);
  }
});
