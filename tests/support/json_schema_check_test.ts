// The check that other tests trust: each keyword is shown one value that fits and one that does not.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkJson, type JsonSchema } from "./json_schema_check.ts";

const DOCUMENT = { parts: { name: { type: "string", minLength: 2 } } };

const CASES: readonly [JsonSchema, good: unknown, bad: unknown][] = [
  [{ type: "integer" }, 1, 1.5],
  [{ type: "number" }, 1.5, "1"],
  [{ type: "null" }, null, 0],
  [{ type: "array" }, [], {}],
  [{ const: "a" }, "a", "b"],
  [{ enum: ["a", "b"] }, "b", "c"],
  [{ pattern: "^[0-9]+$" }, "12", "1a"],
  [{ minLength: 2, maxLength: 3 }, "ab", "abcd"],
  [{ minimum: 1, maximum: 2 }, 2, 3],
  [{ minItems: 1, maxItems: 2 }, [1], []],
  [{ items: { type: "string" } }, ["a"], ["a", 1]],
  [{ required: ["a"] }, { a: 1 }, { b: 1 }],
  [{ properties: { a: { type: "string" } } }, { a: "x" }, { a: 1 }],
  [{ properties: { a: {} }, additionalProperties: false }, { a: 1 }, { a: 1, b: 2 }],
  [{ $ref: "#/parts/name" }, "ab", "a"],
  [{ allOf: [{ $ref: "#/parts/name" }, { maxLength: 2 }] }, "ab", "abc"],
  [{ anyOf: [{ type: "string" }, { type: "null" }] }, null, 1],
  [{ oneOf: [{ minimum: 1 }, { maximum: 3 }] }, 4, 2],
];

Deno.test("checkJson() tells what fits from what does not, keyword by keyword", () => {
  for (const [schema, good, bad] of CASES) {
    const options = { document: DOCUMENT, closed: false };
    assertEquals(checkJson(good, schema, options), [], JSON.stringify(schema));
    assert(checkJson(bad, schema, options).length > 0, JSON.stringify(schema));
  }
});

Deno.test("checkJson() finds members that nothing names when it is closed", () => {
  const schema = {
    allOf: [{ properties: { a: { properties: { b: {} } } } }, { properties: { c: {} } }],
  };
  const value = { a: { b: 1, x: 2 }, c: 3, y: 4 };
  assertEquals(checkJson(value, schema, { document: {}, closed: false }), []);
  assertEquals(checkJson(value, schema, { document: {}, closed: true }), [
    "$.a.x: is not in the schema",
    "$.y: is not in the schema",
  ]);
});

Deno.test("checkJson() refuses a schema that it does not understand whole", () => {
  const options = { document: {}, closed: false };
  assertThrows(() => checkJson(1, { multipleOf: 2 }, options), Error, "Unknown keyword");
  assertThrows(() => checkJson(1, { $ref: "#/nowhere" }, options), Error, "Nothing at");
});
