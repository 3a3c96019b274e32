/**
 * Ids as people type them. A resource, holder, client or operation id is 128 bits; whoever has no number at
 * hand writes a name, and every client in every language gets the same number from it.
 * Source: docs/cli.md#ids-and-names.
 */
import { sha256Words } from "../../core/sha256.ts";
import { CliError } from "../errors.ts";
import { quote } from "./text.ts";

/** Largest u128. */
export const U128_MAX = (1n << 128n) - 1n;
const U64_MAX = (1n << 64n) - 1n;

/** Longest name, in bytes of UTF-8 after normalisation. */
export const NAME_BYTES_MAX = 256;

/** Hashed before the name, so that no other use of SHA-256 gives the same ids. */
const NAME_PREFIX = "allocdb:name:";

const DECIMAL = /^[0-9]+$/;
const HEX = /^0x[0-9a-f]{1,32}$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** What somebody meant as a UUID: its shape with a wrong character, or its groups with a wrong length. */
const ALMOST_UUID =
  /^\{.*\}$|^urn:uuid:|^[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}$|^[0-9a-f]+(-[0-9a-f]+){4}$/i;
const BARE_HEX = /^[0-9a-f]{32}$/i;
/** Signs, separators and fractions: somebody meant a number. */
const ALMOST_NUMBER = /^[+-]?[0-9][0-9_,.']*$/;
/** Characters nobody sees: two names that look the same would be two resources. */
const INVISIBLE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\u{200b}\u{2060}\u{feff}\u{fffd}]|^\p{White_Space}|\p{White_Space}$/u;

/**
 * Reads an id: decimal digits, `0x` and hex digits, a UUID, or a name.
 *
 * @param text As typed.
 * @param what What the id is of, for the message, e.g. `--holder`.
 * @returns 0 to {@linkcode U128_MAX}.
 * @throws {CliError} E_BAD_ID when it is none of these, or could be meant as two of them.
 */
export function parseId(text: string, what: string): bigint {
  const number = parseNumericId(text, what);
  return number ?? nameId(checkedName(text, what));
}

/**
 * The id that a name stands for: the first 16 bytes, big-endian, of the SHA-256 of `allocdb:name:` and the
 * name in Unicode's normal form C, as UTF-8.
 *
 * @param name A name; not checked.
 * @returns The id.
 */
export function nameId(name: string): bigint {
  const bytes = new TextEncoder().encode(NAME_PREFIX + name.normalize("NFC"));
  const digest = new Uint32Array(8);
  sha256Words(new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length, digest);
  return digest.subarray(0, 4).reduce((id, word) => (id << 32n) | BigInt(word), 0n);
}

/**
 * Reads a reservation id: decimal, `0x` and hex digits, or `SHARD/LSN`.
 *
 * @param text As typed.
 * @param what What the id is of, for the message.
 * @returns 0 to {@linkcode U128_MAX}.
 * @throws {CliError} E_BAD_ID for everything else: reservations have no names.
 */
export function parseReservationId(text: string, what: string): bigint {
  const parts = /^([0-9]{1,20})\/([0-9]{1,20})$/.exec(text);
  if (parts !== null) {
    const shard = BigInt(parts[1]!);
    const lsn = BigInt(parts[2]!);
    if (shard > U64_MAX || lsn > U64_MAX) throw tooLarge(text, what, 64);
    return (shard << 64n) | lsn;
  }
  if (!DECIMAL.test(text) && !/^0x/i.test(text)) {
    throw badId(`${what} ${quote(text)} is not a reservation id`, {
      hint: "give the number that `allocdb reserve` printed, in decimal, as 0x… or as SHARD/LSN",
      text,
    });
  }
  return parseNumericId(text, what)!;
}

/**
 * Reads a cluster id: 32 hex digits, with or without `0x`, or a UUID.
 *
 * @param text As typed.
 * @returns 16 bytes, big-endian.
 * @throws {CliError} E_BAD_ID for everything else.
 */
export function parseClusterId(text: string): Uint8Array {
  const digits = UUID.test(text) ? text.replaceAll("-", "") : text.replace(/^0x/i, "");
  if (!BARE_HEX.test(digits)) {
    const hint = "give 32 hex digits or a UUID, as `allocdb status` shows it";
    throw badId(`${quote(text)} is not a cluster id`, { hint, text });
  }
  return Uint8Array.from({ length: 16 }, (_, i) => parseInt(digits.slice(i * 2, i * 2 + 2), 16));
}

/** How ids are shown. */
export type IdStyle = "decimal" | "hex";

/** An id as text that {@linkcode parseId} and {@linkcode parseReservationId} read back. */
export function formatId(id: bigint, style: IdStyle): string {
  return style === "hex" ? `0x${id.toString(16)}` : id.toString();
}

/** A number in any of its three spellings; `undefined` for what can only be a name. */
function parseNumericId(text: string, what: string): bigint | undefined {
  if (DECIMAL.test(text)) {
    // 39 digits are the most that can fit; a megabyte of them is not worth converting.
    const digits = text.replace(/^0+(?=.)/, "");
    const id = digits.length > 39 ? U128_MAX + 1n : BigInt(digits);
    if (id > U128_MAX) throw tooLarge(text, what, 128);
    return id;
  }
  if (HEX.test(text)) return BigInt(text.toLowerCase());
  if (UUID.test(text)) return BigInt(`0x${text.replaceAll("-", "")}`);
  if (/^0x/i.test(text)) {
    const hint = "after 0x come 1 to 32 hex digits";
    throw badId(`${what} ${quote(text)} is not a hex number of 128 bits`, { hint, text });
  }
  return undefined;
}

function checkedName(text: string, what: string): string {
  const refusal = nameRefusal(text);
  if (refusal === undefined) return text;
  throw badId(`${what} ${quote(text)} ${refusal.says}`, { hint: refusal.hint, text });
}

interface Refusal {
  readonly says: string;
  readonly hint: string;
}

/** Why a text is no name; `undefined` when it is one. */
function nameRefusal(text: string): Refusal | undefined {
  const spellings = "write decimal digits, 0x and hex digits, a UUID, or a name like seat:21A";
  if (text === "") return { says: "is empty", hint: spellings };
  if (!text.isWellFormed() || INVISIBLE.test(text)) {
    const hint = "leave out control characters, invisible characters and spaces at the ends";
    return { says: "has characters that a name may not have", hint };
  }
  if (text.startsWith("-")) return { says: "could be taken for a flag", hint: spellings };
  if (ALMOST_UUID.test(text)) {
    return { says: "looks like a UUID but is none", hint: "write 8-4-4-4-12 hex digits" };
  }
  if (BARE_HEX.test(text)) {
    return { says: "could be a number or a name", hint: `for the number write 0x${text}` };
  }
  if (ALMOST_NUMBER.test(text)) {
    return { says: "could be a number or a name", hint: "write numbers in plain digits" };
  }
  if (new TextEncoder().encode(text.normalize("NFC")).length > NAME_BYTES_MAX) {
    return { says: `is longer than ${NAME_BYTES_MAX} bytes`, hint: "use a shorter name" };
  }
  return undefined;
}

function tooLarge(text: string, what: string, bits: 64 | 128): CliError {
  const hint = `the largest is 2^${bits} - 1`;
  return badId(`${what} ${quote(text)} does not fit ${bits} bits`, { hint, text });
}

function badId(message: string, { hint, text }: { hint: string; text: string }): CliError {
  return new CliError("E_BAD_ID", message, { hint, context: { text: text.slice(0, 300) } });
}
