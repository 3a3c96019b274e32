// A check that cannot fail guards nothing: every whole-state fact is broken on purpose, in each way it can
// break, by changing single words behind the engine's back. Then: no history of commands breaks any.
import { assert, assertEquals } from "@std/assert";
import { apply, applyCommand, type Bench, createBench } from "../tests/support/core_builders.ts";
import { firstViolation, type Invariant, INVARIANTS } from "./invariants.ts";
import { type Engine, Progress } from "./state.ts";
import { Operation, Reservation, ReservationState, Resource, ResourceState } from "./tables.ts";

/**
 * Reservation rows: 0 reserved (resources 0 and 1), 1 confirmed (2), 2 revoking (3), 3 released, 4 expired,
 * 5 reserved (6); row 6 is free. Resource 7 is available.
 */
const Row = {
  reserved: 0,
  confirmed: 1,
  revoking: 2,
  released: 3,
  expired: 4,
  late: 5,
  free: 6,
} as const;

function createRoom(): Bench {
  const bench = createBench({ maxReservations: 7, maxExpirationBucketLen: 2 });
  for (let id = 0n; id < 8n; id++) apply(bench, { kind: "create_resource", resourceId: id });
  const reserve = (resourceIds: bigint[], ttlSlots: bigint): bigint =>
    apply(bench, { kind: "reserve_bundle", resourceIds, holderId: 7n, ttlSlots }).appliedLsn;
  reserve([0n, 1n], 6n);
  const confirmed = reserve([2n], 5n);
  apply(bench, { kind: "confirm", reservationId: confirmed, holderId: 7n, epoch: 1n });
  const revoking = reserve([3n], 4n);
  apply(bench, { kind: "confirm", reservationId: revoking, holderId: 7n, epoch: 1n });
  apply(bench, { kind: "revoke", reservationId: revoking });
  const released = reserve([4n], 5n);
  apply(bench, { kind: "release", reservationId: released, holderId: 7n, epoch: 1n });
  const expired = reserve([5n], 1n);
  bench.slot = 1n;
  applyCommand(bench, { kind: "expire", reservationId: expired, deadlineSlot: 1n });
  reserve([6n], 5n);
  return bench;
}

function setResource(
  { tables: { resources } }: Engine,
  row: number,
  word: number,
  value: number,
): void {
  resources.words[row * resources.stride + word] = value;
}

function setReservation(
  { tables: { reservations } }: Engine,
  row: number,
  word: number,
  value: number,
): void {
  reservations.words[row * reservations.stride + word] = value;
}

function setOperation(
  { tables: { operations } }: Engine,
  row: number,
  word: number,
  value: number,
): void {
  operations.words[row * operations.stride + word] = value;
}

