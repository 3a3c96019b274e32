/** The command line of the peer benchmarks. Pure. */
import { chooseScenarios, readFlags, UsageError, wholeNumber } from "./flags.ts";
import { type Scenario, SCENARIOS } from "./measurement.ts";

export { UsageError };

/** Systems by name, in the order of their turns. */
export const SYSTEM_NAMES = ["disk append", "disk overwrite", "redis", "postgresql", "allocdb"];

/** What was asked for. */
export interface Options {
  /** Where temporary directories are made; undefined for the default. */
  readonly data: string | undefined;
  readonly seconds: number;
  readonly rounds: number;
  readonly scenarios: readonly Scenario[];
  readonly systems: readonly string[];
  /** A compiled `allocdb`; undefined for the sources. */
  readonly allocdb: string | undefined;
  readonly install: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** The text of `--help`. */
export const USAGE = `Usage: ./tools/deno task bench:peers [options]

Measures AllocDB beside Redis, PostgreSQL and the bare disk, in turns, on the same disk. Every
command is durable before it is answered. The data goes to temporary directories and is removed.

  --seconds N      Length of one measurement, 1 to 30 (default 5)
  --rounds N       Turns of every system under every load, 1 to 20 (default 3)
  --load NAMES     CLIENTSxDEPTH, separated by commas (default ${
  SCENARIOS.map(({ name }) => name).join(",")
})
  --system NAMES   Of disk, redis, postgresql, allocdb, separated by commas (default all)
  --data DIR       A directory on the disk to measure (default dist/bench)
  --allocdb FILE   Serve with this compiled binary (default the sources)
  --install        First install redis-server and postgresql with apt-get; needs root
  --json           Print the report as JSON

Exit code: 0 every row has a figure, 1 some row has none, 2 usage.
`;

function chooseSystems(text: string | undefined): readonly string[] {
  const asked = text?.split(",") ?? ["disk", "redis", "postgresql", "allocdb"];
  const systems = asked.flatMap((name) => {
    const found = SYSTEM_NAMES.filter((system) => system.split(" ")[0] === name);
    if (found.length === 0) throw new UsageError(`There is no system '${name}'`);
    return found;
  });
  return SYSTEM_NAMES.filter((name) => systems.includes(name));
}

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const strings = ["data", "seconds", "rounds", "load", "system", "allocdb"] as const;
  const { one, has } = readFlags(args, strings, ["install", "json", "help"] as const);
  return {
    data: one("data"),
    seconds: wholeNumber(one("seconds"), 5, "--seconds", 30),
    rounds: wholeNumber(one("rounds"), 3, "--rounds", 20),
    scenarios: chooseScenarios(one("load"), SCENARIOS),
    systems: chooseSystems(one("system")),
    allocdb: one("allocdb"),
    install: has("install"),
    json: has("json"),
    help: has("help"),
  };
}
