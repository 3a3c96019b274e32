// The checker against somebody who tries every order, on small histories of a system that is right and on the same with a lie in
// them; and against itself, where brute force is too slow. A wrong verdict either way is what must never happen.
// ALLOCDB_HISTORIES=200000 tries as many; ALLOCDB_SEED=n tries that one.
import { assert, assertEquals } from "@std/assert";
import { checkReservations } from "../../testbed/jepsen/analysis/reservation/check.ts";
import type {
  ReservationBounds,
  ReservationVerdict,
} from "../../testbed/jepsen/analysis/reservation/verdict.ts";
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { verifyCertificate } from "../../testbed/jepsen/analysis/certificate/verify.ts";
import { isLinearizable } from "./brute_force.ts";
import {
  generate,
  generateWithTicks,
  type GeneratorOptions,
  ROOMY,
  tellLie,
  tellTickLie,
} from "./generate.ts";
import { readsOfTicks, ticksAgree } from "./brute_ticks.ts";
import { describeHistory } from "./describe.ts";

const SEED = Deno.env.get("ALLOCDB_SEED");
const HISTORIES = Number(Deno.env.get("ALLOCDB_HISTORIES") ?? 6_000);
const STRICT: ReservationBounds = { tables: "roomy", history: "kept" };

Deno.test("checkReservations() agrees with brute force on every small history", () => {
  const seen = new Map<string, number>();
  for (const seed of seeds(HISTORIES / 2)) {
    const random = new SeededRandom(seed);
    const options = smallOptions(random);
    const isStrict = random.oneIn(2);
    const isByClass = random.oneIn(4);
    const right = generateWithTicks(random, options);
    const isOfTick = right.ticks.length > 0 && random.oneIn(3);
    const wrong = isOfTick
      ? { ...right, ticks: tellTickLie(random, right.ticks) }
      : { ...right, history: tellLie(random, right.history) };
    for (const { history, ticks } of [right, wrong]) {
      const prepared = options.isPrepared === true ? [1n, 2n] : [];
      const attempts = [...history, ...readsOfTicks(ticks)];
      const text = `seed ${seed}: ${describeHistory(attempts)}`;
      const rules = { mayFill: !isStrict, mayRetire: !isStrict, prepared, isByClass };
      const isRight = ticksAgree(history, ticks) && isLinearizable(attempts, rules);
      const isInOrder = isRight && isLinearizable(attempts, { ...rules, isInLsnOrder: true });
      if (history === right.history && ticks === right.ticks) assert(isInOrder, text);
      const bounds: ReservationBounds = {
        ...(isStrict ? STRICT : {}),
        refusals: isByClass ? "class" : "exact",
      };
      for (const way of WAYS) {
        const verdict = checkReservations(history, {
          stepsMax: 1_000_000,
          shrinkRunsMax: way.certify ? 400 : 0,
          initialResourceIds: prepared,
          bounds,
          ticks,
          ...way,
        });
        const told = `${text}\n${JSON.stringify(way)} ${describeVerdict(verdict)}`;
        // Partitions are judged one by one, so an order of all lsns may fail that no partition contradicts.
        const isWhole = verdict.counts.partitions === 1;
        if (way.lsns !== "binding") assertEquals(isPassed(verdict), isRight, told);
        else if (isInOrder || isWhole || !isRight) assertEquals(isPassed(verdict), isInOrder, told);
        if (way.useWitness && (isInOrder || isWhole)) {
          assertEquals(verdict.findings.length > 0, isRight && !isInOrder, told);
        }
        if (way.certify && verdict.kind !== "unknown") {
          const { kind, ...rest } = verifyCertificate(attempts, verdict.certificate!, {
            bounds,
            initialResourceIds: prepared,
          });
          assert(kind !== "refused", `${told} ${JSON.stringify(rest)}`);
          count(seen, `${verdict.kind} ${kind}`);
        }
        count(seen, verdict.kind === "invalid" ? verdict.violation.rule : verdict.kind);
      }
    }
  }
  if (SEED !== undefined) return;
  // Without all of these the test would not have met what it is about.
  for (const rule of MET) {
    assert((seen.get(rule) ?? 0) >= HISTORIES / 5_000, `${rule} was met ${seen.get(rule)} times`);
  }
});

