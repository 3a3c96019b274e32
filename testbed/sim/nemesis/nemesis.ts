/** Lets go wrong what a plan says, when it says so. */
import type { ClusterWorld } from "../world/world.ts";
import { CLOCK_FAULTS } from "./clock_faults.ts";
import { DISK_FAULTS } from "./disk_faults.ts";
import { NETWORK_FAULTS } from "./network_faults.ts";
import { OPERATOR_FAULTS } from "./operator_faults.ts";
import { PROCESS_FAULTS } from "./process_faults.ts";
import { type FaultAct, Scene, type SceneHost } from "./scene.ts";
import type { FaultName, Strike } from "./strike.ts";

const ACTS: Readonly<Record<FaultName, FaultAct>> = {
  ...PROCESS_FAULTS,
  ...NETWORK_FAULTS,
  ...CLOCK_FAULTS,
  ...DISK_FAULTS,
  ...OPERATOR_FAULTS,
};

/** See the top of this file. */
export class ClusterNemesis implements SceneHost {
  /** How often each fault struck. */
  readonly struck: Map<FaultName, number> = new Map<FaultName, number>();
  readonly world: ClusterWorld;
  readonly victims: readonly number[];
  isOver = false;

  /**
   * @param world Where.
   * @param strikes What goes wrong; none of it before time passes.
   * @param victims Positions of the machines that may lose or damage what was durable: a minority.
   */
  constructor(world: ClusterWorld, strikes: readonly Strike[], victims: readonly number[]) {
    this.world = world;
    this.victims = victims;
    for (const strike of strikes) {
      world.queue.after(strike.atMs, () => {
        if (!this.isOver) this.strike(strike);
      });
    }
  }

  /** Nothing more goes wrong, and nothing ends by itself: what is broken stays so until somebody mends it. */
  end(): void {
    this.isOver = true;
  }

  /** Lets something go wrong now. */
  strike(strike: Strike): void {
    const { fault, seed, forMs } = strike;
    this.struck.set(fault, (this.struck.get(fault) ?? 0) + 1);
    this.world.note(() => `nemesis: ${fault}, seed ${seed}, up to ${forMs} ms`);
    this.world.observer?.struck(this.world.queue.nowMs, strike);
    ACTS[fault](new Scene(this, strike));
  }
}
