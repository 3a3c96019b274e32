// What is said of a machine whose disk is memory: nothing measured there may pass for durable.
import { assert, assertEquals } from "@std/assert";
import type { Machine } from "./machine.ts";
import { renderJson, renderLegend, renderMachine, renderScenario } from "./render.ts";
import type { ScenarioReport } from "./scenario.ts";

const DISK: Machine = {
  version: "1.2.3",
  commit: "abc",
  deno: "2.4.2",
  v8: "13",
  os: "linux",
  kernel: "6",
  cores: 2,
  cpu: "CPU",
  memoryBytes: 2 ** 34,
  fileSystem: "ext4",
};
const MEMORY: Machine = { ...DISK, fileSystem: "tmpfs" };

const REPORT: ScenarioReport = {
  scenario: "example",
  durable: true,
  says: "one ".repeat(40).trim(),
  table: [["", "COMMANDS/S", "P50"], ["one client", "1,234", "99 µs"], ["many", "5", "1.00 ms"]],
  notes: ["A note."],
  data: { scenario: "example", durable: true, lag: 2n ** 64n - 1n, list: [{ a: 1 }] },
};

Deno.test("renderScenario() aligns numbers to the right and wraps running text", () => {
  const ones = (count: number): string => `  ${"one ".repeat(count).trim()}`;
  assertEquals(renderScenario(REPORT, DISK, false).split("\n"), [
    "",
    "example (durable)",
    ones(24),
    ones(16),
    "",
    "              COMMANDS/S      P50",
    "  one client       1,234    99 µs",
    "  many                 5  1.00 ms",
    "",
    "  A note.",
    "",
  ]);
});

Deno.test("render() calls nothing durable that was synced to a file system in memory", () => {
  assert(renderScenario(REPORT, MEMORY, false).startsWith("\nexample (synced to memory)\n"));
  assert(!renderLegend(MEMORY, [REPORT]).startsWith("\ndurable"));
  assert(renderMachine(MEMORY).includes("tmpfs is memory: nothing here survives a power failure"));
  assertEquals(
    renderMachine(DISK),
    "allocdb 1.2.3 (abc, deno 2.4.2) on 2 × CPU, 16.0 GiB, linux 6, ext4\n",
  );
  for (const [machine, survives] of [[DISK, true], [MEMORY, false]] as const) {
    const document = JSON.parse(renderJson(machine, "2000-01-01T00:00:00.000Z", {}, [REPORT]));
    assertEquals(document.survives_power_failure, survives);
    assertEquals(document.scenarios, [{
      scenario: "example",
      durable: survives,
      lag: "18446744073709551615",
      list: [{ a: 1 }],
      says: REPORT.says,
    }]);
  }
});
