/** Numbers and addresses as people type them. */
import { CliError } from "../errors.ts";
import { quote } from "./text.ts";

const U64_MAX = (1n << 64n) - 1n;
/** Digits of the largest u64. */
const U64_DIGITS_MAX = 20;

/**
 * Reads a lsn, slot or epoch: decimal digits.
 *
 * @param text As typed.
 * @param what What it is for, for the message, e.g. `--epoch`.
 * @returns 0 to 2^64 - 1.
 * @throws {CliError} E_BAD_NUMBER.
 */
export function parseU64(text: string, what: string): bigint {
  if (!/^[0-9]+$/.test(text)) throw badNumber(text, `${what} ${quote(text)} is not a whole number`);
  const digits = text.replace(/^0+(?=.)/, "");
  const value = digits.length > U64_DIGITS_MAX ? U64_MAX + 1n : BigInt(digits);
  if (value > U64_MAX) {
    throw badNumber(text, `${what} ${quote(text)} does not fit 64 bits`);
  }
  return value;
}

/**
 * Reads a count.
 *
 * @param text As typed.
 * @param what What it is for, for the message.
 * @param min Smallest value that makes sense.
 * @param max Largest value that makes sense.
 * @throws {CliError} E_BAD_NUMBER.
 */
export function parseCount(text: string, what: string, min: number, max: number): number {
  const value = parseU64(text, what);
  if (value < BigInt(min) || value > BigInt(max)) {
    throw badNumber(text, `${what} ${quote(text)} is out of range`, `give ${min} to ${max}`);
  }
  return Number(value);
}

/**
 * Reads an address: `HOST:PORT`, an IPv6 host in brackets.
 *
 * @param text As typed.
 * @param what What it is for, for the message.
 * @param portMin 0 where the system may choose a port, else 1.
 * @returns The same text.
 * @throws {CliError} E_BAD_ADDRESS.
 */
export function parseAddress(text: string, what: string, portMin: 0 | 1): string {
  const parts = /^(\[[0-9a-f:.]+\]|[^\s:/[\]@]+):([0-9]{1,5})$/i.exec(text);
  const port = Number(parts?.[2]);
  if (parts !== null && port >= portMin && port <= 65_535) return text;
  const problem = parts === null ? "is not HOST:PORT" : "has no such port";
  throw new CliError("E_BAD_ADDRESS", `${what} ${quote(text)} ${problem}`, { context: { text } });
}

function badNumber(text: string, message: string, hint?: string): CliError {
  const context = { text: text.slice(0, 300) };
  return new CliError(
    "E_BAD_NUMBER",
    message,
    hint === undefined ? { context } : { hint, context },
  );
}
