// Processes die, hang and lie: whoever was at work on a seed is known, nobody waits for ever, and every other seed is
// lived all the same. Real processes, of a program that does what its seeds say.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type CrewOptions, workTogether } from "./crew.ts";
import type { Lost } from "./totals.ts";

const WORKER = fromFileUrl(new URL("../../../tests/support/sim_worker.ts", import.meta.url));
const PROGRAM = { path: Deno.execPath(), args: ["run", "--allow-all", "--no-check", WORKER] };

interface Result {
  readonly done: readonly number[];
  readonly lost: readonly Lost[];
}

async function work(seeds: readonly number[], over: Partial<CrewOptions> = {}): Promise<Result> {
  const left = [...seeds];
  const done: number[] = [];
  const lost: Lost[] = [];
  const { signal } = new AbortController();
  await workTogether({
    next: () => left.shift(),
    done: ({ seed }) => done.push(seed),
    lost: (one) => lost.push(one),
  }, { program: PROGRAM, args: [], size: 2, signal, ...over });
  return { done: done.sort((a, b) => a - b), lost: lost.sort((a, b) => a.seed - b.seed) };
}

Deno.test("workTogether() lives every seed once, on several processes", async () => {
  const seeds = Array.from({ length: 40 }, (_, i) => 10 * i);
  assertEquals(await work(seeds, { size: 3 }), { done: seeds, lost: [] });
});

Deno.test("workTogether() replaces a process that has lived its share, and loses no seed", async () => {
  const seeds = Array.from({ length: 10 }, (_, i) => 10 * i);
  assertEquals(await work(seeds, { livesMax: 3 }), { done: seeds, lost: [] });
});

Deno.test("workTogether() names the seed on which a process died, and why, and goes on with another", async () => {
  const { done, lost } = await work([10, 21, 30, 32, 40, 43, 50, 54, 60]);
  assertEquals(done, [10, 30, 40, 50, 60]);
  assertEquals(lost.map(({ seed }) => seed), [21, 32, 43, 54]);
  assertEquals(lost[0]!.why, "its process ended: exit code 9, a last word");
  assertMatch(lost[1]!.why, /^its process ended: SIGKILL$/);
});

Deno.test("workTogether() kills a process whose life does not end", async () => {
  const { done, lost } = await work([5, 10], { size: 1, lifeMsMax: 2_000 });
  assertEquals(lost, [{ seed: 5, why: "the life did not end" }]);
  assertEquals(done, [10]);
});

Deno.test("workTogether() gives up a place whose processes all die at once", async () => {
  const { done, lost } = await work([1, 11, 21, 31, 41, 51], { size: 1 });
  assertEquals([done, lost.length], [[], 3]);
});

Deno.test("workTogether() ends everybody at once when it is interrupted", async () => {
  const controller = new AbortController();
  const left = [5, 15, 25];
  let begun = 0;
  await workTogether({
    next: () => {
      if (++begun === 2) setTimeout(() => controller.abort(), 50);
      return left.shift();
    },
    done: () => assert(false),
    lost: () => assert(false, "what was interrupted is not lost"),
  }, { program: PROGRAM, args: [], size: 2, signal: controller.signal });
  assertEquals(left, [25]);
});
