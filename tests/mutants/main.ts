/**
 * Plants each bug in a copy of the sources and lets the simulator look for it: a simulator that misses planted
 * bugs proves nothing. `deno task mutants --only NAME --jobs 2 --seeds N`; ends with 1 when one is not found.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { MUTANTS } from "./catalogue.ts";
import type { Mutant } from "./mutant.ts";
import { plant } from "./plant.ts";

/** How a hunt ended. */
interface Hunt {
  readonly seeds: number;
  readonly events: number;
  readonly promise?: string;
}

const HUNT_MS_MAX = 900_000;

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["only", "jobs", "seeds", "from"] });
  const names = flags.only?.split(",");
  const mutants = MUTANTS.filter(({ name }) => names === undefined || names.includes(name));
  const missed = await huntAll(mutants, Number(flags.jobs ?? 2), {
    from: Number(flags.from ?? 1),
    seeds: flags.seeds === undefined ? undefined : Number(flags.seeds),
  });
  console.log(`${mutants.length - missed.length} of ${mutants.length} planted bugs were found`);
  if (missed.length > 0) console.log(`not found: ${missed.join(" ")}`);
  Deno.exitCode = missed.length > 0 || mutants.length === 0 ? 1 : 0;
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
      const hunt = await huntOne(mutant, which.from, which.seeds ?? mutant.seedsMax);
      if (hunt.promise === undefined) missed.push(mutant.name);
      console.log(describe(mutant, hunt));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return missed;
}

async function huntOne(mutant: Mutant, from: number, seeds: number): Promise<Hunt> {
  const directory = await Deno.makeTempDir({ prefix: "allocdb-mutant-" });
  try {
    await plant(directory, mutant.edits);
    const script = join(directory, "tests/mutants/hunt.ts");
    const flags = ["run", "--allow-all", "--no-check", "--quiet"];
    const output = await new Deno.Command(Deno.execPath(), {
      args: [...flags, script, mutant.profile ?? "swarm", String(from), String(seeds)],
      cwd: directory,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(HUNT_MS_MAX),
    }).output();
    return parse(output);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A hunter that dies has found nothing: whatever ended it, no judge named it. */
function parse({ success, stdout, stderr }: Deno.CommandOutput): Hunt {
  const text = new TextDecoder();
  if (!success) throw new Error(`The hunt ended badly: ${text.decode(stderr)}`);
  return JSON.parse(text.decode(stdout));
}

function describe({ name, what }: Mutant, { seeds, promise }: Hunt): string {
  const first = promise?.split("\n", 1).join("").slice(0, 120);
  return promise === undefined
    ? `MISSED ${name}: ${what}; ${seeds} seeds`
    : `found  ${name} at seed ${seeds}: ${first}`;
}
