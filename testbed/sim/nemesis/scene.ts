/** Where one strike plays: the world, chance of its own, and whom it may hit. */
import { SeededRandom } from "../random.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { ClusterWorld } from "../world/world.ts";
import type { FaultAtlas } from "./fault_atlas.ts";
import type { Strike } from "./strike.ts";

/** What a fault does when it strikes; it ends by itself, with {@linkcode Scene.later}. */
export type FaultAct = (scene: Scene) => void;

/** What a scene needs of whoever lets things go wrong. */
export interface SceneHost {
  readonly world: ClusterWorld;
  /** Where what was durable may be damaged. */
  readonly atlas: FaultAtlas;
  /** Whether trouble is over: then nothing more begins or ends by itself. */
  readonly isOver: boolean;
}

/** See the top of this file. */
export class Scene {
  readonly world: ClusterWorld;
  readonly strike: Strike;
  readonly random: SeededRandom;
  readonly atlas: FaultAtlas;
  readonly #host: SceneHost;
  /** Whether there was nothing to strike. */
  hasMissed = false;

  constructor(host: SceneHost, strike: Strike) {
    this.#host = host;
    this.world = host.world;
    this.atlas = host.atlas;
    this.strike = strike;
    this.random = new SeededRandom(strike.seed);
  }

  /** Any machine. */
  any(): ClusterMachine {
    return this.#pick(this.world.machines);
  }

  /** The primary's machine, or any when nobody leads. */
  primary(): ClusterMachine {
    const any = this.any();
    return this.world.primary ?? any;
  }

  /** A machine whose durable state may suffer; none in a cluster of one. */
  victim(): ClusterMachine | undefined {
    const { victims } = this.atlas;
    return victims[this.random.below(victims.length)];
  }

  /** At least one machine, and not more than `max`. */
  some(max = this.world.machines.length): ClusterMachine[] {
    return shuffled(this.world.machines, this.random).slice(0, 1 + this.random.below(max));
  }

  /** A majority of the machines, or more. */
  majority(): ClusterMachine[] {
    const { machines } = this.world;
    const quorum = (machines.length >>> 1) + 1;
    const count = quorum + this.random.below(machines.length - quorum + 1);
    return shuffled(machines, this.random).slice(0, count);
  }

  /** There is nothing to strike: it does not count. */
  miss(): void {
    this.hasMissed = true;
  }

  /** A time up to the strike's, in milliseconds. */
  lasting(): number {
    return this.random.below(this.strike.forMs + 1);
  }

  /** Lets something happen after a delay in milliseconds, unless trouble is over by then. */
  later(delayMs: number, task: () => void): void {
    this.world.queue.after(delayMs, () => {
      if (!this.#host.isOver) task();
    }, "strike");
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.random.below(all.length)]!;
  }
}

/** The same in another order. */
export function shuffled<T>(all: readonly T[], random: SeededRandom): T[] {
  const order = [...all];
  for (let at = order.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}