/** Everything that decides the same question, and what must come out the same. */
const WAYS = [
  { certify: true, useWitness: true, lsns: "claimed", algorithm: "auto" },
  { certify: false, useWitness: true, lsns: "binding", algorithm: "auto" },
  { certify: false, useWitness: false, lsns: "claimed", algorithm: "configurations" },
  { certify: true, useWitness: false, lsns: "claimed", algorithm: "depth_first" },
] as const;

const MET: readonly string[] = [
  "valid",
  "valid verified",
  "invalid verified",
  "linearizable",
  "lsn/explains-answers",
  "lsn/in-real-time",
  "slot/never-back",
  "read/sees-what-was-answered",
  "read/keeps-fence",
  "reservation/deadline",
  "reservation/one-record",
  "expire/frees-what-was-held",
];

Deno.test("checkReservations() calls long histories of a right system valid, with lsns and without", () => {
  let [retired, full] = [0, 0];
  for (const seed of seeds(60)) {
    const random = new SeededRandom(seed);
    const history = generate(random, longOptions(random));
    retired += countCode(history, "retired");
    full += countCode(history, "_full");
    for (const [useWitness, shown] of [[true, history], [false, withoutLsns(history)]] as const) {
      const verdict = checkReservations(shown, {
        stepsMax: 3_000_000,
        useWitness,
        bounds: { answers: "may_be_forgotten" },
      });
      assertEquals(verdict.kind, "valid", `seed ${seed}: ${describeVerdict(verdict)}`);
      assertEquals(verdict.findings, [], `seed ${seed}`);
    }
  }
  if (SEED === undefined) assert(retired > 20 && full > 20, `${retired} retired, ${full} full`);
});

Deno.test("checkReservations() does not notice what does not matter", () => {
  for (const seed of seeds(600)) {
    const random = new SeededRandom(seed);
    const options = { ...smallOptions(random), attempts: 14, conflictOneIn: 0, isPrepared: false };
    const right = generate(random, options);
    const history = random.oneIn(2) ? right : tellLie(random, right);
    const expected = judge(history);
    for (const [name, change] of Object.entries(SAME_MEANING)) {
      assertEquals(judge(change(history)), expected, `${name}, seed ${seed}`);
    }
    if (expected !== "valid") continue;
    for (const [name, change] of Object.entries(SAYS_LESS)) {
      assert(judge(change(history, random)) !== "invalid", `${name}, seed ${seed}`);
    }
  }
});

Deno.test("checkReservations() judges a history like its parts, one for each resource", () => {
  const seen = new Map<string, number>();
  for (const seed of seeds(600)) {
    const random = new SeededRandom(seed);
    const right = generate(random, {
      ...smallOptions(random),
      ...{ attempts: 16, resources: 3, lostOneIn: 0, conflictOneIn: 0, bundleOneIn: 0 },
      ...{ isPrepared: false, showsOrder: false, firstSlot: 1n },
    });
    const history = withoutLsns(random.oneIn(2) ? right : tellLie(random, right));
    const parts = [1n, 2n, 3n, undefined].map((id) => partOf(history, id));
    const isRight = parts.every((part) => judge(part) === "valid");
    assertEquals(judge(history) === "valid", isRight, `seed ${seed}${describeHistory(history)}`);
    count(seen, `${isRight}`);
  }
  if (SEED === undefined) assert(seen.get("false")! > 50 && seen.get("true")! > 50);
});

/** What is about one resource, or without one about none. */
function partOf(
  history: readonly HistoryOperation[],
  resourceId: bigint | undefined,
): HistoryOperation[] {
  const resourceOf = new Map<bigint, bigint>();
  for (const { request, outcome } of history) {
    if (request.kind !== "reserve" || outcome.kind !== "ok") continue;
    const made = outcome.answer.kind === "applied" ? outcome.answer.reserved : undefined;
    if (made !== undefined) resourceOf.set(made.reservationId, request.resourceId);
  }
  return history.filter(({ request }) => {
    if ("resourceId" in request) return request.resourceId === resourceId;
    return !("reservationId" in request) || resourceOf.get(request.reservationId) === resourceId;
  });
}

