/** What reservations consist of, as far as clients were told: lines of the runbook say it again with every use. */

/** Reservations that are remembered; the oldest go first. */
const HOLDS_MAX = 100_000;

/** A reservation. */
export interface Hold {
  readonly resourceIds: readonly bigint[];
  readonly holderId: bigint;
  readonly deadlineSlot: bigint;
}

/** See the top of this file. */
export class Holds {
  readonly #holds = new Map<bigint, Hold>();

  add(reservationId: bigint, hold: Hold): void {
    this.#holds.set(reservationId, hold);
    if (this.#holds.size <= HOLDS_MAX) return;
    for (const oldest of this.#holds.keys()) {
      this.#holds.delete(oldest);
      return;
    }
  }

  of(reservationId: bigint): Hold | undefined {
    return this.#holds.get(reservationId);
  }
}
