// A form that is read wrongly is a wrong verdict: everything that can be printed has to come back as it was, whatever stands
// between the tokens and wherever the text is cut, and whatever is no EDN has to be refused with its line.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { HistoryError } from "../../history/history_error.ts";
import { DEPTH_MAX, TOKEN_MAX } from "./bounds.ts";
import type { Datum } from "./datum.ts";
import { printEdn } from "./edn_print.ts";
import { EdnReader } from "./edn_reader.ts";
import { printCharacter } from "./edn_text.ts";

/** Forms and the lines they begin on. */
function readAll(pieces: readonly string[]): [Datum, number][] {
  const forms: [Datum, number][] = [];
  const reader = new EdnReader((form, line) => forms.push([form, line]));
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return forms;
}

/** The form inside of a map, so that a vector is not taken for a history. */
function readOne(text: string): Datum {
  const [[form]] = readAll([`{:it ${text}\n}`]) as [[Datum, number]];
  if (typeof form !== "object" || form?.kind !== "map" || form.items.length !== 2) {
    throw new Error(`${text} is not one form`);
  }
  return form.items[1]!;
}

const keyword = (text: string): Datum => ({ kind: "keyword", text });
const NAME = fc.stringMatching(/^[a-zA-Z*!_?$%&=<>][a-zA-Z0-9*+!_?$%&=<>.'#-]{0,8}$/)
  .filter((text) => !["nil", "true", "false"].includes(text));
const QUALIFIED = fc.oneof(NAME, fc.tuple(NAME, NAME).map((both) => both.join("/")));
const TEXT = fc.string({ unit: "binary" }).filter((text) =>
  text.isWellFormed() && !text.includes("\0")
);
const ATOM: fc.Arbitrary<Datum> = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }),
  fc.integer({ min: -2000, max: 2000 }).map(BigInt),
  TEXT,
  QUALIFIED.map(keyword),
  QUALIFIED.map((text): Datum => ({ kind: "symbol", text })),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 })
    .filter((text) => text.isWellFormed() && text !== "\0")
    .map((text): Datum => ({ kind: "character", text })),
  fc.integer().filter((above) => above % 11 !== 0)
    .map((above): Datum => ({ kind: "ratio", text: `${above}/11` })),
  fc.integer({ min: 1, max: 99999 }).filter((n) => n % 10 !== 0).map((n): Datum => ({
    kind: "decimal",
    text: `7.${String(n).padStart(5, "0")}`,
  })),
);
const FORM: fc.Arbitrary<Datum> = fc.letrec<{ form: Datum }>((tie) => ({
  form: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    ATOM,
    fc.tuple(fc.constantFrom("list", "vector", "set"), fc.array(tie("form"), { maxLength: 5 }))
      .map(([kind, items]): Datum => ({ kind, items } as Datum)),
    fc.array(fc.tuple(tie("form"), tie("form")), { maxLength: 4 })
      .map((pairs): Datum => ({ kind: "map", items: pairs.flat() })),
    fc.tuple(fc.stringMatching(/^[a-z][a-z.]{0,5}\/[a-z]{1,5}$/), tie("form"))
      .map(([tag, form]): Datum => ({ kind: "tagged", tag, form })),
  ),
})).form;
/** What may stand between two tokens and says nothing. */
const BLANK = fc.oneof(
  fc.constantFrom(
    " ",
    "\n",
    "\r\n",
    ",",
    "\t",
    " , ",
    '; a comment ]})"\n',
    "#_ ignored ",
    "#_[1 {2 3}] ",
  ),
  FORM.map((form) => ` #_ ${printEdn(form)} `),
  fc.constantFrom(" #_ #_ a b ", " ^:meta ", ' ^{:doc "x"} '),
);

/** Prints with something between all tokens; a name keeps its letters together. */
function printSpread(datum: Datum, blank: () => string): string {
  if (typeof datum !== "object" || datum === null || !("items" in datum || "form" in datum)) {
    return blank() + printEdn(datum) + " ";
  }
  if ("form" in datum) return `${blank()}#${datum.tag} ${printSpread(datum.form, blank)}`;
  const inner = datum.items.map((item) => printSpread(item, blank)).join("");
  const [open, close] = {
    list: ["(", ")"],
    vector: ["[", "]"],
    set: ["#{", "}"],
    map: ["{", "}"],
  }[datum.kind] as [
    string,
    string,
  ];
  // Metadata cannot stand before a bracket that closes.
  return blank() + open + inner + "\n" + close;
}

