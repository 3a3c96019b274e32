/**
 * Flags that many commands share. The program takes them too, before the command: `allocdb --json status` and
 * `allocdb status --json` mean the same.
 */
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { CliError } from "../errors.ts";
import { COLOR_CHOICES } from "./color.ts";
import type { CliIo } from "./io.ts";
import { FORMATS } from "./output.ts";

/** Where a server listens unless told, and where the verbs look for it. */
export const SERVER_DEFAULT = "127.0.0.1:7100";

/** What was typed, unchecked but for choices; a command has only some of these. */
export interface SharedFlags {
  readonly server?: string;
  readonly timeout?: string;
  readonly secretFile?: string;
  readonly tlsCa?: string;
  readonly client?: string;
  readonly operationId?: string;
  readonly slot?: string;
  readonly output?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly ids?: string;
  readonly color?: string;
}

const SERVER = [
  "--server <host:port>",
  `Node to talk to, or several, with commas (env ALLOCDB_SERVER, default ${SERVER_DEFAULT})`,
];
const TIMEOUT = ["--timeout <duration>", "How long to try (default 10s)"];
const SECRET_FILE = [
  "--secret-file <file>",
  "Secret or key to prove who asks (env ALLOCDB_SECRET_FILE, default none)",
];
const TLS_CA = [
  "--tls-ca <file>",
  "Speak TLS, to whom this authority vouches for (env ALLOCDB_TLS_CA, default none)",
];
const CLIENT = [
  "--client <id>",
  "Client half of the retry key (env ALLOCDB_CLIENT, default 0)",
];
const OPERATION_ID = ["--operation-id <id>", "Operation half of the retry key (default random)"];
const SLOT = ["--slot <n>", "Logical time instead of the node's clock"];
const OUTPUT = ["-o, --output <format>", "How to print (default table on a terminal, else kv)"];
const JSON_FLAG = ["--json", "Short for --output json; errors become JSON too"];
const QUIET = ["-q, --quiet", "Print only the value that matters"];
const IDS = ["--ids <style>", "How table and kv show ids (default decimal)"];
const COLOR = ["--color <when>", "Whether to colour (default auto)"];

/** Adds the flags of every command that talks to a node. */
export function addConnectionFlags(command: CommandUnknownOpts): void {
  addOptions(command, "Connection:", [SERVER, TIMEOUT, SECRET_FILE, TLS_CA]);
}

/** Adds `--secret-file` alone. */
export function addSecretFlag(command: CommandUnknownOpts, group: string, says: string): void {
  addOptions(command, group, [[
    SECRET_FILE[0]!,
    `${says} (env ALLOCDB_SECRET_FILE, default none)`,
  ]]);
}

/** Adds what a server shows over TLS. */
export function addTlsFlags(command: CommandUnknownOpts, group: string): void {
  addOptions(command, group, [
    ["--tls-cert <file>", "Certificate to show: speak TLS with clients"],
    ["--tls-key <file>", "Its key"],
  ]);
}

/** The file that `--tls-ca` or the environment names. */
export function tlsCaOf(flags: SharedFlags, io: Pick<CliIo, "env">): string | undefined {
  const path = flags.tlsCa ?? io.env("ALLOCDB_TLS_CA");
  return path === "" ? undefined : path;
}

/** The file that `--secret-file` or the environment names. */
export function secretFileOf(flags: SharedFlags, io: Pick<CliIo, "env">): string | undefined {
  const path = flags.secretFile ?? io.env("ALLOCDB_SECRET_FILE");
  return path === "" ? undefined : path;
}

/** Adds the flags of every command that changes something. */
export function addRetryFlags(command: CommandUnknownOpts): void {
  addOptions(command, "Retry:", [CLIENT, OPERATION_ID]);
}

/** Adds the flag for whoever brings his own clock. */
export function addSlotFlag(command: CommandUnknownOpts): void {
  addOptions(command, "Options:", [SLOT]);
}

/** Adds the flags that decide how data is printed. */
export function addOutputFlags(command: CommandUnknownOpts): void {
  const group = "Output:";
  command.addOption(option(OUTPUT, group).choices(FORMATS));
  addOptions(command, group, [JSON_FLAG, QUIET]);
  command.addOption(option(IDS, group).choices(["decimal", "hex"]));
  addColorFlag(command);
}

/** Adds `--json` alone, for commands that show something of their own otherwise. */
export function addJsonFlag(command: CommandUnknownOpts, says: string): void {
  addOptions(command, "Output:", [["--json", says]]);
}

/** Adds `--color`. */
export function addColorFlag(command: CommandUnknownOpts): void {
  command.addOption(option(COLOR, "Output:").choices(COLOR_CHOICES));
}

/** Lets the program take every shared flag in front of the command, unlisted. */
export function addRootFlags(program: CommandUnknownOpts): void {
  const words = [
    SERVER,
    TIMEOUT,
    SECRET_FILE,
    TLS_CA,
    CLIENT,
    OPERATION_ID,
    SLOT,
    JSON_FLAG,
    QUIET,
  ];
  for (const word of words) program.addOption(option(word, "").hideHelp());
  program.addOption(option(OUTPUT, "").choices(FORMATS).hideHelp());
  program.addOption(option(IDS, "").choices(["decimal", "hex"]).hideHelp());
  program.addOption(option(COLOR, "").choices(COLOR_CHOICES).hideHelp());
}

/**
 * The shared flags of a command, wherever they stood.
 *
 * @param command The command that runs.
 * @returns What was typed.
 * @throws {CliError} E_USAGE for a flag in front of a command that has no such flag, or given in both places.
 */
export function sharedFlags(command: CommandUnknownOpts): SharedFlags {
  const own: Readonly<Record<string, unknown>> = command.opts();
  const program = programOf(command);
  for (const option of program.options) {
    const name = option.attributeName();
    if (program.getOptionValueSource(name) !== "cli") continue;
    if (own[name] !== undefined) throw repeated(option.long ?? option.flags);
    if (!command.options.some((known) => known.attributeName() === name)) {
      throw new CliError("E_USAGE", `${option.long} is not a flag of ${command.name()}`, {
        hint: `see \`allocdb ${command.name()} --help\``,
      });
    }
  }
  return command.optsWithGlobals();
}

function programOf(command: CommandUnknownOpts): CommandUnknownOpts {
  return command.parent === null ? command : programOf(command.parent);
}

/** The error of a flag that stands there twice. */
export function repeated(flag: string): CliError {
  const hint = "give it once: which of the two was meant cannot be told";
  return new CliError("E_USAGE", `${flag} is given more than once`, { hint });
}

function option(words: readonly string[], group: string): Option {
  const made = new Option(words[0]!, words[1]);
  // Given twice it names two servers, as with a comma.
  if (words === SERVER) made.argParser((value, before) => before ? `${before},${value}` : value);
  return group === "" ? made : made.helpGroup(group);
}

function addOptions(
  command: CommandUnknownOpts,
  group: string,
  list: readonly (readonly string[])[],
): void {
  for (const words of list) command.addOption(option(words, group));
}
