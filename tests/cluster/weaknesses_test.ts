// What broke in replicated allocators before this one, each as the schedule that broke it. The judges of the
// world look on; a scenario says what must come out besides.
import { assert, assertEquals } from "@std/assert";
import { isRefusal } from "../../testbed/sim/workload/client.ts";
import type { ClusterMachine } from "../../testbed/sim/world/machine.ts";
import type { Message } from "../../node/vsr/messages.ts";
import {
  ask,
  backupsOf,
  fresh,
  quietWorld,
  readAt,
  runToCaughtUp,
  runToSuccessor,
  submit,
  submitCommand,
} from "../../testbed/sim/world/script.ts";
import { ClusterWorld, ELECTION_MS } from "../../testbed/sim/world/world.ts";
import { encodePlain } from "../../testbed/sim/workload/plain.ts";
import type { ModelCommand } from "../../testbed/model/words.ts";
import type { Rejection } from "../../node/api.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";

Deno.test("W1, W2: a slot of the past or of a far future is refused and harms no replica", () => {
  const world = quietWorld();
  ask(world, create(1n));
  world.run(1_000);
  const last = world.primary!.subject!.currentSlot();
  ask(world, create(2n));
  const codes = [0n, last - 50n, 2n ** 32n, 2n ** 63n].map((slot) =>
    rejectionOf(world, fresh(create(3n)), slot)?.code
  );
  assertEquals(codes, ["slot_rewound", "slot_rewound", "slot_too_far", "slot_too_far"]);
  assertEquals(ask(world, create(3n)).code, "ok");
  for (const machine of world.machines) machine.crash("lose");
  world.settle();
});

Deno.test("W3: no client can expire a reservation, on any replica", () => {
  const world = quietWorld();
  ask(world, create(1n));
  const { reserved } = ask(world, reserve(1n, 200n));
  const { reservationId, deadlineSlot } = reserved!;
  for (const machine of world.machines) {
    const command = { kind: "expire", reservationId, deadlineSlot } as const;
    const rejection = rejectionOf(world, command, undefined, machine);
    assertEquals(rejection?.category, "definite");
  }
  assertEquals(ask(world, reserve(1n, 5n)).code, "resource_busy");
  world.settle();
});

Deno.test("W5: what a successor committed survives the return of an older, longer log", () => {
  const world = quietWorld();
  const first = world.primary!;
  const [second, third] = backupsOf(world);
  world.network.isolate(first.id);
  const lost = submit(world, create(1n), first);
  submit(world, create(2n), first);
  world.run(60);
  assert(first.mirror.frames.size > second!.mirror.frames.size, "the old log is longer");
  first.crash("keep");
  const successor = runToSuccessor(world, first);
  world.network.heal();
  const before = world.judges.truth.op;
  assertEquals(ask(world, create(7n)).code, "ok");
  assert(world.judges.truth.op > before, "and committed elsewhere");
  successor.crash("lose");
  first.start();
  const survivor = successor === second ? third! : second!;
  world.runToPrimary();
  assertEquals(ask(world, create(7n)).code, "already_exists");
  runToCaughtUp(world, survivor);
  world.settle();
  assert(lost.outcome?.code === "ok", "the old one was retried to its end");
});

Deno.test("W6: a primary that comes back from the dead does not answer readers from memory", () => {
  const world = quietWorld();
  ask(world, create(1n));
  const old = world.primary!;
  old.kill();
  runToSuccessor(world, old);
  assertEquals(ask(world, reserve(1n, 200n)).code, "ok");
  world.network.isolate(old.id);
  old.start();
  const result = readAt(world, old, 1n);
  assert(result === undefined || isRefusal(result), "it refuses or says nothing");
  world.run(5_000);
  assert(isRefusal(readAt(world, old, 1n) ?? { kind: "engine_halted" }), "nor later");
  world.settle();
});

Deno.test("W7: every view change leads to a later view, whoever asks and however often", () => {
  const world = quietWorld();
  const views: bigint[] = [];
  for (let round = 0; round < 6; round++) {
    for (const machine of world.machines) {
      machine.reachSubject((subject) => subject.startViewChange());
    }
    world.run(50);
    views.push(world.runToPrimary().subject!.status().view);
    ask(world, create(BigInt(round + 1)));
  }
  assert(views.every((view, i) => i === 0 || view > views[i - 1]!), `views grow: ${views}`);
  world.settle();
});

