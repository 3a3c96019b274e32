// The port for replicas is open to whatever reaches it, and what a replica dials may be anything. Whatever comes,
// it costs one connection and bounded memory, and two replicas that keep to the protocol notice nothing.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  frameAround,
  PeerRoom,
  PeerStranger,
  type Seat,
  until,
  written,
} from "../../tests/support/peer_room.ts";
import { PEER_SAMPLES, SAMPLE_MESSAGES } from "../../tests/support/peer_samples.ts";
import type { Message } from "../vsr/messages.ts";
import { writeMessage } from "./codec.ts";
import { writePeerHello, writePeerWelcome } from "./hello.ts";
import type { PeerDeadlines, PeerEvent } from "./options.ts";

const QUICK: Partial<PeerDeadlines> = { backoffMsMin: 5, backoffMsMax: 20 };
const MESSAGE = written((out) => writeMessage(out, { kind: "probe_view", view: 4n }));

/**
 * Replicas 1 and 2, which must be able to talk before and after, and be connected all the time. Replica 3 is a
 * member that never comes: strangers take its name.
 */
async function besideOthers(
  deadlines: Partial<PeerDeadlines>,
  use: (room: PeerRoom, one: Seat) => Promise<void>,
): Promise<void> {
  await using room = new PeerRoom([1n, 2n, 3n], { deadlines: { ...QUICK, ...deadlines } });
  const [one, two] = [room.start(1n), room.start(2n)];
  const talk = async (view: bigint): Promise<void> => {
    const message: Message = { kind: "probe_view", view };
    await until(() => two.transport.stats().peers[0]!.connected);
    two.transport.send(1n, message);
    await until(() =>
      one.received.some((each) =>
        each.from === 2n && each.message.kind === "probe_view" && each.message.view === view
      )
    );
  };
  await talk(1n);
  await use(room, one);
  await talk(2n);
  assertEquals(two.links.filter((link) => link.endsWith("1")), ["up 1"]);
}

function faultsOf(events: readonly PeerEvent[]): string[] {
  return events.flatMap((event) => event.kind === "connection_failed" ? [event.reason] : []);
}

async function reset(port: number, ...parts: readonly Uint8Array[]): Promise<void> {
  const stranger = await PeerStranger.dial(port);
  await stranger.send(...parts).catch(() => {});
  stranger.conn.close();
}

Deno.test("garbage instead of a hello ends that connection", async () => {
  await besideOthers({}, async (room, one) => {
    const hello = written((out) => writePeerHello(out, room.hello(3n, 1n)));
    const garbage: Uint8Array[] = [
      new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
      new Uint8Array(5_000).fill(0xff),
      new Uint8Array(12),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0),
      Uint8Array.of(0, 0, 0x10, 1, 1, 0, 0, 0, 0, 0, 0, 0),
      hello.with(5, 1),
      hello.with(8, hello[8]! ^ 1),
      hello.with(40, hello[40]! ^ 1),
      frameAround(new Uint8Array(0)),
      frameAround(new Uint8Array(4_000).fill(0x81)),
      frameAround(Uint8Array.of(0x9f, 0x18, 32)),
    ];
    for (const bytes of garbage) {
      using stranger = await PeerStranger.dial(room.port(1n));
      await stranger.send(bytes);
      await stranger.rest().catch(() => {});
    }
    await until(() => one.transport.stats().connectionsFailed === garbage.length);
    assertEquals(one.transport.stats().hellosRefused, 0);
    const told = faultsOf(one.events);
    assertEquals(told.length, new Set(told).size);
    assertEquals(one.received.filter(({ from }) => from === 3n), []);
  });
});

Deno.test("connections that are cut or reset after any number of bytes harm nobody", async () => {
  await besideOthers({}, async (room, one) => {
    const hello = written((out) => writePeerHello(out, room.hello(3n, 1n)));
    const whole = Uint8Array.from([...hello, ...MESSAGE]);
    for (let length = 0; length <= whole.length; length += 2) {
      await reset(room.port(1n), whole.subarray(0, length));
    }
    await until(() =>
      one.transport.stats().peers.every(({ id, accepted }) => accepted === (id === 2n))
    );
  });
});

Deno.test("a frame that is announced and does not come costs no memory, and its time is limited", async () => {
  await besideOthers({ frameMs: 60, silenceMs: 5_000 }, async (room, one) => {
    const held: PeerStranger[] = [];
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < 20; i++) {
      const stranger = await PeerStranger.greeted(room.port(1n), room.hello(3n, 1n));
      await stranger.send(
        Uint8Array.of(0, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0),
        new Uint8Array(100),
      );
      held.push(stranger);
    }
    await held.at(-1)!.rest();
    const grown = Deno.memoryUsage().rss - before;
    assert(grown < 100_000_000, `${grown} bytes for frames that never came`);
    for (const stranger of held) stranger[Symbol.dispose]();
    assert(faultsOf(one.events).includes("it took more than 60 ms over a frame"));
  });
});

