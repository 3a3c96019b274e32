/** Several troubles at once, on whichever replicas: what one alone does not bring about, two may. */
import { DISK_FAULT_KINDS } from "../../../node/cli/cluster_options.ts";
import type { SeededRandom } from "../../../testbed/sim/random.ts";
import { sleep } from "./load.ts";
import type { LoopCluster } from "./loop_cluster.ts";

/** Steps of one storm, at least and at most. */
const STEPS_MIN = 4;
const STEPS_MAX = 10;

/** A storm under way: which replicas run, and what may still be done to them. */
export class Storm {
  readonly #cluster: LoopCluster;
  readonly #random: SeededRandom;
  readonly #stopped = new Set<bigint>();
  readonly #paused = new Set<bigint>();
  /** One replica may lose its data: who loses two has lost what was acknowledged. */
  #isWiped = false;

  constructor(cluster: LoopCluster, random: SeededRandom) {
    this.#cluster = cluster;
    this.#random = random;
  }

  /** Rages, and puts everything right. Answers what it did. */
  async rage(): Promise<string> {
    const done: string[] = [];
    const steps = STEPS_MIN + this.#random.below(STEPS_MAX - STEPS_MIN);
    for (let i = 0; i < steps; i++) {
      done.push(await this.#step(this.#draw(this.#cluster.members)));
      await sleep(this.#random.below(700));
    }
    await this.#cluster.change({ verb: "heal", replicaId: undefined });
    for (const id of this.#paused) await this.#cluster.pause(id, "resume");
    for (const id of this.#stopped) await this.#cluster.restart(id);
    return done.join(", ");
  }

  async #step(id: bigint): Promise<string> {
    if (this.#stopped.has(id)) return await this.#restart(id);
    if (this.#paused.delete(id)) {
      await this.#cluster.pause(id, "resume");
      return `resumed ${id}`;
    }
    switch (this.#random.below(6)) {
      case 0:
        return await this.#kill(id);
      case 1:
        this.#paused.add(id);
        await this.#cluster.pause(id, "pause");
        return `paused ${id}`;
      case 2: {
        const kind = this.#draw(DISK_FAULT_KINDS);
        const fault = { kind, after: this.#random.below(20) };
        await this.#cluster.change({ verb: "disk-fault", replicaId: id, fault });
        return `${kind} on ${id}`;
      }
      case 3: {
        const to = this.#draw(this.#cluster.members.filter((other) => other !== id));
        await this.#cluster.change({ verb: "link", ends: { from: id, to }, fault: { cut: true } });
        return `${id}>${to} cut`;
      }
      case 4:
        await this.#cluster.change({ verb: "isolate", replicaId: id });
        return `isolated ${id}`;
      default:
        await this.#cluster.change({ verb: "heal", replicaId: undefined });
        return "healed";
    }
  }

  async #kill(id: bigint): Promise<string> {
    await this.#cluster.kill(id);
    this.#stopped.add(id);
    if (this.#isWiped || !this.#random.oneIn(4)) return `killed ${id}`;
    this.#isWiped = true;
    await this.#cluster.wipe(id);
    return `wiped ${id}`;
  }

  async #restart(id: bigint): Promise<string> {
    await this.#cluster.restart(id);
    this.#stopped.delete(id);
    return `restarted ${id}`;
  }

  #draw<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!;
  }
}
