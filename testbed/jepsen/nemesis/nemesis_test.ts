import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import type { FaultEvent } from "../history/event.ts";
import { NEMESIS_NAMES, STRIKE_NAMES, type StrikeName } from "./atlas.ts";
import { type NemesisOptions, type NemesisReport, runNemesis, type StrikeTold } from "./nemesis.ts";
import { drawStrikes, type Strike } from "./plan.ts";
import { ScriptedBackend } from "../../../tests/support/scripted_backend.ts";

const SEEDS = 40;

/** A run on a clock of its own, which goes only while somebody waits. */
class Trial {
  readonly backend: ScriptedBackend;
  readonly events: FaultEvent[] = [];
  readonly told: StrikeTold[] = [];
  readonly stop = new AbortController();
  /** What had been done before each strike, and what in it. */
  readonly books: (readonly string[])[] = [];
  /** Tells how long it is until the run is told to stop, in milliseconds. */
  stopAfterMs = Infinity;
  #nowMs = 0;

  constructor(replicas: number = 3) {
    this.backend = new ScriptedBackend(replicas);
  }

  async run(
    strikes: readonly Strike[],
    options: Partial<NemesisOptions> = {},
  ): Promise<NemesisReport> {
    return await runNemesis({
      ...{ backend: this.backend, strikes, windowMs: 600_000, signal: this.stop.signal },
      sink: { nowNs: () => this.#nowMs * 1e6, fault: (event) => this.events.push(event) },
      wait: (ms) => this.#wait(ms),
      onStrike: (told) => {
        this.told.push(told);
        this.books.push(this.backend.book.splice(0));
      },
      ...options,
    });
  }

  #wait(ms: number): Promise<void> {
    this.#nowMs += Math.max(ms, 0);
    if (this.#nowMs >= this.stopAfterMs) this.stop.abort();
    return Promise.resolve();
  }
}

/** Names and numbers of faults that were begun and not ended, or the other way round. */
function unpaired(events: readonly FaultEvent[]): readonly string[] {
  const open = new Map<number, FaultEvent>();
  const wrong: string[] = [];
  for (const event of events) {
    const { phase, id, name, timeNs } = event;
    const start = open.get(id);
    if (phase === "start") {
      if (start !== undefined) wrong.push(`${id} began twice`);
      open.set(id, event);
    } else if (start === undefined) wrong.push(`${id} ended without a beginning`);
    else {
      if (start.name !== name || start.timeNs > timeNs) wrong.push(`${id} ended as another`);
      open.delete(id);
    }
  }
  return [...wrong, ...[...open.keys()].map((id) => `${id} never ended`)];
}

function strikeOf(kind: StrikeName, seed: number): Strike {
  return { id: 1, kind, seed, atMs: 0, durationMs: 1_000 + seed };
}

for (const kind of STRIKE_NAMES) {
  Deno.test(`strike ${kind} hurts a cluster of 3 and of 5 and leaves nothing broken`, async () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const trial = new Trial(seed % 4 === 3 ? 5 : 3);
      const report = await trial.run([strikeOf(kind, seed)]);
      assertEquals(report.problems, [], `seed ${seed}`);
      assertEquals(trial.told.map(({ outcome }) => outcome), ["done"], `seed ${seed}`);
      assertEquals(report.strikes, { [kind]: 1 });
      assertEquals(trial.backend.wrongs, []);
      assertEquals(unpaired(trial.events), []);
      const faults = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
      assertEquals(trial.events.filter(({ phase }) => phase === "start").length, faults);
    }
  });
}

Deno.test("a nemesis does the same again, and the same of what is left when strikes are taken out", async () => {
  for (const nemesis of NEMESIS_NAMES) {
    const { can } = new ScriptedBackend();
    const request = { nemesis, seed: 11, windowMs: 300_000, replicas: 3, can };
    const strikes = drawStrikes(request);
    const [whole, again, half] = [new Trial(), new Trial(), new Trial()];
    const report = await whole.run(strikes);
    await again.run(strikes);
    assertGreater(report.checkpoints, nemesis === "none" ? -1 : 0);
    await half.run(strikes.filter(({ id }) => id % 2 === 0));
    assertEquals(again.events, whole.events);
    assertEquals(half.books, whole.books.filter((_, i) => i % 2 === 1));
  }
});

