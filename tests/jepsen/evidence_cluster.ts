// A cluster that keeps its word: one log, replicas that hold it, and clients that overlap, lose answers and try again. Tests
// take what clients saw and what disks hold, and spoil either.
import type { CoreConfig } from "../../core/config.ts";
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryOutcome,
  HistoryRequest,
  OperationKey,
} from "../../testbed/jepsen/history/operation.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";
import type { ClusterEvidence, LogEntry } from "../../testbed/jepsen/evidence/evidence.ts";
import {
  applyToModel,
  createModel,
  dueInModel,
  type Model,
  readModelReservation,
} from "../../testbed/model/model.ts";
import type { ClientCommand, ModelCommand } from "../../testbed/model/words.ts";
import { ClusterTruth } from "../../testbed/sim/judge/truth.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";
import { encodePlain } from "../../testbed/sim/workload/plain.ts";
import { TINY_CONFIG } from "../support/core_builders.ts";

/** Unlocked, so that a test can spoil it. */
export type Open<T> = { -readonly [Key in keyof T]: T[Key] };

/** Nothing is forgotten, and records of ended reservations are dropped. */
export const CORE: CoreConfig = {
  ...TINY_CONFIG,
  maxReservations: 100,
  maxOperations: 10_000,
  maxExpirationBucketLen: 100,
  maxClientRetryWindowSlots: 100_000n,
};

interface Waiting {
  readonly process: number;
  readonly key: OperationKey | undefined;
  readonly request: HistoryRequest;
  readonly invokedAt: number;
  answer: HistoryAnswer | undefined;
  observedLsn: bigint | undefined;
}

