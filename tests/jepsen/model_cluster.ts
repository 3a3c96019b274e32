/**
 * A cluster that is the model, and a clock that stands still until everybody waits: workloads run on it in no time, the same
 * for the same seed. Answers take drawn times, and some never come.
 */
import { setImmediate } from "node:timers";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../core/tables.ts";
import type { ReservationRead, ResourceRead } from "../../node/api.ts";
import {
  type ClientCommand,
  type Rejected,
  type ServerInfo,
  type SubmitResult,
  TransportError,
  type WriteOptions,
} from "../../node/client/types.ts";
import type { Completion, HistoryEvent, Invocation } from "../../testbed/jepsen/history/event.ts";
import type { ClientPort } from "../../testbed/jepsen/workload/desk.ts";
import type { Pace } from "../../testbed/jepsen/workload/token_bucket.ts";
import type { EventSink } from "../../testbed/jepsen/workload/voice.ts";
import {
  applyToModel,
  createModel,
  dueInModel,
  type Model,
  readModelReservation,
} from "../../testbed/model/model.ts";
import type { ClientCommand as ModelCommand } from "../../testbed/model/words.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const SLOT_MS = 10;
/** One in so many writes is lost: half of those before, half after it was applied. */
const LOST_ONE_IN = 25;

/** A clock whose time passes only when nobody has anything else to do. */
export class VirtualPace implements Pace {
  #nowMs = 0;
  #order = 0;
  readonly #sleepers: { readonly ms: number; readonly order: number; readonly wake: () => void }[] =
    [];

  nowMs(): number {
    return this.#nowMs;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const order = this.#order++;
      this.#sleepers.push({ ms: this.#nowMs + Math.max(0, ms), order, wake: resolve });
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Lets time pass until the work is done. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    work.then(end, end);
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#sleepers.sort((a, b) => a.ms - b.ms || a.order - b.order);
      const next = this.#sleepers.shift();
      if (next === undefined) continue;
      this.#nowMs = Math.max(this.#nowMs, next.ms);
      next.wake();
    }
    return await work;
  }
}

/** Keeps what is recorded. */
export class EventList implements EventSink {
  readonly events: HistoryEvent[] = [];
  readonly #pace: Pace;
  #processes = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  invoke(event: Invocation): void {
    this.events.push(event);
  }

  complete(event: Completion): void {
    this.events.push(event);
  }

  nowNs(): number {
    return Math.round(this.#pace.nowMs() * 1e6);
  }

  nextProcess(): number {
    return this.#processes++;
  }
}

/** See the top of this file. */
export class ModelCluster {
  readonly model: Model;
  readonly #pace: VirtualPace;
  readonly #random: SeededRandom;

  constructor(pace: VirtualPace, seed: number) {
    this.#pace = pace;
    this.#random = new SeededRandom(seed);
    this.model = createModel({
      ...{ shardId: 0n, maxResources: 1_000, maxReservations: 100_000, maxOperations: 100_000 },
      ...{ maxBundleSize: 4, maxTtlSlots: 500n, maxExpirationBucketLen: 100_000 },
      ...{ reservationHistoryWindowSlots: 1_000n, maxClientRetryWindowSlots: 30_000n },
    });
  }

