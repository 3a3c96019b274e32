// The simulator bites: a few planted bugs, one of each kind, in the first lives there are. All of them: `deno task mutants`.
import { assert, assertEquals } from "@std/assert";
import { SIMULATOR } from "../../testbed/sim/command/simulator.ts";
import { MUTANTS } from "./catalogue.ts";
import { hunt } from "./hunting.ts";

const SEEDS = 3;

/** Each with the promise that it breaks. */
const QUICK: Readonly<Record<string, string>> = {
  "view-not-remembered": "R13",
  "quorum-off-by-one": "R3",
  "apply-before-commit": "R14",
  "log-not-synced": "R6",
  "read-from-any-replica": "R8",
  "retry-executes-again": "R7",
};

for (const [name, promise] of Object.entries(QUICK)) {
  Deno.test(`the planted bug ${name} is found within ${SEEDS} lives`, async () => {
    const mutant = MUTANTS.find((one) => one.name === name)!;
    const { seed, promise: broken } = await hunt(mutant, 1, SEEDS);
    assert(seed !== undefined, "it is found");
    assertEquals(broken!.split(" ", 1), [promise]);
    const life = SIMULATOR.live(SIMULATOR.drawPlan(seed, "ci"));
    assertEquals(life.violation, undefined, "the seed is sound without it");
  });
}
