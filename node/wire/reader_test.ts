// What the strict reader accepts is a small part of CBOR: exactly the bytes that the writer makes. cbor-x, a
// general codec that knows nothing of us, must agree with both: read what we write, and write what we read.
import { assertEquals } from "@std/assert";
import { Encoder } from "cbor-x";
import fc from "fast-check";
import { skipItem, WireReader } from "./reader.ts";
import { WireWriter } from "./writer.ts";

const cbor = new Encoder({ useRecords: false, tagUint8Array: false });
const U64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const U128 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });

/** One value of the profile, by the method that writes and reads it. */
type Value =
  | { readonly kind: "u64" | "id"; readonly value: bigint }
  | { readonly kind: "optionalU64" | "optionalId"; readonly value: bigint | undefined }
  | { readonly kind: "small"; readonly value: number }
  | { readonly kind: "flag"; readonly value: boolean }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "nil"; readonly value: undefined };

const VALUE: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ kind: fc.constant("u64" as const), value: U64 }),
  fc.record({ kind: fc.constant("id" as const), value: U128 }),
  fc.record({
    kind: fc.constant("optionalU64" as const),
    value: fc.option(U64, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("optionalId" as const),
    value: fc.option(U128, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("small" as const), value: fc.integer({ min: 0, max: 23 }) }),
  fc.record({ kind: fc.constant("flag" as const), value: fc.boolean() }),
  fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "binary" }) }),
  fc.record({ kind: fc.constant("nil" as const), value: fc.constant(undefined) }),
);

function write(values: readonly Value[]): Uint8Array {
  const out = new WireWriter();
  out.array(values.length);
  for (const { kind, value } of values) {
    if (kind === "u64") out.u64(value);
    else if (kind === "id") out.id(value);
    else if (kind === "optionalU64") out.optionalU64(value);
    else if (kind === "optionalId") out.optionalId(value);
    else if (kind === "small") out.small(value);
    else if (kind === "flag") out.flag(value);
    else if (kind === "text") out.text(value, 1_000);
    else out.nil();
  }
  return out.bytes.slice(0, out.end);
}

function read(bytes: Uint8Array, values: readonly Value[]): unknown[] {
  const reader = open(bytes);
  reader.array(values.length);
  const found = values.map(({ kind }) => {
    if (kind === "small") return reader.small(23);
    return kind === "text" ? reader.text(1_000) : reader[kind]();
  });
  assertEquals(reader.finish(), true);
  return found;
}

