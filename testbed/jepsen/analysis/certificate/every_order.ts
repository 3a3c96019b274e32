/** Tries every order of a handful of operations. */
import type { HistoryOperation } from "../../history/operation.ts";
import {
  appliedOf,
  commandOf,
  happeningOf,
  isConflict,
  keyOf,
  madeIds,
  seenDeadlines,
} from "./attempts.ts";
import { type Happening, Shard, type ShardRules } from "./shard.ts";

interface Operation {
  readonly attempts: readonly HistoryOperation[];
  readonly key: string | undefined;
  readonly command: string;
  readonly isConflict: boolean;
  readonly isOptional: boolean;
  readonly begins: number;
  readonly ends: number;
  /** The highest lsn that was answered before it began: an id that it makes is higher. */
  readonly lsnBefore: bigint;
  /** Of a fenced read: operations that have to happen before it. */
  after: readonly Operation[];
}

/** How it is tried. */
export interface Trying {
  /** Whether the low half of a reservation's id is the lsn of its reserve. */
  readonly idsAreLsns: boolean;
  readonly initial: readonly bigint[];
  /** Steps, at most. */
  readonly ordersMax: number;
}

/**
 * Whether no order explains the attempts at `places`; undefined when there are too many orders.
 *
 * @param weakened Places of answered attempts that may not have happened.
 */
export function isInexplicable(
  history: readonly HistoryOperation[],
  places: readonly number[],
  weakened: readonly number[],
  rules: ShardRules,
  { initial, ordersMax, idsAreLsns }: Trying,
): boolean | undefined {
  const attempts = places.map((place) => history[place]!);
  const weak = new Set(weakened.map((place) => history[place]!));
  const lsnBefore = (position: number): bigint => idsAreLsns ? lsnKnownAt(history, position) : -1n;
  const operations = operationsOf(attempts, weak, lsnBefore);
  const shard = new Shard(rules, madeIds(attempts), initial);
  const trial = new Trial(idsOf(attempts), seenDeadlines(attempts), ordersMax);
  const isExplained = trial.extend(shard, operations, new Map());
  return trial.isSpent ? undefined : !isExplained;
}

class Trial {
  readonly #ids: readonly bigint[];
  readonly #deadlines: ReadonlyMap<bigint, bigint>;
  #left: number;

  constructor(ids: readonly bigint[], deadlines: ReadonlyMap<bigint, bigint>, stepsMax: number) {
    this.#ids = ids;
    this.#deadlines = deadlines;
    this.#left = stepsMax;
  }

  get isSpent(): boolean {
    return this.#left < 0;
  }

  /** Whether the operations that are left can happen from here on. */
  extend(
    shard: Shard,
    left: readonly Operation[],
    happened: ReadonlyMap<string, string>,
  ): boolean {
    const waiting = left.filter(({ isOptional }) => !isOptional);
    if (waiting.length === 0) return true;
    if (--this.#left < 0) return false;
    const until = Math.min(...waiting.map(({ ends }) => ends));
    for (const operation of left) {
      if (operation.begins > until || operation.after.some((it) => left.includes(it))) continue;
      const rest = left.filter((other) => other !== operation);
      if (this.#tryOne(shard, operation, rest, happened, until)) return true;
    }
    return shard.expirable().some((members) => {
      const next = shard.copy();
      return next.expire(members) && this.extend(next, left, happened);
    });
  }

  #tryOne(
    shard: Shard,
    operation: Operation,
    rest: readonly Operation[],
    happened: ReadonlyMap<string, string>,
    until: number,
  ): boolean {
    const { key, command, attempts } = operation;
    const owner = key === undefined ? undefined : happened.get(key);
    if (operation.isConflict) {
      return owner !== undefined && owner !== command && this.extend(shard, rest, happened);
    }
    if (owner !== undefined) return false;
    const later = key === undefined ? happened : new Map([...happened, [key, command]]);
    const happening = happeningOf(attempts, attempts, until);
    for (const each of this.#versionsOf(happening, operation.lsnBefore)) {
      const next = shard.copy();
      if (next.apply(each) && this.extend(next, rest, later)) return true;
    }
    // What nobody was told about may have been refused; then it owns its key, and no more.
    return happening.answer === undefined && key !== undefined &&
      this.extend(shard, rest, later);
  }

  /** A reserve that nobody was told about may have made any id that somebody has seen. */
  #versionsOf(happening: Happening, lsnBefore: bigint): readonly Happening[] {
    if (!("ttlSlots" in happening.request) || happening.answer !== undefined) return [happening];
    const ids = this.#ids.filter((id) => BigInt.asUintN(64, id) > lsnBefore);
    return [undefined, ...ids].map((id) => ({
      ...happening,
      makes: { id, deadline: id === undefined ? undefined : this.#deadlines.get(id) },
    }));
  }
}

function operationsOf(
  attempts: readonly HistoryOperation[],
  weak: ReadonlySet<HistoryOperation>,
  lsnBefore: (position: number) => bigint,
): Operation[] {
  const groups = new Map<string | HistoryOperation, HistoryOperation[]>();
  for (const attempt of attempts) {
    const key = keyOf(attempt);
    const name = key === undefined || isConflict(attempt) ? attempt : key + commandOf(attempt);
    const others = groups.get(name);
    if (others === undefined) groups.set(name, [attempt]);
    else others.push(attempt);
  }
  const operations = [...groups.values()].map((own) => operationOf(own, weak, lsnBefore));
  for (const operation of operations) operation.after = fencedBy(operation, operations);
  return operations;
}

function operationOf(
  own: readonly HistoryOperation[],
  weak: ReadonlySet<HistoryOperation>,
  lsnBefore: (position: number) => bigint,
): Operation {
  const begins = Math.min(...own.map(({ invokedAt }) => invokedAt));
  const counts = own.filter((attempt) => attempt.outcome.kind === "ok" && !weak.has(attempt));
  return {
    attempts: own,
    key: keyOf(own[0]!),
    command: commandOf(own[0]!),
    isConflict: isConflict(own[0]!),
    isOptional: counts.length === 0,
    begins,
    lsnBefore: lsnBefore(begins),
    ends: Math.min(Infinity, ...counts.map(({ completedAt }) => completedAt!)),
    after: [],
  };
}

function fencedBy(
  { attempts: [first] }: Operation,
  operations: readonly Operation[],
): readonly Operation[] {
  const { request } = first!;
  const fence = "requiredLsn" in request ? request.requiredLsn ?? 0n : 0n;
  if (fence === 0n) return [];
  return operations.filter(({ attempts, isOptional, isConflict: isOther }) =>
    !isOptional && !isOther &&
    attempts.some((attempt) => (appliedOf(attempt)?.lsn ?? Infinity) <= fence)
  );
}

function lsnKnownAt(history: readonly HistoryOperation[], position: number): bigint {
  let known = -1n;
  for (const attempt of history) {
    const lsn = isConflict(attempt) ? undefined : appliedOf(attempt)?.lsn;
    if (lsn !== undefined && lsn > known && attempt.completedAt! < position) known = lsn;
  }
  return known;
}

/** Ids that somebody names and no answered reserve made. */
function idsOf(attempts: readonly HistoryOperation[]): readonly bigint[] {
  const made = madeIds(attempts);
  const ids = new Set<bigint>();
  for (const { request, outcome } of attempts) {
    if ("reservationId" in request) ids.add(request.reservationId);
    if (outcome.kind !== "ok" || outcome.answer.kind !== "resource") continue;
    if (outcome.answer.reservationId !== undefined) ids.add(outcome.answer.reservationId);
  }
  return [...ids].filter((id) => !made.has(id));
}
