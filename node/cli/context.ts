/** What a verb knows when it starts: where the node is, how long to try, how to print. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatCredential } from "../auth/credential.ts";
import { readCredential } from "../auth/credential_file.ts";
import { readPem } from "../auth/tls_files.ts";
import { type ConnectOptions, TransportError } from "../client/types.ts";
import { CliError } from "../errors.ts";
import { formatMilliseconds, parseMilliseconds } from "./durations.ts";
import { transportFailure } from "./failures.ts";
import type { CliIo, NodeClient } from "./io.ts";
import { parseAddress } from "./numbers.ts";
import { type Format, FORMATS, type Style } from "./output.ts";
import {
  secretFileOf,
  SERVER_DEFAULT,
  type SharedFlags,
  sharedFlags,
  tlsCaOf,
} from "./shared_flags.ts";
import { shellCommand } from "./text.ts";

/** One run of the program. */
export interface Session {
  readonly io: CliIo;
  /** The words after the program's name. */
  readonly argv: readonly string[];
}

/** One verb about to run. */
export interface VerbContext {
  readonly io: CliIo;
  readonly style: Style;
  readonly flags: SharedFlags;
  /** Addresses to try in turn. */
  readonly servers: readonly string[];
  /** Absent when the flag was not given. */
  readonly timeoutMs: number | undefined;
  /** What to prove, and whom to believe; neither when no file was named. */
  readonly security: Pick<ConnectOptions, "secret" | "tlsAuthorities">;
  /** The command line as typed, in front of and behind the verb. */
  readonly typed: { readonly front: readonly string[]; readonly behind: readonly string[] };
}

/** How long a verb tries unless told, in milliseconds. */
export const TIMEOUT_MS_DEFAULT = 10_000;

/** How long one connection attempt may take at most, in milliseconds. */
const CONNECT_MS_MAX = 3_000;

/** Longest `--timeout`: what a timer can hold. */
const TIMEOUT_MS_MAX = 2_147_483_647n;

/** Reads the shared flags of a command that talks to a node. */
export function verbContext(command: CommandUnknownOpts, { io, argv }: Session): VerbContext {
  const flags = sharedFlags(command);
  const front = argv.length - (command.parent?.args.length ?? 0);
  return {
    io,
    flags,
    style: styleOf(flags, io),
    servers: serversOf(flags, io),
    timeoutMs: flags.timeout === undefined ? undefined : timeoutOf(flags.timeout),
    security: securityOf(flags, io),
    typed: { front: argv.slice(0, front), behind: argv.slice(front + 1) },
  };
}

/** How to print, from the flags and from where standard output goes. */
export function styleOf(flags: SharedFlags, io: CliIo): Style {
  const output = FORMATS.find((format) => format === flags.output);
  if (flags.json && output !== undefined && output !== "json") {
    const hint = `leave out --json or --output ${output}`;
    throw new CliError("E_USAGE", `--json and --output ${output} contradict each other`, { hint });
  }
  const format: Format = flags.json ? "json" : output ?? (io.out.isTerminal ? "table" : "kv");
  const isJson = format === "json" || format === "ndjson";
  if (flags.ids === "hex" && isJson) {
    const hint = "use --output table or kv with --ids hex";
    throw new CliError("E_USAGE", "ids in JSON are always decimal strings", { hint });
  }
  return { format, quiet: flags.quiet ?? false, ids: flags.ids === "hex" ? "hex" : "decimal" };
}

/** Opens a connection, uses it and closes it, whatever happens. */
export async function withClient<T>(
  context: VerbContext,
  clientId: bigint | undefined,
  use: (client: NodeClient) => Promise<T>,
): Promise<T> {
  const client = await connect(context, clientId);
  try {
    return await use(client);
  } catch (error) {
    throw error instanceof TransportError ? transportFailure(error, "asked") : error;
  } finally {
    await client.close();
  }
}

async function connect(context: VerbContext, clientId: bigint | undefined): Promise<NodeClient> {
  const timeoutMs = context.timeoutMs ?? TIMEOUT_MS_DEFAULT;
  try {
    return await context.io.connect({
      addresses: context.servers,
      clientName: "allocdb",
      requestTimeoutMs: timeoutMs,
      connectTimeoutMs: Math.min(timeoutMs, CONNECT_MS_MAX),
      ...context.security,
      ...(clientId === undefined ? {} : { clientId }),
    });
  } catch (error) {
    throw error instanceof TransportError ? transportFailure(error, "connecting") : error;
  }
}

/**
 * Waits for a promise, or for Ctrl-C.
 *
 * @param work What to wait for; it goes on by itself after an interruption.
 * @param signal Fires on Ctrl-C.
 * @returns What the work gave, or `undefined` when interrupted first.
 */
export async function unlessInterrupted<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const interrupt = (): void => resolve(undefined);
  signal.addEventListener("abort", interrupt);
  if (signal.aborted) interrupt();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

/**
 * The command line to paste for the same again, with other or further flags.
 *
 * @param context The verb that ran.
 * @param verb Its name.
 * @param flags Pairs of flag and value that replace those typed.
 */
export function pasteable(
  { typed: { front, behind } }: VerbContext,
  verb: string,
  flags: readonly (readonly [flag: string, value: string])[],
): string {
  const names = flags.map(([flag]) => flag);
  const words = ["allocdb", ...without(front, names), verb, ...flags.flat()];
  return shellCommand([...words, ...without(behind, names)]);
}

/** Words without the given flags and their values; what follows `--` stays. */
function without(words: readonly string[], flags: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--") return [...kept, ...words.slice(i)];
    if (flags.includes(word)) i++;
    else if (!flags.some((flag) => word.startsWith(`${flag}=`))) kept.push(word);
  }
  return kept;
}

function serversOf({ server }: SharedFlags, io: CliIo): readonly string[] {
  const [text, what] = server === undefined
    ? [io.env("ALLOCDB_SERVER") || SERVER_DEFAULT, "ALLOCDB_SERVER"]
    : [server, "--server"];
  return text.split(",").map((address) => parseAddress(address, what, 1));
}

/** Reads the files that flags or the environment name. */
function securityOf(flags: SharedFlags, io: CliIo): VerbContext["security"] {
  const secretFile = secretFileOf(flags, io);
  const tlsCa = tlsCaOf(flags, io);
  return {
    ...(secretFile === undefined ? {} : { secret: formatCredential(readCredential(secretFile)) }),
    ...(tlsCa === undefined ? {} : { tlsAuthorities: readPem(tlsCa, "CERTIFICATE") }),
  };
}

/** `--timeout` in milliseconds. */
export function timeoutOf(text: string): number {
  const ms = parseMilliseconds(text, "--timeout");
  if (ms <= TIMEOUT_MS_MAX) return Number(ms);
  const hint = `the longest is ${formatMilliseconds(TIMEOUT_MS_MAX)}`;
  throw new CliError("E_BAD_DURATION", "--timeout is too long", { hint });
}