Deno.test("W8: a replica that dies while it changes views has one word for each", () => {
  for (let nth = 1; nth <= 16; nth++) {
    const world = quietWorld({ seed: 100 + nth });
    ask(world, create(1n));
    const old = world.primary!;
    const [voter] = backupsOf(world);
    voter!.disk.plan({ nth, effect: "crash" });
    old.crash("lose");
    world.run(500);
    for (let round = 0; round < 4; round++) {
      voter!.start();
      world.run(400);
      voter!.crash(world.random);
    }
    world.settle();
  }
});

Deno.test("W9: a prepare of a view that was left is not acknowledged, however late it comes", () => {
  const world = quietWorld();
  const old = world.primary!;
  const [backup] = backupsOf(world);
  const held: Message[] = [];
  world.network.tamper = (from, to, message) => {
    if (from !== old.id || to !== backup!.id || message.kind !== "prepare") return message;
    held.push({ ...message, frames: message.frames.slice() });
    return undefined;
  };
  submit(world, create(1n), old);
  world.run(60);
  assert(held.length > 0, "a prepare is on its way");
  backup!.reachSubject((subject) => subject.startViewChange());
  world.run(1_000);
  world.network.tamper = undefined;
  for (const message of held) world.network.inject(old.id, backup!.id, message);
  world.run(100);
  assertEquals(ask(world, create(2n)).code, "ok");
  world.settle();
});

Deno.test("W10: a primary that hears of a later view steps down and catches up", () => {
  const world = quietWorld();
  const old = world.primary!;
  const { view } = old.subject!.status();
  const [backup] = backupsOf(world);
  world.network.inject(backup!.id, old.id, { kind: "start_view_change", view: view + 2n });
  assert(old.subject!.status().role !== "primary", "it leads no longer");
  world.run(3_000);
  assert(world.runToPrimary().subject!.status().view > view, "a later view serves");
  assertEquals(ask(world, create(1n)).code, "ok");
  world.settle();
});

for (const who of ["primary", "backup"] as const) {
  Deno.test(`W11: a power failure at any operation of the disk costs a ${who} nothing`, () => {
    for (let nth = 1; nth <= 24; nth += 2) {
      const world = new ClusterWorld({
        seed: 200 + nth,
        segmentBytes: 4_096,
        checkpoints: { bytes: 1e9, frames: 25, ageMs: 1e9 },
      });
      world.run(1_200);
      const machine = who === "primary" ? world.runToPrimary() : backupsOf(world)[0]!;
      machine.disk.plan({ nth, effect: "crash" });
      world.run(1_200);
      assert(!machine.isRunning, "it was struck");
      machine.start();
      world.run(300);
      world.settle();
    }
  });
}

Deno.test("W12: more entries without a commit than may wait for one do not keep a replica from starting", () => {
  const world = quietWorld({ engine: { maxSubmissionQueue: 8 } });
  const old = world.primary!;
  const [backup, other] = backupsOf(world);
  world.network.cut(backup!.id, old.id);
  world.network.cut(other!.id, old.id);
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 8; i++) submit(world, create(BigInt(1 + i)), old);
    world.run(40);
  }
  for (const machine of world.machines) machine.crash("keep");
  world.network.heal();
  for (const machine of world.machines) machine.start();
  world.settle();
});

Deno.test("W13: an entry that waits for its majority holds nobody up once there is one", () => {
  const world = quietWorld();
  const primary = world.primary!;
  for (const backup of backupsOf(world)) world.network.cut(primary.id, backup.id);
  const stuck = submit(world, create(1n), primary);
  world.run(150);
  const others = [2n, 3n, 4n].map((id) => submit(world, create(id), primary));
  world.run(50);
  world.network.heal();
  const all = [stuck, ...others];
  const isAnswered = (): boolean => all.every(({ outcome }) => outcome?.code === "ok");
  assert(world.runUntil(isAnswered, 16_000), "all are answered");
  world.settle();
});

