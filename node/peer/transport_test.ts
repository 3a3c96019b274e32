// The protocol above forgives lost messages, but not mixed-up ones: per direction they arrive in order, whole,
// from who they say, and a connection that ended says so. Sockets are real; whoever is down is really down.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { FlakyProxy } from "../../tests/support/flaky_proxy.ts";
import {
  isConnected,
  PeerRoom,
  PeerStranger,
  type Seat,
  until,
  written,
} from "../../tests/support/peer_room.ts";
import { SAMPLE_MESSAGES } from "../../tests/support/peer_samples.ts";
import type { Message } from "../vsr/messages.ts";
import { writeMessage } from "./codec.ts";
import type { LinkFault } from "./line.ts";
import type { LinkFaults } from "./link_faults.ts";

const QUICK = { deadlines: { backoffMsMin: 5, backoffMsMax: 20 } };

function numbered(op: number): Message {
  return { kind: "prepare_reject", view: 1n, op: BigInt(op) };
}

function opsFrom(seat: Seat, from: bigint): number[] {
  return seat.received.filter((each) => each.from === from)
    .map(({ message }) => message.kind === "prepare_reject" ? Number(message.op) : -1);
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

Deno.test("two transports carry every message both ways as it was sent", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const [one, two] = await room.startAll() as [Seat, Seat];
  for (const [, message] of SAMPLE_MESSAGES) {
    one.transport.send(2n, message);
    two.transport.send(1n, message);
  }
  await until(() => [one, two].every(({ received }) => received.length === SAMPLE_MESSAGES.length));
  const messages = SAMPLE_MESSAGES.map(([, message]) => message);
  assertEquals(one.received, messages.map((message) => ({ from: 2n, message })));
  assertEquals(two.received, messages.map((message) => ({ from: 1n, message })));
  const [{ messagesSent, messagesReceived, bytesSent, bytesReceived }] = one.transport.stats()
    .peers as [
      ReturnType<typeof one.transport.stats>["peers"][number],
    ];
  assertEquals([messagesSent, bytesSent], [messagesReceived, bytesReceived]);
  assertEquals(messagesSent, SAMPLE_MESSAGES.length);
});

Deno.test("three transports keep the order of each direction, whatever the sizes", async () => {
  await using room = new PeerRoom([1n, 2n, 3n], QUICK);
  const seats = await room.startAll();
  const count = 300;
  for (const { id, transport } of seats) {
    for (const { id: to } of seats) {
      if (to === id) continue;
      for (let op = 0; op < count; op++) {
        transport.send(to, numbered(op));
        if (op % 100 === 50) {
          const frames = new Uint8Array(100_000 * (op % 7)).fill(op);
          transport.send(to, {
            ...SAMPLE_MESSAGES[0]![1] as Message & { kind: "prepare" },
            frames,
          });
        }
      }
    }
  }
  await until(() => seats.every(({ received }) => received.length === 2 * (count + 3)));
  for (const seat of seats) {
    for (const { id } of seats) {
      if (id === seat.id) continue;
      assertEquals(opsFrom(seat, id).filter((op) => op >= 0), range(count));
    }
  }
});

Deno.test("send() copies: what the buffer holds afterwards is not what arrives", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const [one, two] = await room.startAll() as [Seat, Seat];
  const frames = new Uint8Array(50_000).fill(1);
  const prepare = { ...SAMPLE_MESSAGES[0]![1] as Message & { kind: "prepare" }, frames };
  for (let i = 1; i <= 5; i++) {
    frames.fill(i);
    one.transport.send(2n, prepare);
  }
  frames.fill(99);
  await until(() => two.received.length === 5);
  const fillings = two.received.map(({ message }) =>
    message.kind === "prepare" && message.frames.every((byte) => byte === message.frames[0]) &&
    message.frames[0]
  );
  assertEquals(fillings, [1, 2, 3, 4, 5]);
});

Deno.test("messages to a peer that is down are dropped and counted, and it is dialled until it is up", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const one = room.start(1n);
  for (let op = 0; op < 10; op++) one.transport.send(2n, numbered(op));
  await until(() => one.events.length > 0);
  assertEquals(one.events.map(({ kind }) => kind), ["unreachable"]);
  assert(one.transport.stats().peers[0]!.lastError?.includes("refused"));
  const two = room.start(2n);
  await until(() => isConnected(one) && isConnected(two));
  one.transport.send(2n, numbered(10));
  await until(() => two.received.length > 0);
  assertEquals(opsFrom(two, 1n), [10]);
  const stats = one.transport.stats().peers[0]!;
  assertEquals([stats.messagesDropped, stats.connects, stats.lastError], [10, 1, undefined]);
  assertEquals(one.links, ["up 2"]);
});

