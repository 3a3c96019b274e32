/** The command line of the cluster benchmark. Pure. */
import { chooseScenarios, readFlags, UsageError, wholeNumber } from "../peers/flags.ts";
import { type Scenario, scenario } from "../peers/measurement.ts";

/** Systems by name, in the order of their turns. */
export const SYSTEM_NAMES = ["etcd", "etcd shared", "allocdb", "allocdb shared"] as const;

/** What is measured, in this order. */
export const PARTS = ["load", "failover", "catch-up", "idle"] as const;

/** One of {@linkcode PARTS}. */
export type Part = typeof PARTS[number];

/** Every load, lightest first: one command per request, then batches. */
export const CLUSTER_SCENARIOS: readonly Scenario[] = [
  ...[1, 64, 256, 1_000].map((clients) => scenario(clients, 1)),
  scenario(4, 1_024),
];

/** What was asked for. */
export interface ClusterOptions {
  readonly data: string | undefined;
  readonly seconds: number;
  readonly rounds: number;
  readonly scenarios: readonly Scenario[];
  readonly systems: readonly string[];
  readonly parts: readonly Part[];
  readonly kills: number;
  readonly catchUpMib: number;
  readonly idleSeconds: number;
  /** A compiled `allocdb`; undefined for the default, dist/allocdb. */
  readonly allocdb: string | undefined;
  /** Whether to run from the sources instead. */
  readonly isFromSources: boolean;
  readonly install: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** The text of `--help`. */
export const USAGE = `Usage: ./tools/deno task bench:cluster [options]

Measures three replicas of AllocDB beside three members of etcd, in turns, on the same disk, and then
what only AllocDB is asked for. Every command is on the disks of a majority before it is answered.
The data goes to temporary directories and is removed.

  --part NAMES          Of ${PARTS.join(", ")}, separated by commas (default all)
  --seconds N           Length of one measurement under load, 1 to 30 (default 5)
  --rounds N            Turns of every system under every load, 1 to 20 (default 3)
  --load NAMES          CLIENTSxDEPTH, separated by commas (default ${
  CLUSTER_SCENARIOS.map(({ name }) => name).join(",")
})
  --system NAMES        Of etcd, allocdb, separated by commas (default all)
  --kills N             Primaries to kill, 1 to 1000 (default 20)
  --catch-up-mib N      What the wiped replica has to get, 1 to 65536 (default 1024)
  --idle-seconds N      How long to look at an idle cluster, 1 to 3600 (default 60)
  --data DIR            A directory on the disk to measure (default dist/bench)
  --allocdb FILE        The compiled binary (default dist/allocdb: ./tools/deno task compile)
  --sources             Run the sources instead of a binary
  --install             First install etcd-server and etcd-client with apt-get; needs root
  --json                Print the report as JSON

Exit code: 0 every row has a figure, 1 some row has none, 2 usage.
`;

function chooseOf<Name extends string>(
  text: string | undefined,
  names: readonly Name[],
  keyOf: (name: Name) => string,
  what: string,
): readonly Name[] {
  if (text === undefined) return names;
  const asked = text.split(",");
  const unknown = asked.find((key) => !names.some((name) => keyOf(name) === key));
  if (unknown !== undefined) throw new UsageError(`There is no ${what} '${unknown}'`);
  return names.filter((name) => asked.includes(keyOf(name)));
}

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): ClusterOptions {
  const { one, has } = readFlags(
    args,
    [
      ...["data", "seconds", "rounds", "load", "system", "part", "kills"] as const,
      ...["catch-up-mib", "idle-seconds", "allocdb"] as const,
    ],
    ["sources", "install", "json", "help"],
  );
  if (has("sources") && one("allocdb") !== undefined) {
    throw new UsageError("--sources and --allocdb exclude each other");
  }
  return {
    data: one("data"),
    seconds: wholeNumber(one("seconds"), 5, "--seconds", 30),
    rounds: wholeNumber(one("rounds"), 3, "--rounds", 20),
    scenarios: chooseScenarios(one("load"), CLUSTER_SCENARIOS),
    systems: chooseOf(one("system"), SYSTEM_NAMES, (name) => name.split(" ")[0]!, "system"),
    parts: chooseOf(one("part"), PARTS, (name) => name, "part"),
    kills: wholeNumber(one("kills"), 20, "--kills", 1_000),
    catchUpMib: wholeNumber(one("catch-up-mib"), 1_024, "--catch-up-mib", 65_536),
    idleSeconds: wholeNumber(one("idle-seconds"), 60, "--idle-seconds", 3_600),
    allocdb: one("allocdb"),
    isFromSources: has("sources"),
    install: has("install"),
    json: has("json"),
    help: has("help"),
  };
}
