// A wrong clock is still a clock: it never goes back, whatever is done to it, and otherwise is exactly as wrong
// as it was asked to be.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { SkewedClock } from "./clock.ts";

function settable(): { clock: SkewedClock; at: (ms: number) => number } {
  let now = 1_000;
  const clock = new SkewedClock({ nowMs: () => now });
  return { clock, at: (ms) => (now = ms, clock.nowMs()) };
}

Deno.test("SkewedClock is right until told otherwise, then ahead, fast, and right again", () => {
  const { clock, at } = settable();
  assertEquals(at(1_500), 1_500);
  clock.set({ skewMs: 200, rate: 1 });
  assertEquals(at(1_600), 1_800);
  clock.set({ skewMs: 200, rate: 2 });
  assertEquals(at(1_700), 2_000);
  clock.set({ skewMs: 0, rate: 2 });
  assertEquals(at(1_700), 2_000); // Less ahead: it waits.
  assertEquals(at(2_000), 2_400);
  clock.set(undefined);
  assertEquals(at(2_300), 2_400);
  assertEquals(at(2_500), 2_500);
});

Deno.test("SkewedClock stands still when it is set back, and goes on from there", () => {
  const { clock, at } = settable();
  assertEquals(at(5_000), 5_000);
  clock.set({ skewMs: -2_000, rate: 1 });
  assertEquals(at(6_000), 5_000);
  assertEquals(at(7_500), 5_500);
});

Deno.test("SkewedClock never goes back", () => {
  const step = fc.record({
    ms: fc.nat(5_000),
    fault: fc.option(
      fc.record({
        skewMs: fc.integer({ min: -10_000, max: 10_000 }),
        rate: fc.constantFrom(0.01, 0.5, 1, 3, 100),
      }),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { clock, at } = settable();
      let [now, last] = [1_000, -Infinity];
      for (const { ms, fault } of steps) {
        clock.set(fault);
        const told = at(now += ms);
        assert(told >= last, `${told} after ${last}`);
        last = told;
      }
      clock.set(undefined);
      const later = Math.max(last, 0) + now;
      assertAlmostEquals(at(later), later);
    }),
    { seed: 41 },
  );
});
