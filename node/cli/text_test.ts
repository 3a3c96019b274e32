// A hint is pasted into a shell and a hostile name is printed to a terminal: both must stay what they are.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { printable, quote, shellCommand } from "./text.ts";

Deno.test("shellCommand() is split by sh into exactly its words", async () => {
  const word = fc.string({ unit: "binary-ascii", maxLength: 12 })
    .map((text) => text.replaceAll("\0", "0"));
  const lines = fc.sample(fc.array(word, { minLength: 1, maxLength: 5 }), {
    seed: 24,
    numRuns: 60,
  });
  const script = lines.map((words) => `printf '%s\\0' ${shellCommand(words)}; printf '\\0\\0'`);
  const command = new Deno.Command("sh", { args: ["-c", script.join("\n")], env: { LC_ALL: "C" } });
  const { success, stdout } = await command.output();
  assertEquals(success, true);
  const expected = lines.map((words) => words.map((text) => `${text}\0`).join("") + "\0\0");
  assertEquals(new TextDecoder().decode(stdout), expected.join(""));
});

Deno.test("printable() leaves nothing that moves a cursor or breaks a line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assertEquals(/[\p{C}\p{Zl}\p{Zp}]/u.test(printable(text)), false);
    }),
    { seed: 25, numRuns: 300 },
  );
  assertEquals(printable("Grüße, 席 21A 🎟"), "Grüße, 席 21A 🎟");
});

Deno.test("quote() cuts a long text", () => {
  assertEquals(quote("a\nb"), "'a\\u{a}b'");
  assertEquals(quote("x".repeat(100)).length, 63);
});
