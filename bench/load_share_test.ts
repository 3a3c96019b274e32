// Shares that overlap would fight over each other's resources, and a request lost in the sum would be a better figure.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { mergeResults, type Share, splitLoad } from "./load_share.ts";

const LOAD: Share = {
  ...{ address: "127.0.0.1:1", connections: 10, inFlight: 2, batch: 3, ttlSlots: 100n },
  ...{ firstId: 5n << 64n, warmupSeconds: 1, seconds: 2 },
};

Deno.test("splitLoad() gives every connection to one share, evenly, with ids of its own", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 1, max: 20 }),
      (connections, threads) => {
        const shares = splitLoad({ ...LOAD, connections }, threads);
        const counts = shares.map((share) => share.connections);
        assertEquals(counts.reduce((sum, count) => sum + count, 0), connections);
        assertEquals(
          Math.max(...counts) - Math.min(...counts) <= 1 && Math.min(...counts) > 0,
          true,
        );
        const taken = BigInt(Math.max(...counts) * LOAD.inFlight * LOAD.batch);
        const gaps = shares.slice(1).map((share, i) => share.firstId - shares[i]!.firstId);
        assertEquals(gaps.every((gap) => gap >= taken), true);
      },
    ),
    { seed: 1 },
  );
});

Deno.test("mergeResults() counts everything once, over the longest time", () => {
  const codes = (ok: number): Float64Array => Float64Array.of(0, ok);
  const { recorder, elapsedMs } = mergeResults([
    { timesMs: Float64Array.of(1, 2), codes: codes(6), commands: 6, elapsedMs: 1_000 },
    { timesMs: Float64Array.of(9), codes: codes(3), commands: 3, elapsedMs: 1_100 },
  ]);
  assertEquals([recorder.commands, recorder.times.count, elapsedMs], [9, 3, 1_100]);
  assertEquals(recorder.results(), { ok: 9 });
  assertEquals(recorder.times.percentiles().max >= 9_000, true);
});
