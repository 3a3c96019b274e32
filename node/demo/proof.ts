/** Compares the buyers' book with what the server has in the end. Trusts neither. */
import { ReservationState, ResourceState } from "../../core/tables.ts";
import type { ReservationRead, ResourceRead } from "../api.ts";
import type { AllocDbClient } from "../client/client.ts";
import type { Hall, Seat } from "./hall.ts";
import type { Claim, Ledger } from "./ledger.ts";

/** One thing that must be so. */
export interface Finding {
  readonly claim: string;
  /** How many facts were looked at; 0 proves nothing. */
  readonly checked: number;
  /** The first fact that contradicts it, if there is one. */
  readonly contradiction: string | undefined;
}

/** What the server has. */
interface Evidence {
  readonly seats: ReadonlyMap<Seat, ResourceRead>;
  readonly claims: ReadonlyMap<Claim, ReservationRead>;
}

/**
 * Reads every seat and every claim, and checks them against the book.
 *
 * @param client A connection of nobody's.
 * @param hall The seats.
 * @param ledger The book.
 * @returns What must be so, each with what speaks against it.
 */
export async function prove(
  client: AllocDbClient,
  hall: Hall,
  ledger: Ledger,
): Promise<readonly Finding[]> {
  const requiredLsn = ledger.lastLsn;
  const seats = await readAll(
    hall.seats,
    ({ resourceId }) => client.getResource(resourceId, { requiredLsn }),
  );
  const claims = await readAll(
    ledger.claims,
    ({ reservationId }) => client.getReservation(reservationId, { requiredLsn }),
  );
  return judge({ seats, claims }, ledger);
}

/** The judgement alone, over what was read. */
export function judge(evidence: Evidence, ledger: Ledger): readonly Finding[] {
  const sales = ledger.sales();
  return [
    finding("no seat was sold twice", sales, soldTwice()),
    finding(
      "every acknowledged sale is there, with its buyer and all its seats",
      sales,
      (claim) => saleContradiction(claim, evidence),
    ),
    finding(
      "no seat is held by anybody but a buyer who was told so",
      [...evidence.seats],
      ([seat, read]) => strangerOn(seat, read, ledger),
    ),
    finding("every change of every seat is one that somebody was told, or an expiry", [
      ...evidence.seats,
    ], ([seat, read]) => versionContradiction(seat, read, evidence)),
    finding(
      "every command was carried out once and answered",
      [ledger],
      () => answerContradiction(ledger),
      ledger.counters.answers,
    ),
  ];
}

async function readAll<Key, Read>(
  keys: readonly Key[],
  read: (key: Key) => Promise<Read>,
): Promise<Map<Key, Read>> {
  return new Map(await Promise.all(keys.map(async (key) => [key, await read(key)] as const)));
}

function finding<Fact>(
  claim: string,
  facts: readonly Fact[],
  contradict: (fact: Fact) => string | undefined,
  checked: number = facts.length,
): Finding {
  for (const fact of facts) {
    const contradiction = contradict(fact);
    if (contradiction !== undefined) return { claim, checked, contradiction };
  }
  return { claim, checked, contradiction: undefined };
}

function soldTwice(): (claim: Claim) => string | undefined {
  const buyers = new Map<Seat, Claim>();
  return (claim) => {
    for (const seat of claim.seats) {
      const other = buyers.get(seat);
      if (other !== undefined) return `${seat.name}: buyers ${other.buyer} and ${claim.buyer}`;
      buyers.set(seat, claim);
    }
    return undefined;
  };
}

function saleContradiction(claim: Claim, { seats, claims }: Evidence): string | undefined {
  const name = `${namesOf(claim)} of buyer ${claim.buyer}`;
  const read = claims.get(claim)!;
  if (read.kind !== "found") return `${name}: the reservation is ${read.kind}`;
  if (read.holderId !== claim.holderId) return `${name}: somebody else holds the reservation`;
  if (read.state !== ReservationState.confirmed) return `${name}: the reservation is not confirmed`;
  if (read.epoch !== claim.epoch) return `${name}: the epoch has changed`;
  const members = claim.seats.map(({ resourceId }) => resourceId);
  if (String(read.memberResourceIds) !== String(members)) return `${name}: other seats`;
  for (const seat of claim.seats) {
    const found = seats.get(seat)!;
    const isTheirs = found.kind === "found" && found.state === ResourceState.confirmed &&
      found.currentReservationId === claim.reservationId;
    if (!isTheirs) return `${name}: ${seat.name} does not belong to it`;
  }
  return undefined;
}

function strangerOn(seat: Seat, read: ResourceRead, ledger: Ledger): string | undefined {
  if (read.kind !== "found") return `${seat.name} is ${read.kind}`;
  const holder = read.currentReservationId;
  if (holder === undefined) return undefined;
  const claim = ledger.claims.find(({ reservationId }) => reservationId === holder);
  if (claim === undefined) return `${seat.name}: reservation ${holder} is nobody's`;
  return claim.seats.includes(seat) ? undefined : `${seat.name} was not part of ${namesOf(claim)}`;
}

function versionContradiction(
  seat: Seat,
  read: ResourceRead,
  { claims }: Evidence,
): string | undefined {
  if (read.kind !== "found") return `${seat.name} is ${read.kind}`;
  let changes = 0n;
  for (const [claim, record] of claims) {
    if (claim.seats.includes(seat)) changes += changesBy(claim, record, read.currentReservationId);
  }
  if (read.version === changes) return undefined;
  return `${seat.name} changed ${read.version} times, ${changes} are known`;
}

function changesBy(claim: Claim, record: ReservationRead, holder: bigint | undefined): bigint {
  if (claim.confirmedLsn !== undefined || claim.releasedLsn !== undefined) return 2n;
  // A record that has aged out says nothing; who no longer holds what he never paid for has run out of time.
  const expired = record.kind === "found"
    ? record.state === ReservationState.expired
    : holder !== claim.reservationId;
  return expired ? 2n : 1n;
}

function answerContradiction({ sharedLsn, counters }: Ledger): string | undefined {
  if (sharedLsn !== undefined) return `two commands were told the position ${sharedLsn}`;
  return counters.unknown === 0 ? undefined : `${counters.unknown} outcomes are unknown`;
}

function namesOf(claim: Claim): string {
  return claim.seats.map(({ name }) => name).join("+");
}
