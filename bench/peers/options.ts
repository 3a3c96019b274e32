/** The command line of the peer benchmarks. Pure. */
import { parseArgs } from "@std/cli/parse-args";
import { type Scenario, SCENARIOS } from "./measurement.ts";

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

/** A command line that makes no sense; the message says what. */
export class UsageError extends Error {
  override readonly name = "UsageError";
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

function wholeNumber(text: string | undefined, fallback: number, flag: string, max: number) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^[1-9][0-9]*$/.test(text) && value <= max) return value;
  throw new UsageError(`${flag} '${text}' is not a whole number from 1 to ${max}`);
}

function chooseScenarios(text: string | undefined): readonly Scenario[] {
  if (text === undefined) return SCENARIOS;
  return text.split(",").map((name) => {
    const scenario = SCENARIOS.find((scenario) => scenario.name === name);
    if (scenario !== undefined) return scenario;
    throw new UsageError(`There is no load '${name}'`);
  });
}

function chooseSystems(text: string | undefined): readonly string[] {
  const asked = text?.split(",") ?? ["disk", "redis", "postgresql", "allocdb"];
  const systems = asked.flatMap((name) => {
    const found = SYSTEM_NAMES.filter((system) => system.split(" ")[0] === name);
    if (found.length === 0) throw new UsageError(`There is no system '${name}'`);
    return found;
  });
  return SYSTEM_NAMES.filter((name) => systems.includes(name));
}

function refuse(argument: string): never {
  throw new UsageError(`Unknown argument '${argument}'`);
}

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const strings = ["data", "seconds", "rounds", "load", "system", "allocdb"] as const;
  const flags = parseArgs(args, {
    string: strings,
    collect: strings,
    boolean: ["install", "json", "help"],
    unknown: refuse,
  });
  const one = (name: typeof strings[number]): string | undefined => {
    const values = flags[name] ?? [];
    if (values.length > 1) throw new UsageError(`--${name} is given more than once`);
    if (values[0] === "") throw new UsageError(`--${name} needs a value`);
    return values[0];
  };
  return {
    data: one("data"),
    seconds: wholeNumber(one("seconds"), 5, "--seconds", 30),
    rounds: wholeNumber(one("rounds"), 3, "--rounds", 20),
    scenarios: chooseScenarios(one("load")),
    systems: chooseSystems(one("system")),
    allocdb: one("allocdb"),
    install: flags.install,
    json: flags.json,
    help: flags.help,
  };
}