  /** Another connection. */
  connect(clientId: bigint): Promise<ClientPort> {
    const lifetime = new AbortController();
    const server = { slotDurationMs: SLOT_MS, currentSlot: this.#slot() } as ServerInfo;
    return Promise.resolve({
      clientId,
      server,
      submitMany: (commands, options) =>
        Promise.all(
          commands.map((command) =>
            this.#submit({ ...command, clientId }, options ?? {}, lifetime.signal)
          ),
        ),
      getResource: (id, { requiredLsn } = {}) => this.#read(requiredLsn, () => this.#resource(id)),
      getReservation: (id, { requiredLsn, currentSlot } = {}) =>
        this.#read(requiredLsn, () => this.#reservation(id, currentSlot ?? this.#slot())),
      tick: async () => {
        await this.#pace.wait(this.#random.below(4));
        const processedCount = this.#expire();
        return { kind: "applied", processedCount, lastAppliedLsn: this.model.lastLsn };
      },
      close: () => {
        lifetime.abort();
        return Promise.resolve();
      },
    });
  }

  #slot(): bigint {
    return 100n + BigInt(Math.floor(this.#pace.nowMs() / SLOT_MS));
  }

  #expire(): number {
    const due = dueInModel(this.model, this.#slot());
    for (const { reservationId, deadlineSlot } of due) {
      applyToModel(this.model, { kind: "expire", reservationId, deadlineSlot }, this.#slot());
    }
    return due.length;
  }

  async #submit(
    command: ClientCommand & { readonly clientId: bigint },
    { timeoutMs = 5_000, slot }: WriteOptions,
    closed: AbortSignal,
  ): Promise<SubmitResult> {
    const operationId = command.operationId!;
    const isLost = this.#random.oneIn(LOST_ONE_IN);
    await this.#pace.wait(this.#random.below(4));
    if (isLost && this.#random.oneIn(2)) {
      await this.#pace.wait(timeoutMs, closed);
      return { kind: "unknown", reason: "timeout", message: "lost", operationId };
    }
    if (this.#random.oneIn(3)) this.#expire();
    const rejection = this.#refusal(slot);
    if (rejection !== undefined) return { kind: "rejected", rejection, operationId };
    const outcome = applyToModel(this.model, command as ModelCommand, slot ?? this.#slot());
    await this.#pace.wait(isLost ? timeoutMs : this.#random.below(4), closed);
    if (isLost || closed.aborted) {
      const reason = closed.aborted ? "closed" : "timeout";
      return { kind: "unknown", reason, message: "no answer", operationId };
    }
    const { code, appliedLsn, fromRetryCache, reserved } = outcome;
    return {
      ...{ kind: "committed", code: code as "ok", ok: code === "ok", appliedLsn, fromRetryCache },
      reservationId: reserved?.reservationId,
      epoch: reserved?.epoch,
      deadlineSlot: reserved?.deadlineSlot,
      operationId,
    };
  }

  /** A slot of the client's own may be neither over nor far ahead. */
  #refusal(slot: bigint | undefined): Rejected["rejection"] | undefined {
    if (slot === undefined) return undefined;
    const { lastSlot } = this.model;
    const slotMax = this.#slot();
    if (slot < lastSlot) {
      const code = "slot_rewound";
      return { category: "definite", code, requestSlot: slot, lastRequestSlot: lastSlot };
    }
    if (slot <= slotMax) return undefined;
    return { category: "definite", code: "slot_too_far", requestSlot: slot, slotMax };
  }

  async #read<T>(
    requiredLsn: bigint | undefined,
    read: () => T,
  ): Promise<T | Extract<ResourceRead, { kind: "fence_not_applied" }>> {
    await this.#pace.wait(this.#random.below(6));
    if (this.#random.oneIn(60)) throw new TransportError("timeout", "no answer in time");
    const { lastLsn } = this.model;
    if (requiredLsn === undefined || requiredLsn <= lastLsn) return read();
    return { kind: "fence_not_applied", requiredLsn, lastAppliedLsn: lastLsn };
  }

  #resource(resourceId: bigint): ResourceRead {
    const observedLsn = this.model.lastLsn;
    const found = this.model.resources.get(resourceId);
    if (found === undefined) return { kind: "not_found", observedLsn };
    const { currentReservationId, version } = found;
    const state = RESOURCE_STATE_NAMES.indexOf(found.state) as 1;
    return { kind: "found", resourceId, state, currentReservationId, version, observedLsn };
  }

  #reservation(reservationId: bigint, slot: bigint): ReservationRead {
    const observedLsn = this.model.lastLsn;
    const found = readModelReservation(this.model, reservationId, slot);
    if (typeof found === "string") return { kind: found, observedLsn };
    const state = RESERVATION_STATE_NAMES.indexOf(found.state) as 1;
    return { ...found, kind: "found", state, observedLsn };
  }
}
