/**
 * Whether a history is one that a single server could have produced: every answer is that of the replicated log
 * replayed by the model, in an order that no clock contradicts. Pure, but for what it remembers.
 */
import type { CoreConfig } from "../../../core/config.ts";
import type { ClientCommand, Committed } from "../../../node/client/types.ts";
import {
  equalReservations,
  equalResources,
  textOfOutcome,
} from "../../../testbed/sim/judge/judges.ts";
import type { MirrorFrame } from "../../../testbed/sim/judge/log_mirror.ts";
import { ClusterTruth, type Decided } from "../../../testbed/sim/judge/truth.ts";
import type { ModelOutcome } from "../../../testbed/model/words.ts";
import { type History, isAcknowledged, type Known, type Read, type Write } from "./history.ts";
import type { ReplicaLog } from "./replica_log.ts";

/** One replica's state at an op, by its own word. */
export interface StateAt {
  readonly replicaId: bigint;
  readonly op: bigint;
  readonly digest: bigint;
}

/** Most violations that are told of one round. */
const TOLD_MAX = 20;

/** Judges one round after the other. */
export class LoopJudge {
  /** Reads that were found to be true in time. */
  readsChecked = 0;
  readonly #truth: ClusterTruth;
  readonly #invoked = new Map<string, Write>();
  readonly #executions = new Map<string, number>();
  /** The latest lsn that reads of earlier rounds have seen. */
  #seenLsn = 0;
  #violations: string[] = [];

  constructor(core: CoreConfig) {
    this.#truth = new ClusterTruth(core);
  }

  /** The last op that is known. */
  get op(): number {
    return this.#truth.op;
  }

  /**
   * Judges what happened since the last call.
   *
   * @param history What clients saw.
   * @param logs What replicas hold; together they reach from what is known to `op`.
   * @param states The replicas' states, all at one op.
   * @returns What is wrong, in the words of a person; nothing if all is well.
   */
  judge(
    history: History,
    logs: readonly ReplicaLog[],
    states: readonly StateAt[],
  ): readonly string[] {
    this.#violations = history.refusals.slice();
    for (const write of history.writes) this.#invoked.set(keyOf(write), write);
    const op = states.reduce((most, state) => state.op > most ? state.op : most, 0n);
    this.#learn(logs, Number(op));
    this.#judgeStates(states);
    const seen = this.#judgeReads(history.reads);
    for (const write of history.writes) this.#judgeWrite(write, seen);
    for (const { write, again } of history.retries) this.#judgeRetry(write, again);
    this.#seenLsn = seen.at(-1)!;
    return this.#violations.slice(0, TOLD_MAX);
  }