Deno.test("a nemesis survives verbs that fail, tells which, and puts everything right", async () => {
  const { can } = new ScriptedBackend();
  for (let seed = 0; seed < SEEDS; seed++) {
    const request = { nemesis: "storm", seed, windowMs: 120_000, replicas: 3, can } as const;
    const trial = new Trial();
    let verbs = seed;
    trial.backend.fails = (verb) => verb !== "heal" && ++verbs % 5 === 0;
    const report = await trial.run(drawStrikes(request));
    assertEquals(trial.backend.wrongs, []);
    assertEquals(unpaired(trial.events), []);
    assertGreater(report.problems.length, 0);
    assert(trial.told.some(({ outcome }) => outcome !== "done"));
  }
});

Deno.test("a fault that could not be put right by itself ends when the cluster was mended", async () => {
  const trial = new Trial();
  let tries = 0;
  trial.backend.fails = (verb) => verb === "restart 1" && ++tries === 1;
  const { book } = trial.backend;
  const report = await trial.run([strikeOf("kill_primary", 2)], {
    sink: { nowNs: () => 0, fault: ({ phase, name }) => book.push(`${phase} ${name}`) },
  });
  assertEquals([tries, report.problems], [2, []]);
  const done = trial.books[0]!.filter((verb) => !verb.startsWith("checkpoint"));
  assertEquals(done, ["start kill", "kill 1", "heal", "restart 1", "stop kill"]);
});

Deno.test("a nemesis that did nothing is told from one that did", async () => {
  const trial = new Trial();
  trial.backend.fails = (verb) => verb.startsWith("kill");
  const strikes = [strikeOf("kill_primary", 1), { ...strikeOf("kill_all", 2), id: 2, atMs: 9_000 }];
  const report = await trial.run(strikes);
  assertEquals(report.firstFaultNs, undefined);
  assertEquals([report.windowMs, report.faults, report.strikes], [0, {}, {}]);
  assertEquals(trial.told.map(({ outcome }) => outcome), ["nothing", "nothing"]);
  assertMatch(report.problems[0]!, /^strike 1 \(kill_primary\): kill 1 fails$/);
});

Deno.test("a nemesis measures its window from the first fault that took hold", async () => {
  const trial = new Trial();
  trial.backend.fails = (verb) => trial.told.length < 2 && verb.startsWith("kill");
  const strikes = [1, 2, 3].map((id) => ({
    ...strikeOf("kill_primary", id),
    ...{ id, atMs: (id - 1) * 20_000 },
  }));
  const report = await trial.run(strikes, { windowMs: 60_000 });
  assertEquals(report.firstFaultNs, 40_000 * 1e6);
  assertEquals(report.windowMs, 60_000);
  assertEquals(report.notReached, 0);
});

Deno.test("a nemesis leaves out strikes for which its window has no room", async () => {
  const trial = new Trial();
  const strikes = [1, 2, 3].map((id) => ({ ...strikeOf("pause_all", id), id, durationMs: 700 }));
  const report = await trial.run(strikes, { windowMs: 1_500 });
  assertEquals(report.notReached, 1);
  assertEquals(report.strikes, { pause_all: 2 });
});

Deno.test("a nemesis that is told to stop puts everything right at once", async () => {
  for (const kind of STRIKE_NAMES) {
    const trial = new Trial();
    trial.stopAfterMs = 400;
    const strikes = [strikeOf(kind, 7), { ...strikeOf(kind, 8), id: 2, atMs: 5_000 }];
    const report = await trial.run(strikes);
    assertEquals(trial.backend.wrongs.filter((wrong) => !wrong.includes("data")), [], kind);
    assertEquals(unpaired(trial.events), []);
    assertEquals(report.notReached, 1);
    assertEquals(report.problems, []);
  }
});

Deno.test("a nemesis writes down whom the operator had to start again", async () => {
  const trial = new Trial();
  const told = { ...strikeOf("disk_eio", 1) };
  trial.backend.faulted.add(2);
  const report = await trial.run([told]);
  assertEquals(report.operatorRestarts, 1);
  const restarts = trial.events.filter(({ name }) => name === "operator_restart");
  assertEquals(restarts.map(({ phase, replicaIds }) => [phase, replicaIds]), [
    ["start", [2]],
    ["stop", [2]],
  ]);
});
