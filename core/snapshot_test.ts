// A snapshot is what is left when the log is gone: restoring must give exactly the engine that was, and must
// refuse every state that no engine can have, however well its checksums are in order.
import { assert, assertEquals } from "@std/assert";
import {
  apply,
  applyCommand,
  type Bench,
  benchOf,
  createBench,
  restoredCopy,
  snapshotBlocks,
} from "../tests/support/core_builders.ts";
import { SeededRandom } from "../testbed/sim/random.ts";
import type { CoreConfig } from "./config.ts";
import { digest } from "./digest.ts";
import { firstViolation } from "./invariants.ts";
import { health, viewReservation, viewResource } from "./query.ts";
import { acceptBlock, beginRestore, finishRestore } from "./snapshot.ts";
import type { Engine } from "./state.ts";
import { Operation, Reservation, Resource } from "./tables.ts";

const HEAD = 4;
/** Blocks by their place; the first one is the progress. */
const [RESOURCES, RESERVATIONS, OPERATIONS] = [1, 2, 3] as const;

/** Reservations in every state: 9 reserved, 10 confirmed, 12 revoking, 15 released, 17 revoked, 21 expired. */
function createRoom(changes: Partial<CoreConfig> = {}): Bench {
  const bench = createBench({ maxBundleSize: 2, ...changes });
  for (let resourceId = 1n; resourceId <= 8n; resourceId++) {
    apply(bench, { kind: "create_resource", resourceId });
  }
  const reserve = (resourceIds: bigint[]): bigint =>
    apply(bench, { kind: "reserve_bundle", resourceIds, holderId: 7n, ttlSlots: 5n }).appliedLsn;
  const confirm = (reservationId: bigint): void =>
    void apply(bench, { kind: "confirm", reservationId, holderId: 7n, epoch: 1n });
  reserve([1n, 2n]);
  confirm(reserve([3n]));
  const revoking = reserve([4n]);
  confirm(revoking);
  apply(bench, { kind: "revoke", reservationId: revoking });
  const released = reserve([5n]);
  apply(bench, { kind: "release", reservationId: released, holderId: 7n, epoch: 1n });
  const revoked = reserve([6n]);
  confirm(revoked);
  apply(bench, { kind: "revoke", reservationId: revoked });
  apply(bench, { kind: "reclaim", reservationId: revoked });
  const expired = reserve([7n]);
  bench.slot = 5n;
  applyCommand(bench, { kind: "expire", reservationId: expired, deadlineSlot: 5n });
  bench.slot = 4n + 5n;
  apply(bench, { kind: "create_resource", resourceId: 1n });
  return bench;
}

/** Restores blocks whose words were changed. */
function restoreChanged(
  { engine }: Bench,
  change: (blocks: Uint32Array[]) => Uint32Array[] | void,
): Engine | string {
  const blocks = snapshotBlocks(engine).map((block) => new Uint32Array(block.buffer));
  return restoreBlocks(engine.config, change(blocks) ?? blocks);
}

function restoreBlocks(config: CoreConfig, blocks: readonly Uint32Array[]): Engine | string {
  const sink = beginRestore(config);
  for (const { buffer, byteOffset, byteLength } of blocks) {
    const error = acceptBlock(sink, new Uint8Array(buffer, byteOffset, byteLength));
    if (error !== undefined) return error;
  }
  return finishRestore(sink);
}

/** Sets one word of one row of a block. */
function poke(block: Uint32Array, row: number, word: number, value: number): void {
  block[HEAD + row * block[3]! + word] = value;
}

function rowOf(bench: Bench, reservationId: bigint): number {
  const { words, stride } = bench.engine.tables.reservations;
  const rows = bench.engine.tables.reservations.capacity;
  return Array.from({ length: rows }, (_, row) => row)
    .find((row) => BigInt(words[row * stride]!) === reservationId)!;
}

Deno.test("P9: a restored engine has the state of the live one and goes on with the same outcomes", () => {
  const live = createRoom();
  const restored = restoredCopy(live.engine, { hashSeed: 5 });
  if (typeof restored === "string") throw new Error(restored);
  assertEquals(digest(restored), digest(live.engine));
  assertEquals(snapshotBlocks(restored), snapshotBlocks(live.engine));
  const twin = { ...benchOf(restored), operationId: live.operationId };
  for (const bench of [live, twin]) bench.slot = 9n;
  for (let id = 0n; id < 30n; id++) {
    for (const bench of [live, twin]) bench.slot += id % 3n;
    const request = { kind: "release", reservationId: id, holderId: 7n, epoch: 1n } as const;
    assertEquals(apply(live, request), apply(twin, request));
    assertEquals(digest(live.engine), digest(twin.engine));
  }
});