Deno.test("a peer that goes and comes back is a link down and a link up, and its news are told once", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const [one] = await room.startAll() as [Seat];
  let two = room.seats.get(2n)!;
  const unreachable = (): number => one.events.filter(({ kind }) => kind === "unreachable").length;
  for (let life = 1; life <= 3; life++) {
    const before = unreachable();
    await two.transport.close();
    await until(() => one.links.length === 2 * life);
    await until(() => unreachable() > before);
    const { lastError } = one.transport.stats().peers[0]!;
    await new Promise((resolve) => setTimeout(resolve, 100)); // Some attempts more.
    assertEquals([unreachable(), lastError?.includes("refused")], [before + 1, true]);
    two = room.start(2n);
    await until(() => isConnected(one) && isConnected(two));
  }
  assertEquals(one.links, ["up 2", "down 2", "up 2", "down 2", "up 2", "down 2", "up 2"]);
  const stats = one.transport.stats().peers[0]!;
  assertEquals([stats.connects, stats.disconnects, stats.accepted], [4, 3, true]);
  assertEquals(two.links.filter((link) => link.startsWith("up")).length, 4);
});

/** A room of two in which replica 1 dials replica 2 through a proxy that cuts. */
async function roomWithProxy(
  use: (proxy: FlakyProxy, seats: [Seat, Seat]) => Promise<void>,
): Promise<void> {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const two = room.start(2n);
  await using proxy = new FlakyProxy(room.port(2n), () => "pass");
  const members = room.members().map((member) =>
    member.id === 2n ? { ...member, port: proxy.port } : member
  );
  const one = room.start(1n, { members });
  await until(() => isConnected(one) && isConnected(two));
  await use(proxy, [one, two]);
}

Deno.test("a connection that is cut under traffic loses a stretch of messages and never mixes them up", async () => {
  await roomWithProxy(async (proxy, [one, two]) => {
    let op = 0;
    for (let cut = 0; cut < 5; cut++) {
      const before = one.links.length;
      for (let i = 0; i < 500; i++) one.transport.send(2n, numbered(op++));
      proxy.cut();
      await until(() => one.links.length >= before + 2);
      for (let i = 0; i < 10; i++) one.transport.send(2n, numbered(op++));
      await until(() => opsFrom(two, 1n).at(-1) === op - 1);
    }
    const seen = opsFrom(two, 1n);
    assertEquals(seen, seen.toSorted((a, b) => a - b));
    assertEquals(new Set(seen).size, seen.length);
    assertEquals(two.links, ["up 1"]); // Its own connection to replica 1 is another one.
  });
});

Deno.test("a connection newly accepted from a peer ends the older one, of which nothing is taken any more", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const { transport, received } = room.start(1n);
  const port = room.port(1n);
  using older = await PeerStranger.greeted(port, room.hello(2n, 1n));
  await older.send(written((out) => writeMessage(out, numbered(1))));
  await until(() => received.length === 1);
  using newer = await PeerStranger.greeted(port, room.hello(2n, 1n));
  await older.send(written((out) => writeMessage(out, numbered(2)))).catch(() => {});
  await newer.send(written((out) => writeMessage(out, numbered(3))));
  await until(() => received.length === 2);
  assertEquals(await older.rest(), []);
  assertEquals(received.map(({ message }) => message), [numbered(1), numbered(3)]);
  assertEquals(transport.stats().peers[0]!.accepted, true);
});

Deno.test("a queue that runs over costs the connection: send() neither waits nor grows", async () => {
  await using room = new PeerRoom([1n, 2n], { ...QUICK, queueBytesMax: 1_000_000 });
  const [one, two] = await room.startAll() as [Seat, Seat];
  const frames = new Uint8Array(300_000);
  const prepare = { ...SAMPLE_MESSAGES[0]![1] as Message & { kind: "prepare" }, frames };
  for (let i = 0; i < 20; i++) one.transport.send(2n, prepare);
  const now = one.transport.stats().peers[0]!;
  assertEquals([now.connected, now.queueOverflows, now.messagesSent], [false, 1, 3]);
  assert(now.bytesUnsent <= 1_000_000);
  assertEquals(one.links, ["up 2"], "nobody is told in the middle of a send");
  await until(() => one.links.length === 3);
  assertEquals(one.links, ["up 2", "down 2", "up 2"]);
  assertEquals(one.events.filter(({ kind }) => kind === "queue_full").length, 1);
  one.transport.send(2n, prepare);
  await until(() => two.received.length > 0);
  assertEquals(two.received.at(-1)?.message.kind, "prepare");
});

