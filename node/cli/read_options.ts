/** Flags of the long-running commands, checked before anything is opened. */
import { applyBounds, type ConfigTextErrorKind } from "../config/text.ts";
import { type ProfileName, PROFILES } from "../config/profiles.ts";
import { CliError } from "../errors.ts";
import { parseClusterId } from "./ids.ts";
import { parseAddress, parseCount } from "./numbers.ts";
import type { BenchOptions, DemoOptions, Scenario, ServeOptions } from "./options.ts";
import { SERVER_DEFAULT } from "./shared_flags.ts";

/** Flags of serve, as typed. */
export interface ServeFlags {
  readonly data: string;
  readonly listen?: string | undefined;
  readonly http?: string | undefined;
  readonly secretFile?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly bound?: readonly string[] | undefined;
  readonly profile?: ProfileName | undefined;
  readonly clusterId?: string | undefined;
  readonly maxConnections?: string | undefined;
  readonly logFormat?: "text" | "json" | undefined;
  readonly manualExpiration?: boolean | undefined;
  readonly manualCheckpoint?: boolean | undefined;
  readonly checkpointBytes?: string | undefined;
  readonly checkpointFrames?: string | undefined;
  readonly checkpointSeconds?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Longest `--checkpoint-seconds`: what a timer can hold. */
const SECONDS_MAX = 2_147_483;

/**
 * Reads the flags of serve.
 *
 * @param flags As typed.
 * @returns Options with which nothing is wrong that can be seen without opening the data directory.
 * @throws {CliError} Exit code 2.
 */
export function serveOptions(flags: ServeFlags): ServeOptions {
  const { http, profile, clusterId, secretFile } = flags;
  if (flags.data === "") throw new CliError("E_USAGE", "--data is empty");
  return {
    data: flags.data,
    listen: parseAddress(flags.listen ?? SERVER_DEFAULT, "--listen", 0),
    ...(http === undefined ? {} : { http: httpAddress(http) }),
    ...(secretFile === undefined ? {} : { secretFile }),
    ...tlsOptions(flags),
    bounds: checkedBounds(flags.bound ?? [], profile),
    ...(profile === undefined ? {} : { profile }),
    ...checkpointOptions(flags),
    ...count("maxConnections", flags.maxConnections, "--max-connections", 1_000_000),
    ...(clusterId === undefined ? {} : { clusterId: parseClusterId(clusterId) }),
    logFormat: flags.logFormat ?? "text",
    json: flags.json ?? false,
  };
}

/** Flags that name files for TLS. */
interface TlsFlags {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
}

/** Both files, or none: half of them is a mistake. */
export function tlsOptions(
  { tlsCert, tlsKey }: TlsFlags,
): Pick<ServeOptions, "tlsCert" | "tlsKey"> {
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert !== undefined && tlsKey !== undefined) return { tlsCert, tlsKey };
  throw new CliError("E_USAGE", "--tls-cert and --tls-key go together", {
    hint: "give both, as `allocdb tls create-cert` makes both",
  });
}

type CheckpointOptions = Pick<
  ServeOptions,
  | ("manualExpiration" | "manualCheckpoint")
  | ("checkpointBytes" | "checkpointFrames" | "checkpointSeconds")
>;

function checkpointOptions(flags: ServeFlags): CheckpointOptions {
  const triggers = {
    ...count("checkpointBytes", flags.checkpointBytes, "--checkpoint-bytes", 2 ** 50),
    ...count("checkpointFrames", flags.checkpointFrames, "--checkpoint-frames", 2 ** 50),
    ...count("checkpointSeconds", flags.checkpointSeconds, "--checkpoint-seconds", SECONDS_MAX),
  };
  const manualCheckpoint = flags.manualCheckpoint ?? false;
  if (manualCheckpoint && Object.keys(triggers).length > 0) {
    const message = "--manual-checkpoint and what triggers a checkpoint contradict each other";
    throw new CliError("E_USAGE", message, { hint: "leave one of them out" });
  }
  return { manualExpiration: flags.manualExpiration ?? false, manualCheckpoint, ...triggers };
}

/** An optional count under its name; absent when it was not typed. */
function count<Name extends string>(
  name: Name,
  text: string | undefined,
  flag: string,
  max: number,
): { readonly [key in Name]?: number } {
  if (text === undefined) return {};
  return { [name]: parseCount(text, flag, 1, max) } as { readonly [key in Name]?: number };
}

function httpAddress(text: string): string {
  return parseAddress(/^[0-9]+$/.test(text) ? `127.0.0.1:${text}` : text, "--http", 0);
}

