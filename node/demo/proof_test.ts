// The demo's proof is worth something only if it can fail: each of its findings is shown evidence against it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ReservationState, ResourceState } from "../../core/tables.ts";
import type { ReservationRead, ReservationView, ResourceRead, ResourceView } from "../api.ts";
import { Hall, type Seat } from "./hall.ts";
import { type Claim, Ledger } from "./ledger.ts";
import { judge } from "./proof.ts";

/** A book and a server that agree: A1 sold to 1, A2+A3 sold to 2, A4 held and expired, A5 given back, A6 free. */
class Case {
  readonly hall = new Hall(6);
  readonly ledger = new Ledger();
  readonly seats = new Map<Seat, ResourceRead>();
  readonly claims = new Map<Claim, ReservationRead>();

  constructor() {
    for (const seat of this.hall.seats) this.seats.set(seat, resource(seat, undefined, 0n));
    this.#claim(1, [0], ReservationState.confirmed, { confirmedLsn: 20n });
    this.#claim(2, [1, 2], ReservationState.confirmed, { confirmedLsn: 21n });
    this.#claim(3, [3], ReservationState.expired, {});
    this.#claim(4, [4], ReservationState.released, { releasedLsn: 22n });
    this.ledger.counters.answers = 7;
  }

  /** The first contradiction of each finding that does not hold. */
  contradictions(): string[] {
    return judge(this, this.ledger)
      .map(({ contradiction }) => contradiction)
      .filter((text) => text !== undefined);
  }

  claim(buyer: number): Claim {
    return this.ledger.claims.find((claim) => claim.buyer === buyer)!;
  }

  patchSeat(index: number, change: Partial<ResourceView>): void {
    const seat = this.hall.seats[index]!;
    this.seats.set(seat, { ...this.seats.get(seat)!, ...change } as ResourceRead);
  }

  patchClaim(buyer: number, change: Partial<ReservationView>): void {
    const claim = this.claim(buyer);
    this.claims.set(claim, { ...this.claims.get(claim)!, ...change } as ReservationRead);
  }

  #claim(
    buyer: number,
    indexes: readonly number[],
    state: ReservationState,
    ends: Partial<Pick<Claim, "confirmedLsn" | "releasedLsn">>,
  ): void {
    const seats = indexes.map((index) => this.hall.seats[index]!);
    const ids = { holderId: BigInt(buyer), reservationId: BigInt(10 + buyer), epoch: 1n };
    const claim: Claim = {
      ...ids,
      buyer,
      seats,
      reservedLsn: ids.reservationId,
      confirmedLsn: undefined,
      releasedLsn: undefined,
      ...ends,
    };
    this.ledger.claims.push(claim);
    this.claims.set(claim, reservation(claim, state));
    const holder = ends.confirmedLsn === undefined ? undefined : claim.reservationId;
    for (const seat of seats) this.seats.set(seat, resource(seat, holder, 2n));
  }
}

function resource(seat: Seat, holder: bigint | undefined, version: bigint): ResourceView {
  const { resourceId } = seat;
  const state = holder === undefined ? ResourceState.available : ResourceState.confirmed;
  const observedLsn = 99n;
  return { kind: "found", resourceId, state, currentReservationId: holder, version, observedLsn };
}

function reservation(claim: Claim, state: ReservationState): ReservationView {
  const { reservationId, holderId, epoch, reservedLsn } = claim;
  return {
    kind: "found",
    reservationId,
    holderId,
    state,
    epoch,
    createdLsn: reservedLsn,
    deadlineSlot: 5n,
    releasedLsn: undefined,
    retireAfterSlot: undefined,
    memberResourceIds: claim.seats.map(({ resourceId }) => resourceId),
    observedLsn: 99n,
  };
}

Deno.test("judge() finds nothing against a book and a server that agree, and says how much it looked at", () => {
  const fine = new Case();
  assertEquals(fine.contradictions(), []);
  assertEquals(judge(fine, fine.ledger).map(({ checked }) => checked), [2, 2, 6, 6, 7]);
});

Deno.test("judge() sees a seat that two buyers were sold", () => {
  const twice = new Case();
  const [, second] = twice.ledger.claims;
  const stolen = { ...second!, seats: [twice.hall.seats[0]!] };
  twice.ledger.claims[1] = stolen;
  twice.claims.set(stolen, reservation(stolen, ReservationState.confirmed));
  assertEquals(twice.contradictions()[0], "A1: buyers 1 and 2");
});

Deno.test("judge() sees a sale that the server does not have, or has otherwise", () => {
  const changes: [Partial<ReservationView>, string][] = [
    [{ kind: "not_found" } as never, "the reservation is not_found"],
    [{ kind: "retired" } as never, "the reservation is retired"],
    [{ holderId: 99n }, "somebody else holds the reservation"],
    [{ state: ReservationState.reserved }, "the reservation is not confirmed"],
    [{ epoch: 2n }, "the epoch has changed"],
    [{ memberResourceIds: [1n] }, "other seats"],
  ];
  for (const [change, text] of changes) {
    const lost = new Case();
    lost.patchClaim(2, change);
    assertStringIncludes(lost.contradictions().join(), `A2+A3 of buyer 2: ${text}`);
  }
});

Deno.test("judge() sees a sold seat that belongs to nobody, to somebody else, or is only reserved", () => {
  const changes: Partial<ResourceView>[] = [
    { currentReservationId: undefined, state: ResourceState.available },
    { currentReservationId: 11n },
    { state: ResourceState.reserved },
  ];
  for (const change of changes) {
    const wrong = new Case();
    wrong.patchSeat(2, change);
    assertStringIncludes(wrong.contradictions().join(), "A3 does not belong to it");
  }
});

Deno.test("judge() sees a holder whom nobody knows, and a seat that is gone", () => {
  const stranger = new Case();
  stranger.patchSeat(5, { currentReservationId: 77n, state: ResourceState.reserved });
  assertEquals(stranger.contradictions(), ["A6: reservation 77 is nobody's"]);
  const gone = new Case();
  gone.patchSeat(5, { kind: "not_found" } as never);
  assertStringIncludes(gone.contradictions().join(), "A6 is not_found");
});

Deno.test("judge() sees a change that nobody was told about, and one that is missing", () => {
  for (const version of [1n, 3n]) {
    const changed = new Case();
    changed.patchSeat(3, { version });
    assertEquals(changed.contradictions(), [`A4 changed ${version} times, 2 are known`]);
  }
});

Deno.test("judge() counts a hold that still runs as one change", () => {
  const running = new Case();
  running.patchClaim(3, { state: ReservationState.reserved });
  running.patchSeat(3, { version: 1n, currentReservationId: 13n, state: ResourceState.reserved });
  assertEquals(running.contradictions(), []);
});

Deno.test("judge() sees two commands with one position, and an outcome nobody knows", () => {
  const shared = new Case();
  const answer = {
    kind: "committed",
    code: "ok",
    ok: true,
    appliedLsn: 5n,
    reservationId: undefined,
    epoch: undefined,
    deadlineSlot: undefined,
    fromRetryCache: false,
  } as const;
  shared.ledger.note({ ...answer, operationId: 1n });
  shared.ledger.note({ ...answer, operationId: 1n, fromRetryCache: true });
  assertEquals(shared.contradictions(), []);
  shared.ledger.note({ ...answer, operationId: 2n });
  assertEquals(shared.contradictions(), ["two commands were told the position 5"]);
  const unknown = new Case();
  unknown.ledger.counters.unknown = 1;
  assertEquals(unknown.contradictions(), ["1 outcomes are unknown"]);
});