Deno.test("one message above the bound goes out when nothing else waits", async () => {
  await using room = new PeerRoom([1n, 2n], { ...QUICK, queueBytesMax: 1_000 });
  const [one, two] = await room.startAll() as [Seat, Seat];
  const bytes = new Uint8Array(15_000_000).fill(7);
  one.transport.send(2n, { kind: "snapshot_chunk", op: 1n, hash: 2n, offset: 3n, bytes });
  await until(() => two.received.length === 1);
  const { message } = two.received[0]!;
  assert(message.kind === "snapshot_chunk" && message.bytes.length === bytes.length);
  assertEquals(one.links, ["up 2"]);
});

function faults(toPeer: LinkFault | undefined, fromPeer: LinkFault | undefined): LinkFaults {
  return { toPeer: () => toPeer, fromPeer: () => fromPeer };
}

Deno.test("setFaults() cuts either direction on either side while the connections stay", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const [one, two] = await room.startAll() as [Seat, Seat];
  const exchange = async (op: number, reaches: readonly Seat[]): Promise<void> => {
    for (const seat of [one, two]) seat.received.length = 0;
    one.transport.send(2n, numbered(op));
    two.transport.send(1n, numbered(op));
    await until(() => reaches.every(({ received }) => received.length === 1));
    await until(() => !reaches.includes(one) || one.received.length === 1);
    const dropped = (): number =>
      [one, two].reduce((sum, { transport }) => sum + transport.stats().peers[0]!.faultsDropped, 0);
    await until(() => dropped() === lost + 2 - reaches.length);
    lost = dropped();
  };
  let lost = 0;
  await exchange(1, [one, two]);
  one.transport.setFaults(faults({ cut: true }, undefined));
  await exchange(2, [one]);
  one.transport.setFaults(faults(undefined, { cut: true }));
  await exchange(3, [two]);
  one.transport.setFaults(faults({ cut: true }, { cut: true }));
  await exchange(4, []);
  one.transport.setFaults(undefined);
  two.transport.setFaults(faults(undefined, { cut: true }));
  await exchange(5, [one]);
  two.transport.setFaults(undefined);
  await exchange(6, [one, two]);
  assertEquals([one.links, two.links], [["up 2"], ["up 1"]]);
});

Deno.test("faults that a transport is started with hold from the first message on", async () => {
  await using room = new PeerRoom([1n, 2n], {
    ...QUICK,
    faults: faults({ duplicate: 1 }, { delayMs: 1 }),
  });
  const [one, two] = await room.startAll() as [Seat, Seat];
  for (let op = 0; op < 5; op++) one.transport.send(2n, numbered(op));
  await until(() => two.received.length === 10);
  assertEquals(opsFrom(two, 1n), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
});

Deno.test("close() ends connections, timers and held messages, and is quiet from then on", async () => {
  await using room = new PeerRoom([1n, 2n, 3n], QUICK);
  const one = room.start(1n);
  const two = room.start(2n);
  await until(() => one.links.length === 1 && two.links.length === 1);
  one.transport.setFaults(faults({ delayMs: 60_000 }, undefined));
  one.transport.send(2n, numbered(1));
  const events = one.events.length;
  await Promise.all([one.transport.close(), one.transport.close()]);
  one.transport.send(2n, numbered(2));
  assertEquals([one.links, one.events.length], [["up 2"], events]);
  const dialled = await Deno.connect({ port: room.port(1n) }).then(() => "up", () => "down");
  assertEquals(dialled, "down");
});

Deno.test("send() takes no peer that is no member: peer/sends-to-members", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const { transport } = room.start(1n);
  for (const id of [1n, 3n]) {
    assertThrows(() => transport.send(id, numbered(1)), Error, "peer/sends-to-members");
  }
});

Deno.test("startPeerTransport() throws when its port is taken", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  room.start(1n);
  const listen = { hostname: "127.0.0.1", port: room.port(1n) };
  assertThrows(() => room.start(2n, { listen }), Deno.errors.AddrInUse);
});
