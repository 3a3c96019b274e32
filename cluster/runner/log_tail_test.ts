// Following a log must neither lose nor repeat a line, wherever a read happens to end in it; the oracle is to
// split the whole text.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { join } from "@std/path";
import { LogFollower, logTail } from "./log_tail.ts";

async function withLog(use: (path: string) => Promise<void> | void): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(join(directory, "replica-1.log"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("LogFollower gives every line once, whatever the pieces it was written in", async () => {
  await withLog((path) => {
    const text = fc.array(fc.constantFrom("a", "ü", "🎟", " ", "\n", "replica=1"), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(text, fc.array(fc.nat(9)), (parts, cuts) => {
        Deno.writeTextFileSync(path, "");
        const bytes = new TextEncoder().encode(parts.join(""));
        const follower = new LogFollower(path);
        const found: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          Deno.writeFileSync(path, bytes.subarray(at, at + cut), { append: true });
          at += cut;
          found.push(...follower.read());
        }
        const expected = parts.join("").split("\n").filter((line) => line.trim() !== "");
        assertEquals([...found, ...follower.rest()], expected);
      }),
      { seed: 61 },
    );
  });
});

Deno.test("LogFollower starts again with a file that shrank", async () => {
  await withLog((path) => {
    const follower = new LogFollower(path);
    assertEquals(follower.read(), []);
    Deno.writeTextFileSync(path, "one\ntwo\nhal");
    assertEquals(follower.read(), ["one", "two"]);
    Deno.writeTextFileSync(path, "new\n");
    assertEquals(follower.read(), ["new"]);
  });
});

Deno.test("logTail() gives the last lines of files of every size", async () => {
  await withLog((path) => {
    assertEquals(logTail(path, 5), []);
    for (const count of [0, 1, 4, 5, 6, 50_000]) {
      const lines = Array.from({ length: count }, (_, i) => `line ${i} of ${"x".repeat(i % 40)}`);
      Deno.writeTextFileSync(path, lines.map((line) => `${line}\n`).join(""));
      for (const wanted of [0, 1, 5]) {
        assertEquals(logTail(path, wanted), wanted === 0 ? [] : lines.slice(-wanted));
      }
    }
  });
});
