/** Strict JSON: everything `JSON.parse` refuses is refused, and nothing else but doubled names and depth. */
import { JSON_DEPTH_MAX, parseJson } from "../../../node/http/json_text.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, type Target } from "../target.ts";
import { bytesOfText, mutateText, textOf } from "../text.ts";

/** Makes the target. */
export function jsonTarget(parse: typeof parseJson = parseJson): Target {
  return {
    name: "json",
    outcomes: ["ok", "no_json", "name_twice", "too_deep"],
    draw: (random) => {
      const depth = random.between(12, 19);
      const [open, close] = random.oneIn(2) ? ["[", "]"] : ['{"a":', "}"];
      const text = random.oneIn(12)
        ? open.repeat(depth) + drawJson(random, 20) + close.repeat(depth)
        : drawJson(random, 0);
      return bytesOfText(random.oneIn(5) ? text : mutateText(random, text, WORDS));
    },
    judge: (input) => judgeJson(parse, textOf(input)),
  };
}

const NAMES = ["a", "b", "resource_id", "__proto__", "constructor", "", "é", "e\u0301", "\u0000"];
const SCALARS = [
  ...["0", "-0", "1", "-1.5e+10", "1E-7", "9007199254740993", "1e999", "true", "false", "null"],
  ...['""', '"seat:21A"', '"\\u0041\\n\\/"', '"\\ud800"', '"𝄞"', '"\u2028"', '"\u007f"'],
];
const WORDS = [
  ...SCALARS,
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "\\u",
  "01",
  ".5",
  "1.",
  "+1",
  "\n",
  "\f",
  "[".repeat(30),
];

function drawJson(random: FuzzRandom, depth: number): string {
  const space = random.oneIn(6) ? random.pick([" ", "\n", "\t", "\r\n "]) : "";
  return space + drawValue(random, depth) + space;
}

function drawValue(random: FuzzRandom, depth: number): string {
  if (depth > 20 || random.oneIn(3)) return random.pick(SCALARS);
  const inner = random.oneIn(2) ? depth + 1 : depth + 3;
  const length = random.pick([0, 1, 1, 2, 3]);
  if (random.oneIn(2)) {
    return `[${Array.from({ length }, () => drawJson(random, inner)).join()}]`;
  }
  const members = Array.from({ length }, () => {
    return `${JSON.stringify(random.pick(NAMES))}:${drawJson(random, inner)}`;
  });
  return `{${members.join()}}`;
}

function judgeJson(parse: typeof parseJson, text: string): string {
  const result = parse(text);
  const reference = tryParse(text);
  if (result.kind === "value") {
    expect(reference !== undefined, "accepted what JSON.parse refuses");
    const depth = depthOf(reference.value);
    expect(depth <= JSON_DEPTH_MAX, `accepted ${depth} levels`);
    expect(!hasNameTwice(text, reference.value), "accepted a name twice");
    expectEqual(JSON.stringify(result.value), JSON.stringify(reference.value), "value");
    return "ok";
  }
  judgePlace(text, result.mistake);
  if (reference === undefined) return "no_json";
  if (depthOf(reference.value) > JSON_DEPTH_MAX) return "too_deep";
  expect(hasNameTwice(text, reference.value), `refused: ${result.mistake.message}`);
  return "name_twice";
}

/** Line and column, from 1, are those of the offset. */
function judgePlace(
  text: string,
  { at, line, column }: { readonly at: number; readonly line: number; readonly column: number },
): void {
  expect(at >= 0 && at <= text.length, `a mistake at ${at} of ${text.length}`);
  const lines = text.slice(0, at).split("\n");
  expectEqual(`${line}:${column}`, `${lines.length}:${lines.at(-1)!.length + 1}`, `place of ${at}`);
}

function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Whether a text that is JSON has more names than its value has. */
function hasNameTwice(text: string, value: unknown): boolean {
  const names = text.match(/"(?:[^"\\]|\\.)*"\s*:?/gs) ?? [];
  return names.filter((name) => name.endsWith(":")).length !== namesIn(value);
}

function namesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, each) => sum + namesIn(each), own);
}
