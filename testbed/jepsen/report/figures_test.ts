// Numbers that people decide by: against slow ways that are obviously right.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Attempt } from "./attempts.ts";
import { figuresOf } from "./figures.ts";

const TIMES = fc.array(
  fc.record({
    start: fc.integer({ min: 0, max: 10_000 }),
    span: fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined }),
    outcome: fc.constantFrom("ok", "fail", "info"),
    f: fc.constantFrom("read", "write"),
  }),
  { maxLength: 40 },
);

function attemptsOf(
  drawn: readonly { start: number; span: number | undefined; outcome: string; f: string }[],
): Attempt[] {
  return drawn.map(({ start, span, outcome, f }, index) => ({
    process: 1,
    f,
    request: f,
    answer: "",
    outcome: outcome as Attempt["outcome"],
    start,
    end: span === undefined ? undefined : start + span,
    position: 2 * index,
    endPosition: 2 * index + 1,
    key: undefined,
    servedBy: "",
    source: undefined as unknown as Attempt["source"],
  }));
}

Deno.test("figuresOf() counts every ended attempt once, in its window and in its row", () => {
  fc.assert(
    fc.property(TIMES, (drawn) => {
      const attempts = attemptsOf(drawn);
      const end = Math.max(1, ...attempts.map((attempt) => attempt.end ?? attempt.start));
      const { windows, latencies, windowNs } = figuresOf(attempts, end);
      const ended = attempts.filter((attempt) => attempt.end !== undefined);
      const inWindows = windows.reduce(
        (sum, { counts: { ok, fail, info } }) => sum + ok + fail + info,
        0,
      );
      assertEquals(inWindows, ended.length);
      assertEquals(latencies.reduce((sum, { count }) => sum + count, 0), ended.length);
      assert(windows.length <= 121 && windows.length * windowNs >= end);
    }),
    { seed: 7, numRuns: 300 },
  );
});

Deno.test("figuresOf() gives quantiles that were measured and have the right share below them", () => {
  fc.assert(
    fc.property(TIMES, (drawn) => {
      const attempts = attemptsOf(drawn);
      const { overall } = figuresOf(attempts, 20_000);
      const waits = attempts.filter(({ outcome, end }) => outcome === "ok" && end !== undefined)
        .map(({ start, end }) => end! - start);
      assertEquals(overall.length, waits.length === 0 ? 0 : 4);
      for (const [index, share] of [0.5, 0.95, 0.99, 1].entries()) {
        const value = overall[index];
        if (value === undefined) continue;
        assert(waits.includes(value));
        const notAbove = waits.filter((wait) => wait <= value).length;
        const below = waits.filter((wait) => wait < value).length;
        assert(notAbove >= share * waits.length && below < share * waits.length);
      }
    }),
    { seed: 8, numRuns: 300 },
  );
});

Deno.test("figuresOf() finds the longest stretch without an ok, the ends of the run included", () => {
  const gapsOf = (oks: number[]): number[] => {
    const drawn = oks.map((start) => ({ start, span: 0, outcome: "ok", f: "read" }));
    const noise = [{ start: 50, span: 0, outcome: "fail", f: "read" }];
    return figuresOf(attemptsOf([...drawn, ...noise]), 100).gaps.map(({ fromNs, toNs }) =>
      toNs - fromNs
    );
  };
  assertEquals(gapsOf([]), [100]);
  assertEquals(gapsOf([10, 30]), [70, 20, 10]);
  assertEquals(gapsOf([60, 80]), [60, 20, 20]);
});
