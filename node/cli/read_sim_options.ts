/** Flags of sim, checked before anything is simulated. */
import { CliError } from "../errors.ts";
import { parseCount } from "./numbers.ts";
import type { Style } from "./output.ts";
import type { Destination, SimLives, SimOptions, SimProfile } from "./sim_options.ts";
import { quote } from "./text.ts";

/** Flags of sim, as typed. A flag whose value may be left out is `true` then. */
export interface SimFlags {
  readonly seed?: string | undefined;
  readonly seeds?: string | undefined;
  readonly from?: string | undefined;
  readonly replay?: string | undefined;
  readonly script?: string | undefined;
  readonly update?: boolean | undefined;
  readonly profile?: SimProfile | undefined;
  readonly jobs?: string | undefined;
  readonly untilFailure?: boolean | undefined;
  readonly minutes?: string | undefined;
  readonly steps?: string | undefined;
  readonly trace?: string | true | undefined;
  readonly html?: string | undefined;
  readonly at?: string | undefined;
  readonly twice?: boolean | undefined;
  readonly cost?: string | true | undefined;
  readonly out?: string | undefined;
  /** False for `--no-shrink`. */
  readonly shrink?: boolean | undefined;
  readonly worker?: boolean | undefined;
}

/** Highest seed. */
const SEED_MAX = 0xffff_ffff;
/** Lives when nobody says how many. */
const SEEDS_DEFAULT = 100;
const JOBS_MAX = 256;
/** Longest `--minutes`: a month. */
const MINUTES_MAX = 43_200;
const STEPS_MAX = 1_000_000_000;
/** Latest `--at`: a day of virtual time. */
const AT_MS_MAX = 86_400_000;

/**
 * Reads the flags of sim.
 *
 * @param flags As typed.
 * @param style How to print.
 * @returns Options with which nothing is wrong that can be seen without reading a file.
 * @throws {CliError} Exit code 2.
 */
export function simOptions(flags: SimFlags, style: Style): SimOptions {
  const lives = livesOf(flags);
  if (lives.kind !== "seed" && lives.kind !== "plan") refuseAll(flags, OF_ONE_LIFE, needsOneLife);
  else refuseAll(flags, OF_MANY_LIVES, needsMany);
  if (lives.kind === "plan") refuseAll(flags, OF_SEEDS, needsSeeds);
  if (lives.kind === "script") refuseAll(flags, OF_LIVES, needsLives);
  else if (flags.update !== undefined) throw usage("--update goes with --script");
  if (flags.at !== undefined && flags.html === undefined) throw usage("--at goes with --html");
  if (flags.cost !== undefined && flags.jobs !== undefined) {
    throw usage("--cost looks at one process", "leave --jobs out");
  }
  if (flags.profile === "single" && (flags.steps ?? flags.html) !== undefined) {
    throw usage("--steps and --html are about clusters", "leave them out with --profile single");
  }
  const isJson = style.format === "json" || style.format === "ndjson";
  if (flags.trace === true && isJson) throw usage("--trace needs a file beside JSON");
  return {
    lives,
    profile: flags.profile ?? "swarm",
    jobs: count(flags.jobs, "--jobs", 1, JOBS_MAX) ?? 1,
    untilFailure: flags.untilFailure ?? false,
    ...optional("forMs", timesMinute(count(flags.minutes, "--minutes", 1, MINUTES_MAX))),
    ...optional("stepsMax", count(flags.steps, "--steps", 1, STEPS_MAX)),
    ...optional("trace", destination(flags.trace, "--trace")),
    ...optional("html", fileName(flags.html, "--html")),
    ...optional("atMs", count(flags.at, "--at", 0, AT_MS_MAX)),
    twice: flags.twice ?? false,
    ...optional("cost", destination(flags.cost, "--cost")),
    out: fileName(flags.out, "--out") ?? ".",
    shrinks: flags.shrink ?? true,
    style,
  };
}

/**
 * Reads a seed: a number of 32 bits, or the 40 digits of a commit, of which the first 8 count.
 *
 * @throws {CliError} E_BAD_NUMBER.
 */
