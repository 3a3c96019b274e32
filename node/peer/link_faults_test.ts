// Faults are only worth something if they do what they say and nothing else: what gets through is what was sent,
// in order unless reordering was asked for, and never bytes that have been used again since.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { SAMPLE_MESSAGES } from "../../tests/support/peer_samples.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import type { Message } from "../vsr/messages.ts";
import type { LinkFault, LinkPorts } from "./line.ts";
import { FaultyLink, messageBytes, ownMessage } from "./link_faults.ts";

/** Time that passes when it is told to. */
class FakePorts implements LinkPorts {
  ms = 0;
  readonly #random: SeededRandom;
  readonly #timers = new Map<number, { readonly dueMs: number; readonly task: () => void }>();
  #nextTimer = 0;

  constructor(seed = 1) {
    this.#random = new SeededRandom(seed);
  }

  nowMs(): number {
    return this.ms;
  }

  after(ms: number, task: () => void): () => void {
    const id = this.#nextTimer++;
    this.#timers.set(id, { dueMs: this.ms + ms, task });
    return () => this.#timers.delete(id);
  }

  random(): number {
    return this.#random.nextU32() / 2 ** 32;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and timers ring in order. */
  pass(ms: number): void {
    const endMs = this.ms + ms;
    for (let rings = 0; rings < 100_000; rings++) {
      const due = [...this.#timers].filter(([, { dueMs }]) => dueMs <= endMs)
        .sort(([, a], [, b]) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      const [id, { dueMs, task }] = due;
      this.#timers.delete(id);
      this.ms = Math.max(this.ms, dueMs);
      task();
    }
    this.ms = endMs;
  }
}

interface Line {
  readonly ports: FakePorts;
  readonly link: FaultyLink;
  /** What arrived: op, and when. */
  readonly arrived: (readonly [op: bigint, ms: number])[];
  send(from: number, to: number): void;
}

function line(fault: LinkFault | undefined, seed = 1, heldBytesMax = 1_000_000): Line {
  const ports = new FakePorts(seed);
  const arrived: [bigint, number][] = [];
  const link = new FaultyLink(ports, (message) => {
    arrived.push([message.kind === "prepare_reject" ? message.op : -1n, ports.ms]);
  }, heldBytesMax);
  link.setFault(fault);
  const send = (from: number, to: number): void => {
    for (let op = from; op < to; op++) {
      link.pass({ kind: "prepare_reject", view: 1n, op: BigInt(op) });
    }
  };
  return { ports, link, arrived, send };
}

function ops(length: number): bigint[] {
  return Array.from({ length }, (_, i) => BigInt(i));
}

Deno.test("FaultyLink without a fault hands on the message itself, at once", () => {
  const seen: Message[] = [];
  const link = new FaultyLink(new FakePorts(), (message) => seen.push(message), 0);
  for (const fault of [undefined, {}, { drop: 0, delayMs: 0 }]) {
    link.setFault(fault);
    for (const [, message] of SAMPLE_MESSAGES) {
      link.pass(message);
      assert(seen.pop() === message);
    }
  }
  assertEquals([link.dropped, link.heldBytes], [0, 0]);
});

Deno.test("FaultyLink cut loses everything, also what was on its way, until it heals", () => {
  const { ports, link, arrived, send } = line({ delayMs: 50 });
  send(0, 3);
  link.setFault({ cut: true });
  send(3, 6);
  ports.pass(1_000);
  assertEquals([arrived, link.dropped, link.heldBytes, ports.timers], [[], 6, 0, 0]);
  link.setFault(undefined);
  send(6, 8);
  assertEquals(arrived.map(([op]) => op), [6n, 7n]);
});

Deno.test("FaultyLink drops, doubles and holds back about as often as asked, and no two seeds alike", () => {
  const count = 10_000;
  const arrivals = (fault: LinkFault, seed: number): readonly bigint[] => {
    const { ports, arrived, send } = line(fault, seed, Infinity);
    send(0, count);
    ports.pass(1_000);
    return arrived.map(([op]) => op);
  };
  const near = (actual: number, share: number): void =>
    assert(Math.abs(actual - count * share) < count * 0.02, `${actual} of ${count}`);
  const dropped = arrivals({ drop: 0.3 }, 1);
  near(dropped.length, 0.7);
  assertEquals(arrivals({ drop: 0.3 }, 1), dropped);
  assert(arrivals({ drop: 0.3 }, 2).join() !== dropped.join());
  near(arrivals({ duplicate: 0.2 }, 1).length, 1.2);
  const late = arrivals({ reorder: 0.1 }, 1);
  assertEquals(late.length, count);
  near(late.findIndex((op, i) => i > 0 && op < late[i - 1]!), 0.9); // The others are overtaken.
  assertEquals(late.toSorted((a, b) => Number(a - b)), ops(count));
});

Deno.test("FaultyLink delays by the mean give or take the jitter, in order all the same", () => {
  const { ports, arrived, send } = line({ delayMs: 100, jitterMs: 30 });
  for (let op = 0; op < 500; op++) {
    send(op, op + 1);
    ports.pass(10);
  }
  ports.pass(1_000);
  assertEquals(arrived.map(([op]) => op), ops(500));
  const delays = arrived.map(([op, ms]) => ms - Number(op) * 10);
  assert(Math.min(...delays) >= 70 && Math.max(...delays) <= 130, delays.join());
  assert(Math.max(...delays) - Math.min(...delays) > 30);
});

Deno.test("FaultyLink throttles to the bytes per second that were asked for, and loses what does not fit", () => {
  const bytes = messageBytes({ kind: "prepare_reject", view: 1n, op: 1n });
  const { ports, link, arrived, send } = line({ bytesPerSecond: bytes * 10 }, 1, bytes * 25);
  send(0, 40);
  assertEquals([link.heldBytes, link.dropped], [bytes * 25, 15]);
  ports.pass(10_000);
  assertEquals(arrived.map(([op]) => op), ops(25));
  assertEquals(
    arrived.map(([, ms]) => Math.round(ms)),
    ops(25).map((op) => 100 + 100 * Number(op)),
  );
});

Deno.test("FaultyLink hands over what it holds when the fault ends, and keeps it while nothing changes", () => {
  const { ports, link, arrived, send } = line({ delayMs: 100, jitterMs: 50, reorder: 0.2 });
  send(0, 50);
  link.setFault({ delayMs: 100, jitterMs: 50, reorder: 0.2 });
  assertEquals(arrived, []);
  link.setFault({ delayMs: 10 });
  assertEquals(arrived.length, 50);
  send(50, 52);
  assertEquals([arrived.length, ports.timers], [50, 1]);
  link.close();
  ports.pass(1_000);
  assertEquals([arrived.length, link.dropped, ports.timers], [50, 2, 0]);
});

Deno.test("FaultyLink copies what it holds back: the receive buffer has other content by then", () => {
  const ports = new FakePorts();
  const seen: Message[] = [];
  const link = new FaultyLink(ports, (message) => seen.push(ownMessage(message)), 1_000_000);
  link.setFault({ delayMs: 5 });
  for (const [, message] of SAMPLE_MESSAGES) {
    const lent = ownMessage(message);
    link.pass(lent);
    if ("frames" in lent) lent.frames.fill(0xee);
    if (lent.kind === "snapshot_chunk") lent.bytes.fill(0xee);
  }
  ports.pass(5);
  assertEquals(seen, SAMPLE_MESSAGES.map(([, message]) => message));
});

Deno.test("FaultyLink loses nothing and invents nothing whatever the weather does, if it drops nothing", () => {
  const milliseconds = fc.integer({ min: 0, max: 50 });
  const fault = fc.record({
    duplicate: fc.constantFrom(0, 0.5),
    reorder: fc.constantFrom(0, 0.5),
    delayMs: milliseconds,
    jitterMs: milliseconds,
    bytesPerSecond: fc.constantFrom(0, 100_000),
  });
  const change = fc.record({ fault: fc.option(fault), count: fc.nat(20), ms: fc.nat(60) });
  const property = fc.property(fc.array(change), fc.nat(), (changes, seed) => {
    const { ports, link, arrived, send } = line(undefined, seed);
    let sent = 0;
    let isOrdered = true;
    for (const { fault, count, ms } of changes) {
      link.setFault(fault ?? undefined);
      isOrdered &&= fault === null || (fault.reorder === 0 && fault.duplicate === 0);
      send(sent, sent += count);
      ports.pass(ms);
    }
    ports.pass(10_000);
    assertEquals([link.heldBytes, link.dropped, ports.timers], [0, 0, 0]);
    const seen = arrived.map(([op]) => op);
    if (isOrdered) assertEquals(seen, ops(sent));
    assertEquals(new Set(seen), new Set(ops(sent)));
  });
  fc.assert(property, { seed: 5, numRuns: 300 });
});