Deno.test("a restored engine shows every state, revoking and revoked among them", () => {
  const live = createRoom();
  const restored = restoredCopy(live.engine);
  if (typeof restored === "string") throw new Error(restored);
  const states = new Set<number>();
  for (let id = 0n; id <= live.lsn; id++) {
    const view = viewReservation(live.engine, id, live.slot);
    assertEquals(viewReservation(restored, id, live.slot), view);
    if (typeof view !== "string") states.add(view.state);
  }
  assertEquals([...states].sort(), [1, 2, 4, 5], "those that ended at slot 0 have aged out");
  for (let id = 1n; id <= 8n; id++) {
    assertEquals(viewResource(restored, id), viewResource(live.engine, id));
  }
  assertEquals(health(restored, 20n), health(live.engine, 20n));
});

Deno.test("an engine before its first command restores to one", () => {
  const { engine } = createBench();
  const restored = restoredCopy(engine);
  assert(typeof restored !== "string");
  assertEquals(digest(restored), digest(engine));
  assertEquals(health(restored, 5n), health(engine, 5n));
});

Deno.test("retirement goes on in the live order after a restore, also when ends came in another order", () => {
  const live = createBench({ reservationHistoryWindowSlots: 2n });
  for (let resourceId = 1n; resourceId <= 8n; resourceId++) {
    apply(live, { kind: "create_resource", resourceId });
    apply(live, { kind: "reserve", resourceId, holderId: 7n, ttlSlots: 8n });
  }
  for (const reservationId of [16n, 2n, 10n, 4n, 14n, 6n]) {
    apply(live, { kind: "release", reservationId, holderId: 7n, epoch: 1n });
    live.slot += reservationId % 4n === 0n ? 0n : 1n;
  }
  const restored = restoredCopy(live.engine);
  if (typeof restored === "string") throw new Error(restored);
  const twin = { ...benchOf(restored), operationId: live.operationId };
  twin.slot = live.slot;
  for (let i = 0; i < 12; i++) {
    for (const bench of [live, twin]) {
      bench.slot++;
      apply(bench, { kind: "reserve", resourceId: BigInt(1 + i % 8), holderId: 7n, ttlSlots: 8n });
    }
    assertEquals(digest(live.engine), digest(twin.engine));
  }
});

/** States that no engine can have, and what is said of them. `b` is the list of blocks. */
const REFUSED: readonly (readonly [string, (b: Uint32Array[]) => Uint32Array[] | void, string])[] =
  [
    ["no blocks", () => [], "no progress block"],
    ["rows before progress", (b) => b.slice(1), "rows come before progress"],
    ["a second progress block", (b) => [b[0]!, b[0]!], "second progress block"],
    [
      "a longer progress block",
      (b) => [new Uint32Array([0, 0, 1, 11, ...b[0]!.slice(4), 0])],
      "progress block has the wrong length",
    ],
    ["a block without a head", (b) => [b[0]!.slice(0, 3)], "block has no head"],
    [
      "a block shorter than its head says",
      (b) => [b[0]!.slice(0, -1)],
      "block length contradicts its head",
    ],
    [
      "a head of 2^32 - 1 rows",
      (b) => void (b[1]![2] = 0xffff_ffff),
      "block length contradicts its head",
    ],
    ["an unknown table", (b) => void (b[1]![0] = 9), "block of unknown table 9"],
    ["missing resources", (b) => b.toSpliced(RESOURCES, 1), "fewer resources than announced"],
    ["missing operations", (b) => b.toSpliced(OPERATIONS, 1), "fewer operations than announced"],
    [
      "missing reservations",
      (b) => b.toSpliced(RESERVATIONS, 1),
      "reservations are not as many as announced",
    ],
    ["rows out of order", (b) => void (b[1]![1] = 1), "rows from 1, not from 0"],
    ["operations out of order", (b) => void (b[3]![1] = 1), "rows from 1, not from 0"],
    ["rows twice", (b) => [...b, b[1]!], "rows from 0, not from 8"],
    [
      "operations twice",
      (b) => [...b, new Uint32Array([3, b[3]![2]!, ...b[3]!.slice(2)])],
      "more operations than announced",
    ],
    [
      "records of another size",
      (b) => void b.splice(1, 1, new Uint32Array([1, 0, 1, 1, 0])),
      "rows of 1 words, not 8",
    ],
    [
      "more resources than fit",
      (b) => void (b[0]![HEAD + 6] = 9),
      "resources over capacity: 9 of 8",
    ],
    [
      "more reservations than fit",
      (b) => void (b[0]![HEAD + 7] = 9),
      "reservations over capacity: 9 of 8",
    ],
    [
      "more operations than fit",
      (b) => void (b[0]![HEAD + 8] = 81),
      "operations over capacity: 81 of 80",
    ],
    [
      "an operation ring that starts outside",
      (b) => void (b[0]![HEAD + 9] = 80),
      "operation head over capacity: 80 of 79",
    ],
    [
      "state without a position",
      (b) => void b[0]!.fill(0, HEAD, HEAD + 2),
      "inconsistent watermarks: state without a log position",
    ],
    [
      "a watermark beyond the log",
      (b) => void (b[0]![HEAD + 5] = 1),
      "inconsistent watermarks: retired beyond the log",
    ],
    [
      "a resource twice",
      (b) => poke(b[RESOURCES]!, 1, Resource.id, 1),
      "duplicate resource in rows 0 and 1",
    ],
    [
      "a reservation twice",
      (b) => poke(b[RESERVATIONS]!, 1, Reservation.createdLsn, 9),
      "duplicate reservation in row 1",
    ],
    [
      "an unknown state",
      (b) => poke(b[RESERVATIONS]!, 0, Reservation.state, 7),
      "unknown state 7 in row 0",
    ],
    [
      "links, which are derived",
      (b) => poke(b[RESERVATIONS]!, 0, Reservation.previous, 1),
      "words that nobody writes in row 0",
    ],
    [
      "a member behind the last",
      (b) => poke(b[RESERVATIONS]!, 1, Reservation.members + 1, 1),
      "words that nobody writes in row 1",
    ],
    [
      "an operation twice",
      (b) => poke(b[OPERATIONS]!, 1, Operation.key, 1),
      "duplicate operation in row 1",
    ],
  ];

