// Turns are what makes the comparison fair on a noisy machine, and a failure must never turn into a
// figure. Peers that only take notes stand in for the systems.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Measurement, Scenario } from "./measurement.ts";
import { SCENARIOS } from "./measurement.ts";
import { type Candidate, type Plan, runRounds, spread } from "./rounds.ts";

const MEASUREMENT: Measurement = { opsPerSecond: 1, latencyUs: { p50: 1, p95: 2, p99: 3 } };

function candidate(
  name: string,
  measure: (scenario: Scenario) => Promise<Measurement>,
  depthMax = Infinity,
): Candidate {
  const peer = { version: "1", settings: "", measure };
  return { name, peer, supports: ({ depth }) => depth <= depthMax };
}

function plan(scenarios: readonly Scenario[], rounds: number): Plan {
  const { signal } = new AbortController();
  return { scenarios, rounds, seconds: 1, signal, onResult: () => {} };
}

Deno.test("runRounds() lets the systems take turns within each load they can carry", async () => {
  const turns: string[] = [];
  const notes = (name: string) => (scenario: Scenario): Promise<Measurement> => {
    turns.push(`${name} ${scenario.name}`);
    return Promise.resolve(MEASUREMENT);
  };
  const candidates = [candidate("a", notes("a"), 1), candidate("b", notes("b"))];
  const rows = await runRounds(candidates, plan([SCENARIOS[0]!, SCENARIOS[3]!], 2));
  assertEquals(turns, ["a 1x1", "b 1x1", "a 1x1", "b 1x1", "b 64x64", "b 64x64"]);
  assertEquals(rows.map(({ system, measurements }) => [system, measurements.length]), [
    ...[["a", 2], ["b", 2], ["b", 2]],
  ]);
});

Deno.test("runRounds() keeps the reason of a failure, spares that system the load and goes on", async () => {
  let tries = 0;
  const failing = candidate("a", () => Promise.reject(new Error(`broken ${++tries}`)));
  const missing: Candidate = { ...failing, name: "b", peer: { missing: "not installed" } };
  const good = candidate("c", () => Promise.resolve(MEASUREMENT));
  const rows = await runRounds([failing, missing, good], plan([SCENARIOS[0]!], 3));
  assertEquals(rows.map(({ failure }) => failure), ["broken 1", "not installed", undefined]);
  assertEquals(rows.map(({ measurements }) => measurements.length), [0, 0, 3]);
});

Deno.test("runRounds() rejects when the run is called off, instead of blaming a system", async () => {
  const controller = new AbortController();
  const off = candidate("a", () => {
    controller.abort(new Error("called off"));
    return Promise.reject(new Error("killed"));
  });
  const called = { ...plan([SCENARIOS[0]!], 1), signal: controller.signal };
  await assertRejects(() => runRounds([off], called), Error, "called off");
});

Deno.test("spread() is the middle with its range, whatever the order", () => {
  assertEquals(spread([30, 10, 20]), { median: 20, min: 10, max: 30 });
  assertEquals(spread([4, 1, 2, 10]), { median: 3, min: 1, max: 10 });
  assertEquals(spread([7]), { median: 7, min: 7, max: 7 });
  assertThrows(() => spread([]), RangeError);
});