Deno.test("a frame above the limit ends a connection that was let in", async () => {
  await besideOthers({}, async (room, one) => {
    using stranger = await PeerStranger.greeted(room.port(1n), room.hello(3n, 1n));
    await stranger.send(Uint8Array.of(1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0));
    await stranger.rest();
    await until(() => faultsOf(one.events).includes("it announced a frame above the limit"));
  });
});

Deno.test("a hello that comes byte by byte, or never, runs out of time", async () => {
  await besideOthers({ handshakeMs: 150 }, async (room, one) => {
    const hello = written((out) => writePeerHello(out, room.hello(3n, 1n)));
    using silent = await PeerStranger.dial(room.port(1n));
    using slow = await PeerStranger.dial(room.port(1n));
    let sent = 0;
    const dripping = (async () => {
      for (; sent < hello.length; sent++) {
        await slow.send(hello.subarray(sent, sent + 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })().catch(() => {});
    assertEquals([await silent.rest(), await slow.rest()], [[], []]);
    slow[Symbol.dispose]();
    await dripping;
    assert(sent < hello.length);
    assertEquals(faultsOf(one.events), ["it was not greeted within 150 ms"]);
  });
});

Deno.test("a peer that says nothing at all is dropped, one that says that it is alive is not", async () => {
  await besideOthers({ silenceMs: 400, aliveMs: 50 }, async (room, one) => {
    using silent = await PeerStranger.greeted(room.port(1n), room.hello(3n, 1n));
    const heard = await silent.rest();
    assert(heard.length > 2 && heard.every((body) => body.length === 3 && body[2] === 36));
    await until(() => faultsOf(one.events).length === 1);
    assertEquals(faultsOf(one.events), ["it said nothing for 400 ms"]);
  });
});

Deno.test("more strangers than fit push out the oldest of them, and nobody who was let in", async () => {
  await besideOthers({}, async (room, one) => {
    using first = await PeerStranger.dial(room.port(1n));
    const crowd: PeerStranger[] = [];
    for (let i = 0; i < 100; i++) crowd.push(await PeerStranger.dial(room.port(1n)));
    assertEquals(await first.rest(), []);
    using late = await PeerStranger.greeted(room.port(1n), room.hello(3n, 1n));
    await late.send(MESSAGE);
    await until(() => one.received.some(({ from }) => from === 3n));
    for (const stranger of crowd) stranger[Symbol.dispose]();
  });
});

Deno.test("what is no message ends the connection of whoever was let in, and what came before it counts", async () => {
  await besideOthers({}, async (room, one) => {
    const hello = written((out) => writePeerHello(out, room.hello(3n, 1n)));
    const wrong = [
      hello,
      frameAround(new Uint8Array(0)),
      frameAround(Uint8Array.of(0x82, 0x18, 43)),
      frameAround(Uint8Array.of(0x82, 0x18, 99, 0)),
      frameAround(Uint8Array.of(0x81, 0x07)),
      MESSAGE.with(MESSAGE.length - 1, 7),
      MESSAGE.with(4, 2),
    ];
    for (const [i, bytes] of wrong.entries()) {
      using stranger = await PeerStranger.greeted(room.port(1n), room.hello(3n, 1n));
      await stranger.send(MESSAGE, bytes, MESSAGE);
      await stranger.rest();
      await until(() => one.transport.stats().connectionsFailed === i + 1);
    }
    assertEquals(one.received.filter(({ from }) => from === 3n).length, wrong.length);
  });
});

/** Damage to a frame of any kind; its checksum is made good again, most of the time. */
const DAMAGED = fc.record({
  sample: fc.nat(PEER_SAMPLES.length - 1),
  changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 3,
  }),
  cut: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, fc.nat()),
  isSealed: fc.integer({ min: 0, max: 19 }).map((draw) => draw > 0),
}).map(({ sample, changes, cut, isSealed }) => {
  const whole = written(PEER_SAMPLES[sample]!.write);
  let body = whole.slice(12);
  for (const [at, value] of changes) body[at % body.length] = value;
  if (cut !== null) body = body.slice(0, cut % body.length);
  return isSealed ? frameAround(body) : Uint8Array.from([...whole.subarray(0, 12), ...body]);
});

Deno.test("1,000 damaged frames are each a message or the end of a connection", async () => {
  const end = written((out) => writeMessage(out, { kind: "probe_view", view: 0xfeedn }));
  await besideOthers({ frameMs: 60 }, async (room, one) => {
    let lost = 0;
    let understood = 0;
    for (const bytes of fc.sample(DAMAGED, { seed: 10, numRuns: 1_000 })) {
      one.received.length = 0;
      using stranger = await PeerStranger.greeted(room.port(1n), room.hello(3n, 1n));
      const { connectionsFailed } = one.transport.stats();
      const isEnd = (): boolean =>
        one.received.some(({ message }) =>
          message.kind === "probe_view" && message.view === 0xfeedn
        );
      await stranger.send(bytes, end).catch(() => {});
      await until(() => isEnd() || one.transport.stats().connectionsFailed > connectionsFailed);
      if (isEnd()) understood++;
      else lost++;
    }
    assertEquals(understood + lost, 1_000);
    assert(understood > 100 && lost > 100, `${understood} understood, ${lost} lost`);
  });
});

