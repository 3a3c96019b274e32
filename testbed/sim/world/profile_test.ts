import { assert, assertEquals } from "@std/assert";
import { WorldProfile } from "./profile.ts";
import { ClusterWorld } from "./world.ts";

Deno.test("WorldProfile.measure() gives what is measured inside to its own kind", () => {
  let nowMs = 0;
  const profile = new WorldProfile(() => nowMs);
  const takes = (ms: number): void => void (nowMs += ms);
  profile.measure("outer", () => {
    takes(3);
    profile.measure("inner", () => takes(10));
    profile.measure("unnamed", () => {
      takes(5);
      profile.name("inner");
    });
    takes(4);
  });
  assertEquals(profile.rows, [
    { kind: "inner", count: 2, ms: 15 },
    { kind: "outer", count: 1, ms: 7 },
  ]);
});

Deno.test("a world with a profile takes the same course, and every event is of some kind", () => {
  const profile = new WorldProfile(() => 0);
  const [world, measured] = [new ClusterWorld({ seed: 3 }), new ClusterWorld({ seed: 3, profile })];
  for (const each of [world, measured]) each.run(2_000);
  assertEquals(measured.transcriptHash.text, world.transcriptHash.text);
  const counts = new Map(profile.rows.map(({ kind, count }) => [kind, count]));
  for (
    const kind of ["tick", "disk", "client", "judges", "message prepare", "message prepare_ok"]
  ) {
    assert(counts.has(kind), kind);
  }
  const judges = (counts.get("judges") ?? 0) + (counts.get("digests") ?? 0);
  const events = [...counts.values()].reduce((sum, count) => sum + count, 0) - judges;
  assertEquals(events, measured.queue.happened);
});