for (const [what, change, message] of REFUSED) {
  Deno.test(`restore refuses ${what}`, () => {
    assertEquals(restoreChanged(createRoom(), change), message);
  });
}

Deno.test("restore refuses more reservations in a bucket than the bound", () => {
  const bench = createRoom({ maxExpirationBucketLen: 1 });
  const full = createBench({ maxExpirationBucketLen: 2 });
  for (const resourceId of [1n, 2n]) {
    apply(full, { kind: "create_resource", resourceId });
    apply(full, { kind: "reserve", resourceId, holderId: 7n, ttlSlots: 5n });
  }
  const sink = beginRestore({ ...full.engine.config, maxExpirationBucketLen: 1 });
  for (const block of snapshotBlocks(full.engine)) acceptBlock(sink, block);
  assertEquals(finishRestore(sink), "expiration bucket over capacity");
  assertEquals(typeof restoredCopy(bench.engine), "object");
});

Deno.test("restore refuses states that break an invariant, by its id", () => {
  const bench = createRoom();
  const live = rowOf(bench, 9n);
  const broken: [string, (b: Uint32Array[]) => void][] = [
    ["resource/owner-matches-state", (b) => poke(b[RESOURCES]!, 0, Resource.holder, 0)],
    ["reservation/epoch-matches-state", (b) => poke(b[RESERVATIONS]!, live, Reservation.epoch, 2)],
    ["reservation/ended-has-end", (b) => poke(b[RESERVATIONS]!, live, Reservation.releasedLsn, 5)],
    ["operations/in-order-and-indexed", (b) => poke(b[OPERATIONS]!, 0, Operation.appliedLsn, 99)],
  ];
  for (const [id, change] of broken) {
    assertEquals(String(restoreChanged(bench, change)).split(" ")[0], id);
  }
});

Deno.test("restore of blocks with any word changed gives a refusal or an engine without violation", () => {
  const random = new SeededRandom(11);
  const { engine } = createRoom();
  const whole = snapshotBlocks(engine).map((block) => new Uint32Array(block.buffer));
  const rounds = 3000;
  let refused = 0;
  for (let i = 0; i < rounds; i++) {
    const blocks = whole.map((block) => block.slice());
    const block = blocks[random.below(blocks.length)]!;
    const at = random.below(block.length);
    block[at] = [random.below(12), random.nextU32(), block[at]! ^ (1 << random.below(32))][i % 3]!;
    const restored = restoreBlocks(engine.config, blocks);
    if (typeof restored === "string") refused++;
    else assertEquals(firstViolation(restored), undefined);
  }
  assert(refused > rounds / 4 && refused < rounds, `${refused} of ${rounds} refused`);
});