/** See the top of this file. */
export class EvidenceCluster {
  readonly entries: Open<LogEntry>[] = [];
  readonly operations: Open<HistoryOperation>[] = [];
  readonly #random: SeededRandom;
  readonly #model: Model = createModel(CORE);
  #slot = 1n;
  #view = 1n;
  #position = 0;
  #nextProcess = 0;
  #nextOperation = 1n;
  #waiting: Waiting[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** So many attempts of clients, all of them at an end. */
  run(attempts: number): this {
    let begun = 0;
    while (begun < attempts || this.#waiting.length > 0) {
      const waiting = this.#waiting[this.#random.below(this.#waiting.length || 1)];
      if (begun < attempts && (waiting === undefined || this.#waiting.length < 4)) {
        this.#begin();
        begun++;
      }
      if (this.#random.oneIn(4)) this.#pass();
      if (waiting !== undefined) this.#goOn(waiting);
    }
    return this;
  }

  /** Everything that clients saw. */
  recording(): Recording {
    const operations = [...this.operations].sort((a, b) => a.invokedAt - b.invokedAt);
    return {
      header: { model: "reservation" },
      ...{ operations, ticks: [], modelOperations: [], faults: [], samples: [], notes: [] },
      ...{ processNames: new Map(), events: this.#position, skippedLines: 0 },
      ...{ hasInvocations: true, endNs: 0 },
    };
  }

  /** What three replicas hold, the second of which has lost the beginning, and the third from two readings. */
  evidence(): ClusterEvidence {
    const commitOp = this.entries.length;
    const half = commitOp >>> 1;
    const piece = (replicaId: number, baseOp: number, to: number) => ({
      ...{ replicaId, baseOp, commitOp: to, entries: this.entries.slice(baseOp, to) },
    });
    const digest = this.#digest();
    return {
      core: CORE,
      replicaCount: 3,
      logs: [
        piece(1, 0, commitOp),
        piece(2, half, commitOp),
        piece(3, 0, half),
        piece(3, half >>> 1, commitOp),
      ],
      states: [1, 2, 3].map((replicaId) => ({ replicaId, op: commitOp, digest })),
    };
  }

  /** The next entry of the log. */
  append(command: ModelCommand): HistoryAnswer {
    const outcome = applyToModel(this.#model, command, this.#slot);
    this.#push(true, command);
    const { code, appliedLsn: lsn, reserved } = outcome;
    const answer = { kind: "applied", code, lsn } as const;
    return reserved === undefined ? answer : { ...answer, reserved };
  }

  /** A hold, and right behind it the command to expire it, which does nothing as it comes too early. */
  expireEarly(): void {
    const key = { clientId: 1n, operationId: 0n };
    this.append({ kind: "create_resource", resourceId: 50n, ...key });
    const request = { kind: "reserve", resourceId: 50n, holderId: 7n, ttlSlots: 5n } as const;
    const invokedAt = this.#position++;
    const sent = { clientId: 1n, operationId: this.#nextOperation++ };
    const answer = this.append({ ...request, ...sent });
    this.#waiting.push({
      ...{ process: this.#nextProcess++, key: sent, request, invokedAt, answer },
      observedLsn: undefined,
    });
    this.#end(this.#waiting[0]!, { kind: "ok", answer });
    if (answer.kind !== "applied" || answer.reserved === undefined) throw new Error("no hold");
    const { reservationId, deadlineSlot } = answer.reserved;
    this.append({ kind: "expire", reservationId, deadlineSlot });
  }

  #digest(): bigint {
    const truth = new ClusterTruth(CORE);
    for (const entry of this.entries) {
      truth.decide({ ...entry, writtenMs: 0, isDurable: true }, 0);
    }
    return truth.digest();
  }

  #push(isCommand: boolean, command?: ModelCommand): void {
    const op = this.entries.length + 1;
    const payload = command === undefined ? new Uint8Array(0) : encodePlain(command);
    this.entries.push({
      ...{ op, lsn: Number(this.#model.lastLsn), slot: this.#slot, view: this.#view },
      ...{ hash: BigInt(op * 7), previousHash: BigInt((op - 1) * 7), isCommand, payload },
      isInternal: command?.kind === "expire",
    });
  }

  /** Time goes on, views change, and what is due expires. */
  #pass(): void {
    this.#slot += BigInt(this.#random.below(4));
    if (this.#random.oneIn(10)) {
      this.#view += 1n;
      this.#push(false);
    }
    const [due] = dueInModel(this.#model, this.#slot);
    if (due === undefined) return;
    const { reservationId, deadlineSlot } = due;
    this.append({ kind: "expire", reservationId, deadlineSlot });
  }

  #begin(): void {
    const lost = this.operations.filter(({ key, outcome }) =>
      key !== undefined && outcome.kind === "info"
    );
    const retried = this.#random.oneIn(4) ? lost[this.#random.below(lost.length || 1)] : undefined;
    const request = retried?.request ?? this.#draw();
    const isRead = request.kind === "get_resource" || request.kind === "get_reservation";
    const key = { clientId: 1n, operationId: this.#nextOperation++ };
    this.#waiting.push({
      ...{ process: this.#nextProcess++, request, invokedAt: this.#position++ },
      key: isRead ? undefined : retried?.key ?? key,
      ...{ answer: undefined, observedLsn: undefined },
    });
  }

  #goOn(waiting: Waiting): void {
    const { answer, key, request } = waiting;
    if (answer !== undefined) return this.#end(waiting, { kind: "ok", answer });
    if (key !== undefined && this.#random.oneIn(12)) {
      return this.#end(waiting, { kind: "fail", reason: "overloaded" });
    }
    if (key === undefined) waiting.answer = this.#read(request);
    else waiting.answer = this.append({ ...request, ...key } as ClientCommand);
    waiting.observedLsn = key === undefined ? this.#model.lastLsn : undefined;
    if (key !== undefined && this.#random.oneIn(6)) this.#end(waiting, { kind: "info" });
  }

  #end(waiting: Waiting, outcome: HistoryOutcome): void {
    const { process, key, request, invokedAt, observedLsn } = waiting;
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    this.operations.push({
      ...{ process, request, invokedAt, completedAt: this.#position++, outcome },
      ...(key === undefined ? {} : { key }),
      ...(observedLsn === undefined || this.#random.oneIn(3)
        ? {}
        : { servedBy: { replicaId: 1, role: "primary", observedLsn } }),
    });
  }

  #read(request: HistoryRequest): HistoryAnswer {
    if (request.kind === "get_resource") {
      const found = this.#model.resources.get(request.resourceId);
      if (found === undefined) return { kind: "not_found" };
      const { state, currentReservationId: reservationId, version } = found;
      return { kind: "resource", state, reservationId, version };
    }
    const id = request.kind === "get_reservation" ? request.reservationId : 0n;
    const found = readModelReservation(this.#model, id, this.#slot);
    return typeof found === "string" ? { kind: found } : { kind: "reservation", ...found };
  }

  #draw(): HistoryRequest {
    const random = this.#random;
    const resourceId = BigInt(1 + random.below(4));
    const ids = [...this.#model.reservations.keys()];
    const reservationId = ids[random.below(ids.length || 1)] ?? 1n;
    const holderId = this.#model.reservations.get(reservationId)?.holderId ?? 7n;
    const ttlSlots = BigInt(1 + random.below(8));
    switch (random.below(9)) {
      case 0:
        return { kind: "create_resource", resourceId };
      case 1:
      case 2:
        return { kind: "reserve", resourceId, holderId: BigInt(7 + random.below(2)), ttlSlots };
      case 3:
        return { kind: "reserve_bundle", resourceIds: [resourceId, 4n], holderId: 9n, ttlSlots };
      case 4:
        return { kind: "confirm", reservationId, holderId, epoch: 1n };
      case 5:
        return { kind: "release", reservationId, holderId, epoch: 1n };
      case 6:
        return { kind: random.oneIn(2) ? "revoke" : "reclaim", reservationId };
      case 7:
        return { kind: "get_reservation", reservationId };
      default:
        return { kind: "get_resource", resourceId };
    }
  }
}
