/**
 * Values as JSON, paths, queries and headers spell them, each as a schema that reads it and as a JSON Schema
 * that describes it. Source: docs/http.md#values.
 */
import * as v from "valibot";
import { type Duration, parseDuration } from "../cli/durations.ts";
import { parseId, parseReservationId } from "../cli/ids.ts";
import { quote } from "../cli/text.ts";
import { U64_MAX } from "../../core/config.ts";
import { CliError } from "../errors.ts";

/** A JSON Schema, as far as the document uses it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A schema for one value that is spelled as text or number. */
export type Field<T> = v.GenericSchema<string | number, T>;

const SAFE_INTEGER = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** Longest id in characters: far above a name's 256 bytes, far below a body. */
const TEXT_MAX = 1_024;

/** A resource, holder, client or operation id: 128 bits, or a name that stands for them. */
export const id: Field<bigint> = field("Id", (text) => parseId(text, ""), {
  description:
    "128 bits: decimal digits, 0x and hex digits, a UUID, or a plain name like seat:21A. " +
    "A JSON number must be a whole number up to 2^53 - 1.",
  anyOf: [{ type: "string", minLength: 1, maxLength: TEXT_MAX }, SAFE_INTEGER],
});

/** A reservation's id. Reservations have no names. */
export const reservationId: Field<bigint> = field(
  "ReservationId",
  (text) => parseReservationId(text, ""),
  {
    description: "A reservation: decimal digits, 0x and hex digits, or SHARD/LSN (%2F in a path).",
    anyOf: [
      { type: "string", pattern: "^([0-9]{1,39}|0[xX][0-9a-fA-F]{1,32}|[0-9]{1,20}/[0-9]{1,20})$" },
      SAFE_INTEGER,
    ],
  },
);

/** A slot, an lsn, an epoch or a number of slots or milliseconds. */
export const u64: Field<bigint> = field("U64", parseU64, {
  description: "64 bits: decimal digits or 0x and hex digits. " +
    "A JSON number must be a whole number up to 2^53 - 1.",
  anyOf: [
    { type: "string", pattern: "^([0-9]{1,20}|0[xX][0-9a-fA-F]{1,16})$" },
    SAFE_INTEGER,
  ],
});

/** A length of time with its unit. */
export const duration: v.GenericSchema<string, Duration> = v.pipe(
  v.string("must be a string like 10m"),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const result = attempt((text) => parseDuration(text, ""), dataset.value);
    if (result.kind === "value") return result.value;
    addIssue({ message: result.message });
    return NEVER;
  }),
  v.metadata({
    name: "Duration",
    json: {
      description: "A length of time with its unit: 250ms, 90s, 10m, 1h30m, or 500slots.",
      type: "string",
      minLength: 2,
      maxLength: 60,
    },
  }),
);

/** A field whose JSON form is text, or a number that no float has rounded. */
function field(name: string, parse: (text: string) => bigint, json: JsonSchema): Field<bigint> {
  return v.pipe(
    v.custom<string | number>(
      (value) => typeof value === "string" || typeof value === "number",
      "must be a string or a whole number",
    ),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const result = read(parse, dataset.value);
      if (result.kind === "value") return result.value;
      addIssue({ message: result.message });
      return NEVER;
    }),
    v.metadata({ name, json }),
  );
}

/** What a text stands for, or what is wrong with it, to be read after the field's name. */
export type FieldResult<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "mistake"; readonly message: string };

function read(parse: (text: string) => bigint, value: string | number): FieldResult<bigint> {
  if (typeof value === "string") return attempt(parse, value);
  if (Number.isSafeInteger(value) && value >= 0) return { kind: "value", value: BigInt(value) };
  const message = "must be a whole number from 0 to 2^53 - 1, or a string";
  return { kind: "mistake", message };
}

/** Calls a parser of the command line, whose refusals are errors in two sentences. */
function attempt<T>(parse: (text: string) => T, text: string): FieldResult<T> {
  if (text.length > TEXT_MAX) {
    return { kind: "mistake", message: `must not be longer than ${TEXT_MAX} characters` };
  }
  try {
    return { kind: "value", value: parse(text) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { kind: "mistake", message: `${error.message.trimStart()} (${error.hint})` };
  }
}

function parseU64(text: string): bigint {
  if (/^([0-9]{1,20}|0[xX][0-9a-fA-F]{1,16})$/.test(text)) {
    const value = BigInt(text.toLowerCase());
    if (value <= U64_MAX) return value;
  }
  const hint = "write decimal digits or 0x and hex digits, at most 2^64 - 1";
  throw new CliError("E_BAD_NUMBER", `${quote(text)} is not a number of 64 bits`, { hint });
}
