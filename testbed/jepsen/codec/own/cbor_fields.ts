/**
 * Fields as CBOR (RFC 8949, shortest heads): a record is a map from the number of a field to
 *   a word of known_words.ts      its number
 *   any other word, and text      a text string
 *   a number, an integer          an integer; beyond 64 bits tag 2 over a byte string without zeros in front
 *   none                          null
 *   a list                        an array of those
 *   a value                       null, true, false, an integer (also tag 3), a text string, an array
 * Only fields `type`, `operation`, `answer` and others that {@linkcode FieldWriter} calls words have numbers for words;
 * they never hold integers, so the two cannot be taken for each other.
 */
import { assert } from "../../../../core/assert.ts";
import type { Value } from "../../history/model.ts";
import { Field } from "./field.ts";
import type { FieldWriter } from "./field_writer.ts";
import { WORD_NUMBERS } from "./known_words.ts";

const UINT = 0x00;
const NEGATIVE = 0x20;
const BYTES = 0x40;
const TEXT = 0x60;
const ARRAY = 0x80;
const MAP = 0xa0;
const TAG = 0xc0;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

const U32 = 0x1_0000_0000;
const U64_MAX = 2n ** 64n - 1n;
const ENCODER = new TextEncoder();
/** Room for an integer of 128 bits on its way into a buffer. */
const WIDE_BYTES = new Uint8Array(16);
const WIDE = new DataView(WIDE_BYTES.buffer);
/** Longest text that is put down character by character. */
const SHORT_TEXT = 40;
/** Records have no more fields, so that the head of a map is one byte. */
const FIELDS_MAX = 23;

/** See the top of this file. Writes into a buffer of its own that grows. */
export class CborFields implements FieldWriter {
  #bytes = new Uint8Array(65_536);
  #length = 0;
  /** Where the head of the map stands, and how many fields it has so far. */
  #mapAt = 0;
  #count = 0;

  /** Bytes of whole records. */
  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next record. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  begin(type: string): void {
    this.#room(16);
    this.#mapAt = this.#length++;
    this.#count = 0;
    this.word(Field.type, type);
  }

  finish(): void {
    assert(this.#count <= FIELDS_MAX, "a record has few fields");
    this.#bytes[this.#mapAt] = MAP | this.#count;
  }

  word(field: Field, text: string): void {
    const known = WORD_NUMBERS.get(text);
    if (known === undefined) return this.text(field, text);
    this.#field(field);
    this.#head(UINT, known);
  }

  text(field: Field, text: string): void {
    this.#field(field);
    this.#text(text);
  }

  number(field: Field, value: number): void {
    this.#field(field);
    this.#number(value);
  }

  integer(field: Field, value: bigint): void {
    this.#field(field);
    this.#integer(value);
  }

  none(field: Field): void {
    this.#field(field);
    this.#bytes[this.#length++] = NULL;
  }

  numbers(field: Field, values: readonly number[]): void {
    this.#field(field);
    this.#head(ARRAY, values.length);
    for (const value of values) this.#number(value);
  }

  integers(field: Field, values: readonly bigint[]): void {
    this.#field(field);
    this.#head(ARRAY, values.length);
    for (const value of values) this.#integer(value);
  }

  value(field: Field, value: Value): void {
    this.#field(field);
    this.#value(value);
  }

  #field(field: Field): void {
    this.#room(16);
    this.#count++;
    this.#head(UINT, field);
  }

  #value(value: Value): void {
    this.#room(16);
    if (value === null) this.#bytes[this.#length++] = NULL;
    else if (typeof value === "boolean") this.#bytes[this.#length++] = value ? TRUE : FALSE;
    else if (typeof value === "bigint") this.#integer(value);
    else if (typeof value === "string") this.#text(value);
    else {
      this.#head(ARRAY, value.length);
      for (const item of value) this.#value(item);
    }
  }

  #number(value: number): void {
    if (value >= 0) this.#head(UINT, value);
    else this.#head(NEGATIVE, -1 - value);
  }

  #integer(value: bigint): void {
    const small = Number(value);
    // What rounds to a safe integer is that integer.
    if (Number.isSafeInteger(small)) return this.#number(small);
    const isNegative = value < 0n;
    const magnitude = isNegative ? -1n - value : value;
    const high = magnitude >> 64n;
    if (high > U64_MAX) return this.#bignum(bytesOf(magnitude), isNegative);
    // Both take what fits into 64 bits, and nothing else.
    WIDE.setBigUint64(0, high);
    WIDE.setBigUint64(8, magnitude);
    if (high !== 0n) return this.#bignum(withoutZeros(WIDE_BYTES), isNegative);
    this.#room(9);
    this.#bytes[this.#length++] = (isNegative ? NEGATIVE : UINT) | 27;
    this.#append(WIDE_BYTES.subarray(8));
  }

  #bignum(magnitude: Uint8Array, isNegative: boolean): void {
    this.#head(TAG, isNegative ? 3 : 2);
    this.#head(BYTES, magnitude.length);
    this.#append(magnitude);
  }

  #append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#length++] = bytes[i]!;
  }

  #u32(value: number): void {
    const bytes = this.#bytes;
    bytes[this.#length++] = value >>> 24;
    bytes[this.#length++] = value >>> 16;
    bytes[this.#length++] = value >>> 8;
    bytes[this.#length++] = value;
  }

  #head(major: number, argument: number): void {
    this.#room(9);
    const bytes = this.#bytes;
    if (argument < 24) bytes[this.#length++] = major | argument;
    else if (argument < 0x100) {
      bytes[this.#length++] = major | 24;
      bytes[this.#length++] = argument;
    } else if (argument < 0x1_0000) {
      bytes[this.#length++] = major | 25;
      bytes[this.#length++] = argument >>> 8;
      bytes[this.#length++] = argument;
    } else if (argument < U32) {
      bytes[this.#length++] = major | 26;
      this.#u32(argument);
    } else {
      bytes[this.#length++] = major | 27;
      this.#u32(Math.floor(argument / U32));
      this.#u32(argument % U32);
    }
  }

  #text(text: string): void {
    const { length } = text;
    this.#room(length * 3 + 9);
    if (length > SHORT_TEXT) return this.#encoded(text);
    const start = this.#length;
    this.#head(TEXT, length);
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#length = start;
        return this.#encoded(text);
      }
      this.#bytes[this.#length++] = code;
    }
  }

  #encoded(text: string): void {
    const encoded = ENCODER.encode(text);
    this.#head(TEXT, encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  let at = 0;
  while (bytes[at] === 0) at++;
  return bytes.subarray(at);
}

/** The bytes of a number of any size, the highest first. */
function bytesOf(magnitude: bigint): Uint8Array {
  const digits = magnitude.toString(16);
  const text = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
