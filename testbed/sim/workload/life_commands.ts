/** The commands of one seeded life: few resources, so that they collide, and retries of earlier ones. */
import type { Request } from "./plain.ts";
import type { ClientCommand } from "../../model/words.ts";
import { bundle, confirm, create, reclaim, release, reserve, revoke } from "./requests.ts";
import type { SeededRandom } from "../random.ts";

/** Resource ids are 1 to this. */
export const RESOURCES = 6;

/** How many of the latest reservations later commands are about. */
const HELD_MAX = 4;

/** See the top of this file. */
export class LifeCommands {
  /** Reservations that somebody was told about, the latest last. */
  held: bigint[] = [];
  /** Client commands so far, each key once. */
  readonly #history: ClientCommand[] = [];
  readonly #noted = new Set<bigint>();
  readonly #random: SeededRandom;
  readonly #ttlSlotsMax: number;

  /**
   * @param random Draws the commands.
   * @param ttlSlotsMax Longest time to live.
   */
  constructor(random: SeededRandom, ttlSlotsMax = 8) {
    this.#random = random;
    this.#ttlSlotsMax = ttlSlotsMax;
  }

  /** The next command: mostly a new one. */
  draw(): ClientCommand {
    if (this.#history.length > 0 && this.#random.oneIn(8)) {
      return this.#history[this.#random.below(this.#history.length)]!;
    }
    const operationId = BigInt(this.#history.length + 1);
    const command = { ...this.#drawRequest(), operationId, clientId: 1n } as ClientCommand;
    this.#history.push(command);
    return command;
  }

  /** Lets later commands be about a reservation. */
  noteHeld(reservationId: bigint): void {
    if (this.#noted.has(reservationId)) return;
    this.#noted.add(reservationId);
    this.held = [...this.held, reservationId].slice(-HELD_MAX);
  }

  #drawRequest(): Request {
    const random = this.#random;
    const id = BigInt(1 + random.below(RESOURCES));
    const ttl = BigInt(1 + random.below(this.#ttlSlotsMax));
    const held = this.held[random.below(this.held.length)];
    if (held === undefined || random.oneIn(3)) {
      if (random.oneIn(4)) return create(id);
      return random.oneIn(3) ? bundle([id, (id % 6n) + 1n], ttl) : reserve(id, ttl);
    }
    const choices = [confirm, confirm, release, revoke, reclaim] as const;
    return choices[random.below(choices.length)]!(held);
  }
}