/** Mistakes in the text of a bound; the others depend on the data directory. */
const TEXT_MISTAKES: ReadonlySet<string> = new Set<ConfigTextErrorKind>([
  ...["not_an_assignment", "unknown_parameter", "repeated_parameter"] as const,
  ...["malformed_number", "number_too_large"] as const,
]);

/** Bounds as typed, if they can be read at all; whether they fit a workspace or data directory shows later. */
export function checkedBounds(
  bounds: readonly string[],
  profile: ProfileName = "default",
): readonly string[] {
  const result = applyBounds(PROFILES[profile], bounds);
  if (result.kind === "refused" && TEXT_MISTAKES.has(result.error.kind)) {
    throw new CliError("E_BAD_CONFIG", `--bound: ${result.error.message}`, {
      context: { kind: result.error.kind, parameter: result.error.parameter },
    });
  }
  return bounds;
}

/** Flags of bench, as typed. */
export interface BenchFlags {
  readonly scenario?: Scenario | undefined;
  readonly hotspotRounds?: string | undefined;
  readonly hotspotContenders?: string | undefined;
  readonly retryTableCapacity?: string | undefined;
  readonly retryDuplicateFanout?: string | undefined;
  readonly retryFullRejectionAttempts?: string | undefined;
  readonly data?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Most rows of a table that a reference scenario may ask for. */
const TABLE_ROWS_MAX = 65_536;
/** Most commands of the retry scenario. */
const RETRY_TOTAL_MAX = 1_000_000;

/**
 * Reads the flags of bench.
 *
 * @param flags As typed.
 * @returns Options that every scenario can run with.
 * @throws {CliError} Exit code 2.
 */
export function benchOptions(flags: BenchFlags): BenchOptions {
  const read = (text: string | undefined, flag: string, min: number, standard: number): number =>
    text === undefined ? standard : parseCount(text, flag, min, RETRY_TOTAL_MAX);
  const options: BenchOptions = {
    scenario: flags.scenario ?? "all",
    hotspotRounds: read(flags.hotspotRounds, "--hotspot-rounds", 1, 256),
    hotspotContenders: read(flags.hotspotContenders, "--hotspot-contenders", 2, 32),
    retryTableCapacity: read(flags.retryTableCapacity, "--retry-table-capacity", 1, 128),
    retryDuplicateFanout: read(flags.retryDuplicateFanout, "--retry-duplicate-fanout", 1, 4),
    retryFullRejectionAttempts: read(
      flags.retryFullRejectionAttempts,
      "--retry-full-rejection-attempts",
      1,
      32,
    ),
    ...(flags.data === undefined ? {} : { data: flags.data }),
    json: flags.json ?? false,
  };
  checkBenchSize(options);
  return options;
}

function checkBenchSize(options: BenchOptions): void {
  const { hotspotRounds: rounds, retryTableCapacity: capacity } = options;
  const operations = rounds * (options.hotspotContenders + 1) + 9;
  const retries = capacity + 2 * capacity * options.retryDuplicateFanout +
    options.retryFullRejectionAttempts + 1;
  atMost("--hotspot-rounds", "reservations", rounds + 4, TABLE_ROWS_MAX);
  atMost("--hotspot-rounds and --hotspot-contenders", "operations", operations, TABLE_ROWS_MAX);
  atMost("--retry-table-capacity", "resources", capacity + 8, TABLE_ROWS_MAX);
  const retryFlags = "--retry-table-capacity and --retry-duplicate-fanout";
  atMost(retryFlags, "commands", retries, RETRY_TOTAL_MAX);
}

function atMost(flags: string, things: string, asked: number, max: number): void {
  if (asked <= max) return;
  throw new CliError("E_BAD_NUMBER", `${flags} ask for ${asked} ${things}, at most ${max} fit`, {
    hint: "give smaller numbers",
  });
}

/** Flags of demo, as typed. */
export interface DemoFlags {
  readonly fast?: boolean | undefined;
  readonly seats?: string | undefined;
  readonly buyers?: string | undefined;
  readonly seed?: string | undefined;
  readonly keep?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Reads the flags of demo.
 *
 * @param flags As typed.
 * @param color Whether standard output may carry colours.
 * @throws {CliError} Exit code 2.
 */
export function demoOptions(flags: DemoFlags, color: boolean): DemoOptions {
  const { seats, buyers, seed } = flags;
  return {
    fast: flags.fast ?? false,
    seats: seats === undefined ? 200 : parseCount(seats, "--seats", 1, 1_000),
    buyers: buyers === undefined ? 50 : parseCount(buyers, "--buyers", 1, 1_000),
    seed: seed === undefined ? 1 : parseCount(seed, "--seed", 0, 0xffff_ffff),
    keep: flags.keep ?? false,
    json: flags.json ?? false,
    color,
  };
}
