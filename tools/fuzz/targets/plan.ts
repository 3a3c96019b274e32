/** Plans of simulated lives: what is accepted says one thing, keeps its bounds, and can be lived. */
import { parsePlan } from "../../../testbed/sim/command/plan_file.ts";
import type { SimPlan } from "../../../testbed/sim/command/sim_life.ts";
import { SIMULATOR } from "../../../testbed/sim/command/simulator.ts";
import { SIM_PROFILES } from "../../../node/cli/sim_options.ts";
import { CliError } from "../../../node/errors.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, type Target } from "../target.ts";
import { bytesOfText, mutateText, textOf } from "../text.ts";

/** The function under test. */
export type ParsePlan = typeof parsePlan;

/** Events that an accepted plan is lived for. */
const EVENTS_MAX = 150;
/** Of the accepted plans one in so many is lived. */
const LIVED_ONE_IN = 4;

/** Numbers and texts at edges, and what is none of them. */
const ODD: readonly unknown[] = [
  ...[0, 1, 2, 3, -1, 0.5, 7, 1e5, 0xffff_ffff, 2 ** 53, 1e300, -0],
  ...["", "0", "1", "18446744073709551616", "18446744073709551615", "crash", "single", "swarm"],
  ...[null, true, false, [], {}, [0], { seed: 1 }],
];

/** What older plans do not have, and what it is then. */
const DEFAULTS = { cluster: {}, single: { ownSlots: false } };

const WORDS = ["0", "1", "-1", "1e9", ",", ":", "{", "}", "[", "]", "null", '"', '"seed":', "true"];

/** Makes the target. */
export function planTarget(parse: ParsePlan = parsePlan): Target {
  return {
    name: "plan",
    outcomes: ["ok cluster", "ok single", "bad plan"],
    draw: (random) => bytesOfText(drawText(random)),
    judge: (input) => judgePlan(parse, textOf(input)),
  };
}

function drawText(random: FuzzRandom): string {
  const seed = random.below(2 ** 32);
  const plan: unknown = SIMULATOR.drawPlan(seed, random.pick(SIM_PROFILES));
  if (random.oneIn(6)) return JSON.stringify(plan);
  if (random.oneIn(4)) return mutateText(random, JSON.stringify(plan), WORDS);
  const changed = structuredClone(plan);
  for (let times = random.pick([1, 1, 1, 2, 3]); times > 0; times--) {
    changeSomewhere(random, changed);
  }
  return JSON.stringify(changed);
}

/** Walks to some place of a value and changes what is there. */
function changeSomewhere(random: FuzzRandom, root: unknown): void {
  let at = root;
  while (typeof at === "object" && at !== null) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const record = at as Record<string, unknown>;
    const key = random.pick(keys);
    const isLeaf = typeof record[key] !== "object" || record[key] === null;
    if (!isLeaf && !random.oneIn(8)) {
      at = record[key];
      continue;
    }
    const choice = random.below(8);
    if (choice === 0) delete record[key];
    else if (choice === 1) record[`${key}2`] = record[key];
    else record[key] = drawValue(random, record[key]);
    return;
  }
}

/** Something else, or something near. */
function drawValue(random: FuzzRandom, before: unknown): unknown {
  if (typeof before !== "number" || random.oneIn(2)) return random.pick(ODD);
  return random.pick([before + 1, before - 1, before * 2, Math.floor(before / 2), -before]);
}

/** What is accepted is the JSON that was written, and has it again when it is written again. */
function judgePlan(parse: ParsePlan, text: string): string {
  const plan = attempt(parse, text);
  if (plan === undefined) return "bad plan";
  const written = JSON.stringify(plan);
  const asked = {
    ...DEFAULTS[plan.profile === "single" ? "single" : "cluster"],
    ...JSON.parse(text),
  };
  expectEqual(JSON.stringify(sorted(asked)), JSON.stringify(sorted(plan)), "the plan");
  expectEqual(JSON.stringify(parse(written, "p")), written, "written again");
  if (text.length % LIVED_ONE_IN === 0) live(plan);
  return plan.profile === "single" ? "ok single" : "ok cluster";
}

function attempt(parse: ParsePlan, text: string): SimPlan | undefined {
  try {
    return parse(text, "p");
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    expectEqual(error.code, "E_BAD_PLAN", "the code");
    expect(!/[\p{C}]/u.test(error.message), `the message is printable: ${error.message}`);
    return undefined;
  }
}

/** It may break a promise, such as that clients are answered in time; it may not break the simulator. */
function live(plan: SimPlan): void {
  SIMULATOR.live(plan, { eventsMax: EVENTS_MAX });
}

/** The same with the keys of every record in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, sorted(entry)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
}
