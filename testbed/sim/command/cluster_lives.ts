/** Lives of clusters, as the command handles lives. */
import { drawPlan } from "../life/draw.ts";
import { type Life, type LifeOptions, live } from "../life/life.ts";
import type { Plan, ProfileName } from "../life/plan.ts";
import { shrink } from "../life/shrink.ts";
import { together } from "./observers.ts";
import type { SimLife, Watch } from "./sim_life.ts";
import { TranscriptObserver } from "./transcript.ts";

/** See the top of this file. */
export const CLUSTER_LIVES = {
  draw: (seed: number, profile: ProfileName): Plan => drawPlan(seed, profile),
  live: (plan: Plan, { eventsMax, observer, says }: Watch): SimLife => {
    const watched = together([
      ...(says === undefined ? [] : [new TranscriptObserver(says)]),
      ...(observer === undefined ? [] : [observer]),
    ]);
    const options = eventsMax === undefined ? {} : { eventsMax };
    return simLife(live(plan, { ...options, ...(watched && { observer: watched }) }), options);
  },
};

function simLife(life: Life, options: LifeOptions): SimLife {
  const { plan, violation, transcriptHash: hash, events, simulatedMs, counts, world } = life;
  const self: SimLife = {
    plan,
    violation: violation?.what,
    hash,
    isCutShort: violation === undefined && world.isCutShort,
    events,
    simulatedMs,
    counts,
    lastWords: world.machines.map((machine) => world.describe(machine)),
    shrunk: (runsMax) => {
      const smaller = shrink(life, { runsMax, life: options });
      return smaller === life ? self : simLife(smaller, options);
    },
  };
  return self;
}
