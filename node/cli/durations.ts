/**
 * Lengths of time as people type them. A unit is always required: a bare `30` has meant seconds, milliseconds
 * and slots in different tools. Source: docs/cli.md#durations.
 */
import { CliError } from "../errors.ts";
import { quote } from "./text.ts";

/** Milliseconds of each unit. */
const UNIT_MS: ReadonlyMap<string, bigint> = new Map([
  ["ms", 1n],
  ["s", 1_000n],
  ["m", 60_000n],
  ["h", 3_600_000n],
]);

const U64_MAX = (1n << 64n) - 1n;
/** Longest duration in milliseconds: 100 years, far above every bound and far below every overflow. */
const DURATION_MS_MAX = 3_155_760_000_000n;

/** One number with its unit; at most 15 digits before and 9 after the point. */
const PART = /([0-9]{1,15})(?:\.([0-9]{1,9}))?(ms|s|m|h)/y;

/** A length of time: real time, or slots of logical time. */
export type Duration =
  | { readonly unit: "ms"; readonly ms: bigint }
  | { readonly unit: "slots"; readonly slots: bigint };

/**
 * Reads a length of real time: `250ms`, `90s`, `10m`, `1.5h`, `1h30m`.
 *
 * @param text As typed.
 * @param what What it is for, for the message, e.g. `--timeout`.
 * @returns Whole milliseconds, above 0.
 * @throws {CliError} E_BAD_DURATION.
 */
export function parseMilliseconds(text: string, what: string): bigint {
  const ms = sumOfParts(text);
  if (ms === undefined) throw malformed(text, what);
  if (ms === "finer") {
    throw bad(text, `${what} ${quote(text)} is not a whole number of milliseconds`);
  }
  if (ms === 0n) throw bad(text, `${what} ${quote(text)} is zero`);
  if (ms > DURATION_MS_MAX) throw bad(text, `${what} ${quote(text)} is longer than 100 years`);
  return ms;
}

/**
 * Reads a length of real time, as {@linkcode parseMilliseconds} does, or of logical time: `500slots`.
 *
 * @param text As typed.
 * @param what What it is for, for the message.
 * @returns Above 0; slots fit 64 bits.
 * @throws {CliError} E_BAD_DURATION.
 */
export function parseDuration(text: string, what: string): Duration {
  const digits = /^([0-9]+)slots?$/.exec(text)?.[1];
  if (digits === undefined) return { unit: "ms", ms: parseMilliseconds(text, what) };
  const slots = digits.length > 40 ? U64_MAX + 1n : BigInt(digits);
  if (slots > U64_MAX) throw bad(text, `${what} ${quote(text)} does not fit 64 bits`);
  if (slots === 0n) throw bad(text, `${what} ${quote(text)} is zero`);
  return { unit: "slots", slots };
}

/** Whole milliseconds as text that {@linkcode parseMilliseconds} reads back, in the largest units that fit. */
export function formatMilliseconds(ms: bigint): string {
  let rest = ms;
  let text = "";
  for (const unit of ["h", "m", "s", "ms"]) {
    const size = UNIT_MS.get(unit)!;
    if (rest >= size) text += `${rest / size}${unit}`;
    rest %= size;
  }
  return text === "" ? "0ms" : text;
}

/** Milliseconds of a sum such as `1h30m`: units fall, each at most once. `finer` when they are not whole. */
function sumOfParts(text: string): bigint | "finer" | undefined {
  // Billionths, so that nine digits after the point are exact.
  let billionths = 0n;
  let smallest: bigint | undefined;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text);
    if (part === null) return undefined;
    const unit = UNIT_MS.get(part[3]!)!;
    if (smallest !== undefined && unit >= smallest) return undefined;
    smallest = unit;
    billionths += BigInt(part[1]! + (part[2] ?? "").padEnd(9, "0")) * unit;
  }
  if (smallest === undefined) return undefined;
  return billionths % 1_000_000_000n === 0n ? billionths / 1_000_000_000n : "finer";
}

function malformed(text: string, what: string): CliError {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text) && text.length <= 15) {
    const hint = `write ${text}s for seconds, ${text}ms for milliseconds, ${text}m for minutes`;
    return bad(text, `${what} ${quote(text)} has no unit`, hint);
  }
  return bad(text, `${what} ${quote(text)} is not a duration`);
}

function bad(text: string, message: string, hint?: string): CliError {
  const context = { text: text.slice(0, 300) };
  return new CliError(
    "E_BAD_DURATION",
    message,
    hint === undefined ? { context } : { hint, context },
  );
}
