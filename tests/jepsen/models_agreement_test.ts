// The checker of models against somebody who tries every order, on small histories of systems that are right and on the same with
// one thing changed; and its searches against each other where that is too slow. A wrong verdict either way is what must never happen.
// ALLOCDB_HISTORIES=100000 tries as many; ALLOCDB_SEED=n tries that one.
import { assert, assertEquals } from "@std/assert";
import { checkModel } from "../../testbed/jepsen/analysis/models/check.ts";
import type { ModelVerdict } from "../../testbed/jepsen/analysis/models/verdict.ts";
import { MODEL_NAMES, type ModelOperation } from "../../testbed/jepsen/history/model.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { type BruteRules, isLinearizableModel, refuteOrder } from "./models_brute_force.ts";
import { changeOne, generateModel, type ModelSize } from "./models_generate.ts";

const SEED = Deno.env.get("ALLOCDB_SEED");
const HISTORIES = Number(Deno.env.get("ALLOCDB_HISTORIES") ?? 20_000);
const ALGORITHMS = ["auto", "wgl", "configurations"] as const;
const STEPS_MAX = 1_000_000;

Deno.test("checkModel() agrees with brute force on every small history of every model", () => {
  const seen = new Map<string, number>();
  for (const seed of seeds(HISTORIES / 2)) {
    const random = new SeededRandom(seed);
    const size = smallSize(random);
    const rules = drawRules(random, size);
    const right = generateModel(random, size);
    assert(isLinearizableModel(right, { ...rules, nilRead: "value" }), shown(seed, right));
    for (const history of [right, changeOne(random, right)]) {
      const expected = isLinearizableModel(history, rules) ? "valid" : "invalid";
      for (const algorithm of ALGORITHMS) {
        const options = { ...rules, algorithm, stepsMax: STEPS_MAX, shrinkRunsMax: 0 };
        const verdict = checkModel(history, options);
        assertEquals(verdict.kind, expected, `${algorithm} ${shown(seed, history)}`);
        if (algorithm !== "auto") checkOrder(history, verdict, rules, seed);
      }
      const apart = { ...rules, usePartitions: false, stepsMax: STEPS_MAX, shrinkRunsMax: 0 };
      assertEquals(checkModel(history, apart).kind, expected, shown(seed, history));
      const key = `${size.model} ${expected}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
  }
  if (SEED !== undefined) return;
  // Without both verdicts of every model the test would not have met what it is about.
  for (const model of MODEL_NAMES) {
    for (const kind of ["valid", "invalid"]) {
      const count = seen.get(`${model} ${kind}`) ?? 0;
      assert(count >= HISTORIES / 400, `${model} ${kind} was met ${count} times`);
    }
  }
});

Deno.test("checkModel() leaves a counterexample that brute force refutes and of which nothing can be spared", () => {
  let found = 0;
  for (const seed of seeds(1_500)) {
    const random = new SeededRandom(seed);
    const size = { ...smallSize(random), operations: 5 + random.below(8) };
    const rules = drawRules(random, size);
    const history = changeOne(random, generateModel(random, size));
    const verdict = checkModel(history, { ...rules, stepsMax: STEPS_MAX });
    if (verdict.kind !== "invalid") continue;
    found++;
    const { counterexample, first, isMinimal } = verdict.violation;
    const text = `${verdict.violation.sentence} ${shown(seed, history)}`;
    assert(isMinimal, text);
    assert(counterexample.some(({ invokedAt }) => invokedAt === first.invokedAt), text);
    // A read of what nothing can have brought about is shown alone: by brute force, without the writes, it is as wrong.
    assert(!isLinearizableModel(counterexample, rules), text);
    for (const operation of counterexample) {
      if (operation.outcome.kind === "info" || size.model === "lock") continue;
      const { completedAt: _, ...rest } = operation;
      const weak = { ...rest, completedAt: undefined, outcome: { kind: "info" } } as const;
      const others = counterexample.map((it) => it === operation ? weak : it);
      assert(isLinearizableModel(others, rules), `without ${operation.invokedAt}: ${text}`);
    }
    const past = history.filter(({ invokedAt }) => invokedAt < first.completedAt!);
    assert(!isLinearizableModel(past, rules), text);
  }
  assert(SEED !== undefined || found > 200, `${found} were found`);
});

Deno.test("checkModel() says the same of longer histories whichever way it searches", () => {
  for (const seed of seeds(700)) {
    const random = new SeededRandom(seed);
    const size = longSize(random);
    const rules = drawRules(random, size);
    const right = generateModel(random, size);
    for (const history of [right, changeOne(random, changeOne(random, right))]) {
      const options = { ...rules, stepsMax: 20_000_000, shrinkRunsMax: 0 };
      const [auto, wgl, configurations, apart] = [
        checkModel(history, options),
        checkModel(history, { ...options, algorithm: "wgl" }),
        checkModel(history, { ...options, algorithm: "configurations" }),
        checkModel(history, { ...options, usePartitions: false }),
      ];
      if (history === right && rules.nilRead === "value") assertEquals(auto.kind, "valid");
      assertEquals(checkModel(history, options), auto, `seed ${seed}: not the same twice`);
      assertEquals([wgl.kind, configurations.kind], [auto.kind, auto.kind], `seed ${seed}`);
      assertEquals(firstOf(wgl), firstOf(configurations), `seed ${seed}`);
      if (apart.kind !== "unknown") assertEquals(apart.kind, auto.kind, `seed ${seed}`);
      for (const verdict of [wgl, configurations]) checkOrder(history, verdict, rules, seed);
    }
  }
});

/** Orders that prove something are looked at by somebody else. */
function checkOrder(
  history: readonly ModelOperation[],
  { partitions }: ModelVerdict,
  rules: BruteRules,
  seed: number,
): void {
  for (const { linearization, operations } of partitions) {
    if (linearization === undefined) continue;
    const keys = new Set(linearization.map(({ key }) => key));
    const isWhole = operations === history.length;
    const own = isWhole ? history : history.filter(({ key }) => keys.has(key));
    if (!isWhole && rules.model === "multi-register") continue;
    if (own.length !== operations) continue;
    assertEquals(refuteOrder(own, linearization, rules), undefined, `seed ${seed}`);
  }
}

function firstOf(verdict: ModelVerdict): ModelOperation | undefined {
  return verdict.kind === "invalid" ? verdict.violation.first : undefined;
}

function smallSize(random: SeededRandom): ModelSize {
  const model = MODEL_NAMES[random.below(MODEL_NAMES.length)]!;
  return {
    model,
    operations: 2 + random.below(6),
    clients: 1 + random.below(4),
    keys: random.below(3),
    values: 1 + random.below(3),
    lostOneIn: 2 + random.below(6),
  };
}

function longSize(random: SeededRandom): ModelSize {
  return {
    ...smallSize(random),
    operations: 20 + random.below(60),
    clients: 2 + random.below(6),
    values: 2 + random.below(5),
    lostOneIn: 5 + random.below(40),
  };
}

function drawRules(random: SeededRandom, { model }: ModelSize): BruteRules {
  const failedOps = random.oneIn(2) ? "check" : "drop";
  return { model, failedOps, nilRead: random.oneIn(3) ? "unknown" : "value" };
}

function* seeds(count: number): Generator<number> {
  if (SEED !== undefined) {
    yield Number(SEED);
    return;
  }
  for (let seed = 1; seed <= count; seed++) yield seed;
}

function shown(seed: number, history: readonly ModelOperation[]): string {
  const text = history.map((it) =>
    JSON.stringify(it, (_, value) => typeof value === "bigint" ? Number(value) : value)
  );
  return `seed ${seed}:\n${text.join("\n")}`;
}
