/** Pages of `allocdb help` that are about no single command. */
import { ERRORS, EXIT_CODES } from "../error_catalogue.ts";

/** One page. */
export interface Topic {
  readonly says: string;
  readonly text: () => string;
}

function page(says: string, text: string): Topic {
  return { says, text: () => text };
}

/** By name, in the order of `help topics`. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  ids: page(
    "how to write ids and names",
    `Resources, holders, clients and operations have ids of 128 bits, written as

  101                                    decimal digits
  0x65                                   0x and hex digits
  6f1f3c1e-0a3b-4c5d-8e7f-001122334455   a UUID
  seat:21A                               a name

A name stands for the first 16 bytes, big-endian, of the SHA-256 of "allocdb:name:" and the name
(in Unicode's normal form C, as UTF-8). Upper and lower case differ. What could be read as two of
these is refused: 1_000, -5, 32 hex digits without 0x, a UUID with a digit missing.

Reservations have no names. Their ids are what \`allocdb reserve\` printed, in decimal, as 0x… or
as SHARD/LSN. In JSON every id is a decimal string; --ids hex is for table and kv.
`,
  ),
  durations: page(
    "how to write durations",
    `A duration has a unit: 250ms, 90s, 10m, 1.5h, 1h30m. --ttl also takes logical time, 500slots.
A bare number is refused, as it could mean seconds, milliseconds or slots.
A node rounds a TTL up to whole slots: a reservation may be freed late, never early.
`,
  ),
  output: page(
    "what is printed where, and in which form",
    `Data goes to standard output and nothing else does; errors, hints and progress go to standard error.

  --output table    aligned, for people; the default on a terminal; may change
  --output kv       one key=value per line; the default in a pipe
  --output json     one document; --json for short; errors are JSON on standard error
  --output ndjson   one line per document, for --watch
  --quiet           only the value that matters: reserve the reservation's id, get the state

Keys of kv, json and ndjson are only ever added. Numbers of 64 and 128 bits are decimal strings in
JSON. What is absent is \`none\` in table and kv and null in JSON.
A command whose result is committed but not ok prints the result and exits with 1.
`,
  ),
  retries: page(
    "what to do when the outcome is unknown",
    `Exit code 6 means: the command was sent, no result came back, and it may or may not have happened.
Send the same again with the same --client and --operation-id: it happens at most once, and when it
had happened the node answers what it answered then (from_retry_cache=true). The hint of the error is
that command line, ready to paste. A node remembers operations for its longest TTL and a window more.
`,
  ),
  environment: page(
    "environment variables",
    `ALLOCDB_SERVER   node to talk to, instead of --server
ALLOCDB_CLIENT   client half of the retry key, instead of --client
ALLOCDB_HOLDER   who reservations are for, instead of --holder
ALLOCDB_TRACE    1 prints a stack trace with every error
NO_COLOR         anything but empty: no colour
FORCE_COLOR      anything but empty and 0: colour in pipes too
`,
  ),
  "exit-codes": { says: "what each exit code means", text: exitCodes },
  errors: { says: "every error code", text: errors },
};

function exitCodes(): string {
  return Object.entries(EXIT_CODES).map(([code, says]) => `${code.padStart(5)}  ${says}\n`).join(
    "",
  );
}

function errors(): string {
  const rows = Object.entries(ERRORS).map(([code, { exitCode, meaning }]) =>
    `${code.padEnd(34)}${String(exitCode).padStart(3)}  ${meaning}\n`
  );
  return `${"CODE".padEnd(33)}EXIT  MEANING\n${rows.join("")}`;
}
