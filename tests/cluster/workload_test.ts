// What clients do is drawn from seeds: every habit must turn up in some lives and be missing in others, every action must
// be taken and lead to what it is for, and JSON must keep the plan whole.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { RESULT_NAMES } from "../../core/outcome.ts";
import type { Rejection } from "../../node/api.ts";
import { drawPlan } from "../../testbed/sim/life/draw.ts";
import { live } from "../../testbed/sim/life/life.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import type { Operation } from "../../testbed/sim/workload/operation.ts";
import {
  ACTIONS,
  drawWorkload,
  PLAIN_WORKLOAD,
  type PlanWorkload,
} from "../../testbed/sim/workload/plan.ts";
import { ClusterWorld } from "../../testbed/sim/world/world.ts";

const DRAWS = Array.from({ length: 400 }, (_, seed) => drawWorkload(new SeededRandom(seed)));

Deno.test("drawWorkload() has each action in some lives and lacks it in others", () => {
  const always = new Set(["create_resource", "read_resource"]);
  for (const action of ACTIONS) {
    const having = DRAWS.filter(({ weights }) => weights[action] > 0).length;
    assertGreater(having, 200, action);
    assert(always.has(action) || having < 360, `${action} in ${having}`);
  }
  assert(DRAWS.every(({ weights }) => weights.reserve + weights.reserve_bundle > 0));
});

Deno.test("drawWorkload() draws each habit and its absence, within its bounds", () => {
  const habits: Readonly<Record<string, (workload: PlanWorkload) => boolean>> = {
    crowds: ({ clients }) => clients >= 16,
    "pinned readers": ({ pinnedReaders }) => pinnedReaders > 0,
    "many under way": ({ inFlightMax }) => inFlightMax > 8,
    batches: ({ batchMax }) => batchMax > 1,
    "hot spots": ({ skew }) => skew > 0,
    rivals: ({ holders }) => holders > 1,
    impostors: ({ impostorOneIn }) => impostorOneIn > 0,
    "giving up": ({ attemptsMax }) => attemptsMax > 0,
    straying: ({ strayOneIn }) => strayOneIn > 0,
    fences: ({ fenceOneIn }) => fenceOneIn > 0,
    "fences too high": ({ fenceOneIn, fenceTooHighOneIn }) => fenceOneIn * fenceTooHighOneIn > 0,
    impatience: ({ timeoutMs }) => timeoutMs < 200,
  };
  for (const [habit, has] of Object.entries(habits)) {
    const having = DRAWS.filter(has).length;
    assert(having > 20 && having < 380, `${habit} in ${having}`);
  }
  for (const { inFlightMax, ttlSlotsMin, ttlSlotsMax } of DRAWS) {
    assert(inFlightMax >= 1 && inFlightMax <= 16 && ttlSlotsMin >= 1 && ttlSlotsMax <= 256);
  }
});

Deno.test("a workload is the same after JSON, and the same for the same seed", () => {
  for (const [seed, workload] of DRAWS.entries()) {
    assertEquals(JSON.parse(JSON.stringify(workload)), workload);
    assertEquals(drawWorkload(new SeededRandom(seed)), workload);
  }
});

Deno.test("clients are told every result and every refusal that there is for them, within 40 seeds", () => {
  const expected = new Set(RESULT_NAMES.filter((name) => !UNHEARD.has(name)));
  const refusals = new Set<Rejection["code"]>(REFUSALS);
  const seen = {
    isAbandoned: false,
    note({ outcome, failure, isAbandoned }: Operation): void {
      if (outcome !== undefined) expected.delete(outcome.code as never);
      if (failure !== undefined) refusals.delete(failure.code);
      this.isAbandoned ||= isAbandoned;
    },
  };
  for (let seed = 1; seed <= 40; seed++) {
    if (expected.size + refusals.size === 0 && seen.isAbandoned) break;
    live(drawPlan(seed, "ci"), { observer: answersTo((operation) => seen.note(operation)) });
  }
  assertEquals([[...expected], [...refusals], seen.isAbandoned], [[], [], true]);
});

Deno.test("several commands in one frame are submitted in one turn, and each is answered", () => {
  const workload = { ...PLAIN_WORKLOAD, clients: 3, batchMax: 8, inFlightMax: 16, thinkMs: 5 };
  const world = new ClusterWorld({ seed: 3, workload });
  const turns = new Map<number, number>();
  const { submitted } = world;
  world.submitted = (machine, operation) => {
    turns.set(world.queue.happened, (turns.get(world.queue.happened) ?? 0) + 1);
    submitted.call(world, machine, operation);
  };
  world.run(1_500);
  world.settle();
  assertEquals(Math.max(...turns.values()), 8);
  assertGreater(world.judges.judged.published, 200);
});

Deno.test("a retry is executed once within its window, and may be again after it", () => {
  for (const [retrySlots, isForgotten] of [[1_000n, false], [0n, true]] as const) {
    const core = { maxTtlSlots: 20n, reservationHistoryWindowSlots: 20n };
    const weights = { ...PLAIN_WORKLOAD.weights, retry: 60 };
    const workload = { ...PLAIN_WORKLOAD, weights, ttlSlotsMax: 20 };
    const world = new ClusterWorld({
      seed: 5,
      workload,
      core: { ...core, maxClientRetryWindowSlots: retrySlots },
    });
    const executions = new Map<string, Set<bigint>>();
    const { published } = world;
    world.published = (machine, operation, outcome) => {
      const { clientId, operationId } = operation.command;
      const key = `${clientId} ${operationId}`;
      executions.set(key, (executions.get(key) ?? new Set()).add(outcome.appliedLsn));
      published.call(world, machine, operation, outcome);
    };
    world.run(5_000);
    world.settle();
    const isExecutedAgain = [...executions.values()].some(({ size }) => size > 1);
    assertEquals(isExecutedAgain, isForgotten);
  }
});

Deno.test("a history that is full ends, and what is under way stays without an answer", () => {
  const workload = { ...PLAIN_WORKLOAD, clients: 12, inFlightMax: 8, thinkMs: 10 };
  const world = new ClusterWorld({ seed: 1, workload });
  world.run(2_500);
  const { attempts, isCutShort } = world.history;
  assert(isCutShort, "there is more than fits");
  assert(attempts.some(({ completedAt }) => completedAt === undefined), "something was under way");
  world.settle();
  assertEquals(world.judges.judged.linearized, 1);
});

/** Never the result of a client's command. */
const UNHEARD = new Set(["", "none", "noop", "slot_overflow", "reservation_member_table_full"]);

const REFUSALS = ["invalid_request", "slot_rewound", "slot_too_far", "slot_overflow"] as const;

/** Somebody who hears answers only. */
function answersTo(note: (operation: Operation) => void): NonNullable<Observer> {
  const ignore = (): void => {};
  return {
    sent: ignore,
    arrived: ignore,
    lost: ignore,
    replica: ignore,
    process: ignore,
    struck: ignore,
    asked: ignore,
    answered: (_atMs, operation) => note(operation),
  };
}

type Observer = NonNullable<Parameters<typeof live>[1]>["observer"];
