/** Lives of single nodes, as the command handles lives. */
import { promiseOf } from "../life/shrink.ts";
import { liveSingle, type SingleLife } from "../single/life.ts";
import { drawSinglePlan, type SinglePlan, type SingleStrike } from "../single/plan.ts";
import type { SimLife, Watch } from "./sim_life.ts";

/** See the top of this file. */
export const SINGLE_LIVES = {
  draw: (seed: number): SinglePlan => drawSinglePlan(seed),
  live: (plan: SinglePlan, { says }: Watch): SimLife => {
    const life = liveSingle(plan, { isTraced: says !== undefined });
    if (says !== undefined) life.single.words.forEach(says);
    return simLife(life);
  },
};

function simLife(life: SingleLife): SimLife {
  const { plan, violation, transcriptHash: hash, events, simulatedMs, counts } = life;
  const self: SimLife = {
    plan,
    violation: violation?.what,
    hash,
    isCutShort: false,
    events,
    simulatedMs,
    counts,
    lastWords: [],
    shrunk: (runsMax) => {
      const smaller = shrink(life, runsMax);
      return smaller === life ? self : simLife(smaller);
    },
  };
  return self;
}

/** Leaves out strikes, many at once first, for as long as the same promise is broken. */
function shrink(life: SingleLife, runsMax: number): SingleLife {
  let best = life;
  let runs = 0;
  const breaks = (strikes: readonly SingleStrike[]): boolean => {
    runs++;
    const tried = liveSingle({ ...best.plan, strikes });
    if (promiseIn(tried) !== promiseIn(life)) return false;
    best = tried;
    return true;
  };
  for (let size = Math.ceil(life.plan.strikes.length / 2); size >= 1; size = size >>> 1) {
    for (let at = 0; at < best.plan.strikes.length && runs < runsMax;) {
      const { strikes } = best.plan;
      if (!breaks([...strikes.slice(0, at), ...strikes.slice(at + size)])) at += size;
    }
  }
  return best;
}

function promiseIn({ violation }: SingleLife): string | undefined {
  return violation === undefined ? undefined : promiseOf(violation.what);
}
