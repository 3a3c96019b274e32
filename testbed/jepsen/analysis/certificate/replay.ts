/**
 * Replays an order: every answered attempt is in it once, each partition has resources, keys and reservations of its own, nothing
 * happens before it began or after it was answered, and everything answers as it did. Linear but for sorting the lsns of fences.
 */
import type { HistoryOperation } from "../../history/operation.ts";
import type { OrderStep, PartitionOrder } from "../reservation/certificate_words.ts";
import {
  appliedOf,
  commandOf,
  happeningOf,
  isConflict,
  keyOf,
  madeIds,
  seenDeadlines,
} from "./attempts.ts";
import { Fences } from "./fences.ts";
import { Shard, type ShardRules } from "./shard.ts";

/** Says why an order proves nothing. */
class Refusal extends Error {}

/** See the top of this file. */
export class Replay {
  readonly #history: readonly HistoryOperation[];
  readonly #rules: ShardRules;
  readonly #initial: readonly bigint[];
  readonly #mayForget: boolean;
  readonly #made: ReadonlySet<bigint>;
  readonly #deadlines: ReadonlyMap<bigint, bigint>;
  /** Ids that a reserve makes that nobody was told about. */
  readonly #makes = new Set<bigint>();
  readonly #used: Uint8Array;
  /** Partition by resource, key and reservation, each under a name of its own. */
  readonly #owners = new Map<string, number>();
  /** By key and command, all attempts; where answers are forgotten, any one of them may be the one that ran. */
  readonly #twins = new Map<string, HistoryOperation[]>();
  /** By key, the command that happened. */
  readonly #happened = new Map<string, string>();

  constructor(
    history: readonly HistoryOperation[],
    rules: ShardRules,
    initial: readonly bigint[],
    { mayForget }: { readonly mayForget: boolean },
  ) {
    this.#history = history;
    this.#rules = rules;
    this.#initial = initial;
    this.#mayForget = mayForget;
    this.#made = madeIds(history);
    this.#deadlines = seenDeadlines(history);
    this.#used = new Uint8Array(history.length);
    for (const attempt of mayForget ? history : []) {
      if (attempt.key === undefined || attempt.outcome.kind === "fail") continue;
      const name = keyOf(attempt) + commandOf(attempt);
      const twins = this.#twins.get(name);
      if (twins === undefined) this.#twins.set(name, [attempt]);
      else twins.push(attempt);
    }
  }

