/**
 * Histories of a system that is right: the model applies one command after the other, and clients that overlap, lose answers and
 * try again look at it from outside. And small lies, told about such a history.
 */
import {
  applyToModel,
  createModel,
  dueInModel,
  type Model,
  readModelReservation,
  recallFromModel,
} from "../../testbed/model/model.ts";
import type { ClientCommand, ModelBounds } from "../../testbed/model/words.ts";
import type { ExpiredHold } from "../../testbed/jepsen/history/event.ts";
import type { TickOperation } from "../../testbed/jepsen/history/recording.ts";
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryOutcome,
  HistoryRequest,
  OperationKey,
} from "../../testbed/jepsen/history/operation.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";

/** The habits of a history. */
export interface GeneratorOptions {
  /** Attempts. */
  readonly attempts: number;
  readonly processes: number;
  readonly resources: number;
  readonly bounds: ModelBounds;
  /** One in so many answers is lost; 0 for none. */
  readonly lostOneIn: number;
  /** One in so many commands uses the key of another; 0 for none. */
  readonly conflictOneIn: number;
  /** One in so many requests is a bundle; 0 for none. */
  readonly bundleOneIn: number;
  /** Whether reads show versions. */
  readonly showsVersions: boolean;
  /** Whether some clients name slots of their own, and reads tell the lsn that they saw. */
  readonly showsOrder?: boolean;
  /** One in so many turns of a client is a tick; absent for none. */
  readonly tickOneIn?: number;
  /** Slot at which it begins; default 1. */
  readonly firstSlot?: bigint;
  /** Whether resources exist before the history begins. */
  readonly isPrepared?: boolean;
}

/** Bounds that are never met. */
export const ROOMY: ModelBounds = {
  shardId: 0n,
  maxResources: 100_000,
  maxReservations: 100_000,
  maxOperations: 10_000_000,
  maxBundleSize: 4,
  maxTtlSlots: 100n,
  maxExpirationBucketLen: 100_000,
  reservationHistoryWindowSlots: 1_000_000n,
  maxClientRetryWindowSlots: 1_000_000_000n,
};

/** What clients saw, and what ticks said. */
export interface Generated {
  readonly history: HistoryOperation[];
  readonly ticks: TickOperation[];
}

interface Tick {
  readonly process: number;
  readonly invokedAt: number;
  readonly slot: bigint | undefined;
  completedAt: number | undefined;
  expired: ExpiredHold[] | undefined;
}

interface Attempt {
  readonly process: number;
  readonly slot: bigint | undefined;
  observedLsn: bigint | undefined;
  isRefused: boolean;
  readonly key: OperationKey | undefined;
  readonly request: HistoryRequest;
  readonly invokedAt: number;
  completedAt: number | undefined;
  outcome: HistoryOutcome;
  answer: HistoryAnswer | undefined;
  executed: boolean;
}

/** Makes one history. */
export function generate(random: SeededRandom, options: GeneratorOptions): HistoryOperation[] {
  return generateWithTicks(random, options).history;
}

/** Makes one history with ticks beside it. */
export function generateWithTicks(random: SeededRandom, options: GeneratorOptions): Generated {
  return new Generator(random, options).run();
}

class Generator {
  readonly #random: SeededRandom;
  readonly #options: GeneratorOptions;
  readonly #model: Model;
  readonly #attempts: Attempt[] = [];
  readonly #ticks: Tick[] = [];
  readonly #ticking = new Map<number, Tick>();
  /** By process: what it waits for. */
  readonly #waiting = new Map<number, Attempt>();
  /** Sent and not executed; the client may have given up. */
  #travelling: Attempt[] = [];
  readonly #ids: bigint[] = [];
  #slot: bigint;
  #position = 0;
  #nextProcess: number;

