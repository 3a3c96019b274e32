/** Reads records of our CBOR: the bytes that cbor_fields.ts writes, and no others. */
import { HistoryError } from "../../history/history_error.ts";
import type { Value } from "../../history/model.ts";
import { type Field, FIELD_NAMES, isValueField } from "./field.ts";
import { NONE, type Slot } from "./fields.ts";
import { KNOWN_WORDS } from "./known_words.ts";
import type { RecordReader } from "./record_reader.ts";
import { VALUE_DEPTH_MAX } from "./value_text.ts";

const UINT = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;
const FALSE = 20;
const TRUE = 21;
const NULL = 22;
const U32 = 0x1_0000_0000;
/** Longest bignum of a value, in bytes. */
const BIGNUM_BYTES_MAX = 4_096;

/** Fields that hold words, so that their integers are places in the list of words. */
const IS_WORD: readonly boolean[] = FIELD_NAMES.map((name) =>
  [
    ...["type", "operation", "f", "role", "answer", "code", "state", "phase", "name"],
    ...["format", "model", "window_overridden", "invocations"],
  ].includes(name)
);

/** See the top of this file. */
export class CborRecords {
  readonly #records: RecordReader;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #place = { byte: 0 };
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Where the bytes begin in the file. */
  #offset = 0;
  /** Of the head that was read last; the argument is exact up to 2^53, beyond it the words are. */
  #argument = 0;
  #high = 0;
  #low = 0;

  constructor(records: RecordReader) {
    this.#records = records;
  }

  /** Reads all the records of a batch, which begin at that byte of the file. */
  read(bytes: Uint8Array, offset: number): void {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#at = 0;
    while (this.#at < bytes.length) this.#record();
  }

  #record(): void {
    this.#place.byte = this.#offset + this.#at;
    const { fields } = this.#records;
    fields.begin(this.#place);
    if (this.#head() !== MAP) throw this.#error("something else than a record", "a map");
    for (let left = this.#argument; left > 0; left--) {
      if (this.#head() !== UINT || this.#argument >= FIELD_NAMES.length) {
        throw this.#error("a field without a name", "the number of a field");
      }
      const field = this.#argument as Field;
      fields.put(field, isValueField(field) ? { value: this.#value(0) } : this.#slot(field));
    }
    this.#records.record();
  }

  #slot(field: Field): Slot {
    const major = this.#head();
    if (major === UINT && IS_WORD[field]!) return this.#word();
    if (major !== ARRAY) return this.#item(major);
    const count = this.#argument;
    if (count > this.#bytes.length - this.#at) throw this.#cut();
    const list: (string | number | bigint)[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.#item(this.#head());
      if (typeof item === "object" || item === NONE) {
        throw this.#error("a list in a list", "integers");
      }
      list.push(item);
    }
    return { list };
  }

  #word(): string {
    const word = KNOWN_WORDS[this.#argument];
    if (word === undefined) throw this.#error(`word ${this.#argument}`, "a word that is known");
    return word;
  }

  /** What is no array: text, an integer, or none. */
  #item(major: number): Slot {
    switch (major) {
      case UINT:
        return this.#unsigned();
      case NEGATIVE:
        return this.#argument < Number.MAX_SAFE_INTEGER ? -1 - this.#argument : -1n - this.#wide();
      case TEXT:
        return this.#text();
      case TAG:
        return this.#bignum();
      case SIMPLE:
        if (this.#argument === NULL) return NONE;
    }
    throw this.#error("an item of another kind", "text, an integer, a list or null");
  }

  #unsigned(): number | bigint {
    if (this.#argument <= Number.MAX_SAFE_INTEGER) return this.#argument;
    return this.#records.integers.ofWords(0, 0, this.#high, this.#low);
  }

  #wide(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  #bignum(): bigint {
    const tag = this.#argument;
    if (tag !== 2 && tag !== 3) throw this.#error(`tag ${tag}`, "tag 2 or 3");
    if (this.#head() !== BYTES) throw this.#error("a tag over no bytes", "bytes");
    const length = this.#argument;
    if (length > BIGNUM_BYTES_MAX) {
      throw this.#error(`an integer of ${length} bytes`, "a shorter one");
    }
    if (length > this.#bytes.length - this.#at) throw this.#cut();
    if (length <= 16 && tag === 2) return this.#pooled(length);
    let magnitude = 0n;
    for (let i = 0; i < length; i++) {
      magnitude = (magnitude << 8n) | BigInt(this.#bytes[this.#at++]!);
    }
    return tag === 2 ? magnitude : -1n - magnitude;
  }

  /** An unsigned integer of at most 16 bytes, word by word from its end. */
  #pooled(length: number): bigint {
    const start = this.#at;
    this.#at += length;
    const word = (end: number): number => {
      let value = 0;
      for (let at = Math.max(start, end - 4); at < end; at++) {
        value = value * 256 + this.#bytes[at]!;
      }
      return value;
    };
    const end = this.#at;
    return this.#records.integers.ofWords(word(end - 12), word(end - 8), word(end - 4), word(end));
  }

  #text(): string {
    const length = this.#argument;
    if (length > this.#bytes.length - this.#at) throw this.#cut();
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw this.#error("text that is not UTF-8", "UTF-8");
    }
  }

  #value(depth: number): Value {
    const major = this.#head();
    if (major === ARRAY) return this.#values(depth);
    if (major === SIMPLE && (this.#argument === TRUE || this.#argument === FALSE)) {
      return this.#argument === TRUE;
    }
    const item = this.#item(major);
    if (item === NONE) return null;
    if (typeof item === "number") return BigInt(item);
    if (typeof item === "object") throw this.#error("a list", "a value");
    return item;
  }

  #values(depth: number): Value {
    const count = this.#argument;
    if (depth === VALUE_DEPTH_MAX) {
      throw this.#error("lists in lists", `at most ${VALUE_DEPTH_MAX} of them`);
    }
    if (count > this.#bytes.length - this.#at) throw this.#cut();
    const values: Value[] = [];
    for (let i = 0; i < count; i++) values.push(this.#value(depth + 1));
    return values;
  }

  /** Reads the head of an item: answers its major type, and keeps its argument. */
  #head(): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at++];
    if (first === undefined) throw this.#cut();
    const short = first & 0x1f;
    if (short < 24) this.#argument = short;
    else if (short > 27) throw this.#error("an item without a length", "CBOR in its shortest form");
    else this.#long(1 << (short - 24), first >>> 5);
    return first >>> 5;
  }

  #long(width: number, major: number): void {
    if (width > this.#bytes.length - this.#at) throw this.#cut();
    let low = 0;
    let high = 0;
    for (let i = 0; i < width; i++) {
      if (i < width - 4) high = high * 256 + this.#bytes[this.#at++]!;
      else low = low * 256 + this.#bytes[this.#at++]!;
    }
    this.#high = high;
    this.#low = low;
    this.#argument = high * U32 + low;
    const least = width === 1 ? 24 : width === 2 ? 0x100 : width === 4 ? 0x1_0000 : U32;
    const isShortest = width === 8 ? high > 0 : this.#argument >= least;
    if (!isShortest || major === SIMPLE) {
      throw this.#error("a longer form than needed", "CBOR in its shortest form");
    }
  }

  #cut(): HistoryError {
    return this.#error("the end of a batch in a record", "the rest of it");
  }

  #error(found: string, expected: string): HistoryError {
    return new HistoryError({ byte: this.#offset + this.#at }, found, expected);
  }
}
