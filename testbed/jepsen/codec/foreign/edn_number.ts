/** Numbers of EDN and of Clojure's reader, exact: no floating point comes near them. */
import type { Datum } from "./datum.ts";

/** Longer numbers are refused: nobody records them, and reading them takes more than linear time. */
const DIGITS_MAX = 4096;
/** Beyond this a decimal is written with an exponent. */
const PLAIN_ZEROS_MAX = 20n;
const PLAIN_DIGITS_MAX = 15;

const SMALL = Array.from({ length: 1024 }, (_, value) => BigInt(value));
const WHOLE = /^([+-]?)(0|[1-9]\d*)N?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]+)N?$/;
const OCTAL = /^([+-]?)0([0-7]+)N?$/;
const RADIX = /^([+-]?)([1-9]\d?)[rR]([0-9a-zA-Z]+)$/;
const RATIO = /^([+-]?\d+)\/(\d+)$/;
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?(M?)$/;

/**
 * @param token what stands between two delimiters and begins like a number
 * @returns undefined when it is none
 */
export function parseNumber(token: string): Datum | undefined {
  if (token.length > DIGITS_MAX) return undefined;
  const plain = parsePlain(token);
  if (plain !== undefined) return plain;
  if (WHOLE.test(token)) return wholeOf(token);
  return parseBased(token) ?? parseRatio(token) ?? parseDecimal(token);
}

/** Value of a few plain digits, without looking for anything else: most numbers of a history are these. */
export function parsePlain(token: string): bigint | undefined {
  const plain = plainWhole(token);
  if (plain < 0) return undefined;
  return plain < SMALL.length ? SMALL[plain] : BigInt(plain);
}

/** So few digits that the value stays below 2^53; else -1. */
function plainWhole(token: string): number {
  if (token.length > PLAIN_DIGITS_MAX) return -1;
  let value = 0;
  for (let at = 0; at < token.length; at++) {
    const digit = token.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9 || (value === 0 && at > 0)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function wholeOf(token: string): bigint {
  const digits = token.endsWith("N") ? token.slice(0, -1) : token;
  return BigInt(digits.startsWith("+") ? digits.slice(1) : digits);
}

function parseBased(token: string): bigint | undefined {
  const hexadecimal = HEXADECIMAL.exec(token);
  if (hexadecimal !== null) return signed(hexadecimal[1]!, BigInt(`0x${hexadecimal[2]}`));
  const octal = OCTAL.exec(token);
  if (octal !== null) return signed(octal[1]!, BigInt(`0o${octal[2]}`));
  const radix = RADIX.exec(token);
  return radix === null ? undefined : inRadix(radix[1]!, Number(radix[2]), radix[3]!);
}

function inRadix(sign: string, radix: number, digits: string): bigint | undefined {
  if (radix < 2 || radix > 36) return undefined;
  let value = 0n;
  for (const letter of digits) {
    const digit = parseInt(letter, 36);
    if (digit >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(digit);
  }
  return signed(sign, value);
}

function signed(sign: string, value: bigint): bigint {
  return sign === "-" ? -value : value;
}

function parseRatio(token: string): Datum | undefined {
  const parts = RATIO.exec(token);
  if (parts === null) return undefined;
  const above = wholeOf(parts[1]!);
  const below = BigInt(parts[2]!);
  if (below === 0n) return undefined;
  const common = greatestCommonDivisor(above < 0n ? -above : above, below);
  if (below === common) return above / common;
  return { kind: "ratio", text: `${above / common}/${below / common}` };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

function parseDecimal(token: string): Datum | undefined {
  const parts = DECIMAL.exec(token);
  if (parts === null || !/[.eEM]/.test(token) || /^[+-]?0\d/.test(token)) return undefined;
  return { kind: "decimal", text: spellDecimal(parts) };
}

/** One spelling for all that are equal, so that equal texts mean equal numbers. */
function spellDecimal(
  [, sign, whole, fraction = "", power = "0", suffix]: RegExpExecArray,
): string {
  const written = `${whole}${fraction}`.replace(/^0+/, "");
  const digits = written.replace(/0+$/, "");
  if (digits === "") return `${sign === "-" ? "-" : ""}0.0${suffix}`;
  const exponent = BigInt(power) - BigInt(fraction.length) + BigInt(written.length - digits.length);
  return `${sign === "-" ? "-" : ""}${placePoint(digits, exponent)}${suffix}`;
}

function placePoint(digits: string, exponent: bigint): string {
  if (exponent > PLAIN_ZEROS_MAX || exponent < -BigInt(digits.length) - PLAIN_ZEROS_MAX) {
    return `${digits}e${exponent}`;
  }
  if (exponent >= 0n) return `${digits}${"0".repeat(Number(exponent))}.0`;
  const decimals = Number(-exponent);
  const padded = digits.padStart(decimals + 1, "0");
  return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}
