// Whole runs as people get them: what is said where, what is left behind, and how they end early.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { testIo } from "../../tests/support/cli_io.ts";
import { CliError } from "../errors.ts";
import { bench, withDirectory } from "../../tests/support/bench.ts";

Deno.test("runBench() tells people what was measured, whether it was durable, and nothing on stderr", async () => {
  await withDirectory(async (directory) => {
    const io = await bench("one-resource-many-contenders", { data: `${directory}/new/place` });
    const lines = io.stdout().split("\n");
    assertMatch(lines[0]!, /^allocdb \d+\.\d+\.\d+ \(.*, deno .*\) on \d+ × ./);
    // Which of the two depends on where temporary files are.
    const headings = ["(durable)", "(synced to memory)"].map((kind) =>
      `one-resource-many-contenders ${kind}`
    );
    assert(lines.some((line) => headings.includes(line)));
    assert(lines.some((line) => /^ {2}one at a time +[\d,]+ +33 +[\d.]+ .?s/.test(line)));
    assert(lines.some((line) => /^ {2}at the same time +[\d,]+ +10 /.test(line)));
    assertMatch(lines.at(-2)!, /^(durable: every command was|synced to memory: )/);
    assert(lines.slice(1).every((line) => line.length <= 101 && line === line.trimEnd()));
    // deno-lint-ignore no-control-regex
    assert(!/\x1b/.test(io.stdout()));
    assertEquals(io.stderr(), "");
    assertEquals([...Deno.readDirSync(`${directory}/new/place`)], []);
  });
});

Deno.test("runBench() on a terminal has colours, and says on stderr what goes on", async () => {
  const io = await bench("engine", {}, testIo({}, { terminal: true }));
  assert(io.stdout().includes("\x1b[1mengine\x1b[22m (in memory)"));
  assert(io.stdout().endsWith("in memory: nothing was written.\n"));
  assertEquals(io.stderr(), "engine: all resources wanted\nengine: few resources wanted\n");
});

Deno.test("runBench() that is interrupted exits with 130 and leaves nothing behind", async () => {
  await withDirectory(async (directory) => {
    for (const scenario of ["one-resource-many-contenders", "throughput", "recovery"] as const) {
      const io = testIo();
      io.interrupt();
      const error = await assertRejects(() => bench(scenario, { data: directory }, io), CliError);
      assertEquals([error.code, error.exitCode], ["E_INTERRUPTED", 130]);
      assertEquals([...Deno.readDirSync(directory)], []);
    }
  });
});

Deno.test("runBench() refuses a --data that is no directory, with a hint", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "");
    const error = await assertRejects(() => bench("recovery", { data: file }), CliError);
    assertEquals(error.code, "E_IO");
    assertEquals(
      error.hint,
      "give a directory on the disk to measure: allocdb bench --data DIR",
    );
  });
});
