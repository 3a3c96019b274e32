// What proves a verdict is verified by code that knows nothing of how it was found, and is refused once something is wrong with it.
import { assert, assertEquals } from "@std/assert";
import { verifyCertificate } from "../../testbed/jepsen/analysis/certificate/verify.ts";
import type {
  OrderCertificate,
  OrderStep,
} from "../../testbed/jepsen/analysis/reservation/certificate_words.ts";
import { checkReservations } from "../../testbed/jepsen/analysis/reservation/check.ts";
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { describeHistory } from "./describe.ts";
import { generate, ROOMY } from "./generate.ts";

const HISTORIES = 60;
/** Small tables and windows, so that records are dropped and answers forgotten. */
const TIGHT = {
  ...ROOMY,
  maxResources: 4,
  maxReservations: 5,
  maxOperations: 60,
  maxTtlSlots: 4n,
  reservationHistoryWindowSlots: 5n,
  maxClientRetryWindowSlots: 10n,
};
const BOUNDS = { answers: "may_be_forgotten" } as const;

Deno.test("verifyCertificate() verifies the order of every long valid history", () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const { history, certificate } = certified(seed);
    assertEquals(verifyCertificate(history, certificate, { bounds: BOUNDS }), { kind: "verified" });
  }
});

Deno.test("verifyCertificate() refuses an order with a step too few, too many, or too early", () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const { history, certificate } = certified(seed);
    for (const [name, change] of Object.entries(CHANGES)) {
      const changed = change(history, certificate);
      if (changed === undefined) continue;
      const { kind } = verifyCertificate(history, changed, { bounds: BOUNDS });
      assertEquals(kind, "refused", `${name}, seed ${seed}: ${describeHistory(history)}`);
    }
  }
});

Deno.test("verifyCertificate() refuses an order for a history in which one answer was changed", () => {
  let refused = 0;
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const { history, certificate } = certified(seed);
    const at = history.findIndex(({ request, outcome }) =>
      request.kind === "get_resource" && outcome.kind === "ok" && outcome.answer.kind === "resource"
    );
    if (at < 0) continue;
    const changed: HistoryOperation[] = history.with(at, {
      ...history[at]!,
      outcome: { kind: "ok", answer: { kind: "not_found" } },
    });
    const { kind } = verifyCertificate(changed, certificate, { bounds: BOUNDS });
    assertEquals(kind, "refused", `seed ${seed}`);
    refused++;
  }
  assert(refused > HISTORIES / 2, `${refused} refused`);
});

Deno.test("verifyCertificate() refuses a counterexample that an order explains", () => {
  const { history, certificate } = certified(1);
  const [first] = certificate.partitions[0]!.steps;
  assert(first?.kind === "operation");
  const { kind } = verifyCertificate(history, {
    kind: "counterexample",
    rule: "linearizable",
    attempts: first.attempts,
    weakened: [],
    frontier: [],
  }, { bounds: BOUNDS });
  assertEquals(kind, "refused");
});

type Change = (
  history: readonly HistoryOperation[],
  certificate: OrderCertificate,
) => OrderCertificate | undefined;

const CHANGES: Record<string, Change> = {
  "an answer that does not happen": (history, certificate) =>
    rewritten(certificate, (steps) => {
      const at = steps.findIndex((step) => isAnswered(history, step));
      return at < 0 ? undefined : steps.toSpliced(at, 1);
    }),
  "an operation that happens twice": (_history, certificate) =>
    rewritten(certificate, (steps) => [...steps, ...steps.slice(0, 1)]),
  "a hold of nothing that expires": (_history, certificate) =>
    rewritten(certificate, (steps) => [{ kind: "expire", resourceIds: [77n] }, ...steps]),
  "the last answered operation comes first": (history, certificate) =>
    rewritten(certificate, (steps) => {
      const last = steps.findLastIndex((step) => isAnswered(history, step));
      const first = steps.findIndex((step) => isAnswered(history, step));
      if (last < 0 || !isAfter(history, steps[last]!, steps[first]!)) return undefined;
      return [steps[last]!, ...steps.toSpliced(last, 1)];
    }),
};

function rewritten(
  { partitions }: OrderCertificate,
  change: (steps: readonly OrderStep[]) => readonly OrderStep[] | undefined,
): OrderCertificate | undefined {
  const [first, ...others] = partitions;
  const steps = change(first!.steps);
  if (steps === undefined) return undefined;
  return { kind: "order", partitions: [{ ...first!, steps }, ...others] };
}

function isAnswered(history: readonly HistoryOperation[], step: OrderStep): boolean {
  return step.kind === "operation" &&
    step.attempts.every((place) => history[place]!.outcome.kind === "ok");
}

/** Whether one began after the other had been answered, whatever attempt of either is meant. */
function isAfter(history: readonly HistoryOperation[], one: OrderStep, other: OrderStep): boolean {
  if (one.kind !== "operation" || other.kind !== "operation") return false;
  const begins = Math.min(...one.attempts.map((place) => history[place]!.invokedAt));
  const answers = other.attempts.map((place) => history[place]!.completedAt!);
  // With one attempt each, nothing else can have been the one that ran.
  return one.attempts.length === 1 && history[one.attempts[0]!]!.key === undefined &&
    begins > Math.max(...answers);
}

function certified(
  seed: number,
): { history: HistoryOperation[]; certificate: OrderCertificate } {
  const random = new SeededRandom(seed);
  const history = generate(random, {
    attempts: 80,
    processes: 4,
    resources: 3,
    bounds: TIGHT,
    lostOneIn: 15,
    conflictOneIn: 10,
    bundleOneIn: 4,
    showsVersions: true,
    showsOrder: true,
  });
  const verdict = checkReservations(history, {
    stepsMax: 1_000_000,
    bounds: BOUNDS,
    certify: true,
  });
  assert(verdict.kind === "valid" && verdict.certificate?.kind === "order", `seed ${seed}`);
  return { history, certificate: verdict.certificate };
}
