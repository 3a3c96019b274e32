/** One buyer: looks for seats, holds them, thinks, and pays, gives back or walks away. */
import { nameId } from "../cli/ids.ts";
import type { AllocDbClient } from "../client/client.ts";
import type { ClientCommand, Committed } from "../client/types.ts";
import type { Hall, Seat } from "./hall.ts";
import type { Claim, Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import { sleep } from "./waiting.ts";

/** How buyers behave. Shares are from 0 to 1. */
export interface Manners {
  /** How long an unpaid hold lasts, in milliseconds. */
  readonly holdMs: number;
  /** How long a buyer looks, and thinks, on average, in milliseconds. */
  readonly pauseMs: number;
  readonly walksAway: number;
  readonly givesBack: number;
  readonly wantsNeighbours: number;
}

/** What a buyer shares with the others. */
export interface Floor {
  readonly hall: Hall;
  readonly ledger: Ledger;
  readonly manners: Manners;
  /** Fires when the sale is over, or was interrupted. */
  readonly closing: AbortSignal;
  /** Told every answer as it comes, and by which address. */
  readonly onAnswer: (answer: Committed, address: string) => void;
}

const NEIGHBOURS_MAX = 4;
/** Everybody wants to sit in front: of the free seats, this share is what most look at. */
const POPULAR_SHARE = 0.2;

/** See the top of this file. */
export class Buyer {
  readonly #number: number;
  readonly #holderId: bigint;
  readonly #client: AllocDbClient;
  readonly #floor: Floor;
  readonly #random: Random;
  #wanted: number;

  /**
   * @param number From 1.
   * @param client His connection.
   * @param floor What he shares with the others.
   * @param random What his choices are drawn from.
   * @param wanted How many seats he would like to have.
   */
  constructor(
    number: number,
    client: AllocDbClient,
    floor: Floor,
    random: Random,
    wanted: number,
  ) {
    this.#number = number;
    this.#holderId = nameId(`buyer:${number}`);
    this.#client = client;
    this.#floor = floor;
    this.#random = random;
    this.#wanted = wanted;
  }

  /** Buys until he has enough or the sale is over. */
  async buy(): Promise<void> {
    const { closing } = this.#floor;
    while (this.#wanted > 0 && !closing.aborted) {
      const seats = this.#choose();
      await this.#pause();
      if (seats.length > 0 && !closing.aborted) await this.#tryFor(seats);
    }
  }

  #choose(): Seat[] {
    const { hall, manners } = this.#floor;
    const free = hall.free();
    if (free.length === 0) return [];
    const popular = this.#random.chance(0.8) ? Math.ceil(free.length * POPULAR_SHARE) : free.length;
    const first = free[this.#random.below(popular)]!;
    const wantsMore = this.#wanted > 1 && this.#random.chance(manners.wantsNeighbours);
    const count = wantsMore ? 2 + this.#random.below(NEIGHBOURS_MAX - 1) : 1;
    return hall.neighbours(first, Math.min(count, this.#wanted));
  }

  async #tryFor(seats: readonly Seat[]): Promise<void> {
    const claim = await this.#reserve(seats);
    if (claim === undefined) return;
    const { manners, ledger } = this.#floor;
    if (this.#random.chance(manners.walksAway)) {
      ledger.counters.walkedAway++;
      return this.#freeLater(claim);
    }
    await this.#pause();
    if (this.#random.chance(manners.givesBack)) return await this.#giveBack(claim);
    await this.#pay(claim);
  }

  async #reserve(seats: readonly Seat[]): Promise<Claim | undefined> {
    const { ledger, manners } = this.#floor;
    const holderId = this.#holderId;
    const ttlMs = manners.holdMs;
    const answer = await this.#do(
      seats.length === 1
        ? { kind: "reserve", resourceId: seats[0]!.resourceId, holderId, ttlMs }
        : { kind: "reserve_bundle", resourceIds: idsOf(seats), holderId, ttlMs },
    );
    if (answer?.reservationId === undefined) {
      if (answer?.code === "resource_busy") ledger.counters.lostRaces++;
      return undefined;
    }
    const claim: Claim = {
      buyer: this.#number,
      holderId,
      seats,
      reservationId: answer.reservationId,
      epoch: answer.epoch!,
      reservedLsn: answer.appliedLsn,
      confirmedLsn: undefined,
      releasedLsn: undefined,
    };
    ledger.claims.push(claim);
    for (const seat of seats) if (seat.state === "free") seat.state = "held";
    return claim;
  }

  async #pay(claim: Claim): Promise<void> {
    const { counters } = this.#floor.ledger;
    const answer = await this.#do({ kind: "confirm", ...actionOf(claim) });
    if (answer?.ok) {
      claim.confirmedLsn = answer.appliedLsn;
      this.#wanted -= claim.seats.length;
      if (claim.seats.length > 1) counters.bundlesSold++;
      for (const seat of claim.seats) seat.state = "sold";
      return;
    }
    counters.tooLate++;
    letGo(claim);
  }

  async #giveBack(claim: Claim): Promise<void> {
    const answer = await this.#do({ kind: "release", ...actionOf(claim) });
    if (answer?.ok) {
      claim.releasedLsn = answer.appliedLsn;
      this.#floor.ledger.counters.givenBack++;
    }
    letGo(claim);
  }

  /** Nobody tells the others that he has gone: they may try again when his time is over. */
  #freeLater(claim: Claim): void {
    const { closing, manners } = this.#floor;
    void sleep(manners.holdMs * 1.1, closing).then(() => letGo(claim));
  }

  /** Sends a command. The client repeats it under its operation id until it knows the answer. */
  async #do(command: ClientCommand): Promise<Committed | undefined> {
    const { ledger, onAnswer } = this.#floor;
    ledger.inFlight++;
    const [result] = await this.#client.submitMany([command]);
    ledger.inFlight--;
    if (result?.kind === "unknown") ledger.counters.unknown++;
    if (result?.kind !== "committed") return undefined;
    ledger.noteAsked(this.#client, command, result);
    onAnswer(result, this.#client.server.address);
    return result;
  }

  #pause(): Promise<void> {
    const { closing, manners } = this.#floor;
    return sleep(manners.pauseMs * (0.3 + 1.4 * this.#random.fraction()), closing);
  }
}

function idsOf(seats: readonly Seat[]): bigint[] {
  return seats.map((seat) => seat.resourceId);
}

function actionOf({ reservationId, holderId, epoch }: Claim): {
  reservationId: bigint;
  holderId: bigint;
  epoch: bigint;
} {
  return { reservationId, holderId, epoch };
}

function letGo(claim: Claim): void {
  for (const seat of claim.seats) if (seat.state === "held") seat.state = "free";
}
