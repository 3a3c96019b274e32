// Links that hold, are narrow or slow, and programs of another version: what arrives, when, and that nothing else changes.
import { assert, assertEquals, assertLess } from "@std/assert";
import { create } from "../workload/requests.ts";
import { ClockLedger } from "./clocks.ts";
import { ask, backupsOf, quietWorld, runToCaughtUp, runToSuccessor } from "./script.ts";
import type { ClusterWorld } from "./world.ts";

/** What was sent before comes within this. */
const ON_ITS_WAY_MS = 2.1;

/** When heartbeats of the primary came to a backup, in milliseconds. */
function arrivals(world: ClusterWorld, task: (from: bigint, to: bigint) => void): number[] {
  const primary = world.primary!;
  const [backup] = backupsOf(world);
  const seen: number[] = [];
  const receive = backup!.subject!.receive.bind(backup!.subject!);
  backup!.subject!.receive = (from, message) => {
    if (from === primary.id) seen.push(world.queue.nowMs);
    receive(from, message);
  };
  task(primary.id, backup!.id);
  return seen;
}

Deno.test("what a link holds arrives at once when it is released, in order, and nothing before", () => {
  const world = quietWorld();
  const seen = arrivals(world, (from, to) => {
    world.network.hold(from, to);
    world.run(350);
  });
  assertEquals(seen, []);
  const { nowMs } = world.queue;
  const [primary, [backup]] = [world.primary!, backupsOf(world)];
  world.network.release(primary.id, backup!.id);
  assert(seen.length >= 3, "heartbeats waited");
  assert(seen.every((ms) => ms === nowMs), "they come at once");
  world.settle();
});

Deno.test("a slow link delays each message, a narrow one each byte", () => {
  for (const [slowMs, msPerByte, takesMs] of [[80, 0, 80], [0, 1, 40]] as const) {
    const world = quietWorld();
    const { nowMs } = world.queue;
    const seen = arrivals(world, (from, to) => {
      world.run(20);
      world.network.clog(from, to, slowMs, msPerByte);
      world.run(1_000);
      world.network.clog(from, to, 0, 0);
    });
    const late = seen.find((ms) => ms > nowMs + 20 + ON_ITS_WAY_MS);
    assert(late !== undefined && late >= nowMs + 20 + takesMs, `the first one comes at ${late}`);
    world.settle();
  }
});

Deno.test("a replica of another version is let in by nobody, and catches up when it is of this one again", () => {
  const world = quietWorld();
  const [backup] = backupsOf(world);
  backup!.kill();
  backup!.protocolVersion++;
  backup!.start();
  for (let id = 1n; id <= 3n; id++) assertEquals(ask(world, create(id)).code, "ok");
  world.run(2_000);
  assertLess(backup!.subject!.status().tipOp, BigInt(world.judges.truth.op));
  const [first] = [world.primary!];
  backup!.kill();
  backup!.protocolVersion--;
  backup!.start();
  runToCaughtUp(world, backup!);
  first.crash("lose");
  runToSuccessor(world, first);
  world.settle();
});

Deno.test("a clock that changes its pace goes on from where it is", () => {
  const world = quietWorld();
  const [machine] = world.machines;
  const before = machine!.clock.nowMs();
  machine!.setClockRate(1.25);
  assertEquals(Math.abs(machine!.clock.nowMs() - before) < 1e-6, true);
  world.run(1_000);
  assertEquals(Math.round(machine!.clock.nowMs() - before), 1_250);
});

Deno.test("ClockLedger.elapsedMsMax() is exact while clocks agree, and adds all that they came to differ by", () => {
  const now = { ms: 0 };
  const clocks = new ClockLedger(() => now.ms);
  assertEquals(clocks.elapsedMsMax(100, 350), 250);
  now.ms = 1_000;
  clocks.leapt(40);
  assertEquals(clocks.elapsedMsMax(100, 350), 250);
  assertEquals(clocks.elapsedMsMax(2_000, 2_100), 140);
  now.ms = 2_000;
  clocks.paced(1.25);
  clocks.paced(0.75);
  assertEquals(clocks.elapsedMsMax(2_000, 2_100), 125 + 40);
  assertEquals(clocks.elapsedMsMax(3_000, 3_100), 125 + 500 + 40);
});
