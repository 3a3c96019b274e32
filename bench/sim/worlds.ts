/** What the simulator is measured on: each simulates for a while and says how much there was. */
import { drawPlan } from "../../testbed/sim/life/draw.ts";
import { live } from "../../testbed/sim/life/life.ts";
import { drawSinglePlan } from "../../testbed/sim/single/plan.ts";
import { liveSingle } from "../../testbed/sim/single/life.ts";
import type { WorldOptions } from "../../testbed/sim/world/options.ts";
import { ClusterWorld } from "../../testbed/sim/world/world.ts";

/** How much was simulated. */
export interface Simulated {
  readonly events: number;
  /** Virtual milliseconds. */
  readonly ms: number;
  readonly lives: number;
}

/** One of the things to measure. */
export interface SimCase {
  readonly name: string;
  readonly about: string;
  run(scale: number): Simulated;
}

/** Operations are forgotten, and logs cut off, as where a cluster runs for long. */
const LONG_LIFE = {
  core: { maxClientRetryWindowSlots: 3_000n },
  checkpoints: { bytes: 1e9, frames: 2_000, ageMs: 1e9 },
} as const;

/** All of them. */
export const CASES: readonly SimCase[] = [
  {
    name: "calm",
    about: "profile calm: 3 replicas, 4 clients that think up to 250 ms",
    run: (scale) => lives(5 * scale, (seed) => live(drawPlan(seed, "calm"))),
  },
  {
    name: "busy",
    about: "3 replicas, 4 clients that think up to 25 ms",
    run: (scale) => world({}, 60_000 * scale),
  },
  {
    name: "idle",
    about: "3 replicas, no client",
    run: (scale) => world({ clients: 0 }, 300_000 * scale),
  },
  { name: "swarm", about: "seeds 1 to 20, one life each", run: (scale) => swarm(20 * scale) },
  { name: "single", about: "single node, seeds 1 to 40", run: (scale) => single(40 * scale) },
];

function world(options: Omit<WorldOptions, "seed">, ms: number): Simulated {
  const world = new ClusterWorld({ seed: 7, ...LONG_LIFE, ...options });
  world.run(ms);
  return { events: world.queue.happened, ms: world.queue.nowMs, lives: 1 };
}

function swarm(seeds: number): Simulated {
  return lives(seeds, (seed) => live(drawPlan(seed, "swarm")));
}

function single(seeds: number): Simulated {
  return lives(seeds, (seed) => liveSingle(drawSinglePlan(seed)));
}

function lives(
  seeds: number,
  live: (seed: number) => { readonly events: number; readonly simulatedMs: number },
): Simulated {
  let events = 0;
  let ms = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const life = live(seed);
    events += life.events;
    ms += life.simulatedMs;
  }
  return { events, ms, lives: seeds };
}
