/**
 * Plants each bug in a copy of the sources, puts replicas of it under test and lets the judge of this very tree look at what
 * their clients saw. `deno task mutants:jepsen --only NAME --seed N --keep DIR`; ends with 1 when one passes.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { plant, ROOT } from "../plant.ts";
import { REAL_MUTANTS } from "./catalogue.ts";
import { type Judged, judgeMutant } from "./judge_mutant.ts";
import type { RealMutant } from "./real_mutant.ts";

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["only", "seed", "keep", "tries"] });
  const wanted = flags.only?.split(",");
  const chosen = REAL_MUTANTS.filter(({ name }) => wanted?.includes(name) ?? true);
  if (wanted !== undefined && chosen.length !== wanted.length) {
    throw new Error(`of ${wanted.join(", ")} there is only ${chosen.map(({ name }) => name)}`);
  }
  const missed: string[] = [];
  for (const mutant of chosen) {
    const judged = await tried(mutant, {
      seed: Number(flags.seed ?? 1),
      tries: Number(flags.tries ?? 2),
      keep: flags.keep,
    });
    if (judged.found.length === 0) missed.push(mutant.name);
    console.log(describe(mutant, judged));
  }
  console.log(`${chosen.length - missed.length} of ${chosen.length} planted bugs were found`);
  if (missed.length > 0) console.log(`not found: ${missed.join(" ")}`);
  Deno.exitCode = missed.length > 0 ? 1 : 0;
}

/** Real time is a chance: a run that misses may be followed by another one with the next seed. */
async function tried(
  mutant: RealMutant,
  { seed, tries, keep }: {
    readonly seed: number;
    readonly tries: number;
    readonly keep: string | undefined;
  },
): Promise<Judged> {
  const directory = await Deno.makeTempDir({ prefix: "allocdb-mutant-" });
  try {
    const sources = join(directory, "sources");
    await plant(sources, mutant.edits, "cluster");
    for (let i = 0;; i++) {
      const out = keep === undefined ? join(directory, `run-${i}`) : join(keep, mutant.name);
      const judged = await judgeMutant(mutant, { root: ROOT, sources, out, seed: seed + i });
      if (judged.found.length > 0 || i + 1 >= tries) return judged;
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function describe(
  { name, what }: RealMutant,
  { found, failed, seconds, sentence }: Judged,
): string {
  const took = `${seconds.toFixed(0)} s`;
  if (found.length > 0) return `found  ${name} in ${took} by ${failed.join(", ")}: ${sentence}`;
  return `MISSED ${name}: ${what}; ${took}, failed: ${failed.join(", ") || "nothing"}: ${sentence}`;
}
