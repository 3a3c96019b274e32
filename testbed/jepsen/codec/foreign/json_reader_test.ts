// JSON is read without the engine, because it rounds: held against the engine wherever both can be right.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { HistoryError } from "../../history/history_error.ts";
import type { Datum } from "./datum.ts";
import { JsonReader } from "./json_reader.ts";

function readAll(pieces: readonly string[]): [Datum, number][] {
  const forms: [Datum, number][] = [];
  const reader = new JsonReader((form, line) => forms.push([form, line]));
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return forms;
}

/** What the engine made of it, as data. */
function dataOf(value: unknown): Datum {
  if (typeof value === "number") return BigInt(value);
  if (Array.isArray(value)) return { kind: "vector", items: value.map(dataOf) };
  if (typeof value !== "object" || value === null) return value as Datum;
  return { kind: "map", items: Object.entries(value).flatMap(([key, it]) => [key, dataOf(it)]) };
}

/** Values that the engine does not round. */
const VALUE = fc.jsonValue({ maxDepth: 4 }).map((value) =>
  JSON.parse(
    JSON.stringify(value),
    (key, it) =>
      key === "__proto__" ? undefined : typeof it === "number" ? Math.trunc(it % 1e15) : it,
  )
).filter((value) =>
  JSON.stringify(value).isWellFormed() && !JSON.stringify(value).includes("\\ud")
);

Deno.test("JsonReader reads what JSON.parse reads, in an array, in lines, and wherever it is cut", () => {
  fc.assert(
    fc.property(fc.array(VALUE, { maxLength: 4 }), fc.nat(3), fc.nat(60), (values, space, cut) => {
      const objects = values.map((value) => ({ it: value as unknown }));
      const expected = objects.map((it) => dataOf(JSON.parse(JSON.stringify(it))));
      const array = JSON.stringify(objects, null, space);
      const lines = objects.map((it) => JSON.stringify(it, null, space)).join("\n");
      for (const text of [array, lines]) {
        assertEquals(readAll([text]).map(([form]) => form), expected);
        assertEquals(readAll([text.slice(0, cut), text.slice(cut)]), readAll([text]));
        assertEquals(readAll([...text]), readAll([text]));
      }
    }),
    { seed: 4, numRuns: 1_000 },
  );
});

Deno.test("JsonReader keeps whole numbers of any size", () => {
  for (const number of [2n ** 53n + 1n, 2n ** 64n - 1n, 2n ** 127n + 1n, -(2n ** 63n) - 1n]) {
    assertEquals(readAll([`[{"v":${number}}]`]), [[{ kind: "map", items: ["v", number] }, 1]]);
  }
  const decimal: Datum = { kind: "decimal", text: "1.5" };
  assertEquals(readAll(['{"v":1.50}']), [[{ kind: "map", items: ["v", decimal] }, 1]]);
});

const REFUSED: readonly (readonly [string, number])[] = [
  ["[", 1],
  ['[{"a":1}\n', 2],
  ['{"a"', 1],
  ['{"a":', 1],
  ['{"a":1', 1],
  ['{"a":1,}', 1],
  ["[1,]", 1],
  ["[,1]", 1],
  ["[1 2]", 1],
  ["[1]]", 1],
  ["[1}", 1],
  ['{"a" 1}', 1],
  ["{1:2}", 1],
  ["{null:2}", 1],
  ['{"a":1\n"b":2}', 2],
  ['["a]', 1],
  ['["\\x"]', 1],
  ['["\\ud800"]', 1],
  ['["a\nb"]', 1],
  ["[nul]", 1],
  ["[NaN]", 1],
  ["[01]", 1],
  ["[+1]", 1],
  ["[.5]", 1],
  ["['a']", 1],
  ["[1] [2]", 1],
  ["[1]\n{}", 2],
  ["{}\n[1]", 2],
  ["// so\n[]", 1],
  ["[".repeat(300), 1],
  [`["${"x".repeat(1_100_000)}"]`, 1],
];

Deno.test("JsonReader refuses what is no JSON, with its line", () => {
  for (const [text, line] of REFUSED) {
    const error = assertThrows(() => readAll([text]), HistoryError, undefined, text.slice(0, 80));
    assertEquals(error.place, { line }, text.slice(0, 80));
  }
});
