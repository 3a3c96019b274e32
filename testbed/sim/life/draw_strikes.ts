/** What goes wrong in a life, and how often: each has its own choice of faults and its own intensity. */
import {
  DURABLE_FAULTS,
  type FaultName,
  FAULTS,
  LEASELESS_FAULTS,
  PLOTS,
  type Strike,
} from "../nemesis/strike.ts";
import type { SeededRandom } from "../random.ts";
import type { PlanWorld, ProfileName } from "./plan.ts";

/** What strikes may be. */
export interface StrikeRules {
  readonly profile: ProfileName;
  readonly world: PlanWorld;
  readonly troubleMs: number;
  /** Whether any replica may lose what was durable. */
  readonly hasVictims: boolean;
}

/** Most that can go wrong in one life: more is noise, and takes long. */
const STRIKES_MAX = 60;

/** In one life of so many nothing goes wrong but plots, which need others to be well. */
const PLOTTED_ONE_IN = 4;
/** Each takes a while: milliseconds between two of them, at least. */
const PLOT_EVERY_MS_MIN = 500;

/** Faults that only end processes. */
const CRASHES: readonly FaultName[] = ["crash", "crash_primary", "kill"];

/** Draws which faults may strike, how often and for how long, and then each strike. */
export function drawStrikes(rules: StrikeRules, random: SeededRandom): Strike[] {
  const faults = drawFaults(rules, random);
  const isPlotted = faults.every((fault) => PLOTS.has(fault));
  const everyMs = drawScale(random, isPlotted ? PLOT_EVERY_MS_MIN : 60, isPlotted ? 1_000 : 2_500);
  const forMs = drawScale(random, 50, 5_000);
  const strikes: Strike[] = [];
  let atMs = 0;
  while (faults.length > 0 && strikes.length < STRIKES_MAX) {
    atMs += random.below(2 * everyMs);
    if (atMs >= rules.troubleMs) break;
    const fault = faults[random.below(faults.length)]!;
    strikes.push({ atMs, fault, seed: random.nextU32(), forMs: 1 + random.below(2 * forMs) });
  }
  return strikes;
}

function drawFaults(
  { profile, world, hasVictims }: StrikeRules,
  random: SeededRandom,
): readonly FaultName[] {
  if (profile === "lite") return CRASHES;
  const isPlotted = random.oneIn(PLOTTED_ONE_IN);
  const oneIn = isPlotted ? 2 : 2 + random.below(8);
  return FAULTS.filter((fault) => {
    const isDrawn = random.oneIn(oneIn) && (!isPlotted || PLOTS.has(fault));
    if (DURABLE_FAULTS.has(fault) && !hasVictims) return false;
    if (LEASELESS_FAULTS.has(fault) && world.timing.leaseMs > 0) return false;
    return isDrawn || (fault === "view_change" && world.manualFailover);
  });
}

/** A number from `min` to `max`, the small ones as often as the large ones: each octave is as likely as the next. */
function drawScale(random: SeededRandom, min: number, max: number): number {
  const octaves = [];
  for (let from = min; from < max; from *= 2) octaves.push(from);
  const from = octaves[random.below(octaves.length)]!;
  return Math.min(max, from + random.below(from));
}