/** Ways to break each fact. */
const BREAKS: Record<string, Record<string, (engine: Engine) => void>> = {
  "resource/owner-matches-state": {
    "an available resource has an owner": (e) => setResource(e, 7, Resource.holder, 1),
    "a held resource has none": (e) => setResource(e, 2, Resource.holder, 0),
    "its owner is outside the table": (e) => setResource(e, 2, Resource.holder, 99),
    "its owner is a free row": (e) => setResource(e, 2, Resource.holder, Row.free + 1),
    "its owner has ended": (e) => setResource(e, 2, Resource.holder, Row.released + 1),
    "its owner does not list it": (e) => setResource(e, 0, Resource.holder, Row.late + 1),
    "it is ahead of its owner": (e) => setResource(e, 0, Resource.state, ResourceState.confirmed),
    "it is behind its owner": (e) => setResource(e, 3, Resource.state, ResourceState.confirmed),
    "it is said to be free": (e) => setResource(e, 0, Resource.state, ResourceState.available),
    "its state is none": (e) => setResource(e, 7, Resource.state, 0),
  },
  "resource/indexed": {
    "its id is another's": (e) => setResource(e, 7, Resource.id, 3),
    "its id is in no bucket": (e) => setResource(e, 7, Resource.id + 3, 3),
    "its bucket is empty": (e) => void e.tables.resourceIndex.buckets.fill(0),
  },
  "reservation/members-match-state": {
    "there is none": (e) => setReservation(e, Row.confirmed, Reservation.memberCount, 0),
    "there are more than a bundle": (e) =>
      setReservation(e, Row.confirmed, Reservation.memberCount, 5),
    "one is there twice": (e) => setReservation(e, Row.reserved, Reservation.members, 1),
    "one is no resource": (e) => setReservation(e, Row.confirmed, Reservation.members, 8),
    "one belongs to another": (e) => setReservation(e, Row.confirmed, Reservation.members, 3),
    "an ended one owns its member": (e) => setResource(e, 4, Resource.holder, Row.released + 1),
  },
  "reservation/ended-has-end": {
    "a live one was released": (e) => setReservation(e, Row.confirmed, Reservation.releasedLsn, 5),
    "a live one retires": (e) =>
      setReservation(e, Row.revoking, Reservation.retireAfterSlot + 1, 5),
    "an ended one was never released": (e) =>
      setReservation(e, Row.expired, Reservation.releasedLsn, 0),
  },
  "reservation/epoch-matches-state": {
    "2 while reserved": (e) => setReservation(e, Row.reserved, Reservation.epoch, 2),
    "1 when revoking": (e) => setReservation(e, Row.revoking, Reservation.epoch, 1),
    "1 when ended": (e) => setReservation(e, Row.released, Reservation.epoch, 1),
    "beyond 32 bits": (e) => setReservation(e, Row.confirmed, Reservation.epoch + 1, 1),
  },
  "reservation/indexed": {
    "its id is another's": (e) => setReservation(e, Row.confirmed, Reservation.createdLsn, 9),
    "its bucket is empty": (e) => void e.tables.reservationIndex.buckets.fill(0),
    "it comes from the future": (e) => void (e.progress[Progress.lastLsn] = 9),
  },
  "reservation/free-rows-empty": {
    "a free row has a state": (e) =>
      setReservation(e, Row.free, Reservation.state, ReservationState.reserved),
    "a free row has members": (e) => setReservation(e, Row.free, Reservation.memberCount, 1),
  },
  "wheel/reserved-exactly": {
    "one is missing": (e) => void (e.wheel.heads[6] = 0),
    "one was confirmed": (e) =>
      setReservation(e, Row.reserved, Reservation.state, ReservationState.confirmed),
    "one falls due in another bucket": (e) =>
      setReservation(e, Row.late, Reservation.deadlineSlot, 7),
    "a bucket is miscounted": (e) => void e.wheel.counts[6]!--,
    "the sum is wrong": (e) => void e.wheel.scheduled++,
    "one is there twice": (e) =>
      setReservation(e, Row.reserved, Reservation.next, Row.reserved + 1),
    "one is due before the cursor": (e) => void (e.wheel.cursor[0] = 7),
  },
  "wheel/bucket-bounded": {
    "three where two may be": (e) => void (e.wheel.counts[2] = 3),
  },
  "retirement/ended-exactly": {
    "nothing is in it": (e) => void (e.retirement.used = 0),
    "one is missing": (e) => void (e.retirement.used--),
    "one retires before its leader": (e) =>
      setReservation(e, Row.released, Reservation.retireAfterSlot, 90),
    "one is in it twice": (e) => void (e.retirement.rows[1] = e.retirement.rows[0]!),
    "a live one is in it": (e) => void (e.retirement.rows[1] = Row.confirmed),
  },
  "operations/in-order-and-indexed": {
    "one has another's key": (e) => setOperation(e, 3, Operation.key, 1),
    "its bucket is empty": (e) => void e.tables.operationIndex.buckets.fill(0),
    "two have one position": (e) => setOperation(e, 3, Operation.appliedLsn, 3),
    "one is older than its leader": (e) => setOperation(e, 3, Operation.requestSlot, 1),
    "one is ahead of the log": (e) =>
      setOperation(e, e.tables.operations.used - 1, Operation.appliedLsn, 99),
    "one is ahead of time": (e) =>
      setOperation(e, e.tables.operations.used - 1, Operation.requestSlot, 2),
  },
};

function holds({ firstOffender }: Invariant, engine: Engine): boolean {
  return firstOffender(engine) < 0;
}

for (const invariant of INVARIANTS) {
  for (const [what, breakIt] of Object.entries(BREAKS[invariant.id] ?? {})) {
    Deno.test(`${invariant.id} is broken when ${what}`, () => {
      const { engine } = createRoom();
      assert(holds(invariant, engine));
      breakIt(engine);
      assert(!holds(invariant, engine));
      assert(firstViolation(engine) !== undefined);
    });
  }
}

Deno.test("every invariant has a test that breaks it, an id of its own and a sentence", () => {
  assertEquals(Object.keys(BREAKS), INVARIANTS.map(({ id }) => id));
  assertEquals(new Set(INVARIANTS.map(({ id }) => id)).size, INVARIANTS.length);
  for (const { says } of INVARIANTS) assert(says.length > 20);
});

Deno.test("firstViolation() names the fact and the row", () => {
  const { engine } = createRoom();
  assertEquals(firstViolation(engine), undefined);
  setResource(engine, 7, Resource.holder, 1);
  assertEquals(firstViolation(engine), "resource/owner-matches-state at row 7");
});
