// A plan from a file is believed in every word or refused by name: what was drawn comes back as it was, and what
// was damaged in any place is either still a plan that says something else, or an error that names the place.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { CliError } from "../../../node/errors.ts";
import { drawPlan } from "../life/draw.ts";
import { planText, PROFILES } from "../life/plan.ts";
import { drawSinglePlan } from "../single/plan.ts";
import type { SimPlan } from "./sim_life.ts";
import { parsePlan } from "./plan_file.ts";

Deno.test("parsePlan() reads every drawn plan of a single node back as it was", () => {
  for (let seed = 0; seed < 200; seed++) {
    const plan = drawSinglePlan(seed * 7_919);
    assertEquals(parsePlan(JSON.stringify(plan), "p.json"), plan, `${seed}`);
  }
});

Deno.test("parsePlan() reads every drawn plan back as it was, of every profile", () => {
  for (const profile of PROFILES) {
    for (let seed = 0; seed < 200; seed++) {
      const plan = drawPlan(seed * 7_919, profile);
      assertEquals(parsePlan(planText(plan), "p.json"), plan, `${profile} ${seed}`);
    }
  }
});

/** Every place of a plan, as the words that lead there. */
function placesIn(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  const keys = Array.isArray(value) ? [...value.keys()].slice(0, 1) : Object.keys(value);
  return [
    [...path],
    ...keys.flatMap((key) => placesIn((value as Record<string, unknown>)[key], [...path, key])),
  ];
}

function withChange(plan: SimPlan, path: readonly (string | number)[], value: unknown): unknown {
  if (path.length === 0) return value;
  const copy = structuredClone(plan) as unknown as Record<string, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1)!] = value;
  return copy;
}

/** What a plan may lack. */
const ADDED_LATER = "parallelDisks";

function refusal(text: string): CliError {
  const error = assertThrows(() => parsePlan(text, "p.json"), CliError);
  assertEquals(error.code, "E_BAD_PLAN");
  assert(error.message.startsWith("p.json is no plan: ") && !error.message.includes("\n"));
  return error;
}

Deno.test("parsePlan() refuses a value of another kind in every place of a plan, and names the place", () => {
  for (const plan of [drawPlan(3, "swarm"), drawSinglePlan(3)]) {
    const places = placesIn(plan).filter((path) => path.length > 0);
    assert(places.length > 20, `${places.length} places`);
    for (const path of places) {
      const error = refusal(JSON.stringify(withChange(plan, path, { odd: true })));
      assert(error.message.includes(String(path[0])), `${path}: ${error.message}`);
    }
  }
});

Deno.test("parsePlan() refuses what is missing, what nobody knows, and numbers beyond all bounds", () => {
  const plan = drawPlan(3, "swarm");
  for (const path of placesIn(plan).filter((path) => path.length > 0)) {
    if (typeof path.at(-1) === "number") continue;
    if (path.at(-1) !== ADDED_LATER) refusal(JSON.stringify(withChange(plan, path, undefined)));
    for (const number of [-1e300, 1e300]) refusal(JSON.stringify(withChange(plan, path, number)));
  }
  refusal(JSON.stringify({ ...plan, extra: 1 }));
  refusal(JSON.stringify({ ...plan, world: { ...plan.world, extra: 1 } }));
});

Deno.test("parsePlan() reads plans from before disks could work on several files at once", () => {
  const plan = drawPlan(3, "swarm");
  const before = JSON.stringify(withChange(plan, ["world", ADDED_LATER], undefined));
  const after = withChange(plan, ["world", ADDED_LATER], false);
  assertEquals(parsePlan(before, "p.json"), after as SimPlan);
});

Deno.test("parsePlan() refuses plans whose parts contradict each other", () => {
  const plan = drawPlan(3, "swarm");
  const { world, workload, ending } = plan;
  const strike = { atMs: 5, fault: "crash", seed: 1, forMs: 1 };
  for (
    const [says, change] of [
      ["odd number", { world: { ...world, replicas: 2, clocks: [] } }],
      ["one for each replica", {
        world: { ...world, clocks: [{ rate: 1, offsetMs: 0 }, { rate: 1, offsetMs: 0 }] },
      }],
      ["delayMsMax", {
        world: { ...world, weather: { ...world.weather, delayMsMin: 9, delayMsMax: 1 } },
      }],
      ["ttlSlotsMax", { workload: { ...workload, ttlSlotsMin: 9, ttlSlotsMax: 1 } }],
      ["not in order", { strikes: [strike, { ...strike, atMs: 4 }] }],
      ["no majority", { ending: { ...ending, core: [0], fates: [] } }],
      ["stands there twice", { victims: [0, 0] }],
      ["no such replica", { victims: [8] }],
      ["leaseMs", { world: { ...world, timing: { ...world.timing, leaseMs: 1e6 } } }],
      ["maxBundleSize", { world: { ...world, core: { ...world.core, maxBundleSize: 9_999 } } }],
    ] as const
  ) {
    const replicas = 3;
    const whole = {
      ...plan,
      world: { ...world, replicas, clocks: [] },
      ending: { core: [0, 1, 2], fates: [] },
      victims: [0],
    };
    const { message } = refusal(JSON.stringify({ ...whole, ...change }));
    if (says !== "maxBundleSize") assert(message.includes(says), message);
  }
});

Deno.test("parsePlan() refuses what is no JSON in one printable line", () => {
  for (const text of ["", "{", "[]", "null", "7", '"\u001b[2J"', "{\u0000}", "\u001b]0;x\u0007"]) {
    assert(!/\p{Cc}/u.test(refusal(text).message), text);
  }
});
