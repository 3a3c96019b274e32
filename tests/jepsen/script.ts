/** Histories written by hand: each line an operation, from one position to another. */
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryRequest,
} from "../../testbed/jepsen/history/operation.ts";

/** When an operation began and when it was answered; without the second nobody knows. */
export type Span = readonly [from: number, to?: number];

/** Collects operations; each write has a key of its own unless it says which. */
export class Script {
  readonly history: HistoryOperation[] = [];
  #keys = 0;

  /** Resource `id` is created, before everything else unless told otherwise. */
  create(id: bigint, answer = "ok", span: Span = [-2, -1]): this {
    return this.write({ kind: "create_resource", resourceId: id }, span, answer);
  }

  /** A reserve by a holder; `made` is the id it was answered with, whose deadline is `deadline`. */
  reserve(
    resourceId: bigint,
    holderId: bigint,
    span: Span,
    made: bigint | string,
    { ttl = 10n, deadline = 10n, key }: { ttl?: bigint; deadline?: bigint; key?: number } = {},
  ): this {
    const request = { kind: "reserve", resourceId, holderId, ttlSlots: ttl } as const;
    return this.write(request, span, made, key, deadline);
  }

  /** The same of several. */
  bundle(
    resourceIds: readonly bigint[],
    holderId: bigint,
    span: Span,
    made: bigint | string,
    { ttl = 10n, deadline = 10n }: { ttl?: bigint; deadline?: bigint } = {},
  ): this {
    const request = { kind: "reserve_bundle", resourceIds, holderId, ttlSlots: ttl } as const;
    return this.write(request, span, made, undefined, deadline);
  }

  /** A confirm or release by a holder. */
  holder(
    kind: "confirm" | "release",
    reservationId: bigint,
    holderId: bigint,
    span: Span,
    answer: string,
    { epoch = 1n, key }: { epoch?: bigint; key?: number } = {},
  ): this {
    return this.write({ kind, reservationId, holderId, epoch }, span, answer, key);
  }

  /** A revoke or reclaim. */
  operator(kind: "revoke" | "reclaim", reservationId: bigint, span: Span, answer: string): this {
    return this.write({ kind, reservationId }, span, answer);
  }

  /** A read of a resource that saw it held, or available, or not at all. */
  resource(
    resourceId: bigint,
    span: Span,
    state: "available" | "reserved" | "confirmed" | "revoking" | "not_found",
    reservationId?: bigint,
    { version, requiredLsn }: { version?: bigint; requiredLsn?: bigint } = {},
  ): this {
    const seen: HistoryAnswer = state === "not_found"
      ? { kind: "not_found" }
      : { kind: "resource", state, reservationId, ...(version === undefined ? {} : { version }) };
    const fence = requiredLsn === undefined ? {} : { requiredLsn };
    return this.#add({ kind: "get_resource", resourceId, ...fence }, span, seen, undefined);
  }

  /** A read of a reservation. */
  reservation(
    reservationId: bigint,
    span: Span,
    state:
      | "reserved"
      | "confirmed"
      | "revoking"
      | "released"
      | "expired"
      | "revoked"
      | "retired"
      | "not_found",
  ): this {
    const seen: HistoryAnswer = state === "retired" || state === "not_found"
      ? { kind: state }
      : { kind: "reservation", state };
    return this.#add({ kind: "get_reservation", reservationId }, span, seen, undefined);
  }

  /** Any write; an answer that is an id is that of a reserve. `code@lsn` has an lsn. */
  write(
    request: HistoryRequest,
    span: Span,
    answer: bigint | string,
    key = 1_000 + this.#keys++,
    deadlineSlot = 0n,
  ): this {
    if (typeof answer === "bigint") {
      const reserved = { reservationId: answer, epoch: 1n, deadlineSlot };
      const applied = { kind: "applied", code: "ok", reserved } as const;
      return this.#add(request, span, applied, key);
    }
    const [code, lsn] = answer.split("@");
    const applied = { kind: "applied", code: code! } as const;
    return this.#add(
      request,
      span,
      lsn === undefined ? applied : { ...applied, lsn: BigInt(lsn) },
      key,
    );
  }

  /** The slot that the last one asked for. */
  at(slot: bigint): this {
    this.history.push({ ...this.history.pop()!, slot });
    return this;
  }

  /** The last lsn that the last one, a read, says that it saw. */
  upTo(observedLsn: bigint): this {
    this.history.push({ ...this.history.pop()!, servedBy: { replicaId: 1, observedLsn } });
    return this;
  }

  #add(
    request: HistoryRequest,
    [invokedAt, completedAt]: Span,
    answer: HistoryAnswer,
    key: number | undefined,
  ): this {
    const outcome = completedAt === undefined ? { kind: "info" } as const : {
      kind: "ok",
      answer,
    } as const;
    const process = this.history.length;
    const attempt = { process, request, invokedAt, completedAt, outcome };
    this.history.push(
      key === undefined ? attempt : { ...attempt, key: { clientId: 1n, operationId: BigInt(key) } },
    );
    return this;
  }
}
