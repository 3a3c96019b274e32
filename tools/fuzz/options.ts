/** The command line of the fuzzer. Pure. */
import { parseArgs } from "@std/cli/parse-args";

/** What was asked for. */
export interface Options {
  /** How long to run, over all targets, in seconds. */
  readonly seconds: number;
  /** Undefined for one by chance. */
  readonly seed: number | undefined;
  /** Names; all there are when empty. */
  readonly targets: readonly string[];
  /** Cases of each target instead of seconds. */
  readonly cases: number | undefined;
  /** The one case to repeat. */
  readonly caseNumber: number | undefined;
  /** The file to repeat. */
  readonly replay: string | undefined;
  readonly list: boolean;
  readonly help: boolean;
}

/** A command line that makes no sense; the message says what. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The text of `--help`. */
export const USAGE = `Usage: ./tools/deno task fuzz -- [options]

Feeds every decoder and parser, the server, the gateway, the log and the engine with damaged input
and holds each answer against an oracle.

  --seconds N    How long to run, all targets together, 1 to 1000000 (default 60)
  --cases N      Run so many cases of each target instead
  --seed S       0 to 4294967295 (default: by chance; the report names it)
  --target NAME  Only this one; several by commas or by repeating the flag (default all)
  --case N       With --seed and one --target: repeat one case and print its input
  --replay FILE  Repeat the input in a file of tests/corpus/fuzz
  --list         Name the targets

Exit code: 0 nothing found, 2 usage, 3 a promise was broken, 6 nothing found but some target has
seen too little to say so.
`;

const STRINGS = ["seconds", "cases", "seed", "target", "case", "replay"] as const;

function refuse(argument: string): never {
  throw new UsageError(`Unknown argument '${argument}'`);
}

function wholeNumber(text: string, flag: string, min: number, max: number): number {
  const value = Number(text);
  if (/^(0|[1-9][0-9]*)$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${flag} '${text}' is not a whole number from ${min} to ${max}`);
}

/**
 * Reads the command line.
 *
 * @param args As given; the \`--\` that \`deno task\` passes on may come first.
 * @param known Names of the targets.
 * @throws {UsageError}
 */
export function parseOptions(args: readonly string[], known: readonly string[]): Options {
  const flags = parseArgs(args[0] === "--" ? args.slice(1) : args, {
    string: STRINGS,
    collect: STRINGS,
    boolean: ["list", "help"],
    unknown: refuse,
  });
  const one = (name: typeof STRINGS[number]): string | undefined => {
    const values = flags[name] ?? [];
    if (values.length > 1) throw new UsageError(`--${name} is given more than once`);
    if (values[0] === "") throw new UsageError(`--${name} needs a value`);
    return values[0];
  };
  const number = (name: typeof STRINGS[number], min: number, max: number): number | undefined => {
    const text = one(name);
    return text === undefined ? undefined : wholeNumber(text, `--${name}`, min, max);
  };
  const targets = (flags.target ?? []).flatMap((names) => names.split(","));
  const stranger = targets.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new UsageError(`There is no target '${stranger}'`);
  const options = {
    seconds: number("seconds", 1, 1_000_000) ?? 60,
    seed: number("seed", 0, 0xffff_ffff),
    targets,
    cases: number("cases", 1, Number.MAX_SAFE_INTEGER),
    caseNumber: number("case", 0, Number.MAX_SAFE_INTEGER),
    replay: one("replay"),
    list: flags.list,
    help: flags.help,
  };
  const isExact = options.seed !== undefined && targets.length === 1;
  if (options.caseNumber !== undefined && !isExact) {
    throw new UsageError("--case needs --seed and one --target");
  }
  return options;
}
