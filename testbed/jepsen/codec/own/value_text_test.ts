// Values are written without spaces and read back as they were; round trips of everything are in tests/jepsen. Here: what is
// no value, and values as long as a line may be.
import { assertEquals } from "@std/assert";
import { parseValue, VALUE_DEPTH_MAX, valueText } from "./value_text.ts";

Deno.test("parseValue() answers undefined for what is no value", () => {
  const wrong = [
    "",
    "nul",
    "1.5",
    "01",
    "--1",
    '"',
    '"a',
    '"a"b',
    "[",
    "[1",
    "[1,]",
    "[,1]",
    "[1 2]",
    "]",
    "[1]]",
    '"\\x"',
  ];
  for (const text of wrong) assertEquals(parseValue(text), undefined, text);
});

Deno.test("parseValue() takes lists as deep as it says, and no deeper", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  assertEquals(parseValue(nested(VALUE_DEPTH_MAX)) === undefined, false);
  assertEquals(parseValue(nested(VALUE_DEPTH_MAX + 1)), undefined);
  assertEquals(parseValue("[".repeat(1_000_000)), undefined);
});

Deno.test("parseValue() reads a string of 10 MB without a deep stack", () => {
  const long = 'a "\\'.repeat(2_500_000);
  assertEquals(parseValue(valueText(long)) === long, true);
});