  /** Takes the log's new entries in, and compares those that are known with every log that has them. */
  #learn(logs: readonly ReplicaLog[], toOp: number): void {
    for (const { replicaId, frames } of logs) {
      for (const frame of frames) {
        const known = this.#truth.hashAt(frame.op);
        if (known === undefined) break;
        if (known === frame.hash) continue;
        this.#violated(`log: replica ${replicaId} has another entry at op ${frame.op} than before`);
        break;
      }
    }
    while (this.#truth.op < toOp) {
      const frame = this.#next(logs);
      if (frame === undefined) {
        return this.#violated(`log: no replica has op ${this.#truth.op + 1} of ${toOp}`);
      }
      this.#decide(frame);
    }
  }

  /** The entry behind what is known, which must be the same wherever it is. */
  #next(logs: readonly ReplicaLog[]): MirrorFrame | undefined {
    let found: MirrorFrame | undefined;
    const op = this.#truth.op + 1;
    for (const { replicaId, baseOp, frames } of logs) {
      const frame = frames[op - baseOp - 1];
      if (frame === undefined) continue;
      found ??= frame;
      if (frame.hash === found.hash) continue;
      this.#violated(`log: replica ${replicaId} has another entry at op ${op} than other replicas`);
    }
    return found;
  }

  #decide(frame: MirrorFrame): void {
    const { command, outcome } = this.#truth.decide(frame, 0);
    if (command === undefined || command.kind === "expire") return;
    const key = keyOf(command);
    const write = this.#invoked.get(key);
    if (write === undefined) {
      this.#violated(`log: nobody asked for ${command.kind} ${key} at op ${frame.op}`);
    } else if (textOf(write.command) !== textOf(command)) {
      this.#violated(`log: ${textOf(command)} at op ${frame.op} is not what ${key} asked for`);
    }
    if (outcome!.fromRetryCache) return;
    const count = (this.#executions.get(key) ?? 0) + 1;
    this.#executions.set(key, count);
    if (count > 1) this.#violated(`once: ${command.kind} ${key} ran again at op ${frame.op}`);
  }

  #judgeStates(states: readonly StateAt[]): void {
    const expected = this.#truth.digest();
    for (const { replicaId, op, digest } of states) {
      if (Number(op) !== this.#truth.op) {
        this.#violated(`state: replica ${replicaId} is at op ${op}, not ${this.#truth.op}`);
      } else if (digest !== expected) {
        this.#violated(`state: replica ${replicaId} has another state at op ${op} than its log`);
      }
    }
  }

  /** @returns At `i` the latest lsn that the first `i` reads have seen. */
  #judgeReads(reads: readonly Read[]): readonly number[] {
    const seen = [this.#seenLsn];
    for (const [i, read] of reads.entries()) {
      const from = Math.max(read.known.lsn, seen[read.known.reads]!);
      const lsn = this.#whenTrue(read, from);
      this.readsChecked++;
      if (lsn === undefined) this.#violated(this.#describeStale(read, from));
      seen.push(Math.max(seen[i]!, lsn ?? 0));
    }
    return seen;
  }

  /** The first lsn from `from` on at which what was read was so. */
  #whenTrue({ id, answer }: Read, from: number): number | undefined {
    const { lsn: to } = this.#truth;
    if (answer.subject === "resource") {
      const view = answer.value === "not_found" ? undefined : answer.value;
      return this.#truth.whenResource(id, (model) => equalResources(model, view), from, to);
    }
    const { value } = answer;
    return this.#truth.whenReservation(
      id,
      0n,
      (model) => equalReservations(model, value),
      from,
      to,
    );
  }

  #describeStale(read: Read, from: number): string {
    const { answer: { subject, value }, id } = read;
    const earlier = this.#whenTrue(read, 0);
    const when = earlier === undefined ? "no lsn" : `lsn ${earlier}`;
    const what = typeof value === "string" ? value : Object.entries(value).join(" ");
    return `read: ${subject} ${id} was read as of ${when}, not as of ${from} to ` +
      `${this.#truth.lsn}, at ${read.invokedMs.toFixed(1)} to ${
        read.endedMs.toFixed(1)
      } ms: ${what}`;
  }

  #judgeWrite(write: Write, seen: readonly number[]): void {
    const first = this.#truth.firstOf(write.clientId, write.operationId);
    const what = `${write.command.kind} ${keyOf(write)}`;
    if (write.result?.kind === "rejected") {
      if (write.attempts > 1 || first === undefined) return;
      const { code } = write.result.rejection;
      return this.#violated(`rejected: ${what} was refused as ${code} and is at ${first.frame.op}`);
    }
    if (first !== undefined) this.#judgeOrder(what, first, write.known, seen);
    if (!isAcknowledged(write)) return;
    if (first === undefined) {
      return this.#violated(`lost: ${what} was acknowledged at lsn ${write.result.appliedLsn}`);
    }
    this.#judgeOutcome(what, first, write.result);
  }

  /** Whatever somebody knew when it was asked for came before it. */
  #judgeOrder(what: string, { frame }: Decided, known: Known, seen: readonly number[]): void {
    const before = Math.max(known.lsn, seen[known.reads]!);
    if (frame.lsn > before) return;
    this.#violated(`order: ${what} is at lsn ${frame.lsn}, and began when ${before} was known`);
  }

  #judgeOutcome(what: string, first: Decided, result: Committed): void {
    const [told, expected] = [textOfOutcome(outcomeOf(result)), textOfOutcome(first.outcome)];
    if (told !== expected) this.#violated(`outcome: ${what} was told ${told}, not ${expected}`);
  }

  #judgeRetry(write: Write, again: Committed): void {
    const what = `retry of ${write.command.kind} ${keyOf(write)}`;
    const first = this.#truth.firstOf(write.clientId, write.operationId);
    if (first === undefined) return; // Told as lost already.
    this.#judgeOutcome(what, first, again);
    if (!again.fromRetryCache) this.#violated(`once: ${what} was not remembered`);
  }

  #violated(what: string): void {
    this.#violations.push(what);
  }
}

function keyOf({ clientId, operationId }: { clientId: bigint; operationId: bigint }): string {
  return `${clientId} ${operationId}`;
}

function outcomeOf(
  { code, appliedLsn, fromRetryCache, reservationId, epoch, deadlineSlot }: Committed,
): ModelOutcome {
  const outcome = { code, appliedLsn, fromRetryCache };
  if (reservationId === undefined) return outcome;
  return {
    ...outcome,
    reserved: { reservationId, epoch: epoch!, deadlineSlot: deadlineSlot! },
  };
}

/** Everything but the key, so that equal text means the same command. */
function textOf(command: Omit<ClientCommand, "operationId">): string {
  const fields = Object.entries(command)
    .filter(([name]) => name !== "operationId" && name !== "clientId")
    .map(([name, value]) => `${name}=${value}`);
  return fields.sort().join(" ");
}
