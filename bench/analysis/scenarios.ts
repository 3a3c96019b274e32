/** Histories that the checker is timed on, and what it is meant to take. */
import { checkReservations } from "../../testbed/jepsen/analysis/reservation/check.ts";
import type { CheckOptions } from "../../testbed/jepsen/analysis/reservation/verdict.ts";
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { type HistorySize, makeHistory } from "./history.ts";
import { hopelessHistory, withThinAir } from "./wrong_histories.ts";

/** One of them. */
export interface Scenario {
  readonly name: string;
  /** Of the check alone. */
  readonly targetMs: number;
  /** Makes the histories of a seed; what comes back judges them and says in a line what it found. */
  prepare(seed: number): () => string;
}

const WIDE = { operations: 100_000, resources: 2_000, clients: 64, lostOneIn: 200 };
const HOT = { resources: 1, clients: 16, lostOneIn: 200 };
const STEPS_MAX = 100_000_000;

/** See the top of this file. */
export const SCENARIOS: readonly Scenario[] = [
  of("100,000 on 2,000 resources, lsns", 2_500, { ...WIDE, isDetailed: true }),
  of("100,000 on 2,000 resources, plain", 4_000, { ...WIDE, isDetailed: false }),
  { name: "the same with a value out of thin air", targetMs: 3_000, prepare: prepareThinAir },
  of("1,000 on one resource, plain", 500, { ...HOT, operations: 1_000, isDetailed: false }),
  of("2,000 on one resource, plain", 2_000, { ...HOT, operations: 2_000, isDetailed: false }),
  of("4,000 on one resource, plain", 5_000, { ...HOT, operations: 4_000, isDetailed: false }),
  of("4,000 on one resource, lsns", 5_000, { ...HOT, operations: 4_000, isDetailed: true }),
  of("4,000 on one resource, one in 10 unanswered", 5_000, {
    ...HOT,
    operations: 4_000,
    lostOneIn: 10,
    isDetailed: false,
  }),
  { name: "400 small ones", targetMs: 400, prepare: prepareSmall },
  {
    name: "30 unanswered reserves and an impossible read",
    targetMs: 5_500,
    prepare: prepareHopeless,
  },
  of("1,000,000 on 20,000 resources, lsns", 30_000, {
    ...HOT,
    operations: 1_000_000,
    resources: 20_000,
    isDetailed: true,
  }),
];

function of(name: string, targetMs: number, size: HistorySize): Scenario {
  const prepare = (seed: number): () => string => {
    const history = makeHistory(size, new SeededRandom(seed));
    return () => judge(history, { initialResourceIds: resourceIds(size.resources) });
  };
  return { name, targetMs, prepare };
}

function judge(
  history: readonly HistoryOperation[],
  options: Omit<CheckOptions, "stepsMax">,
): string {
  const verdict = checkReservations(history, { stepsMax: STEPS_MAX, ...options });
  const { kind, counts } = verdict;
  const why = verdict.kind === "invalid"
    ? ` with ${verdict.violation.counterexample.length} attempts`
    : verdict.kind === "unknown"
    ? ` (${verdict.reason})`
    : "";
  return `${kind}${why}, ${counts.partitions} partitions, ${counts.unanswered} unanswered, ` +
    `${counts.steps} steps`;
}

function prepareThinAir(seed: number): () => string {
  const history = makeHistory({ ...WIDE, isDetailed: true }, new SeededRandom(seed));
  const wrong = withThinAir(history);
  return () => judge(wrong, { initialResourceIds: resourceIds(WIDE.resources) });
}

function prepareSmall(seed: number): () => string {
  const histories = Array.from({ length: 400 }, (_, i) => {
    const random = new SeededRandom(seed * 1_000 + i);
    const operations = 7 + random.below(40);
    const size = { operations, resources: 2, clients: 4, lostOneIn: 8, isDetailed: false };
    return makeHistory(size, random);
  });
  return () => histories.map((it) => judge(it, { initialResourceIds: [1n, 2n] })).at(-1)!;
}

/** What nobody can decide quickly: it must end at its limit, here of five seconds. */
function prepareHopeless(): () => string {
  const history = hopelessHistory();
  return () => {
    const until = performance.now() + 5_000;
    return judge(history, {
      initialResourceIds: [1n],
      isOverTime: () => performance.now() > until,
    });
  };
}

function resourceIds(count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => BigInt(i + 1));
}
