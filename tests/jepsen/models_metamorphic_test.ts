// What does not matter to a verdict, and what can only make a history easier to explain: tried on histories of every model, half of
// them with one thing changed. ALLOCDB_SEED=n tries that one.
import { assert, assertEquals } from "@std/assert";
import { checkModel } from "../../testbed/jepsen/analysis/models/check.ts";
import type { ModelOptions } from "../../testbed/jepsen/analysis/models/verdict.ts";
import {
  MODEL_NAMES,
  type ModelOperation,
  type Value,
} from "../../testbed/jepsen/history/model.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { changeOne, generateModel } from "./models_generate.ts";

const SEED = Deno.env.get("ALLOCDB_SEED");
const HISTORIES = 800;

type Change = (
  history: readonly ModelOperation[],
  random: SeededRandom,
) => readonly ModelOperation[];

const SAME: Readonly<Record<string, Change>> = {
  "other numbers of processes": (history) =>
    history.map((it) => ({ ...it, process: 1_000 - it.process })),
  "later, and further apart": (history) =>
    history.map((it) => ({
      ...it,
      invokedAt: it.invokedAt * 3 + 17,
      completedAt: it.completedAt === undefined ? undefined : it.completedAt * 3 + 17,
    })),
  "other names of keys": (history) =>
    history.map((it) => it.key === undefined ? it : { ...it, key: `key ${it.key}` }),
  "other values": (history) => history.map(renamed),
  "another order in the file": (history) => history.toReversed(),
  "a read twice": (history, random) => {
    const reads = history.filter((it) => isRead(it) && it.outcome.kind === "ok");
    if (reads.length === 0) return history;
    return [...history, { ...reads[random.below(reads.length)]!, process: 777 }];
  },
};

const EASIER: Readonly<Record<string, Change>> = {
  "an answer that comes later": (history, random) =>
    changed(history, random, ({ completedAt }) => ({ completedAt: completedAt! + 9.25 })),
  "a beginning that comes earlier": (history, random) =>
    changed(history, random, ({ invokedAt }) => ({ invokedAt: invokedAt - 9.25 })),
  "an answer that nobody got": (history, random) =>
    changed(history, random, () => ({ completedAt: undefined, outcome: { kind: "info" } })),
  "a read that never was": (history, random) => {
    const at = random.below(history.length);
    return history.filter((it, i) => i !== at || !isRead(it));
  },
};

Deno.test("checkModel() does not notice what does not matter", () => {
  for (const { seed, random, history, options } of histories()) {
    const { kind } = checkModel(history, options);
    for (const [name, change] of Object.entries(SAME)) {
      const verdict = checkModel(change(history, random), options);
      assertEquals(verdict.kind, kind, `seed ${seed}: ${name}`);
    }
    const keys = new Set(history.map(({ key }) => key));
    const apart = [...keys].map((key) =>
      checkModel(history.filter((it) => it.key === key), options).kind
    );
    assertEquals(apart.includes("invalid") ? "invalid" : "valid", kind, `seed ${seed}: by key`);
  }
});

Deno.test("checkModel() finds nothing wrong with less certainty", () => {
  let tried = 0;
  for (const { seed, random, history, options } of histories()) {
    if (checkModel(history, options).kind !== "valid") continue;
    for (const [name, change] of Object.entries(EASIER)) {
      // A lock is held by a process: that one must not do two things at a time.
      if (options.model === "lock" && name !== "a read that never was") continue;
      const verdict = checkModel(change(history, random), options);
      assertEquals(verdict.kind, "valid", `seed ${seed}: ${name}`);
      tried++;
    }
  }
  assert(SEED !== undefined || tried > HISTORIES, `${tried} were tried`);
});

function* histories(): Generator<{
  readonly seed: number;
  readonly random: SeededRandom;
  readonly history: readonly ModelOperation[];
  readonly options: ModelOptions;
}> {
  const only = SEED === undefined ? undefined : Number(SEED);
  for (let seed = only ?? 1; seed <= (only ?? HISTORIES); seed++) {
    const random = new SeededRandom(seed);
    const model = MODEL_NAMES[seed % MODEL_NAMES.length]!;
    const right = generateModel(random, {
      model,
      operations: 4 + random.below(25),
      clients: 2 + random.below(4),
      keys: random.below(3),
      values: 2 + random.below(3),
      lostOneIn: 4 + random.below(12),
    });
    const history = random.oneIn(2) ? right : changeOne(random, right);
    const options = { model, stepsMax: 2_000_000, shrinkRunsMax: 0 };
    yield { seed, random, history, options };
  }
}

function changed(
  history: readonly ModelOperation[],
  random: SeededRandom,
  change: (operation: ModelOperation) => Partial<ModelOperation>,
): readonly ModelOperation[] {
  const answered = history.filter(({ outcome }) => outcome.kind === "ok");
  const one = answered[random.below(answered.length)];
  return history.map((it) => it === one ? { ...it, ...change(it) } : it);
}

function isRead({ f }: ModelOperation): boolean {
  return f === "read" || f === "get";
}

/** Numbers, and letters, that mean the same as before. Tokens have an order, which has to stay. */
function renamed(operation: ModelOperation): ModelOperation {
  const { value, outcome } = operation;
  return {
    ...operation,
    value: renamedValue(value),
    outcome: outcome.kind === "ok" ? { kind: "ok", value: renamedValue(outcome.value) } : outcome,
  };
}

function renamedValue(value: Value): Value {
  if (typeof value === "bigint") return value * 3n + 2n ** 70n;
  if (typeof value === "string") {
    return value === "read" || value === "write" ? value : value.toUpperCase();
  }
  return Array.isArray(value) ? (value as readonly Value[]).map(renamedValue) : value;
}
