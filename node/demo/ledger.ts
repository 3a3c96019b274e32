/** What the buyers wrote down: the only witness against the cluster in the end. */
import type { AllocDbClient } from "../client/client.ts";
import type { ClientCommand, Committed } from "../client/types.ts";
import type { Seat } from "./hall.ts";

/** A claim that a buyer was told he has, and what became of it as far as he was told. */
export interface Claim {
  readonly buyer: number;
  readonly holderId: bigint;
  readonly seats: readonly Seat[];
  readonly reservationId: bigint;
  readonly epoch: bigint;
  readonly reservedLsn: bigint;
  /** Set when the sale was acknowledged. */
  confirmedLsn: bigint | undefined;
  /** Set when the buyer gave the seats back. */
  releasedLsn: bigint | undefined;
}

/** A command as a buyer sent it, and the answer that he got. */
export interface Asked {
  readonly client: AllocDbClient;
  /** With its operation id: sent again, it is the same operation. */
  readonly command: ClientCommand;
  readonly answer: Committed;
}

/** How often what happened. */
export interface Counters {
  /** Commands that were answered. */
  answers: number;
  /** Reservations that somebody else had been faster for. */
  lostRaces: number;
  /** Buyers who walked away from what they held. */
  walkedAway: number;
  /** Claims of several seats that were sold. */
  bundlesSold: number;
  givenBack: number;
  /** Buyers who wanted to pay when their time was over. */
  tooLate: number;
  /** Commands whose outcome nobody ever learned. */
  unknown: number;
  /** Answers to a retry whose first attempt had been carried out. */
  retriesAnswered: number;
}

/** The buyers' book. */
export class Ledger {
  readonly claims: Claim[] = [];
  readonly asked: Asked[] = [];
  readonly counters: Counters = {
    answers: 0,
    lostRaces: 0,
    walkedAway: 0,
    bundlesSold: 0,
    givenBack: 0,
    tooLate: 0,
    unknown: 0,
    retriesAnswered: 0,
  };
  /** Commands sent and not answered yet. */
  inFlight = 0;
  /** The latest position that anybody was told. */
  lastLsn = 0n;
  /** Positions told, by the command they belong to: none may be told twice. */
  readonly #operations = new Map<bigint, bigint>();
  /** The first position that was told for two operations. */
  sharedLsn: bigint | undefined;

  /** Takes note of a buyer's command and its answer. */
  noteAsked(client: AllocDbClient, command: ClientCommand, answer: Committed): void {
    this.note(answer);
    const { operationId } = answer;
    this.asked.push({ client, command: { ...command, operationId }, answer });
  }

  /** Takes note of an answer. */
  note(answer: Committed): void {
    this.counters.answers++;
    if (answer.fromRetryCache) this.counters.retriesAnswered++;
    if (answer.appliedLsn > this.lastLsn) this.lastLsn = answer.appliedLsn;
    const other = this.#operations.get(answer.appliedLsn);
    if (other !== undefined && other !== answer.operationId) this.sharedLsn ??= answer.appliedLsn;
    this.#operations.set(answer.appliedLsn, answer.operationId);
  }

  /** Claims whose sale was acknowledged. */
  sales(): Claim[] {
    return this.claims.filter((claim) => claim.confirmedLsn !== undefined);
  }
}