export function parseSeed(text: string): number {
  if (/^[0-9a-f]{40}$/i.test(text)) return parseInt(text.slice(0, 8), 16);
  return parseCount(text, "--seed", 0, SEED_MAX);
}

function livesOf({ seed, seeds, from, replay, worker, ...flags }: SimFlags): SimLives {
  if (worker) return { kind: "worker" };
  if (flags.script !== undefined) {
    const file = fileName(flags.script, "--script")!;
    return { kind: "script", file, updates: flags.update ?? false };
  }
  if (replay !== undefined) {
    if (seed === undefined) return { kind: "plan", file: fileName(replay, "--replay")! };
    throw usage("--replay and --seed contradict each other");
  }
  if (seed !== undefined && from !== undefined) {
    throw usage("--seed and --from contradict each other", "--seed S --seeds N starts at S");
  }
  if (seed !== undefined && seeds === undefined) return { kind: "seed", seed: parseSeed(seed) };
  const first = seed === undefined ? parseFrom(from) : parseSeed(seed);
  const isOpen = seeds === undefined && (flags.untilFailure || flags.minutes !== undefined);
  const many = isOpen ? undefined : parseSeeds(seeds, first);
  return { kind: "seeds", from: first, count: many };
}

function parseFrom(from: string | undefined): number {
  return count(from, "--from", 0, SEED_MAX) ?? 1;
}

/** At most as many as there are from the first on. */
function parseSeeds(seeds: string | undefined, first: number): number {
  const left = SEED_MAX - first + 1;
  return count(seeds, "--seeds", 1, left) ?? Math.min(SEEDS_DEFAULT, left);
}

type FlagName = keyof SimFlags;

const OF_ONE_LIFE: readonly FlagName[] = ["trace", "html", "at", "twice"];
const OF_MANY_LIVES: readonly FlagName[] = ["jobs", "untilFailure", "minutes"];
const OF_SEEDS: readonly FlagName[] = ["seeds", "from", "profile"];

const OF_LIVES: readonly FlagName[] = [
  ...["seed", "seeds", "from", "replay", "profile", "steps"] as const,
  ...["cost", "out", "shrink"] as const,
];

/** A flag that would have no effect is a mistake. */
function refuseAll(
  flags: SimFlags,
  names: readonly FlagName[],
  refusal: (flag: string) => CliError,
): void {
  const typed = names.find((name) => flags[name] !== undefined);
  if (typed !== undefined) {
    throw refusal(`--${typed.replace(/[A-Z]/g, (c) => `-${c}`)}`.toLowerCase());
  }
}

function needsOneLife(flag: string): CliError {
  return usage(`${flag} is about one life`, "name it: --seed S, or --replay FILE");
}

function needsMany(flag: string): CliError {
  return usage(`${flag} is about many lives`, "say how many: --seeds N");
}

function needsSeeds(flag: string): CliError {
  return usage(`${flag} is about seeds, and a plan is whole`, "leave it out with --replay");
}

function needsLives(flag: string): CliError {
  return usage(`${flag} is about lives, and a script is none`, "leave it out with --script");
}

function usage(message: string, hint = "see `allocdb sim --help`"): CliError {
  return new CliError("E_USAGE", message, { hint });
}

function count(
  text: string | undefined,
  flag: string,
  min: number,
  max: number,
): number | undefined {
  return text === undefined ? undefined : parseCount(text, flag, min, max);
}

function timesMinute(minutes: number | undefined): number | undefined {
  return minutes === undefined ? undefined : minutes * 60_000;
}

function destination(value: string | true | undefined, flag: string): Destination | undefined {
  if (value === undefined) return undefined;
  return value === true ? "output" : { file: fileName(value, flag)! };
}

/** A path that may name a file: neither empty nor with what no path has. */
function fileName(path: string | undefined, flag: string): string | undefined {
  if (path === "" || path?.includes("\0")) throw usage(`${flag} ${quote(path)} is no path`);
  return path;
}

/** A value under its name; nothing when there is none. */
function optional<Name extends string, T>(
  name: Name,
  value: T | undefined,
): { readonly [key in Name]?: T } {
  return value === undefined ? {} : { [name]: value } as { readonly [key in Name]?: T };
}
