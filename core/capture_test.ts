// A checkpoint reads the tables while commands change them: whatever is applied meanwhile, each row must come
// out as it was when the picture was taken, until it is let go.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  apply,
  applyCommand,
  type Bench,
  createBench,
  snapshotBlocks,
} from "../tests/support/core_builders.ts";
import { SeededRandom } from "../testbed/sim/random.ts";
import { AssertionFailure } from "./assert.ts";
import {
  beginCapture,
  type Capture,
  endCapture,
  PAGE_ROWS,
  readCapturedRow,
  settleRows,
  type TableCapture,
} from "./capture.ts";
import { digest } from "./digest.ts";
import { beginSnapshot, BLOCK_BYTES_MAX, endSnapshot, nextBlock } from "./snapshot.ts";
import { Reservation } from "./tables.ts";

const RESOURCES = 300;

/** An engine with records on several pages of each table, and a ring that wraps while commands go on. */
function createBusyBench(random: SeededRandom): Bench {
  const bench = createBench({
    maxResources: RESOURCES,
    maxReservations: 200,
    maxOperations: 150,
    maxTtlSlots: 20n,
    maxExpirationBucketLen: 200,
    maxClientRetryWindowSlots: 5n,
  });
  for (let i = 0; i < RESOURCES / 2; i++) {
    apply(bench, { kind: "create_resource", resourceId: BigInt(i) });
    if (i % 10 === 0) bench.slot += 3n;
  }
  for (let i = 0; i < 100; i++) step(bench, random);
  return bench;
}

/** One command of any kind; time goes on, so records come and go. */
function step(bench: Bench, random: SeededRandom, resources = RESOURCES): void {
  if (random.oneIn(8)) bench.slot += BigInt(random.below(5));
  const resourceId = BigInt(random.below(resources));
  const reservationId = bench.lsn - BigInt(random.below(40));
  const request = { reservationId, holderId: 7n, epoch: 1n };
  switch (random.below(6)) {
    case 0:
      return void apply(bench, { kind: "create_resource", resourceId });
    case 1:
      return void apply(bench, { kind: "confirm", ...request });
    case 2:
      return void apply(bench, { kind: "release", ...request });
    case 3:
      return void apply(bench, { kind: "revoke", reservationId });
    default:
      return void apply(bench, { kind: "reserve", resourceId, holderId: 7n, ttlSlots: 9n });
  }
}

function partsOf(capture: Capture): TableCapture[] {
  return [capture.resources, capture.reservations, capture.operations];
}

/** A row without the words that are derived and may change at any time. */
function logicalRow(words: Uint32Array, at: number, stride: number, derived: boolean): string {
  const row = words.slice(at, at + stride);
  if (derived) row.fill(0, Reservation.next, Reservation.previous + 1);
  return row.join();
}

function wholeTables(capture: Capture): void {
  const all = ({ table }: TableCapture): { first: number; count: number } => ({
    first: 0,
    count: table.capacity,
  });
  const { resources, reservations, operations } = capture;
  beginCapture(capture, {
    resources: all(resources),
    reservations: all(reservations),
    operations: all(operations),
  });
}

Deno.test("readCapturedRow() gives every row as it was at the begin, whatever is applied meanwhile", () => {
  for (let seed = 0; seed < 12; seed++) {
    const random = new SeededRandom(seed);
    const bench = createBusyBench(random);
    const { capture, tables } = bench.engine;
    const before = partsOf(capture).map(({ table }) => table.words.slice());
    wholeTables(capture);
    const row = new Uint32Array(64);
    for (let i = 0; i < 400; i++) {
      step(bench, random);
      const which = random.below(3);
      const part = partsOf(capture)[which]!;
      const { stride, capacity } = part.table;
      const at = random.below(capacity);
      readCapturedRow(part, at, row, 3);
      const derived = part === capture.reservations;
      assertEquals(
        logicalRow(row, 3, stride, derived),
        logicalRow(before[which]!, at * stride, stride, derived),
      );
    }
    assert(before[2]!.join() !== tables.operations.words.join());
    endCapture(capture);
  }
});

/** Single commands, each of which is the first to change something after the picture was taken. */
const FIRST_CHANGES: Record<string, (bench: Bench) => void> = {
  create_resource: (bench) => apply(bench, { kind: "create_resource", resourceId: 9n }),
  reserve: (bench) => apply(bench, { kind: "reserve", resourceId: 4n, holderId: 7n, ttlSlots: 5n }),
  confirm: (bench) => apply(bench, { kind: "confirm", reservationId: 5n, holderId: 7n, epoch: 1n }),
  release: (bench) => apply(bench, { kind: "release", reservationId: 5n, holderId: 7n, epoch: 1n }),
  revoke: (bench) => apply(bench, { kind: "revoke", reservationId: 6n }),
  expire: (bench) => {
    bench.slot = 5n;
    applyCommand(bench, { kind: "expire", reservationId: 5n, deadlineSlot: 5n });
  },
  "a dropped reservation": (bench) => {
    bench.slot = 100n;
    applyCommand(bench, { kind: "expire", reservationId: 99n, deadlineSlot: 5n });
  },
};

