/**
 * Lives seeds until one shows a violation, in the tree that this file was copied to. Prints one line of JSON:
 * how many seeds it took, and what was broken; no `promise` when nothing was.
 */
import { drawPlan } from "../../testbed/sim/life/draw.ts";
import { live } from "../../testbed/sim/life/life.ts";
import type { ProfileName } from "../../testbed/sim/life/plan.ts";

if (import.meta.main) {
  const [profile, from, count] = Deno.args;
  console.log(JSON.stringify(hunt(profile as ProfileName, Number(from), Number(count))));
}

function hunt(profile: ProfileName, from: number, count: number): Record<string, unknown> {
  let events = 0;
  for (let seed = from; seed < from + count; seed++) {
    const life = live(drawPlan(seed, profile));
    events += life.events;
    if (life.violation === undefined) continue;
    return { seed, seeds: seed - from + 1, events, promise: life.violation.what };
  }
  return { seeds: count, events };
}
