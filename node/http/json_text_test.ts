// The gateway's JSON reader stands before everything else, so it is compared with JSON.parse on texts that
// are almost JSON, and tried with the two things JSON.parse forgives.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { JSON_DEPTH_MAX, parseJson } from "./json_text.ts";

const PIECES = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"a"',
  '"b"',
  "0",
  "-1.5e3",
  "01",
  "1.",
  "true",
  "nul",
]
  .concat(["null", " ", "\n", '"\\u00e9"', '"\\x"', '"\u0001"', '"\u007f\u{1f600}"', "\ud800", '"'])
  .concat(['"\ud800"', "\u00a0", "'", "-", "/", "\\", "\u2028", "\ufeff"]);

/** Texts near the grammar: a JSON text with a few pieces put in, taken out or replaced. */
const almostJson = fc.tuple(
  fc.oneof(fc.json({ maxDepth: 4 }), fc.array(fc.constantFrom(...PIECES)).map((a) => a.join(""))),
  fc.array(
    fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), put: fc.constantFrom(...PIECES) }),
    { maxLength: 2 },
  ),
  fc.boolean(),
).map(([text, edits, replace]) =>
  edits.reduce((now, { at, put }) => {
    const from = Math.floor(at * now.length);
    return now.slice(0, from) + put + now.slice(from + (replace ? 1 : 0));
  }, text)
);

function parsed(text: string): unknown {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

Deno.test("parseJson() takes what JSON.parse takes, apart from repeated names", () => {
  fc.assert(
    fc.property(almostJson, (text) => {
      const result = parseJson(text);
      const oracle = parsed(text);
      if (result.kind === "value") assertEquals({ value: result.value }, oracle);
      else if (!/twice|deeper/.test(result.mistake.message)) assertEquals(oracle, undefined);
    }),
    { seed: 11, numRuns: 5_000 },
  );
});

Deno.test("parseJson() refuses a repeated name however it is spelled, and only within one object", () => {
  const spelled = parseJson('{"a": 1,\n "\\u0061": 2}');
  assertEquals(spelled, {
    kind: "mistake",
    mistake: { message: "the same name twice in one object", at: 10, line: 2, column: 2 },
  });
  assertEquals(parseJson('{"a":{"a":1},"b":[{"a":2}]}').kind, "value");
});

Deno.test("parseJson() says where the mistake is", () => {
  const places = ["", "{", '{"a"', '{"a":', "[1,]", '{"a":1,}', "[1 2]", '"a', "{}\n{}", "nope"];
  assertEquals(
    places.map((text) => {
      const result = parseJson(text);
      return result.kind === "mistake" && `${result.mistake.line}:${result.mistake.column}`;
    }),
    ["1:1", "1:2", "1:5", "1:6", "1:4", "1:8", "1:4", "1:3", "2:1", "1:1"],
  );
});

Deno.test("parseJson() stops at its depth, whatever the length of the text", () => {
  const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
  assertEquals(parseJson(deep(JSON_DEPTH_MAX)).kind, "value");
  assertEquals(parseJson(deep(JSON_DEPTH_MAX + 1)).kind, "mistake");
  assertEquals(parseJson("[".repeat(1_000_000)).kind, "mistake");
  assertEquals(parseJson('{"a":'.repeat(200_000)).kind, "mistake");
});

Deno.test("parseJson() reads a megabyte of string, plain and escaped", () => {
  for (const piece of ["a", "\\n", "\u{1f600}"]) {
    const text = JSON.stringify({ a: "x" }).replace("x", piece.repeat(300_000));
    assertEquals(parseJson(text), { kind: "value", value: JSON.parse(text) });
  }
  assertThrows(() => JSON.parse('"\n"')); // The oracle is as strict as the reader about control characters.
});