Deno.test("checkReservations() gives a counterexample that is invalid by itself and 1-minimal", () => {
  let [found, answers] = [0, 0];
  for (const seed of seeds(700)) {
    const random = new SeededRandom(seed);
    const options = { ...smallOptions(random), attempts: 40, resources: 3, conflictOneIn: 0 };
    const history = tellLie(random, generate(random, { ...options, isPrepared: false }));
    const verdict = checkReservations(history, { stepsMax: 1_000_000 });
    if (verdict.kind !== "invalid" || verdict.violation.rule !== "linearizable") continue;
    const { counterexample, isMinimal } = verdict.violation;
    found++;
    answers += counterexample.length;
    assert(isMinimal, `seed ${seed}`);
    const text = `seed ${seed}: ${describeHistory(counterexample)}`;
    assertEquals(judge(counterexample), "invalid", text);
    assert(counterexample.every((attempt) => history.includes(attempt)), text);
  }
  if (SEED !== undefined) return;
  assert(found > 50, `${found} counterexamples`);
  assert(answers / found < 6, `${answers / found} operations on average`);
});

function* seeds(many: number): Generator<number> {
  if (SEED !== undefined) yield Number(SEED);
  else for (let seed = 1; seed <= many; seed++) yield seed;
}

function smallOptions(random: SeededRandom): GeneratorOptions {
  return {
    attempts: 2 + random.below(6),
    processes: 1 + random.below(4),
    resources: 1 + random.below(2),
    bounds: ROOMY,
    lostOneIn: [0, 6, 3][random.below(3)]!,
    conflictOneIn: random.below(2) * 4,
    bundleOneIn: random.below(2) * 2,
    showsVersions: random.oneIn(2),
    isPrepared: random.oneIn(2),
    firstSlot: random.oneIn(4) ? 2n ** 40n : 1n,
    showsOrder: random.oneIn(2),
    ...(random.oneIn(3) ? { tickOneIn: 3 } : {}),
  };
}

/** Tables so small and windows so short that records are dropped, tables fill, and answers are forgotten. */
function longOptions(random: SeededRandom): GeneratorOptions {
  return {
    attempts: 100 + random.below(200),
    processes: 2 + random.below(8),
    resources: 2 + random.below(5),
    bounds: {
      ...ROOMY,
      maxResources: 4,
      maxReservations: 3 + random.below(6),
      maxOperations: 20 + random.below(200),
      maxTtlSlots: 4n,
      reservationHistoryWindowSlots: BigInt(random.below(10)),
      maxClientRetryWindowSlots: BigInt(random.below(30)),
    },
    lostOneIn: 20 + random.below(40),
    conflictOneIn: random.below(2) * 30,
    bundleOneIn: 4,
    showsVersions: random.oneIn(2),
  };
}

function judge(history: readonly HistoryOperation[]): string {
  const verdict = checkReservations(history, { stepsMax: 1_000_000, shrinkRunsMax: 0 });
  return isPassed(verdict) ? "valid" : verdict.kind;
}

/** Valid, or so without answers that there is nothing to be wrong about. */
function isPassed(verdict: ReservationVerdict): boolean {
  return verdict.kind === "valid" ||
    (verdict.kind === "unknown" && verdict.reason === "nothing was checked");
}

type Change = (history: readonly HistoryOperation[], random: SeededRandom) => HistoryOperation[];

/** What leaves a history the same history. */
const SAME_MEANING: Record<string, (history: readonly HistoryOperation[]) => HistoryOperation[]> = {
  "other order of records": (history) => [...history].reverse(),
  "other processes": (history) => history.map((it) => ({ ...it, process: 1_000 - it.process })),
  "other positions": (history) =>
    history.map((it) => ({
      ...it,
      invokedAt: it.invokedAt * 3 + 100,
      completedAt: it.completedAt === undefined ? undefined : it.completedAt * 3 + 100,
    })),
  "other keys": (history) =>
    history.map((it) => {
      if (it.key === undefined) return it;
      const { clientId, operationId } = it.key;
      return { ...it, key: { clientId: clientId + 5n, operationId: 2n ** 127n - operationId } };
    }),
  "other resources": (history) => history.map(renameResources),
  "reads that two clients had at once": (history) =>
    history.flatMap((it) =>
      it.key === undefined ? [it, { ...it, process: it.process + 500 }] : [it]
    ),
  "times": (history) => history.map((it) => ({ ...it, invokedNs: 7, completedNs: 3 })),
  "failures": (history) =>
    history.flatMap((it) => [it, { ...it, completedAt: undefined, outcome: { kind: "fail" } }]),
};

