/** Which replica a client asks next: what it was told, or the next one where that leads nowhere. */
import type { SeededRandom } from "../random.ts";
import type { ClusterMachine } from "../world/machine.ts";

/** See the top of this file. */
export class Route {
  readonly #machines: readonly ClusterMachine[];
  readonly #random: SeededRandom;
  readonly #strayOneIn: number;
  #at: number;

  /**
   * @param machines All there are.
   * @param random Draws where to begin and when to stray.
   * @param strayOneIn One in so many questions goes to any replica; 0 is none.
   */
  constructor(machines: readonly ClusterMachine[], random: SeededRandom, strayOneIn: number) {
    this.#machines = machines;
    this.#random = random;
    this.#strayOneIn = strayOneIn;
    this.#at = random.below(machines.length);
  }

  /** Whom it believes to lead. */
  get target(): ClusterMachine {
    return this.#machines[this.#at]!;
  }

  /** Whom to ask: now and then anybody, for one that leads no longer may not know it. */
  next(): ClusterMachine {
    const strays = this.#strayOneIn > 0 && this.#random.oneIn(this.#strayOneIn);
    return strays ? this.any() : this.target;
  }

  /** Any replica. */
  any(): ClusterMachine {
    return this.#machines[this.#random.below(this.#machines.length)]!;
  }

  /** Prefers a replica from now on. */
  aim(machine: ClusterMachine): void {
    this.#at = machine.index;
  }

  /** Does what a hint says, or tries the next one; an older answer does not change a newer choice. */
  turnFrom(machine: ClusterMachine, primary: bigint | undefined): void {
    if (this.#at !== machine.index) return;
    const hinted = this.#machines.findIndex(({ id }) => id === primary);
    this.#at = hinted < 0 || hinted === machine.index
      ? (machine.index + 1) % this.#machines.length
      : hinted;
  }

  /** Milliseconds from a client to a replica or back. */
  hopMs(): number {
    return 0.1 + this.#random.below(1_000) / 1_000;
  }
}
