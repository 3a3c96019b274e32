/**
 * Lives seeds until one shows a violation, in the tree that this file was copied to. Prints one line of JSON:
 * how many seeds it took, and what was broken; no `promise` when nothing was.
 */
import type { SimProfile } from "../../node/cli/sim_options.ts";
import { SIMULATOR } from "../../testbed/sim/command/simulator.ts";

if (import.meta.main) {
  const [profile, from, count] = Deno.args;
  console.log(JSON.stringify(hunt(profile as SimProfile, Number(from), Number(count))));
}

function hunt(profile: SimProfile, from: number, count: number): Record<string, unknown> {
  let events = 0;
  for (let seed = from; seed < from + count; seed++) {
    const life = SIMULATOR.live(SIMULATOR.drawPlan(seed, profile));
    events += life.events;
    if (life.violation === undefined) continue;
    return { seed, seeds: seed - from + 1, events, promise: life.violation };
  }
  return { seeds: count, events };
}
