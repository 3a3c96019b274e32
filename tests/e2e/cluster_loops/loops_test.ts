// What three replicas promise, tried in short: real processes are killed, cut off, frozen and wiped and their
// disks fail, and afterwards every answer stands. The long version is `./tools/deno task cluster-loops`.
//
// ALLOCDB_BIN=dist/allocdb for the compiled program.
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { resolve } from "@std/path";
import { TemporaryDirectory } from "../server_process.ts";
import { ROUND_KINDS, type RoundKind } from "./faults.ts";
import { type LoopOptions, type LoopReport, runClusterLoops } from "./loops.ts";
import { SOURCES } from "./main.ts";

const NO_ROUNDS: Readonly<Record<RoundKind, number>> = {
  ...{ kill: 0, partition: 0, disk: 0, pause: 0, wipe: 0, storm: 0 },
};

/** Runs rounds in a directory that goes away; what they said comes with any failure. */
async function runLoops(
  options: Pick<LoopOptions, "rounds" | "seed" | "onHistory">,
): Promise<{ readonly report: LoopReport; readonly lines: readonly string[] }> {
  using directory = new TemporaryDirectory();
  const binary = Deno.env.get("ALLOCDB_BIN");
  const program = binary ? { path: resolve(binary), args: [] } : SOURCES;
  const lines: string[] = [];
  const report = await runClusterLoops({
    ...{ ...options, program, directory: directory.path, writers: 4, readers: 2 },
    onRound: (line) => lines.push(line),
  });
  return { report, lines };
}

/** Replicas are meant to outlive whoever starts them, which the sanitizers take for leaks. */
function loopTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

loopTest(
  "a cluster keeps its word through kills, partitions, failing disks, a pause and a lost disk",
  async () => {
    const rounds = { kill: 2, partition: 2, disk: 1, pause: 1, wipe: 1, storm: 1 };
    const { report, lines } = await runLoops({ rounds, seed: 4 });
    assertEquals(report.violations, [], lines.join("\n"));
    assertEquals(report.rounds, 8);
    for (const kind of ROUND_KINDS) {
      assert(lines.some((line) => line.includes(` ${kind}: `)), `no round of ${kind}`);
    }
    assertGreater(report.acknowledged, 100);
    assertGreater(report.reads, 100);
    assertGreater(report.retried, 100);
  },
);

loopTest(
  "the loops notice an acknowledged operation that no replica has, and end there",
  async () => {
    const { report } = await runLoops({
      ...{ rounds: { ...NO_ROUNDS, pause: 2 }, seed: 5 },
      onHistory: (history) => {
        const write = history.acknowledged[0]!;
        history.writes.push({ ...write, operationId: 0n });
      },
    });
    assertEquals(report.rounds, 1);
    assertEquals(report.violations.length, 1);
    assertMatch(report.violations[0]!, /^lost: /);
  },
);
