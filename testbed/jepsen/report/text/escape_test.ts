// What a history says is text wherever it is shown. Tried with what is known to break out, and with anything at all.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cut, escapeHtml, plain, safeJson } from "./escape.ts";

const ANY = fc.string({ unit: "binary", maxLength: 60 });
const SEED = { seed: 20_260_514, numRuns: 500 };
/** Written apart from the code: what moves a cursor, hides, turns text around, or is not for XML. */
const HARMFUL = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/u;

Deno.test("plain() leaves nothing that a terminal obeys or a reader cannot see", () => {
  fc.assert(
    fc.property(ANY, (text) => {
      const shown = plain(text);
      assert(!HARMFUL.test(shown));
      assert(shown.isWellFormed());
      assertEquals(plain(shown), shown);
    }),
    SEED,
  );
  assertEquals(plain("\u001b[2J\u202egnp\r\n"), "\\u{1b}[2J\\u{202e}gnp\\u{d}\\u{a}");
  assertEquals(plain("\ud800 \u{e0041}"), "\\u{d800} \\u{e0041}");
  assertEquals(plain("Grüße, 東京 ✓ → ½"), "Grüße, 東京 ✓ → ½");
});

Deno.test("escapeHtml() leaves nothing that ends a text, an attribute or a section", () => {
  fc.assert(fc.property(ANY, (text) => assert(!/[<>"']|&(?!#\d+;)/.test(escapeHtml(text)))), SEED);
  assertEquals(escapeHtml(`<a b="c">]]>`), "&#60;a b=&#34;c&#34;&#62;]]&#62;");
});

Deno.test("safeJson() says the same as JSON and nothing that a terminal or a page obeys", () => {
  fc.assert(
    fc.property(ANY, (text) => {
      const json = safeJson({ [text]: [text] });
      assert(!HARMFUL.test(json) && !/[<>&]/.test(json));
      assertEquals(JSON.parse(json), { [text]: [text] });
    }),
    SEED,
  );
  assertEquals(safeJson({ id: 2n ** 100n }), `{"id":"${2n ** 100n}"}`);
});

Deno.test("cut() never leaves half of a character", () => {
  fc.assert(
    fc.property(ANY, fc.integer({ min: 1, max: 60 }), (text, max) => {
      const shown = cut(text, max);
      assert(shown.length <= max && (shown.isWellFormed() || !text.isWellFormed()));
    }),
    SEED,
  );
});
