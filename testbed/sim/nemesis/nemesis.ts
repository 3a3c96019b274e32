/** Lets go wrong what a plan says, when it says so. */
import type { ClusterWorld } from "../world/world.ts";
import { CLOCK_FAULTS } from "./clock_faults.ts";
import { DISK_FAULTS } from "./disk_faults.ts";
import { FaultAtlas, type FaultBudget } from "./fault_atlas.ts";
import { NETWORK_FAULTS } from "./network_faults.ts";
import { OPERATOR_FAULTS } from "./operator_faults.ts";
import { PLOTS } from "./plots.ts";
import { PROCESS_FAULTS } from "./process_faults.ts";
import { type FaultAct, Scene, type SceneHost } from "./scene.ts";
import { STORAGE_FAULTS } from "./storage_faults.ts";
import type { FaultName, Strike } from "./strike.ts";

const ACTS: Readonly<Record<FaultName, FaultAct>> = {
  ...PROCESS_FAULTS,
  ...NETWORK_FAULTS,
  ...CLOCK_FAULTS,
  ...DISK_FAULTS,
  ...STORAGE_FAULTS,
  ...OPERATOR_FAULTS,
  ...PLOTS,
};

/** See the top of this file. */
export class ClusterNemesis implements SceneHost {
  /** How often each fault struck. */
  readonly struck: Map<FaultName, number> = new Map<FaultName, number>();
  readonly world: ClusterWorld;
  readonly atlas: FaultAtlas;
  isOver = false;

  /**
   * @param world Where.
   * @param strikes What goes wrong; none of it before time passes.
   * @param budget Whose durable state may suffer.
   */
  constructor(world: ClusterWorld, strikes: readonly Strike[], budget: FaultBudget) {
    this.world = world;
    this.atlas = new FaultAtlas(world, budget);
    for (const strike of strikes) {
      world.queue.after(strike.atMs, () => {
        if (!this.isOver) this.strike(strike);
      }, "strike");
    }
  }

  /** Nothing more goes wrong, and nothing ends by itself: what is broken stays so until somebody mends it. */
  end(): void {
    this.isOver = true;
  }

  /** Lets something go wrong now. */
  strike(strike: Strike): void {
    const { fault, seed, forMs } = strike;
    const scene = new Scene(this, strike);
    this.world.note(() => `nemesis: ${fault}, seed ${seed}, up to ${forMs} ms`);
    this.world.observer?.struck(this.world.queue.nowMs, strike);
    ACTS[fault](scene);
    if (!scene.hasMissed) this.struck.set(fault, (this.struck.get(fault) ?? 0) + 1);
  }
}