Deno.test("EdnReader reads what printEdn() prints", () => {
  fc.assert(
    fc.property(FORM, (form) => assertEquals(readOne(printEdn(form)), form)),
    { seed: 1, numRuns: 3_000 },
  );
});

Deno.test("EdnReader reads the same forms with comments, discards and metadata between all tokens", () => {
  fc.assert(
    fc.property(FORM, fc.array(BLANK, { minLength: 1, maxLength: 7 }), (form, blanks) => {
      let next = 0;
      const spread = printSpread(form, () => blanks[next++ % blanks.length]!);
      assertEquals(readOne(spread), form);
    }),
    { seed: 2, numRuns: 2_000 },
  );
});

Deno.test("EdnReader hands on the same forms and lines wherever the text is cut", () => {
  fc.assert(
    fc.property(
      fc.array(FORM, { maxLength: 3 }),
      fc.array(fc.nat(40), { maxLength: 30 }),
      (forms, cuts) => {
        const text = forms.map((form) => `{:it ; so\n ${printEdn(form)}}`).join("\n#_ no\n");
        const pieces: string[] = [];
        let at = 0;
        for (const cut of cuts) pieces.push(text.slice(at, at += cut));
        pieces.push(text.slice(at));
        assertEquals(readAll(pieces), readAll([text]));
        assertEquals(readAll([...text]), readAll([text]));
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});

const word = (kind: "symbol" | "character" | "ratio" | "decimal", text: string): Datum => ({
  kind,
  text,
});

const READINGS: readonly (readonly [string, Datum])[] = [
  ["9007199254740993", 9007199254740993n],
  ["170141183460469231731687303715884105728", 2n ** 127n],
  ["-170141183460469231731687303715884105729N", -(2n ** 127n) - 1n],
  ["+7", 7n],
  ["-0", 0n],
  ["0x1F", 31n],
  ["-0XffN", -255n],
  ["017", 15n],
  ["36rZz", 1295n],
  ["2r101", 5n],
  ["2/4", word("ratio", "1/2")],
  ["-4/2", -2n],
  ["1.50", word("decimal", "1.5")],
  ["15e-1", word("decimal", "1.5")],
  ["1.", word("decimal", "1.0")],
  ["-0.0", word("decimal", "-0.0")],
  ["1.5M", word("decimal", "1.5M")],
  ["1e400", word("decimal", "1e400")],
  ["##NaN", word("symbol", "##NaN")],
  ["\\newline", word("character", "\n")],
  ["\\(", word("character", "(")],
  ["\\u0041", word("character", "A")],
  ["\\o101", word("character", "A")],
  ["\\😀", word("character", "😀")],
  ['"a\\tb\\u0041\\101\\"\\\\"', 'a\tbAA"\\'],
  ['"two\nlines"', "two\nlines"],
  ['"\\ud83d\\ude00"', "😀"],
  [":a/b", keyword("a/b")],
  [":1", keyword("1")],
  ["a'b#", word("symbol", "a'b#")],
  ["/", word("symbol", "/")],
  ["-", word("symbol", "-")],
  ["...", word("symbol", "...")],
  ["#:n{:a 1, :b/c 2, :_/d 3, 4 5}", {
    kind: "map",
    items: [keyword("n/a"), 1n, keyword("b/c"), 2n, keyword("d"), 3n, 4n, 5n],
  }],
  ['#inst "2020"', { kind: "tagged", tag: "inst", form: "2020" }],
  ["#jepsen.history.Op{}", {
    kind: "tagged",
    tag: "jepsen.history.Op",
    form: { kind: "map", items: [] },
  }],
  ["^:a ^{:b 1} #^c x", word("symbol", "x")],
  ["#_#_1 2 3", 3n],
  ["[1,,2]", { kind: "vector", items: [1n, 2n] }],
];

Deno.test("EdnReader reads every kind of token exactly", () => {
  for (const [text, expected] of READINGS) assertEquals(readOne(text), expected, text);
});

Deno.test("printCharacter() and the reader agree on every character of the first plane and some beyond", () => {
  const characters = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code)).slice(
    1,
  );
  characters.push("\ue000", "\ufeff", "\uffff", "😀", "𐀀");
  const text = characters.map(printCharacter).join(" ");
  const form = readOne(`[${text}]`) as { items: readonly Datum[] };
  assertEquals(form.items.map((item) => (item as { text: string }).text), characters);
});

Deno.test("EdnReader looks through one vector or list around the history and keeps tuples whole", () => {
  assertEquals(readAll(["[{1 2}\n{3 4}]"]).map(([, line]) => line), [1, 2]);
  assertEquals(readAll(["; so\n( [0 1]\n\n[2 3] )\n"]).map(([, line]) => line), [2, 4]);
  assertEquals(readAll(["[0 1]\n[2 3]"]).length, 2);
  assertEquals(readAll(["[]"]), []);
  assertEquals(readAll(["()\n; nothing else"]), []);
  assertEquals(readAll([" , \n"]), []);
  assertEquals(readAll(["[#_ {1 2}]"]), []);
});

const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
/** Text, and the line and the beginning of what is said of it. */
const REFUSED: readonly (readonly [string, number, string])[] = [
  ["{:a 1", 1, "the end of the file"],
  ["[{:a 1}\n", 2, "the end of the file"],
  ["{:a\n 1]", 2, '"]"'],
  [")", 1, '")"'],
  ["{:a 1}}", 1, '"}"'],
  ["{:a}", 1, "a map with a key and no value"],
  ['{:a "b', 1, "a string"],
  ['{:a "\\x"}', 1, "an unknown escape"],
  ['{:a "\\u12"}', 1, "an unknown escape"],
  ['{:a "\\ud800"}', 1, "an unknown escape"],
  ["{:a \\nope}", 1, "\\"],
  ["{:a \\ }", 1, "\\"],
  ["{:a 1abc}", 1, '"1abc"'],
  ["{:a 08}", 1, '"08"'],
  ["{:a 1/0}", 1, '"1/0"'],
  ["{:a 37r1}", 1, '"37r1"'],
  ["{:a 2r2}", 1, '"2r2"'],
  ["{:a 1.2.3}", 1, '"1.2.3"'],
  ["{:a 0x}", 1, '"0x"'],
  [`{:a ${"9".repeat(5_000)}}`, 1, '"999'],
  ["{: 1}", 1, '":"'],
  ["{::a 1}", 1, '"::a"'],
  ["{:a a/}", 1, '"a/"'],
  ["{:a @b}", 1, '"@"'],
  ["{:a `b}", 1, '"`"'],
  ['{:a #"x"}', 1, '#""'],
  ["{:a #(x)}", 1, '#""'],
  ["{:a #'x}", 1, '#"\'x"'],
  ["{:a ##Nope}", 1, '"##Nope"'],
  ["{:a #:n [1]}", 1, "#:n before no map"],
  ["{:a #_}", 1, '"}"'],
  ["[#tag]", 1, '"]"'],
  ["#_", 1, "the end of the file"],
  ["{:a \u0001}", 1, '"\\u0001"'],
  ["{:a\u00a01}", 1, '"\u00a0"'],
  ["[{1 2}] {3 4}", 1, "another form"],
  ["{1 2}\n[{3 4}]", 2, "another form"],
  ["[]\n[]", 2, "another form"],
  [deep(DEPTH_MAX + 1), 1, "nesting deeper"],
  [`[{:a ${"#_ ".repeat(DEPTH_MAX)}`, 1, "nesting deeper"],
  [`{:a "${"x".repeat(TOKEN_MAX + 1)}"}`, 1, "a token of more"],
  [`{:a ${"x".repeat(TOKEN_MAX + 1)}}`, 1, "a token of more"],
];

Deno.test("EdnReader refuses what is no EDN, with its line", () => {
  for (const [text, line, found] of REFUSED) {
    const error = assertThrows(() => readAll([text]), HistoryError, undefined, text.slice(0, 80));
    assertEquals(error.place, { line }, text.slice(0, 80));
    assertEquals(error.found.slice(0, found.length), found, text.slice(0, 80));
  }
});

Deno.test("EdnReader refuses a string without an end when the bound is reached, not when the file ends", () => {
  const reader = new EdnReader(() => {});
  reader.push('{:a "');
  const piece = "x".repeat(65_536);
  let pushed = 0;
  assertThrows(
    () => {
      for (; pushed < 100 * 1_048_576; pushed += piece.length) reader.push(piece);
    },
    HistoryError,
    "a token of more",
  );
  assertEquals(pushed <= TOKEN_MAX + piece.length, true);
});

Deno.test("EdnReader reads the deepest nesting that it allows", () => {
  assertEquals(readAll([deep(DEPTH_MAX - 1)]).length, 1);
});
