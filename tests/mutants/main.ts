/**
 * Plants each bug in a copy of the sources and lets the simulator look for it: a simulator that misses planted
 * bugs proves nothing. `deno task mutants --only NAME --jobs 2 --seeds N`; ends with 1 when one is not found.
 */
import { parseArgs } from "@std/cli/parse-args";
import { MUTANTS } from "./catalogue.ts";
import { type Hunt, hunt, isSoundWithout } from "./hunting.ts";
import type { Mutant } from "./mutant.ts";

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["only", "jobs", "seeds", "from"] });
  const names = flags.only?.split(",") ?? MUTANTS.map(({ name }) => name);
  const mutants = names.map(mutantOf);
  const missed = await huntAll(mutants, Number(flags.jobs ?? 2), {
    from: Number(flags.from ?? 1),
    seeds: flags.seeds === undefined ? undefined : Number(flags.seeds),
  });
  console.log(`${mutants.length - missed.length} of ${mutants.length} planted bugs were found`);
  if (missed.length > 0) console.log(`not found: ${missed.join(" ")}`);
  Deno.exitCode = missed.length > 0 ? 1 : 0;
}

function mutantOf(wanted: string): Mutant {
  const mutant = MUTANTS.find(({ name }) => name === wanted);
  if (mutant === undefined) throw new Error(`No planted bug is called ${wanted}`);
  return mutant;
}

/** Hunts some at a time; answers the names of those that were not found. */
async function huntAll(
  mutants: readonly Mutant[],
  jobs: number,
  which: { readonly from: number; readonly seeds: number | undefined },
): Promise<string[]> {
  const waiting = [...mutants];
  const missed: string[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const end = await hunt(mutant, which.from, which.seeds ?? mutant.seedsMax);
      const isFound = end.seed !== undefined && await isSoundWithout(mutant, end.seed);
      if (!isFound) missed.push(mutant.name);
      console.log(describe(mutant, end, isFound));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return missed;
}

function describe({ name, what }: Mutant, { seeds, promise }: Hunt, isFound: boolean): string {
  if (promise === undefined) return `MISSED ${name}: ${what}; ${seeds} seeds`;
  const first = promise.split("\n", 1).join("").slice(0, 120);
  if (isFound) return `found  ${name} at seed ${seeds}: ${first}`;
  return `MISSED ${name}: seed ${seeds} fails without it, too: ${first}`;
}
