// What clients that keep to the protocol may count on: every request is answered once, in bounded memory,
// whatever the others do, and a server that stops leaves nobody in doubt who need not be.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { create, hello, message, RawClient } from "../../tests/support/raw_client.ts";
import { frameOf, idBytes, SAMPLES } from "../../tests/support/wire_samples.ts";
import { STANDING, WireNode } from "../../tests/support/wire_node.ts";
import { MessageType } from "../wire/messages.ts";
import { type Server, startServer } from "./server.ts";
import type { ServerEvent, ServerOptions } from "./options.ts";

/** A server around a node, gone at the end whatever happens. */
async function withServer(
  options: Partial<ServerOptions>,
  use: (port: number, node: WireNode, server: Server, events: ServerEvent[]) => Promise<void>,
): Promise<void> {
  const node = new WireNode();
  const events: ServerEvent[] = [];
  const onEvent = (event: ServerEvent): void => void events.push(event);
  const server = startServer(node, { version: "test", port: 0, onEvent, ...options });
  try {
    await use(server.addr.port, node, server, events);
  } finally {
    await server.drain(0);
  }
}

/** Gives the event loop turns until something holds; a test that waits for ever is a test that fails. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !condition(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert(condition(), "what the test waits for did not happen");
}

function lsns(reply: readonly unknown[] | undefined): unknown[] {
  return (reply?.[2] as unknown[][]).map((result) => result[1]);
}

Deno.test("a server answers hello with what it is and what it takes", async () => {
  await withServer({ maxBatchCommands: 100 }, async (port) => {
    using client = await RawClient.connect(port);
    await client.send(hello());
    const cluster = Uint8Array.from({ length: 16 }, (_, i) => i);
    const answer = (await client.next())!;
    assertEquals(Uint8Array.from(answer[2] as Uint8Array), cluster);
    assertEquals(answer.with(2, null), [
      ...[10, 1, null, "test", 0n, 10n, 1_048_576n, 4_096n, 100n, 16n, 360_000n, 1_000n],
      null,
    ]);
  });
});

Deno.test("a replica's hello says who it is, where the others are and whom it follows at the moment", async () => {
  const members = [1n, 2n, 3n].map((replicaId) => ({ replicaId, address: `h:${replicaId}` }));
  await withServer({ members: () => members }, async (port, node) => {
    const cluster = async (): Promise<unknown> => {
      using client = await RawClient.connect(port);
      await client.send(hello());
      return (await client.next())?.[13];
    };
    assertEquals(await cluster(), undefined, "alone");
    node.standing = { ...STANDING, view: 5n, primary: 2n };
    const list = [[1n, "h:1"], [2n, "h:2"], [3n, "h:3"]];
    assertEquals(await cluster(), [1n, 5n, 2n, list]);
    node.standing = { ...STANDING, view: 6n, primary: undefined };
    assertEquals(await cluster(), [1n, 6n, null, list]);
  });
});

Deno.test("a server answers every command of a batch in its place, whatever became of the others", async () => {
  await withServer({}, async (port, node) => {
    const codes = ["engine_halted", "storage_failure"] as const;
    node.script = (_, position) =>
      position < 2 ? { category: "indefinite", code: codes[position]! } : "apply";
    using client = await RawClient.greeted(port);
    const nonsense = [9, "not", ["a", "command"]];
    const commands = [
      create(1, 1),
      create(2, 2),
      nonsense,
      create(3, 3),
      create(3, 3),
      create(4, 3),
    ];
    assertEquals(await client.ask(1, 7n, null, commands), [11, 7n, [
      [0, 2, 1, 0n, 0n, 0n],
      [0, 2, 7, 0n, 0n, 0n],
      [0, 1, 2, 2n, 0n, 0n],
      [1, 1n, 0],
      [1, 1n, 1],
      [3, 2n, 0],
    ]]);
    assertEquals(await client.ask(1, 8n, null, []), [11, 8n, []]);
  });
});

Deno.test("a server hands the node exactly the command bytes and the slot that the client sent", async () => {
  await withServer({}, async (port, node) => {
    using client = await RawClient.greeted(port);
    const { general } = SAMPLES.find(({ name }) => name === "submit")!;
    const commands = (general as unknown[])[2 + 1] as unknown[][];
    await client.ask(1, 1n, 77n, commands);
    assertEquals(node.received.map(({ slot }) => slot), commands.map(() => 77n));
    const sent = commands.map((command) => message(command).slice(12 + 1));
    assertEquals(node.received.map(({ bytes }) => bytes), sent);
  });
});

Deno.test("requests sent in one go are all answered, reads before the writes that wait", async () => {
  await withServer({}, async (port, node) => {
    node.holds = true;
    using client = await RawClient.greeted(port);
    const writes = Array.from(
      { length: 50 },
      (_, i) => message(1, BigInt(i), null, [create(i, i)]),
    );
    await client.send(...writes, message(2, 99n, idBytes(5n), null));
    assertEquals(await client.next(), [12, 99n, 2, 0n]);
    assertEquals(node.heldCount, 50);
    node.answerHeld();
    const replies = await client.take(50);
    assertEquals(replies.map((reply) => reply?.[1]), writes.map((_, i) => BigInt(i)));
    assertEquals(replies.flatMap(lsns), writes.map((_, i) => BigInt(i + 1)));
  });
});

Deno.test("every kind of request is answered with its own kind of reply", async () => {
  await withServer({}, async (port, node) => {
    using client = await RawClient.greeted(port);
    await client.ask(1, 1n, null, [create(1, 42)]);
    const reserve = [2, ...[2n, 1n, 42n, 7n].map(idBytes), 5n];
    await client.ask(1, 1n, null, [reserve]);
    const reservation = (5n << 64n) | 2n;
    const plain = (values: unknown): unknown =>
      JSON.stringify(values, (_, value) => typeof value === "bigint" ? `${value}` : value);
    const found = await client.ask(3, 3n, idBytes(reservation), null, null);
    const named = [13, 3n, 1, 2n, idBytes(reservation), idBytes(7n)];
    assertEquals(plain(found?.slice(0, 6)), plain(named));
    assertEquals(found?.slice(6, 12), [1, 1n, 2n, 1_005n, null, null]);
    assertEquals(await client.ask(3, 4n, idBytes(reservation), 9n, null), [13, 4n, 3, 9n, 2n]);
    node.readRefusal = { kind: "engine_halted" };
    assertEquals(await client.ask(2, 5n, idBytes(42n), null), [12, 5n, 4]);
    assertEquals((await client.ask(4, 6n, null))?.slice(0, 2), [14, 6n]);
    assertEquals(await client.ask(5, 7n, 1n), [15, 7n, [1, 0n, 2n]]);
    assertEquals(await client.ask(6, 8n), [16, 8n, 3]);
    const status = await client.ask(7, 9n);
    assertEquals((status?.[6] as unknown[])[0], 1n, "connections open");
  });
});

Deno.test("a batch above the limit is refused whole, and the connection goes on", async () => {
  await withServer({ maxBatchCommands: 3 }, async (port, node) => {
    using client = await RawClient.greeted(port);
    const commands = [1, 2, 3, 4].map((i) => create(i, i));
    const refused = await client.ask(1, 5n, null, commands);
    assertEquals(refused?.slice(0, 3), [20, 5n, "batch_too_large"]);
    assertEquals(node.received.length, 0);
    assertEquals(lsns(await client.ask(1, 6n, null, commands.slice(1))), [1n, 2n, 3n]);
  });
});

Deno.test("a reply that does not fit a frame is an error for that request alone", async () => {
  await withServer({ maxFrameBytes: 4_096 }, async (port, node) => {
    using client = await RawClient.greeted(port);
    const memberResourceIds = Array.from({ length: 300 }, (_, i) => BigInt(i));
    const reservation = {
      ...{ kind: "found", reservationId: 1n, holderId: 2n, state: 1, epoch: 1n } as const,
      ...{ createdLsn: 1n, deadlineSlot: 1n, releasedLsn: undefined, retireAfterSlot: undefined },
      memberResourceIds,
      observedLsn: 1n,
    };
    node.getReservation = () => reservation;
    const refused = await client.ask(3, 5n, idBytes(1n), null, null);
    assertEquals(refused?.slice(0, 3), [20, 5n, "reply_too_large"]);
    assertEquals(await client.ask(6, 6n), [16, 6n, 3]);
  });
});

Deno.test("a connection with too much under way is not read from until it is answered", async () => {
  await withServer({ maxInFlightCommands: 10 }, async (port, node) => {
    node.holds = true;
    using client = await RawClient.greeted(port);
    using other = await RawClient.greeted(port);
    const all = Array.from({ length: 40 }, (_, i) => message(1, BigInt(i), null, [create(i, i)]));
    await client.send(...all);
    await other.ask(4, 1n); // By the time that this is answered, the server has had its turn.
    await until(() => node.received.length >= 10);
    assertEquals([node.received.length, node.heldCount], [10, 10]);
    for (const taken of [20, 30, 40]) {
      node.answerHeld();
      await until(() => node.received.length === taken);
    }
    node.answerHeld();
    assertEquals((await client.take(40)).map((reply) => reply?.[1]), all.map((_, i) => BigInt(i)));
  });
});

Deno.test("a client that does not read its replies is not read from, and then cut off", async () => {
  const bounds = { maxUnsentBytes: 100_000, writeDeadlineMs: 200, maxFrameBytes: 4_096 };
  await withServer(bounds, async (port, node, server, events) => {
    using client = await RawClient.greeted(port);
    const question = message(7, 1n);
    const sending = (async () => {
      for (let i = 0; i < 200_000; i++) await client.send(question);
    })().catch(() => {});
    await until(() => events.length > 0);
    await client.rest(); // Until it reads, the system keeps the socket, and both sides wait.
    await sending;
    const [event] = events as [ServerEvent & { kind: "connection_failed" }];
    assertEquals([event.kind, event.code], ["connection_failed", "deadline_exceeded"]);
    assert(server.traffic().requests < 100_000, "the server read on");
    using other = await RawClient.greeted(port);
    assertEquals(lsns(await other.ask(1, 1n, null, [create(1, 1)])), [1n]);
    assertEquals(node.received.length, 1);
  });
});

Deno.test("a client that has said everything still gets every answer, and then the connection ends", async () => {
  await withServer({}, async (port, node, server) => {
    node.holds = true;
    using client = await RawClient.greeted(port);
    await client.send(message(1, 1n, null, [create(1, 1), create(2, 2)]), message(6, 2n));
    await client.conn.closeWrite();
    await until(() => node.heldCount === 3);
    node.answerHeld();
    assertEquals((await client.rest()).map((reply) => reply.slice(0, 2)), [[11, 1n], [16, 2n]]);
    await until(() => server.traffic().connectionsOpen === 0);
  });
});

Deno.test("answers to a client that is gone go nowhere and disturb nobody", async () => {
  await withServer({}, async (port, node, server) => {
    node.holds = true;
    using other = await RawClient.greeted(port);
    for (let i = 0; i < 20; i++) {
      using client = await RawClient.greeted(port);
      await client.send(message(1, 1n, null, [create(i, i)]), message(5, 2n, null), message(6, 3n));
      await until(() => node.heldCount === (i + 1) * 3);
      client.conn.close();
    }
    await other.send(message(1, 9n, null, [create(50, 50)]));
    await until(() => node.heldCount === 61);
    node.answerHeld();
    assertEquals(lsns(await other.next()), [21n]);
    await until(() => server.traffic().connectionsOpen === 1);
  });
});

Deno.test("connections above the limit are told and closed, those within it go on", async () => {
  await withServer({ maxConnections: 2 }, async (port, _node, server, events) => {
    using first = await RawClient.greeted(port);
    using second = await RawClient.greeted(port);
    using third = await RawClient.connect(port);
    assertEquals((await third.rest()).map((reply) => reply[2]), ["too_many_connections"]);
    assertEquals(events.map(({ kind }) => kind), ["connection_refused"]);
    for (const client of [first, second]) assertEquals(await client.ask(6, 1n), [16, 1n, 3]);
    second.conn.close();
    await until(() => server.traffic().connectionsOpen === 1);
    using fourth = await RawClient.greeted(port);
    assertEquals(await fourth.ask(6, 1n), [16, 1n, 3]);
    const { connectionsAccepted, connectionsRefused } = server.traffic();
    assertEquals([connectionsAccepted, connectionsRefused], [4, 1]);
  });
});

Deno.test("drain() answers what is in flight, refuses what is new, says goodbye and listens no more", async () => {
  await withServer({}, async (port, node, server) => {
    node.holds = true;
    using busy = await RawClient.greeted(port);
    using idle = await RawClient.greeted(port);
    using silent = await RawClient.connect(port);
    await busy.send(message(1, 1n, null, [create(1, 1)]));
    await until(() => node.heldCount === 1 && server.traffic().connectionsOpen === 3);
    const drained = server.drain(10_000);
    for (const client of [idle, silent]) {
      assertEquals((await client.next())?.slice(0, 3), [20, 0n, "shutting_down"]);
      client.conn.close();
    }
    assertEquals(await busy.ask(1, 2n, null, [create(2, 2)]), [11, 2n, [[0, 1, 10, 0n, 0n, 0n]]]);
    assertEquals(await busy.ask(5, 3n, null), [15, 3n, [0, 1, 10, 0n, 0n, 0n]]);
    assertEquals((await busy.ask(6, 4n))?.slice(0, 3), [20, 4n, "shutting_down"]);
    node.answerHeld();
    assertEquals((await busy.rest()).map((reply) => reply[1]), [1n, 0n]);
    busy.conn.close();
    await drained;
    assertEquals(node.received.length, 1);
    assertEquals(await RawClient.connect(port).then(() => "connected", () => "refused"), "refused");
  });
});

Deno.test("a read waits for the node's authority, is answered from then and holds nothing else up", async () => {
  await withServer({}, async (port, node, server) => {
    node.holdsReads = true;
    using client = await RawClient.greeted(port);
    await client.send(message(2, 1n, idBytes(1n), null), message(3, 2n, idBytes(9n), null, null));
    assertEquals((await client.ask(4, 3n, null))?.slice(0, 2), [14, 3n]);
    await until(() => node.heldCount === 2);
    assertEquals(lsns(await client.ask(1, 4n, null, [create(1, 1)])), [1n]);
    node.answerHeld();
    assertEquals((await client.next())?.slice(0, 3), [12, 1n, 1]); // The resource was made meanwhile.
    assertEquals(await client.next(), [13, 2n, 2, 1n]);
    node.holdsReads = false;
    node.readRefusal = { kind: "not_primary", view: 3n, primary: 2n };
    assertEquals(await client.ask(2, 5n, idBytes(1n), null), [12, 5n, 6, 3n, 2n]);
    node.holdsReads = true;
    await client.send(message(2, 6n, idBytes(1n), null));
    await until(() => node.heldCount === 1);
    const drained = server.drain(10_000);
    node.answerHeld();
    assertEquals((await client.rest()).map(([type, id]) => [type, id]), [[12, 6n], [20, 0n]]);
    client.conn.close();
    await drained;
  });
});

Deno.test("drain() closes what is still open when its time is up", async () => {
  await withServer({}, async (port, node, server) => {
    node.holds = true;
    using client = await RawClient.greeted(port);
    await client.send(message(1, 1n, null, [create(1, 1)]));
    await until(() => node.heldCount === 1);
    await server.drain(20);
    assertEquals(await client.rest(), []);
    node.answerHeld(); // Nobody is there to hear it.
  });
});

Deno.test("startServer() refuses bounds that make no sense and a port that is taken", async () => {
  const start = (options: Partial<ServerOptions>): Server =>
    startServer(new WireNode(), { version: "test", port: 0, ...options });
  for (
    const options of [
      { maxConnections: 0 },
      { maxFrameBytes: 100 },
      { maxBatchCommands: 1.5 },
      { frameDeadlineMs: -1 },
      { idleDeadlineMs: NaN },
    ]
  ) assertThrows(() => start(options), RangeError);
  await withServer({}, (port) => {
    assertThrows(() => start({ port }), Deno.errors.AddrInUse);
    return Promise.resolve();
  });
});

Deno.test("a second answer to the same command is found out at once", async () => {
  await withServer({}, async (port, node) => {
    let faults = 0;
    const submit = node.submit.bind(node);
    node.submit = (view, at, end, slot, sink, token) => {
      submit(view, at, end, slot, sink, token);
      if (token === 1) return;
      try {
        sink.rejected(token, { category: "definite", code: "shutting_down" });
      } catch {
        faults++;
      }
    };
    using client = await RawClient.greeted(port);
    assertEquals(lsns(await client.ask(1, 1n, null, [create(1, 1), create(2, 2)])), [1n, 2n]);
    assertEquals(faults, 1, "server/one-answer-per-command");
  });
});

Deno.test("a frame of every kind of request, all at once and cut anywhere, is answered the same", async () => {
  await withServer({}, async (port) => {
    const requests = SAMPLES.filter(({ general }) => {
      const [type] = general as number[];
      return type! > MessageType.hello && type! <= MessageType.status;
    });
    const stream = new Uint8Array(
      await new Blob(requests.map((each) => frameOf(each).slice())).bytes(),
    );
    const answers: string[][] = [];
    for (const step of [stream.length, 1, 7, 1_000]) {
      using client = await RawClient.greeted(port);
      for (let at = 0; at < stream.length; at += step) {
        await client.send(stream.subarray(at, at + step));
      }
      await client.conn.closeWrite();
      answers.push((await client.rest()).map(([type, id]) => `${type} ${id}`));
    }
    assertEquals(answers[0]?.length, requests.length);
    for (const each of answers) assertEquals(each, answers[0]);
  });
});