Deno.test("W14: a backup that missed a prepare gets it without an operator", () => {
  const world = quietWorld();
  const [backup] = backupsOf(world);
  const missed = { left: 1 };
  world.network.tamper = (_from, to, message) => {
    const isEntry = message.kind === "prepare" && message.frames.length > 0;
    return to === backup!.id && isEntry && missed.left-- > 0 ? undefined : message;
  };
  for (let id = 1n; id <= 5n; id++) assertEquals(ask(world, create(id)).code, "ok");
  world.run(2 * ELECTION_MS);
  assertEquals(backup!.subject!.status().appliedOp, BigInt(world.judges.truth.op));
  assertEquals(backup!.incarnation, 1);
  world.settle();
});

Deno.test("W15: a replica that is behind can lead: it fetches what was committed without it", () => {
  const world = quietWorld();
  const first = world.primary!;
  const next = nextLeader(world, first);
  world.network.isolate(next.id);
  for (let id = 1n; id <= 6n; id++) assertEquals(ask(world, create(id)).code, "ok");
  assert(next.mirror.frames.size < first.mirror.frames.size, "it is behind");
  first.crash("lose");
  world.network.heal();
  const leader = runToSuccessor(world, first);
  for (let id = 1n; id <= 6n; id++) assertEquals(ask(world, create(id)).code, "already_exists");
  world.settle();
  assert(leader.id !== first.id, "another one leads");
});

Deno.test("W16: acknowledgements out of order answer everybody with his own, and once", () => {
  const world = quietWorld({ weather: { reorderOneIn: 2, delayMsMax: 40, duplicateOneIn: 3 } });
  const operations = [1n, 2n, 3n, 4n, 5n, 6n].map((id) => submit(world, create(id)));
  const again = operations.map(({ command }) => submitCommand(world, command));
  const isAnswered = (): boolean =>
    [...operations, ...again].every(({ outcome }) => outcome?.code === "ok");
  assert(world.runUntil(isAnswered, 16_000), "all are answered");
  for (const [i, { outcome }] of operations.entries()) {
    assertEquals(outcome!.appliedLsn, again[i]!.outcome!.appliedLsn);
  }
  world.settle();
});

Deno.test("R7: a retry at the successor has the outcome that the first attempt had", () => {
  const world = quietWorld();
  const old = world.primary!;
  const command = fresh(create(1n));
  const first = submitCommand(world, command);
  world.runUntil(() => world.judges.judged.published > 0, 5_000);
  old.crash("lose");
  runToSuccessor(world, old);
  const again = submitCommand(world, command);
  world.runUntil(() => again.outcome !== undefined, 16_000);
  assertEquals([again.outcome!.code, again.outcome!.appliedLsn], ["ok", 1n]);
  assertEquals(again.outcome!.fromRetryCache, true);
  world.settle();
  assertEquals(first.outcome!.appliedLsn, 1n);
});

Deno.test("R9: a successor does not free early what its predecessor granted", () => {
  for (let round = 0; round < 6; round++) {
    const world = quietWorld({ seed: 300 + round });
    ask(world, create(1n));
    // The clock of a replica that was down is behind that of the others by as much.
    const primary = world.primary!;
    primary.crash("lose");
    runToSuccessor(world, primary);
    world.run(3_000);
    primary.start();
    world.run(1_500);
    ask(world, reserve(1n, 100n));
    world.run(100 * round);
    const holder = world.runToPrimary();
    holder.crash("lose");
    runToSuccessor(world, holder);
    world.run(3_000);
    assertEquals(world.judges.judged.expirations, 1);
    world.settle();
  }
});

/** The replica that leads the view after this one's. */
function nextLeader(world: ClusterWorld, { index }: ClusterMachine): ClusterMachine {
  return world.machines[(index + 1) % world.machines.length]!;
}

/** Submits once, at one replica, and answers with how it was refused. */
function rejectionOf(
  world: ClusterWorld,
  command: ModelCommand,
  slot: bigint | undefined,
  machine = world.primary!,
): Rejection | undefined {
  const bytes = encodePlain(command);
  const told: { rejection?: Rejection } = {};
  const sink = {
    committed: (): void => {},
    rejected: (_token: number, rejection: Rejection): void => void (told.rejection = rejection),
  };
  machine.reachSubject((subject) =>
    subject.submit(new DataView(bytes.buffer), 0, bytes.length, slot, sink, 1)
  );
  world.run(500);
  return told.rejection;
}
