// The checker sees through histories of simulated clients: those that they recorded have an order, and none of those in
// which one answer was changed afterwards has, with the lsns told and without.
import { assert, assertEquals } from "@std/assert";
import type {
  HistoryAnswer,
  HistoryOperation,
  ReadAnswer,
  ReadRequest,
} from "../../jepsen/history/operation.ts";
import { SeededRandom } from "../random.ts";
import { drawWorkload } from "../workload/plan.ts";
import { ClusterWorld } from "../world/world.ts";
import { judgeHistory } from "./linearizability.ts";

/** How many lives each change is tried in, at most. */
const SEEDS_MAX = 8;

/** What is changed in a history: the answer of the attempt at some place, or nothing where it does not apply. */
type Change = (
  history: readonly HistoryOperation[],
  at: number,
) => HistoryAnswer | "fail" | undefined;

const CHANGES: Readonly<Record<string, Change>> = {
  "a read sees what was before a later version that somebody had seen": (history, at) => {
    const seen = seenBefore(history, at);
    return seen.findLast((answer) => isOlder(answer, answerAt(history, at)));
  },
  "a resource that is held reads as available": (history, at) => {
    const answer = answerAt(history, at);
    return answer?.kind === "resource" && answer.state !== "available"
      ? { ...answer, state: "available", reservationId: undefined }
      : undefined;
  },
  "a resource that is there reads as if it were not": (history, at) =>
    answerAt(history, at)?.kind === "resource" ? { kind: "not_found" } : undefined,
  "a reservation lacks a member": (history, at) => {
    const answer = answerAt(history, at);
    if (answer?.kind !== "reservation" || answer.memberResourceIds!.length < 2) return undefined;
    return { ...answer, memberResourceIds: answer.memberResourceIds!.slice(1) };
  },
  "a hold reads as expired before another sees it held": (history, at) => {
    const answer = answerAt(history, at);
    if (answer?.kind !== "reservation" || answer.state !== "reserved") return undefined;
    const isHeldLater = history.slice(at).some((later) =>
      isSameRead(later, history[at]!) && later.invokedAt > history[at]!.completedAt! &&
      later.outcome.kind === "ok" && later.outcome.answer.kind === "reservation" &&
      later.outcome.answer.state === "reserved"
    );
    return isHeldLater ? { ...answer, state: "expired", epoch: 2n } : undefined;
  },
  "a reserve gives epoch 2": (history, at) => {
    const answer = answerAt(history, at);
    return answer?.kind === "applied" && answer.reserved !== undefined
      ? { ...answer, reserved: { ...answer.reserved, epoch: 2n } }
      : undefined;
  },
  "two holders have the same resource": (history, at) => {
    const answer = answerAt(history, at);
    if (answer?.kind !== "applied" || answer.code !== "resource_busy") return undefined;
    if (!history[at]!.request.kind.startsWith("reserve")) return undefined;
    const reserved = { reservationId: 1_000_000n, epoch: 1n, deadlineSlot: 1_000_000n };
    return { ...answer, code: "ok", reserved };
  },
  "what was done is said to have failed": (history, at) => {
    const { request } = history[at]!;
    const answer = answerAt(history, at);
    const isDone = answer?.kind === "applied" && answer.code === "ok";
    return isDone && request.kind === "create_resource" ? "fail" : undefined;
  },
};

for (const [name, change] of Object.entries(CHANGES)) {
  for (const hasLsns of [true, false]) {
    Deno.test(`judgeHistory() objects when ${name}, ${hasLsns ? "by" : "without"} lsn`, () => {
      const said = firstObjection(change, hasLsns);
      assert(said?.startsWith("linearizable"), `${said} within ${SEEDS_MAX} seeds`);
    });
  }
}

Deno.test("judgeHistory() finds an order for what clients saw, with the lsns and without", () => {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const counts = { linearized: 0, searched: 0, unknown: 0 };
    assertEquals(judged(historyOf(seed), counts), undefined);
    assertEquals(counts, { linearized: 1, searched: 1, unknown: 0 }, `seed ${seed}`);
  }
});

/** Changes one answer of each life until the judge objects. */
function firstObjection(change: Change, hasLsns: boolean): string | undefined {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const history = hasLsns ? historyOf(seed) : historyOf(seed).map(withoutLsn);
    const changed = changedAtOnePlace(history, change);
    const said = changed && judged(changed, { linearized: 0, searched: 0, unknown: 0 });
    if (said !== undefined) return said;
  }
  return undefined;
}

/** From the middle on, so that there is something before. */
function changedAtOnePlace(
  history: readonly HistoryOperation[],
  change: Change,
): readonly HistoryOperation[] | undefined {
  for (let at = history.length >>> 1; at < history.length; at++) {
    if (answerAt(history, at) === undefined) continue;
    const answer = change(history, at);
    if (answer === undefined) continue;
    const outcome = answer === "fail" ? { kind: "fail" } as const : { kind: "ok", answer } as const;
    return history.with(at, { ...history[at]!, outcome });
  }
  return undefined;
}

const histories = new Map<number, readonly HistoryOperation[]>();

/** What the clients of a calm life saw. */
function historyOf(seed: number): readonly HistoryOperation[] {
  const known = histories.get(seed);
  if (known !== undefined) return known;
  const workload = { ...drawWorkload(new SeededRandom(seed)), clients: 4, inFlightMax: 2 };
  const world = new ClusterWorld({ seed, workload });
  world.run(2_500);
  const { attempts } = world.history;
  histories.set(seed, attempts);
  return attempts;
}

function judged(
  attempts: readonly HistoryOperation[],
  counts: Parameters<typeof judgeHistory>[1],
): string | undefined {
  const { core } = WORLD;
  return judgeHistory({ attempts, core, elapsedMs: 2_500, isSearched: true }, counts);
}

const WORLD = new ClusterWorld({ seed: 0, clients: 0 });

function answerAt(history: readonly HistoryOperation[], at: number): HistoryAnswer | undefined {
  const { outcome } = history[at]!;
  return outcome.kind === "ok" ? outcome.answer : undefined;
}

/** What was seen of the same thing, and known, before the attempt at a place began, and before something newer was. */
function seenBefore(history: readonly HistoryOperation[], at: number): ReadAnswer[] {
  const { invokedAt } = history[at]!;
  return history.filter((other) => isSameRead(other, history[at]!))
    .filter(({ completedAt, outcome }) => completedAt! < invokedAt && outcome.kind === "ok")
    .map(({ outcome }) => (outcome as { readonly answer: ReadAnswer }).answer)
    .slice(0, -1);
}

function isSameRead({ request: a }: HistoryOperation, { request: b }: HistoryOperation): boolean {
  if (a.kind !== b.kind || !a.kind.startsWith("get_")) return false;
  return idOf(a as ReadRequest) === idOf(b as ReadRequest);
}

function idOf(request: ReadRequest): bigint {
  return request.kind === "get_resource" ? request.resourceId : request.reservationId;
}

function isOlder(answer: ReadAnswer, than: HistoryAnswer | undefined): boolean {
  return answer.kind === "resource" && than?.kind === "resource" &&
    answer.version! + 1n < than.version!;
}

function withoutLsn(attempt: HistoryOperation): HistoryOperation {
  const { outcome } = attempt;
  if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") return attempt;
  const { lsn: _lsn, ...answer } = outcome.answer;
  return { ...attempt, outcome: { kind: "ok", answer } };
}
