// The page of invariants is worth reading only while it is complete. Every kind of gap is made on
// purpose here, next to text that looks like an assertion and is none.
import { assertEquals } from "@std/assert";
import { assertedIds, documentedIds, findGaps, main } from "./check_invariants.ts";

Deno.test("assertedIds() finds the id of each assertion, however it is laid out", () => {
  const source = [
    'assert(a > b, "wheel/one-line");',
    'assert(\n  f(x, "not/this") && g(")"),\n  "wal/many-lines",\n);',
    "assert(`${a}(` !== '(', \"vsr/brackets-in-text\");",
    'assert(\n  a, // It\'s (odd\n  "log/comment-inside",\n);',
    '  { id: "resource/exclusive", says: "…", firstOffender: f },',
  ].join("\n");
  assertEquals(assertedIds(source), [
    "wheel/one-line",
    "wal/many-lines",
    "vsr/brackets-in-text",
    "log/comment-inside",
    "resource/exclusive",
  ]);
});

Deno.test("assertedIds() passes over text that only resembles an assertion", () => {
  const source = [
    'chai.assert(a, "other/library");',
    'assertEquals(a, "not/an-assert");',
    'assert(a, "no slash");',
    'open("path/file");',
  ].join("\n");
  assertEquals(assertedIds(source), []);
});

const PAGE = `# Invariants

| id | says | asserted in | broken on purpose by |
|---|---|---|---|
| \`wheel/sound\` | text | core | test |
| \`wal/increases\` | text with \`wal/other\` | core | test |

| \`not a row\` | text |
`;

Deno.test("documentedIds() reads the first cell of each row", () => {
  assertEquals(documentedIds(PAGE), ["wheel/sound", "wal/increases"]);
});

Deno.test("findGaps() is silent when every fact has a row and every row a test", () => {
  const asserted = new Map([["wheel/sound", "core/a.ts"]]);
  assertEquals(findGaps(PAGE, asserted, "wheel/sound and wal/increases"), []);
});

Deno.test("findGaps() names facts without a row, rows without a test and rows told twice", () => {
  const asserted = new Map([["wheel/unheard-of", "core/a.ts"]]);
  const page = `${PAGE}| \`wheel/sound\` | again |\n`;
  assertEquals(findGaps(page, asserted, "wheel/sound, wal/increases-more"), [
    "wheel/unheard-of: asserted in core/a.ts, no row in docs/invariants.md",
    "wheel/sound: more than one row in docs/invariants.md",
    "wal/increases: no test names it",
  ]);
});

Deno.test("main() fails on a tree without the page and passes on a complete one", async () => {
  const root = `${await Deno.makeTempDir()}/`;
  try {
    assertEquals(await main(root), 1);
    await Deno.mkdir(`${root}docs`);
    await Deno.mkdir(`${root}core`);
    await Deno.writeTextFile(`${root}docs/invariants.md`, "| `a/b` | says |\n");
    await Deno.writeTextFile(`${root}core/a.ts`, 'assert(true, "a/b");\n');
    assertEquals(await main(root), 1);
    await Deno.writeTextFile(`${root}core/a_test.ts`, 'Deno.test("breaks a/b", f);\n');
    assertEquals(await main(root), 0);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