/** A replica that dials what is no replica: what it hears, and what it makes of it. */
async function dialsInto(
  deadlines: Partial<PeerDeadlines>,
  serve: (conn: Deno.TcpConn) => Promise<void>,
  expected: (seat: Seat) => boolean,
): Promise<void> {
  await using room = new PeerRoom([1n, 2n], { deadlines: { ...QUICK, ...deadlines } });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.TcpConn[] = [];
  const served: Promise<void>[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      conns.push(conn);
      served.push(serve(conn).catch(() => {})); // Ends when its connection does.
    }
  })().catch(() => {});
  const members = room.members().map((member) =>
    member.id === 2n ? { ...member, port: listener.addr.port } : member
  );
  const seat = room.start(1n, { members });
  try {
    await until(() => expected(seat) && conns.length > 2);
  } finally {
    await seat.transport.close();
    listener.close();
    for (const conn of conns) {
      try {
        conn.close();
      } catch {
        // Closed by the test.
      }
    }
    await serving;
    await Promise.all(served);
  }
}

function hasReason(kind: "unreachable" | "link_down", reason: string): (seat: Seat) => boolean {
  return ({ events }) => events.some((event) => event.kind === kind && event.reason === reason);
}

async function write(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

const WELCOME = written((out) => {
  const clusterId = Uint8Array.from({ length: 16 }, (_, i) => 0xc0 + i);
  writePeerWelcome(out, { clusterId, replicaId: 2n, version: "test" });
});

Deno.test("a program that takes connections and says nothing is given up in time, and dialled again", async () => {
  const silent = (): Promise<void> => Promise.resolve();
  await dialsInto(
    { handshakeMs: 60 },
    silent,
    hasReason("unreachable", "it was not greeted within 60 ms"),
  );
});

Deno.test("a program that closes at once, or answers garbage, is dialled again and never sent a message", async () => {
  const close = (conn: Deno.TcpConn): Promise<void> => Promise.resolve(conn.close());
  await dialsInto({}, close, ({ events }) => events.some(({ kind }) => kind === "unreachable"));
  const answers: Uint8Array[] = [
    MESSAGE,
    written((out) => writePeerHello(out, new PeerRoom([1n, 2n]).hello(2n, 1n))),
    frameAround(new Uint8Array(3_000)),
    WELCOME.with(WELCOME.length - 1, 0),
  ];
  for (const bytes of answers) {
    const answer = (conn: Deno.TcpConn): Promise<void> => write(conn, bytes);
    await dialsInto({}, answer, ({ events, links }) => {
      assertEquals(links, []);
      return events.some(({ kind }) => kind === "unreachable");
    });
  }
});

Deno.test("a welcome from another replica or cluster than was dialled is no welcome", async () => {
  for (const changes of [{ replicaId: 3n }, { clusterId: new Uint8Array(16) }]) {
    const clusterId = Uint8Array.from({ length: 16 }, (_, i) => 0xc0 + i);
    const welcome = written((out) =>
      writePeerWelcome(out, { clusterId, replicaId: 2n, version: "test", ...changes })
    );
    const reason = "it is another replica than the one that was dialled";
    await dialsInto({}, (conn) => write(conn, welcome), hasReason("unreachable", reason));
  }
});

Deno.test("a connection on which the peer is never heard is half-open, and dropped", async () => {
  const greet = (conn: Deno.TcpConn): Promise<void> => write(conn, WELCOME);
  const deadlines = { silenceMs: 80, aliveMs: 20 };
  await dialsInto(deadlines, greet, hasReason("link_down", "it said nothing for 80 ms"));
});

Deno.test("a connection whose other side takes no bytes is dropped, and send() never waits for it", async () => {
  const chunk: Message = {
    ...SAMPLE_MESSAGES.at(-1)![1] as Message & { kind: "snapshot_chunk" },
    bytes: new Uint8Array(15_000_000),
  };
  const greet = async (conn: Deno.TcpConn): Promise<void> => {
    await write(conn, WELCOME);
    for (let i = 0; i < 1_000; i++) {
      await write(conn, frameAround(Uint8Array.of(0x81, 0x18, 36)));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await dialsInto({ writeMs: 100 }, greet, (seat) => {
    if (seat.transport.stats().peers[0]!.bytesUnsent === 0) seat.transport.send(2n, chunk);
    return hasReason("link_down", "it took nothing for 100 ms")(seat);
  });
});

Deno.test("an exception of whoever takes the messages is not swallowed", async () => {
  const thrown: unknown[] = [];
  const onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    thrown.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  try {
    await using room = new PeerRoom([1n, 2n], { deadlines: QUICK });
    room.start(1n, {
      onMessage: () => {
        throw new Error("planted");
      },
    });
    using stranger = await PeerStranger.greeted(room.port(1n), room.hello(2n, 1n));
    await stranger.send(MESSAGE);
    await until(() => thrown.length > 0);
    assertEquals(thrown.map(String), ["Error: planted"]);
  } finally {
    globalThis.removeEventListener("unhandledrejection", onRejection);
  }
});