  /** Why the order proves nothing; undefined when it proves that the history is linearizable. */
  run(partitions: readonly PartitionOrder[]): string | undefined {
    for (const { steps } of partitions) {
      for (const step of steps) {
        if (step.kind === "operation" && step.reservationId !== undefined) {
          this.#makes.add(step.reservationId);
        }
      }
    }
    try {
      for (const [number, partition] of partitions.entries()) this.#replay(number, partition);
      this.#checkWhole();
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
  }

  #replay(number: number, { resourceIds, steps }: PartitionOrder): void {
    for (const id of resourceIds) this.#own(`resource ${id}`, number);
    const own = new Set(resourceIds);
    const shard = new Shard(this.#rules, this.#made, this.#initial.filter((id) => own.has(id)));
    const fences = new Fences(steps.flatMap((step) => this.#lsnOf(step) ?? []));
    const until = this.#latestOf(steps);
    let latestBeginning = -Infinity;
    for (const [i, step] of steps.entries()) {
      if (step.kind === "expire") {
        if (!shard.expire(step.resourceIds)) throw new Refusal("nothing was held that expires");
        continue;
      }
      const attempts = step.attempts.map((place) => this.#take(place, number));
      const ends = endOf(attempts);
      const begins = this.#candidates(attempts).map(({ invokedAt }) => invokedAt);
      latestBeginning = Math.max(latestBeginning, Math.min(...begins));
      if (ends < latestBeginning) {
        throw new Refusal(`attempt ${step.attempts[0]} happens after it was answered`);
      }
      this.#happen(shard, attempts, step, fences, until[i]!);
    }
  }

  /** By step, before when it has happened: the first answer to it or to what comes later. */
  #latestOf(steps: readonly OrderStep[]): Float64Array {
    const until = new Float64Array(steps.length).fill(Infinity);
    for (let i = steps.length - 1; i >= 0; i--) {
      const step = steps[i]!;
      const places = step.kind === "operation" ? step.attempts : [];
      until[i] = until[i + 1] ?? Infinity;
      for (const place of places) {
        const attempt = this.#history[place];
        if (attempt?.outcome.kind !== "ok") continue;
        until[i] = Math.min(until[i]!, attempt.completedAt!);
      }
    }
    return until;
  }

  /** Attempts of which any one may be the one that ran. */
  #candidates(attempts: readonly HistoryOperation[]): readonly HistoryOperation[] {
    const [first] = attempts;
    if (first!.key === undefined || !this.#mayForget) return attempts;
    return this.#twins.get(keyOf(first!) + commandOf(first!)) ?? attempts;
  }

  #happen(
    shard: Shard,
    attempts: readonly HistoryOperation[],
    step: OrderStep & { readonly kind: "operation" },
    fences: Fences,
    until: number,
  ): void {
    const [first] = attempts;
    if (isConflict(first!)) {
      const other = this.#happened.get(keyOf(first!)!);
      if (other !== undefined && other !== commandOf(first!)) return;
      throw new Refusal(`attempt ${step.attempts[0]} conflicts with nothing`);
    }
    this.#checkKey(first!, step);
    const { request } = first!;
    if ("requiredLsn" in request && !fences.isMet(request.requiredLsn ?? 0n)) {
      throw new Refusal(`attempt ${step.attempts[0]} happens before its fence`);
    }
    const id = step.reservationId;
    if (id !== undefined && this.#made.has(id)) {
      throw new Refusal(`reservation ${id} has a reserve`);
    }
    const isAnswered = attempts.some(({ outcome }) => outcome.kind === "ok");
    const happening = {
      ...happeningOf(attempts, this.#candidates(attempts), until),
      makes: { id, deadline: id === undefined ? undefined : this.#deadlines.get(id) },
    };
    if (!shard.apply(happening)) {
      // What nobody was told about may as well have been refused.
      if (!isAnswered && id === undefined && attempts[0]!.key !== undefined) return;
      throw new Refusal(`attempt ${step.attempts[0]} cannot have answered as it did`);
    }
    fences.pass(this.#lsnOf(step));
  }

  #checkKey(attempt: HistoryOperation, step: OrderStep & { readonly kind: "operation" }): void {
    const key = keyOf(attempt);
    if (key === undefined || this.#mayForget) return;
    if (this.#happened.has(key)) throw new Refusal(`attempt ${step.attempts[0]} happens again`);
    this.#happened.set(key, commandOf(attempt));
  }

  /** An attempt that the order names, which it may do once, and in one partition all of what belongs together. */
  #take(place: number, partition: number): HistoryOperation {
    const attempt = this.#history[place];
    if (attempt === undefined || this.#used[place] !== 0) {
      throw new Refusal(`attempt ${place} is not there, or there twice`);
    }
    this.#used[place] = 1;
    const { request, key } = attempt;
    if (key !== undefined && !this.#mayForget) this.#own(`key ${keyOf(attempt)}`, partition);
    if ("resourceId" in request) this.#own(`resource ${request.resourceId}`, partition);
    if ("resourceIds" in request) {
      for (const id of request.resourceIds) this.#own(`resource ${id}`, partition);
    }
    const made = appliedOf(attempt)?.reserved?.reservationId;
    const named = "reservationId" in request ? request.reservationId : made;
    // One that nobody makes is nowhere, whoever names it.
    if (named !== undefined && (this.#made.has(named) || this.#makes.has(named))) {
      this.#own(`reservation ${named}`, partition);
    }
    return attempt;
  }

  #own(name: string, partition: number): void {
    const owner = this.#owners.get(name);
    if (owner === undefined) this.#owners.set(name, partition);
    else if (owner !== partition) throw new Refusal(`${name} is in two partitions`);
  }

  #lsnOf(step: OrderStep): bigint | undefined {
    if (step.kind !== "operation") return undefined;
    for (const place of step.attempts) {
      const attempt = this.#history[place];
      if (attempt === undefined || isConflict(attempt)) continue;
      const lsn = appliedOf(attempt)?.lsn;
      if (lsn !== undefined) return lsn;
    }
    return undefined;
  }

  #checkWhole(): void {
    for (const [place, attempt] of this.#history.entries()) {
      if (attempt.outcome.kind !== "ok" || this.#used[place] !== 0) continue;
      if (this.#rules.mayFill && appliedOf(attempt)?.code === "operation_table_full") continue;
      if (this.#mayForget && isConflict(attempt)) continue;
      throw new Refusal(`attempt ${place} was answered and does not happen`);
    }
  }
}

/** When the first answer came; all answers must be the same. */
function endOf(attempts: readonly HistoryOperation[]): number {
  let ends = Infinity;
  let said: string | undefined;
  const [first] = attempts;
  for (const attempt of attempts) {
    const isSame = keyOf(attempt) === keyOf(first!) && commandOf(attempt) === commandOf(first!);
    if (attempt.outcome.kind === "fail" || !isSame) {
      throw new Refusal("attempts of different operations are taken for one");
    }
    if (attempt.outcome.kind !== "ok") continue;
    ends = Math.min(ends, attempt.completedAt!);
    const answer = appliedOf(attempt);
    const text = answer === undefined ? "read" : `${answer.code} ${answer.reserved?.reservationId}`;
    if (said !== undefined && said !== text) throw new Refusal("one operation has two answers");
    said = text;
  }
  return ends;
}