  constructor(random: SeededRandom, options: GeneratorOptions) {
    this.#random = random;
    this.#options = options;
    this.#model = createModel(options.bounds);
    this.#slot = options.firstSlot ?? 1n;
    this.#nextProcess = options.processes;
    if (!options.isPrepared) return;
    for (let id = 1; id <= options.resources; id++) {
      this.#model.resources.set(BigInt(id), {
        state: "available",
        currentReservationId: undefined,
        version: 0n,
      });
    }
  }

  run(): Generated {
    const processes = Array.from({ length: this.#options.processes }, (_, i) => i);
    for (let turns = this.#options.attempts * 60; turns > 0; turns--) {
      const index = this.#random.below(processes.length);
      const waiting = this.#waiting.get(processes[index]!);
      if (this.#random.oneIn(3)) this.#advance();
      const tick = this.#ticking.get(processes[index]!);
      if (tick !== undefined) this.#goOn(tick);
      else if (waiting === undefined) {
        if (this.#attempts.length === this.#options.attempts) {
          if (this.#waiting.size + this.#ticking.size === 0) break;
          continue;
        }
        this.#begin(processes[index]!);
      } else if (this.#isLost()) {
        this.#waiting.delete(processes[index]!);
        waiting.completedAt = this.#random.oneIn(2) ? this.#position++ : undefined;
        processes[index] = this.#nextProcess++;
      } else if (!waiting.executed) this.#execute(waiting);
      else this.#answer(waiting);
    }
    return { history: this.#attempts.map(recorded), ticks: this.#ticks.map(recordedTick) };
  }

  /** A tick ends everything that is due, then says so. */
  #goOn(tick: Tick): void {
    if (tick.expired !== undefined) {
      tick.completedAt = this.#position++;
      this.#ticking.delete(tick.process);
      return;
    }
    tick.expired = [];
    if (tick.slot !== undefined) {
      if (tick.slot < this.#slot) return;
      this.#slot = tick.slot;
    }
    for (const { reservationId, deadlineSlot } of dueInModel(this.#model, this.#slot)) {
      applyToModel(this.#model, { kind: "expire", reservationId, deadlineSlot }, this.#slot);
      const { holderId, memberResourceIds } = this.#model.reservations.get(reservationId)!;
      const releasedLsn = this.#model.lastLsn;
      for (const resourceId of memberResourceIds) {
        tick.expired.push({ resourceId, holderId, reservationId, releasedLsn });
      }
    }
  }

  #isLost(): boolean {
    const { lostOneIn } = this.#options;
    return lostOneIn > 0 && this.#random.oneIn(lostOneIn);
  }

  /** Time goes on, and what is under way may arrive, or something fall due. */
  #advance(): void {
    if (this.#random.oneIn(2)) this.#slot += BigInt(this.#random.below(3));
    const late = this.#travelling[this.#random.below(this.#travelling.length || 1)];
    if (late !== undefined && this.#random.oneIn(3)) this.#execute(late);
    if (!this.#random.oneIn(3)) return;
    const [due] = dueInModel(this.#model, this.#slot);
    if (due === undefined) return;
    const { reservationId, deadlineSlot } = due;
    applyToModel(this.#model, { kind: "expire", reservationId, deadlineSlot }, this.#slot);
  }

  #begin(process: number): void {
    const { tickOneIn, showsOrder = false } = this.#options;
    const ahead = showsOrder && this.#random.oneIn(2)
      ? this.#slot + BigInt(this.#random.below(3))
      : undefined;
    if (tickOneIn !== undefined && this.#random.oneIn(tickOneIn)) {
      const invokedAt = this.#position++;
      const tick = { process, invokedAt, slot: ahead, completedAt: undefined, expired: undefined };
      this.#ticks.push(tick);
      this.#ticking.set(process, tick);
      return;
    }
    const retried = this.#random.oneIn(5) ? this.#lost() : undefined;
    const request = retried?.request ?? this.#drawRequest();
    const isRead = request.kind === "get_resource" || request.kind === "get_reservation";
    const attempt: Attempt = {
      process,
      slot: isRead ? undefined : ahead,
      observedLsn: undefined,
      isRefused: false,
      key: isRead ? undefined : retried?.key ?? this.#drawKey(),
      request,
      invokedAt: this.#position++,
      completedAt: undefined,
      outcome: { kind: "info" },
      answer: undefined,
      executed: false,
    };
    this.#attempts.push(attempt);
    this.#waiting.set(process, attempt);
    this.#travelling.push(attempt);
  }

  /** A write that somebody tries again. */
  #lost(): Attempt | undefined {
    const writes = this.#attempts.slice(-60).filter(({ key }) => key !== undefined);
    return writes[this.#random.below(writes.length || 1)];
  }

  #drawKey(): OperationKey {
    const { conflictOneIn } = this.#options;
    const other = conflictOneIn > 0 && this.#random.oneIn(conflictOneIn) ? this.#lost() : undefined;
    return other?.key ?? { clientId: 1n, operationId: BigInt(this.#attempts.length + 1) };
  }

  #execute(attempt: Attempt): void {
    const { request, key } = attempt;
    this.#travelling = this.#travelling.filter((other) => other !== attempt);
    attempt.executed = true;
    if (key === undefined) {
      attempt.answer = this.#read(request);
      if (this.#options.showsOrder === true) attempt.observedLsn = this.#model.lastLsn;
      return;
    }
    const command = { ...request, ...key } as ClientCommand;
    const known = recallFromModel(this.#model, command, this.#slot);
    if (known === undefined && attempt.slot !== undefined) {
      if (attempt.slot < this.#slot) {
        attempt.isRefused = true;
        return;
      }
      this.#slot = attempt.slot;
    }
    const outcome = known ?? applyToModel(this.#model, command, this.#slot);
    const { code, appliedLsn, reserved } = outcome;
    const answer = { kind: "applied" as const, code, lsn: appliedLsn };
    attempt.answer = reserved === undefined ? answer : { ...answer, reserved };
    if (reserved !== undefined) this.#ids.push(reserved.reservationId);
  }

  #read(request: HistoryRequest): HistoryAnswer {
    if (request.kind === "get_resource") {
      const found = this.#model.resources.get(request.resourceId);
      if (found === undefined) return { kind: "not_found" };
      const { state, currentReservationId, version } = found;
      const seen = { kind: "resource", state, reservationId: currentReservationId } as const;
      return this.#options.showsVersions ? { ...seen, version } : seen;
    }
    const id = request.kind === "get_reservation" ? request.reservationId : 0n;
    const found = readModelReservation(this.#model, id, this.#slot);
    return typeof found === "string" ? { kind: found } : { kind: "reservation", ...found };
  }

  #answer(attempt: Attempt): void {
    this.#waiting.delete(attempt.process);
    attempt.completedAt = this.#position++;
    attempt.outcome = attempt.isRefused
      ? { kind: "fail", reason: "slot_rewound" }
      : { kind: "ok", answer: attempt.answer! };
  }

  #drawRequest(): HistoryRequest {
    const random = this.#random;
    const { resources, bundleOneIn } = this.#options;
    const resourceId = BigInt(1 + random.below(resources));
    const holderId = BigInt(1 + random.below(2));
    const ttlSlots = BigInt(1 + random.below(4));
    const reservationId = this.#drawId();
    const kind = random.below(12);
    if (kind === 0) return { kind: "create_resource", resourceId };
    if (kind <= 4) {
      if (bundleOneIn === 0 || !random.oneIn(bundleOneIn)) {
        return { kind: "reserve", resourceId, holderId, ttlSlots };
      }
      const resourceIds = [resourceId, BigInt(1 + random.below(resources))];
      return { kind: "reserve_bundle", resourceIds, holderId, ttlSlots };
    }
    if (kind <= 6) return this.#drawRead(resourceId, reservationId);
    const epoch = random.oneIn(8) ? 2n : 1n;
    const holder = this.#model.reservations.get(reservationId)?.holderId ?? holderId;
    const owner = random.oneIn(8) ? holderId : holder;
    if (kind <= 8) return { kind: "release", reservationId, holderId: owner, epoch };
    if (kind === 9) return { kind: "confirm", reservationId, holderId: owner, epoch };
    return { kind: kind === 10 ? "revoke" : "reclaim", reservationId };
  }

  #drawRead(resourceId: bigint, reservationId: bigint): HistoryRequest {
    const requiredLsn = this.#random.oneIn(4) ? this.#model.lastLsn : 0n;
    return this.#random.oneIn(3)
      ? { kind: "get_reservation", reservationId, requiredLsn }
      : { kind: "get_resource", resourceId, requiredLsn };
  }

  #drawId(): bigint {
    if (this.#ids.length === 0 || this.#random.oneIn(15)) return BigInt(this.#random.below(8));
    const latest = this.#ids.slice(-4);
    return latest[this.#random.below(latest.length)]!;
  }
}

function recorded(attempt: Attempt): HistoryOperation {
  const { process, key, request, invokedAt, completedAt, outcome, slot, observedLsn } = attempt;
  return {
    process,
    request,
    invokedAt,
    completedAt,
    outcome,
    ...(key === undefined ? {} : { key }),
    ...(slot === undefined ? {} : { slot }),
    ...(observedLsn === undefined || outcome.kind !== "ok"
      ? {}
      : { servedBy: { replicaId: 1, observedLsn } }),
  };
}

function recordedTick({ process, invokedAt, completedAt, slot, expired }: Tick): TickOperation {
  return {
    process,
    invokedAt,
    completedAt,
    kind: completedAt === undefined ? "info" : "ok",
    ...(slot === undefined ? {} : { slot }),
    ...(expired === undefined ? {} : { expired }),
  };
}

/** Changes what one tick says of one hold. */
export function tellTickLie(
  random: SeededRandom,
  ticks: readonly TickOperation[],
): TickOperation[] {
  const liar = ticks[random.below(ticks.length || 1)];
  return ticks.map((tick) => {
    if (tick !== liar) return tick;
    const [hold, ...others] = tick.expired ?? [];
    const made = hold ?? { resourceId: 1n, holderId: 1n, reservationId: 1n };
    const lied = random.oneIn(3)
      ? { ...made, holderId: made.holderId + 1n }
      : random.oneIn(2)
      ? { ...made, resourceId: made.resourceId + 1n }
      : { ...made, reservationId: made.reservationId + BigInt(random.below(3)) };
    return { ...tick, expired: [lied, ...others] };
  });
}

/** Changes one answer or one moment. */
export function tellLie(
  random: SeededRandom,
  history: readonly HistoryOperation[],
): HistoryOperation[] {
  const answered = history.filter(({ outcome }) => outcome.kind === "ok");
  const liar = answered[random.below(answered.length || 1)];
  return history.map((attempt) => attempt === liar ? lied(random, attempt, history) : attempt);
}

function lied(
  random: SeededRandom,
  attempt: HistoryOperation,
  history: readonly HistoryOperation[],
): HistoryOperation {
  const { outcome, completedAt, invokedAt } = attempt;
  if (outcome.kind !== "ok") return attempt;
  if (attempt.slot !== undefined && random.oneIn(3)) {
    const slot = attempt.slot + BigInt(random.below(5));
    return { ...attempt, slot: slot < 2n ? 0n : slot - 2n };
  }
  const { servedBy } = attempt;
  if (servedBy?.observedLsn !== undefined && random.oneIn(2)) {
    const observedLsn = servedBy.observedLsn + BigInt(random.below(5)) - 2n;
    return { ...attempt, servedBy: { ...servedBy, observedLsn } };
  }
  if (random.oneIn(5)) {
    const earlier = invokedAt + (completedAt! - invokedAt) * 0.3;
    return { ...attempt, completedAt: earlier };
  }
  return {
    ...attempt,
    outcome: { kind: "ok", answer: liedAnswer(random, attempt.request, outcome.answer, history) },
  };
}

const OF_RESERVE = ["ok", "resource_busy", "resource_not_found"] as const;
const OF_RESERVATION = ["ok", "invalid_state", "reservation_retired", "stale_epoch"] as const;
const HELD = ["reserved", "confirmed", "revoking"] as const;
const STATES = [...HELD, "released", "expired", "revoked"] as const;

function liedAnswer(
  random: SeededRandom,
  request: HistoryRequest,
  answer: HistoryAnswer,
  history: readonly HistoryOperation[],
): HistoryAnswer {
  const others = history.flatMap(({ outcome }) => outcome.kind === "ok" ? [outcome.answer] : []);
  switch (answer.kind) {
    case "applied": {
      const { reserved } = answer;
      if (reserved === undefined) {
        if (random.oneIn(5) && answer.lsn !== undefined) return { ...answer, lsn: answer.lsn + 1n };
        const codes = "reservationId" in request ? OF_RESERVATION : OF_RESERVE;
        return { ...answer, code: codes[random.below(codes.length)]! };
      }
      const shift = BigInt(random.below(5)) - 2n;
      return { ...answer, reserved: { ...reserved, deadlineSlot: reserved.deadlineSlot + shift } };
    }
    case "resource": {
      if (random.oneIn(3) && answer.version !== undefined) {
        return { ...answer, version: answer.version + 1n };
      }
      const other = others[random.below(others.length)]!;
      return other.kind === "resource" ? other : { ...answer, state: HELD[random.below(3)]! };
    }
    case "reservation":
      return { ...answer, state: STATES[random.below(STATES.length)]! };
    default:
      return { kind: answer.kind === "retired" ? "not_found" : "retired" };
  }
}