function open(bytes: Uint8Array): WireReader {
  const reader = new WireReader();
  reader.open(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
  return reader;
}

/** The value as a general codec would be handed it. */
function plain({ kind, value }: Value): unknown {
  if (value === undefined) return null;
  if (kind === "id" || kind === "optionalId") {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigUint64(0, value >> 64n);
    new DataView(bytes.buffer).setBigUint64(8, value & (2n ** 64n - 1n));
    return bytes;
  }
  return kind === "flag" ? Number(value) : value;
}

Deno.test("WireWriter writes what cbor-x writes, WireReader reads it back, and so does cbor-x", () => {
  fc.assert(
    fc.property(fc.array(VALUE, { maxLength: 30, size: "max" }), (values) => {
      const bytes = write(values);
      const general = values.map(plain);
      assertEquals(bytes, Uint8Array.from(cbor.encode(general)));
      assertEquals(read(bytes, values), values.map(({ value }) => value));
      assertEquals(normal(cbor.decode(bytes)), general);
    }),
    { seed: 2, numRuns: 1_000 },
  );
});

/** cbor-x answers views into a pool; whole numbers below 2^53 may come as `number` or `bigint`. */
function normal(values: unknown[]): unknown[] {
  return values.map((value) => value instanceof Uint8Array ? Uint8Array.from(value) : value);
}

Deno.test("WireReader refuses every other spelling of the same value", () => {
  const refused: [string, (reader: WireReader) => unknown, number[]][] = [
    ["a u64 in one byte", (reader) => reader.u64(), [0x05]],
    ["a u64 in two bytes", (reader) => reader.u64(), [0x18, 0x20]],
    ["a u64 in five bytes", (reader) => reader.u64(), [0x1a, 0, 0, 0, 1]],
    ["a negative number", (reader) => reader.u64(), [0x3b, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["a float", (reader) => reader.u64(), [0xfb, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["a tagged number", (reader) => reader.u64(), [0xc2, 0x48, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["an id of 15 bytes", (reader) => reader.id(), [0x4f, ...new Array(15).fill(0)]],
    ["an id with a long head", (reader) => reader.id(), [0x58, 16, ...new Array(16).fill(0)]],
    ["a flag as true", (reader) => reader.flag(), [0xf5]],
    ["a small number with a long head", (reader) => reader.small(23), [0x18, 5]],
    ["a small number above its bound", (reader) => reader.small(3), [4]],
    ["a text with a long head", (reader) => reader.text(9), [0x78, 1, 0x61]],
    ["a text that is not UTF-8", (reader) => reader.text(9), [0x62, 0xc3, 0x28]],
    ["a text above its bound", (reader) => reader.text(1), [0x62, 0x61, 0x61]],
    ["an endless text", (reader) => reader.text(9), [0x7f, 0x61, 0x61, 0xff]],
    ["an endless array", (reader) => reader.arrayHead(), [0x9f, 0xff]],
    ["an array with a long head", (reader) => reader.arrayHead(), [0x98, 3]],
    ["undefined for null", (reader) => reader.nil(), [0xf7]],
    ["a count no number holds", (reader) => reader.count(), [0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0]],
  ];
  for (const [name, take, bytes] of refused) {
    const reader = open(Uint8Array.from(bytes));
    take(reader);
    assertEquals(reader.finish(), false, name);
  }
});

Deno.test("WireReader fails on every cut of a good message and on anything left over", () => {
  const values: Value[] = [
    { kind: "u64", value: 1n },
    { kind: "id", value: 2n },
    { kind: "text", value: "grüße" },
    { kind: "nil", value: undefined },
  ];
  const bytes = write(values);
  for (let length = 0; length <= bytes.length + 1; length++) {
    const cut = new Uint8Array(length);
    cut.set(bytes.subarray(0, length));
    const reader = open(cut);
    reader.array(4);
    reader.u64();
    reader.id();
    reader.text(100);
    reader.nil();
    assertEquals(reader.finish(), length === bytes.length, `${length} bytes`);
  }
});

Deno.test("WireWriter.text() cuts between characters, never inside one", () => {
  for (let maxBytes = 0; maxBytes <= 12; maxBytes++) {
    const out = new WireWriter();
    out.text("aé漢😀", maxBytes);
    const text = open(out.bytes.slice(0, out.end)).text(maxBytes);
    assertEquals("aé漢😀".startsWith(text), true, `${maxBytes} bytes give ${text}`);
    assertEquals(new TextEncoder().encode(text).length <= maxBytes, true);
  }
});

Deno.test("skipItem() ends where cbor-x says that an item ends", () => {
  const item = fc.letrec((tie) => ({
    item: fc.oneof(
      { depthSize: "small" },
      fc.integer(),
      U64,
      fc.string(),
      fc.uint8Array({ maxLength: 300 }),
      fc.double(),
      fc.constantFrom(null, undefined, true, false),
      fc.array(tie("item"), { maxLength: 30 }),
      fc.dictionary(fc.string(), tie("item"), { maxKeys: 5 }),
    ),
  })).item;
  fc.assert(
    fc.property(item, fc.uint8Array({ maxLength: 5 }), (value, rest) => {
      const encoded = Uint8Array.from(cbor.encode(value));
      const bytes = Uint8Array.from([...encoded, ...rest]);
      const view = new DataView(bytes.buffer);
      assertEquals(skipItem(view, 0, bytes.length), encoded.length);
      assertEquals(skipItem(view, 0, encoded.length - 1), -1);
    }),
    { seed: 3, numRuns: 1_000 },
  );
});

Deno.test("skipItem() refuses what has no end in sight, without recursing or waiting", () => {
  const refused = [
    new Uint8Array(1_000_000).fill(0x81), // A million arrays, each in the one before.
    new Uint8Array([0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    new Uint8Array([0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]),
    new Uint8Array([0x9a, 0xff, 0xff, 0xff, 0xff, 0, 0, 0]),
    new Uint8Array([0x5b, 0, 0, 0, 1, 0, 0, 0, 0]),
    new Uint8Array([0x5a, 0xff, 0xff, 0xff, 0xff]),
    new Uint8Array([0x9f, 0xff]),
    new Uint8Array([0x1c]),
    new Uint8Array([0x1b, 0]),
    new Uint8Array(0),
  ];
  for (const bytes of refused) {
    assertEquals(skipItem(new DataView(bytes.buffer), 0, bytes.length), -1);
  }
});
