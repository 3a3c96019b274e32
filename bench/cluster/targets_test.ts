// A target that is judged leniently is none. The figures here sit on both sides of every limit.
import { assertEquals } from "@std/assert";
import type { Figures } from "../peers/summary.ts";
import { catchUpFigures } from "./catch_up.ts";
import { failoverFigures } from "./failover.ts";
import { targets } from "./targets.ts";

function row(
  system: string,
  clients: number,
  perSecond: number,
  p50: number,
  p99: number,
  depth = 1,
): Figures {
  const flat = (figure: number) => ({ median: figure, min: figure, max: figure });
  return {
    system,
    scenario: `${clients}x${depth}`,
    clients,
    depth,
    rounds: 1,
    opsPerSecond: flat(perSecond),
    p50Us: flat(p50),
    p95Us: flat(p99),
    p99Us: flat(p99),
    effective: 1,
  };
}

function verdicts(...loads: readonly Figures[]): readonly boolean[] {
  return targets({ loads }).map(({ isMet }) => isMet);
}

Deno.test("targets() holds each way of connecting against the best of etcd's in each figure", () => {
  const theirs = [row("etcd", 64, 100, 1, 500), row("etcd shared", 64, 90, 1, 400)];
  assertEquals(verdicts(...theirs, row("allocdb", 64, 600, 1, 80)), [true, true]);
  assertEquals(verdicts(...theirs, row("allocdb", 64, 599, 1, 81)), [false, false]);
  const both = [row("allocdb", 64, 600, 1, 81), row("allocdb shared", 64, 599, 1, 80)];
  assertEquals(verdicts(...theirs, ...both), [true, false, false, true]);
});

Deno.test("targets() compares only what has the same number of clients, and nothing where etcd has no figure", () => {
  assertEquals(verdicts(row("allocdb", 256, 1e6, 1, 1)), []);
  assertEquals(verdicts(row("etcd", 64, 1, 1, 9e9), row("allocdb", 256, 1e6, 1, 1)), []);
  assertEquals(verdicts(row("etcd", 1_000, 1, 1, 10), row("allocdb", 1_000, 6, 1, 2)), [
    true,
    true,
  ]);
});

Deno.test("targets() wants one client faster than etcd's, and batches at their rate", () => {
  assertEquals(verdicts(row("etcd", 1, 1, 600, 1), row("allocdb", 1, 1, 599, 1)), [true]);
  assertEquals(verdicts(row("etcd", 1, 1, 600, 1), row("allocdb", 1, 1, 600, 1)), [false]);
  assertEquals(verdicts(row("allocdb", 4, 200_000, 1, 1, 1_024)), [true]);
  assertEquals(verdicts(row("allocdb", 4, 199_999, 1, 1, 1_024)), [false]);
});

Deno.test("targets() judges failover by its median, catch-up by speed and by writes, idling by CPU and the largest replica", () => {
  const judge = (median: number, seconds: number, p99: number, cpuPercent: number, mib: number) =>
    targets({
      loads: [],
      failover: failoverFigures([0, median, 9_000], 0),
      catchUp: catchUpFigures(100 * 2 ** 20, seconds, 1_000, p99),
      idle: { seconds: 60, cpuPercent, rssMib: [1, mib, 1] },
    }).map(({ isMet }) => isMet);
  assertEquals(judge(1_000, 2, 2_000, 3, 150), [true, true, true, true, true]);
  assertEquals(judge(1_001, 2.01, 2_001, 3.01, 151), [false, false, false, false, false]);
});
