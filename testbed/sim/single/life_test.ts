// Random lives of a single node, and whether their judge is one: it lets the shipping node pass and nobody whose disk, clock
// or bounds are not what they should be. ALLOCDB_SINGLE_SEEDS=20000 lives as many lives, from ALLOCDB_SINGLE_FROM on; a
// life that ever failed stays in tests/corpus/sim/ as a plan.
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import type { Disk, DiskFile, Done } from "../../../node/disk.ts";
import { type NodeOptions, openNode } from "../../../node/open_node.ts";
import { parsePlan } from "../command/plan_file.ts";
import { explainSingle, liveSingle } from "./life.ts";
import { drawSinglePlan, SINGLE_FAULTS, type SinglePlan } from "./plan.ts";

const SEEDS = Number(Deno.env.get("ALLOCDB_SINGLE_SEEDS") ?? 200);
const FROM = Number(Deno.env.get("ALLOCDB_SINGLE_FROM") ?? 1);
const CORPUS = new URL("../../../tests/corpus/sim/", import.meta.url);

/** Lives each seed; answers those that fail, the first with its explanation. */
function failing(seeds: readonly number[]): number[] {
  const failed = seeds.filter((seed) => liveSingle(drawSinglePlan(seed)).violation !== undefined);
  if (failed.length > 0) console.log(explainSingle(drawSinglePlan(failed[0]!)));
  return failed;
}

Deno.test("plans that once failed do not fail again", () => {
  const names = [...Deno.readDirSync(CORPUS)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json")).sort();
  const plans = names.map((name) => parsePlan(Deno.readTextFileSync(new URL(name, CORPUS)), name));
  for (const plan of plans) {
    if (plan.profile === "single") assertEquals(liveSingle(plan).violation?.what, undefined);
  }
});

Deno.test("a single node keeps every promise", () => {
  assertEquals(failing(Array.from({ length: SEEDS }, (_, i) => FROM + i)), []);
});

Deno.test("every fault strikes, and every judge has something to judge", () => {
  const counts: Record<string, number> = {};
  for (let seed = 1; seed <= 100; seed++) {
    for (const [name, count] of Object.entries(liveSingle(drawSinglePlan(seed)).counts)) {
      counts[name] = (counts[name] ?? 0) + count;
    }
  }
  for (const fault of SINGLE_FAULTS) assertGreater(counts[`strike/${fault}`] ?? 0, 5, fault);
  const judges = ["decided", "published", "cached", "expirations", "compared", "starts", "retried"];
  for (const judge of judges) assertGreater(counts[judge] ?? 0, 100, judge);
});

Deno.test("a plan takes the same course twice, traced or not", () => {
  for (const seed of [3, 4, 5]) {
    const plan = drawSinglePlan(seed);
    const first = liveSingle(plan);
    const again = liveSingle(JSON.parse(JSON.stringify(plan)) as SinglePlan, { isTraced: true });
    assertEquals(again.transcriptHash, first.transcriptHash);
    assertEquals([again.events, again.counts], [first.events, first.counts]);
    assertMatch(first.transcriptHash, /^[0-9a-f]{16}$/);
  }
});

/** Which promise the first seed breaks that breaks one. */
function caught(spoil: (options: NodeOptions) => NodeOptions): string {
  for (let seed = 1; seed <= 60; seed++) {
    const open: typeof openNode = (options) => openNode(spoil(options));
    const { violation } = liveSingle(drawSinglePlan(seed), { open });
    if (violation !== undefined) return violation.what;
  }
  return "nothing";
}

/** A disk over another with files that are not quite the same. */
function overDisk(disk: Disk, change: (file: DiskFile) => Partial<DiskFile>): Disk {
  const changed = (file: DiskFile): DiskFile => {
    const own = {
      name: file.name,
      read: (at: number, into: Uint8Array) => file.read(at, into),
      write: (at: number, bytes: Uint8Array) => file.write(at, bytes),
      sync: () => file.sync(),
      writeDurably: (at: number, bytes: Uint8Array, done: Done) =>
        file.writeDurably(at, bytes, done),
      syncLater: (done: Done) => file.syncLater(done),
      close: () => file.close(),
    };
    return { ...own, ...change(file) };
  };
  return {
    list: () => disk.list(),
    size: (name) => disk.size(name),
    readAll: (name) => disk.readAll(name),
    create: (name, bytes) => changed(disk.create(name, bytes)),
    open: (name) => changed(disk.open(name)),
    rename: (from, to) => disk.rename(from, to),
    remove: (name) => disk.remove(name),
    syncDirectory: () => disk.syncDirectory(),
  };
}

Deno.test("the judge catches a node that takes a write for a sync", () => {
  const what = caught((options) => ({
    ...options,
    disk: overDisk(options.disk, (file) => ({
      writeDurably(at, bytes, done) {
        file.write(at, bytes);
        options.later(() => done(undefined));
      },
    })),
  }));
  assertMatch(what, /^durable before applied/);
});

Deno.test("the judge catches a start that serves what may not be on the disk", () => {
  const what = caught((options) => ({
    ...options,
    disk: overDisk(options.disk, () => ({ sync: () => {} })),
  }));
  assertMatch(what, /^durab/);
});

Deno.test("the judge catches a clock that runs fast", () => {
  const what = caught((options) => ({
    ...options,
    clock: { nowMs: () => options.clock.nowMs() * 1.5 },
  }));
  assertMatch(what, /^never early/);
});

Deno.test("the judge catches ticks that expire more than they may", () => {
  const what = caught((options) => ({
    ...options,
    engine: { ...options.engine, maxExpirationsPerTick: options.engine.maxExpirationsPerTick + 1 },
  }));
  assertMatch(what, /^bounds/);
});

Deno.test("the judge catches a node that never does what it put off", () => {
  let tasks = 0;
  const later = (options: NodeOptions) => (task: () => void) =>
    ++tasks % 40 === 0 ? undefined : options.later(task);
  assertMatch(caught((options) => ({ ...options, later: later(options) })), /^liveness/);
  assertGreater(tasks, 39, "one was dropped");
});