/** What leaves a valid history valid. */
const SAYS_LESS: Record<string, Change> = {
  "without a read": (history, random) => {
    const reads = history.filter(({ key }) => key === undefined);
    const gone = reads[random.below(reads.length || 1)];
    return history.filter((it) => it !== gone);
  },
  "later answers": (history, random) => {
    const late = history[random.below(history.length)];
    return history.map((it) =>
      it === late && it.completedAt !== undefined
        ? { ...it, completedAt: it.completedAt + 1_000 }
        : it
    );
  },
  "without the slots that were asked for": (history) => history.map(({ slot: _slot, ...it }) => it),
  "without what reads say that they saw": (history) =>
    history.map(({ servedBy: _servedBy, ...it }) => it),
  "an answer to somebody who never knew": (history) => [
    ...history,
    {
      process: 900,
      key: { clientId: 9n, operationId: 9n },
      request: { kind: "release", reservationId: 2n ** 60n, holderId: 1n, epoch: 1n },
      invokedAt: 1_000,
      completedAt: undefined,
      outcome: { kind: "info" },
    },
  ],
  "a lost answer": (history, random) => {
    const lost = history[random.below(history.length)];
    return history.map((it) =>
      it === lost ? { ...it, completedAt: undefined, outcome: { kind: "info" } } : it
    );
  },
  "the same answer to a retry": (history, random) => {
    const answered = history.filter(({ outcome, key }) =>
      key !== undefined && outcome.kind === "ok" && outcome.answer.kind === "applied" &&
      outcome.answer.code !== "operation_conflict"
    );
    const again = answered[random.below(answered.length || 1)];
    if (again === undefined) return [...history];
    return [...history, { ...again, process: 77, invokedAt: 1_000, completedAt: 1_001 }];
  },
};

function renameResources(attempt: HistoryOperation): HistoryOperation {
  const rename = (id: bigint): bigint => id * 7n + 2n ** 100n;
  const { request, outcome } = attempt;
  const renamed = "resourceId" in request
    ? { ...request, resourceId: rename(request.resourceId) }
    : "resourceIds" in request
    ? { ...request, resourceIds: request.resourceIds.map(rename) }
    : request;
  if (outcome.kind !== "ok" || outcome.answer.kind !== "reservation") {
    return { ...attempt, request: renamed };
  }
  const memberResourceIds = outcome.answer.memberResourceIds!.map(rename);
  const answer = { ...outcome.answer, memberResourceIds };
  return { ...attempt, request: renamed, outcome: { kind: "ok", answer } };
}

function withoutLsns(history: readonly HistoryOperation[]): HistoryOperation[] {
  return history.map((attempt) => {
    const { outcome } = attempt;
    if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") return attempt;
    const { code, reserved } = outcome.answer;
    const answer = reserved === undefined
      ? { kind: "applied" as const, code }
      : { kind: "applied" as const, code, reserved };
    return { ...attempt, outcome: { kind: "ok", answer } };
  });
}

function countCode(history: readonly HistoryOperation[], end: string): number {
  return history.filter(({ outcome }) =>
    outcome.kind === "ok" &&
    (outcome.answer.kind === "applied" ? outcome.answer.code : outcome.answer.kind).endsWith(end)
  ).length;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function describeVerdict(verdict: ReservationVerdict): string {
  if (verdict.kind === "invalid") return `${verdict.violation.rule}: ${verdict.violation.sentence}`;
  return verdict.kind === "unknown" ? `unknown: ${verdict.reason}` : "valid";
}
