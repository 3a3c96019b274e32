// Recordings written by hand for the gate: one attempt after the other, unless told when it began and ended.
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryOutcome,
  HistoryRequest,
  ReadAnswer,
  ReadRequest,
  ServedBy,
  WriteRequest,
} from "../../testbed/jepsen/history/operation.ts";
import type { HistoryHeader } from "../../testbed/jepsen/history/event.ts";
import type { Recording, TickOperation } from "../../testbed/jepsen/history/recording.ts";

/** What may be said of an attempt besides. */
export interface Extra {
  /** Operation id; `null` for none, a fresh one by default. */
  readonly id?: bigint | null;
  /** From which position to which. */
  readonly span?: readonly [number, number];
  readonly lsn?: bigint;
}

/** See the top of this file. */
export class GateScript {
  readonly operations: HistoryOperation[] = [];
  readonly ticks: TickOperation[] = [];
  readonly #hasInvocations: boolean;
  #position = 0;
  #nextId = 1_000n;
  #nextLsn = 1n;

  /** @param hasInvocations Without them every attempt may have begun at any time, and only its end is known. */
  constructor(hasInvocations = true) {
    this.#hasInvocations = hasInvocations;
  }

  /** A reserve that succeeds at the next lsn, or at one that is told, which is its reservation's id. */
  reserve(
    resources: bigint | readonly bigint[],
    holderId: bigint,
    { slot = 1n, ttl = 10n, ...extra }: Extra & { slot?: bigint; ttl?: bigint } = {},
  ): this {
    const lsn = this.#lsn(extra);
    const reserved = { reservationId: lsn, epoch: 1n, deadlineSlot: slot + ttl };
    return this.#write(reserveOf(resources, holderId, ttl), {
      kind: "ok",
      answer: { kind: "applied", code: "ok", lsn, reserved },
    }, extra);
  }

  /** A reserve that comes to something else. */
  reserveElse(
    resources: bigint | readonly bigint[],
    holderId: bigint,
    outcome: string,
    extra: Extra = {},
  ): this {
    return this.#write(reserveOf(resources, holderId, 10n), this.#outcome(outcome, extra), extra);
  }

  /** Confirm or release: `ok`, a refusal, `info`, or `fail:reason`. */
  holder(
    kind: "confirm" | "release",
    reservationId: bigint,
    holderId: bigint,
    outcome = "ok",
    { epoch = 1n, ...extra }: Extra & { epoch?: bigint } = {},
  ): this {
    const request = { kind, reservationId, holderId, epoch };
    return this.#write(request, this.#outcome(outcome, extra), extra);
  }

  /** Revoke or reclaim. */
  operator(
    kind: "revoke" | "reclaim",
    reservationId: bigint,
    outcome = "ok",
    extra: Extra = {},
  ): this {
    return this.#write({ kind, reservationId }, this.#outcome(outcome, extra), extra);
  }

  /** A creation. */
  create(resourceId: bigint, outcome = "ok", extra: Extra = {}): this {
    return this.#write(
      { kind: "create_resource", resourceId },
      this.#outcome(outcome, extra),
      extra,
    );
  }

  /** A read that was answered. */
  read(
    request: ReadRequest,
    answer: ReadAnswer,
    { servedBy, ...extra }: Extra & { servedBy?: ServedBy } = {},
  ): this {
    const served = servedBy === undefined ? {} : { servedBy };
    this.#add(request, { kind: "ok", answer }, extra, served);
    return this;
  }

  /** A read of a resource. */
  resource(
    resourceId: bigint,
    state: "available" | "reserved" | "confirmed" | "revoking" | "not_found",
    reservationId?: bigint,
    extra: Extra & { servedBy?: ServedBy; version?: bigint; requiredLsn?: bigint } = {},
  ): this {
    const { version, requiredLsn, ...others } = extra;
    const fence = requiredLsn === undefined ? {} : { requiredLsn };
    const seen: ReadAnswer = state === "not_found"
      ? { kind: state }
      : { kind: "resource", state, reservationId, ...(version === undefined ? {} : { version }) };
    return this.read({ kind: "get_resource", resourceId, ...fence }, seen, others);
  }

  /** A read of a reservation. */
  reservation(
    reservationId: bigint,
    seen: Extract<ReadAnswer, { kind: "reservation" }>["state"] | ReadAnswer,
    extra: Extra & { servedBy?: ServedBy } = {},
  ): this {
    const answer = typeof seen === "string" ? { kind: "reservation", state: seen } as const : seen;
    return this.read({ kind: "get_reservation", reservationId }, answer, extra);
  }

  /** A tick that expired one hold, or that came to something else. */
  tick(
    slot: bigint | undefined,
    expired: readonly (readonly [resource: bigint, holder: bigint, reservation: bigint])[],
    kind: "ok" | "info" | "fail" = "ok",
    extra: Extra & { reason?: string } = {},
  ): this {
    const { reason } = extra;
    const { span = this.#next(), id = this.#nextId++ } = extra;
    const lsn = kind === "ok" ? { lsn: this.#lsn(extra) } : {};
    this.ticks.push({
      ...{ process: 0, invokedAt: span[0], completedAt: span[1], kind, ...lsn },
      ...(id === null ? {} : { key: { clientId: 1n, operationId: id } }),
      ...(slot === undefined ? {} : { slot }),
      ...(reason === undefined ? {} : { reason }),
      expired: expired.map(([resourceId, holderId, reservationId]) => ({
        ...{ resourceId, holderId, reservationId },
      })),
    });
    return this;
  }

  /** All of it. */
  recording(header: Partial<HistoryHeader> = {}): Recording {
    return {
      header: { model: "reservation", ...header },
      ...{ operations: this.operations, ticks: this.ticks, modelOperations: [] },
      ...{ faults: [], samples: [], processNames: new Map(), skippedLines: 0, notes: [] },
      ...{ events: this.#position, hasInvocations: this.#hasInvocations, endNs: 0 },
    };
  }

  #outcome(outcome: string, extra: Extra): HistoryOutcome {
    if (outcome === "info") return { kind: "info" };
    const [what, reason] = outcome.split(":");
    if (what === "fail") return { kind: "fail", ...(reason === undefined ? {} : { reason }) };
    const answer: HistoryAnswer = { kind: "applied", code: outcome, lsn: this.#lsn(extra) };
    return { kind: "ok", answer };
  }

  #write(request: WriteRequest, outcome: HistoryOutcome, extra: Extra): this {
    const { id = this.#nextId++ } = extra;
    const key = id === null ? {} : { key: { clientId: 1n, operationId: id } };
    return this.#add(request, outcome, extra, key);
  }

  #add(
    request: HistoryRequest,
    outcome: HistoryOutcome,
    extra: Extra,
    others: Partial<HistoryOperation>,
  ): this {
    const [invokedAt, completedAt] = extra.span ?? this.#next();
    const process = this.operations.length;
    this.operations.push({ process, request, invokedAt, completedAt, outcome, ...others });
    return this;
  }

  #next(): readonly [number, number] {
    const from = this.#position;
    this.#position += 2;
    return [this.#hasInvocations ? from : 0, from + 1];
  }

  #lsn({ lsn }: Extra): bigint {
    if (lsn === undefined) return this.#nextLsn++;
    if (lsn >= this.#nextLsn) this.#nextLsn = lsn + 1n;
    return lsn;
  }
}

function reserveOf(
  resources: bigint | readonly bigint[],
  holderId: bigint,
  ttlSlots: bigint,
): WriteRequest {
  return typeof resources === "bigint"
    ? { kind: "reserve", resourceId: resources, holderId, ttlSlots }
    : { kind: "reserve_bundle", resourceIds: resources, holderId, ttlSlots };
}