for (const [what, change] of Object.entries(FIRST_CHANGES)) {
  Deno.test(`${what}, as the first change of its rows, does not show in the picture`, () => {
    const bench = createBench();
    for (const resourceId of [1n, 2n, 3n, 4n]) {
      apply(bench, { kind: "create_resource", resourceId });
    }
    for (const resourceId of [1n, 2n, 3n]) {
      apply(bench, { kind: "reserve", resourceId, holderId: 7n, ttlSlots: 5n });
    }
    apply(bench, { kind: "confirm", reservationId: 6n, holderId: 7n, epoch: 1n });
    apply(bench, { kind: "release", reservationId: 7n, holderId: 7n, epoch: 1n });
    const { capture } = bench.engine;
    const before = partsOf(capture).map(({ table }) => table.words.slice());
    wholeTables(capture);
    const progress = bench.lsn;
    change(bench);
    assertEquals(bench.lsn, progress + 1n);
    assert(partsOf(capture).some(({ copies }) => copies.size > 0));
    const row = new Uint32Array(64);
    for (const [which, part] of partsOf(capture).entries()) {
      const { stride, capacity } = part.table;
      for (let at = 0; at < capacity; at++) {
        readCapturedRow(part, at, row, 0);
        const derived = part === capture.reservations;
        assertEquals(
          logicalRow(row, 0, stride, derived),
          logicalRow(before[which]!, at * stride, stride, derived),
        );
      }
    }
    endCapture(capture);
  });
}

Deno.test("rows that were read out or are not shown are not copied when they change", () => {
  const random = new SeededRandom(1);
  const bench = createBusyBench(random);
  const { capture, tables } = bench.engine;
  beginCapture(capture, {
    resources: { first: 0, count: PAGE_ROWS },
    reservations: { first: 0, count: 0 },
    operations: { first: tables.operations.head, count: 0 },
  });
  for (let i = 0; i < 500; i++) step(bench, random);
  assertEquals([...capture.resources.copies.keys()], [0]);
  assertEquals(capture.reservations.copies.size + capture.operations.copies.size, 0);
  settleRows(capture.resources, 0, PAGE_ROWS);
  assertEquals(capture.resources.copies.size, 0);
  for (let i = 0; i < 500; i++) step(bench, random);
  assertEquals(capture.resources.copies.size, 0);
  endCapture(capture);
});

Deno.test("settleRows() lets go of whole pages only, the last short one included", () => {
  const { capture } = createBusyBench(new SeededRandom(2)).engine;
  wholeTables(capture);
  const { resources } = capture;
  settleRows(resources, 1, 2 * PAGE_ROWS + 5);
  assertEquals([...resources.settled], [0, 1, 0, 0, 0]);
  settleRows(resources, 4 * PAGE_ROWS, RESOURCES);
  assertEquals([...resources.settled], [0, 1, 0, 0, 1]);
  endCapture(capture);
});

Deno.test("beginCapture() of rows that wrap round the end of a ring shows both of its parts", () => {
  const { capture } = createBusyBench(new SeededRandom(3)).engine;
  const none = { first: 0, count: 0 };
  const { capacity } = capture.operations.table;
  const first = capacity - 10;
  beginCapture(capture, {
    resources: none,
    reservations: none,
    operations: { first, count: 10 + PAGE_ROWS + 1 },
  });
  const pages = capture.operations.settled.length;
  const shown = Array.from(
    { length: pages },
    (_, page) => page < 2 || page >= Math.floor(first / PAGE_ROWS),
  );
  assertEquals([...capture.operations.settled], shown.map((isShown) => isShown ? 0 : 1));
  endCapture(capture);
});

Deno.test("endCapture() lets go of every copy", () => {
  const random = new SeededRandom(4);
  const bench = createBusyBench(random);
  const { capture } = bench.engine;
  wholeTables(capture);
  for (let i = 0; i < 200; i++) step(bench, random);
  assert(partsOf(capture).some(({ copies }) => copies.size > 0));
  endCapture(capture);
  assertEquals(partsOf(capture).map(({ copies }) => copies.size), [0, 0, 0]);
  for (let i = 0; i < 200; i++) step(bench, random);
  assertEquals(partsOf(capture).map(({ copies }) => copies.size), [0, 0, 0]);
});

Deno.test("a second picture while one is open stops the engine: capture/one-at-a-time", () => {
  const { engine } = createBusyBench(new SeededRandom(5));
  const source = beginSnapshot(engine);
  assertThrows(() => digest(engine), AssertionFailure, "capture/one-at-a-time");
  endSnapshot(source);
  assertEquals(digest(engine), digest(engine));
});

Deno.test("snapshot blocks read out between commands are those of the state at the begin, block for block", () => {
  const bench = createBench({
    maxResources: 40_000,
    maxReservations: 9_000,
    maxOperations: 12_000,
    maxExpirationBucketLen: 9_000,
    maxTtlSlots: 50n,
    maxClientRetryWindowSlots: 0n,
    reservationHistoryWindowSlots: 10n,
  });
  for (let id = 0n; id < 36_000n; id++) {
    apply(bench, { kind: "create_resource", resourceId: id });
    if (id % 200n === 0n) bench.slot++;
    if (id % 4n === 0n) {
      apply(bench, { kind: "reserve", resourceId: id, holderId: 7n, ttlSlots: 50n });
    }
  }
  const expected = snapshotBlocks(bench.engine);
  assert(expected.length >= 6, `${expected.length} blocks`);
  const random = new SeededRandom(6);
  const source = beginSnapshot(bench.engine);
  const room = new Uint8Array(BLOCK_BYTES_MAX);
  for (const block of expected) {
    for (let i = 0; i < 300; i++) step(bench, random, 36_000);
    const bytes = nextBlock(source, room);
    assert(bytes === block.length && block.every((byte, at) => byte === room[at]));
  }
  assertEquals(nextBlock(source, room), 0);
  endSnapshot(source);
});
