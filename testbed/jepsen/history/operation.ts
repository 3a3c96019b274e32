/**
 * What clients saw of a run: one record for each attempt of an operation, in the order in which things happened.
 * Its order is by positions, not by a clock: a position is the place of an event in one total order, so an attempt that
 * was answered before another began has the smaller position. Imports nothing: whoever records, reads or judges depends on this.
 */

/** Names a write, so that its attempts can be told from another operation. */
export interface OperationKey {
  readonly clientId: bigint;
  readonly operationId: bigint;
}

/** What a client asked for; names and fields are those of docs/semantics.md. */
export type HistoryRequest = WriteRequest | ReadRequest;

/** What has a place in the log. */
export type WriteRequest =
  | { readonly kind: "create_resource"; readonly resourceId: bigint }
  | {
    readonly kind: "reserve";
    readonly resourceId: bigint;
    readonly holderId: bigint;
    readonly ttlSlots: bigint;
  }
  | {
    readonly kind: "reserve_bundle";
    readonly resourceIds: readonly bigint[];
    readonly holderId: bigint;
    readonly ttlSlots: bigint;
  }
  | {
    readonly kind: "confirm" | "release";
    readonly reservationId: bigint;
    readonly holderId: bigint;
    readonly epoch: bigint;
  }
  | { readonly kind: "revoke" | "reclaim"; readonly reservationId: bigint };

/** Strict reads; `requiredLsn` is the fence, absent or 0 for none. */
export type ReadRequest =
  | { readonly kind: "get_resource"; readonly resourceId: bigint; readonly requiredLsn?: bigint }
  | {
    readonly kind: "get_reservation";
    readonly reservationId: bigint;
    readonly requiredLsn?: bigint;
  };

/** What the system said. Absent optional fields were not recorded and are not checked. */
export type HistoryAnswer = AppliedAnswer | ReadAnswer;

/** A command was applied, whatever it came to: a refusal such as `resource_busy` is one of these. */
export interface AppliedAnswer {
  readonly kind: "applied";
  /** A result code of docs/semantics.md. */
  readonly code: string;
  readonly lsn?: bigint;
  /** After a successful reserve. */
  readonly reserved?: ReservedAnswer;
}

/** What a successful reserve gave. */
export interface ReservedAnswer {
  readonly reservationId: bigint;
  readonly epoch: bigint;
  readonly deadlineSlot: bigint;
}

/** What a strict read saw. */
export type ReadAnswer =
  | { readonly kind: "not_found" }
  /** Of a reservation: it has ended and its record is gone. */
  | { readonly kind: "retired" }
  | ResourceSeen
  | ReservationSeen;

/** A resource as a read saw it. */
export interface ResourceSeen {
  readonly kind: "resource";
  readonly state: "available" | "reserved" | "confirmed" | "revoking";
  readonly reservationId: bigint | undefined;
  readonly version?: bigint;
}

/** A reservation as a read saw it. */
export interface ReservationSeen {
  readonly kind: "reservation";
  readonly state: "reserved" | "confirmed" | "revoking" | "released" | "expired" | "revoked";
  readonly holderId?: bigint;
  readonly epoch?: bigint;
  readonly deadlineSlot?: bigint;
  readonly memberResourceIds?: readonly bigint[];
  readonly createdLsn?: bigint;
  readonly releasedLsn?: bigint | undefined;
  readonly retireAfterSlot?: bigint | undefined;
}

/**
 * How an attempt ended. `ok`: it took effect and this was the answer. `fail`: it never took effect and never will
 * (not sequenced, not primary, overloaded, fence not applied). `info`: nobody knows; any time after its beginning, or never.
 */
export type HistoryOutcome =
  | { readonly kind: "ok"; readonly answer: HistoryAnswer }
  | { readonly kind: "fail"; readonly reason?: string }
  | { readonly kind: "info"; readonly reason?: string };

/** Who answered, as far as it was recorded. */
export interface ServedBy {
  readonly replicaId: number;
  /** What it said it was: `primary`, `backup`, ... */
  readonly role?: string;
  readonly view?: bigint;
  /** Of a read: the last lsn that its answer reflects. */
  readonly observedLsn?: bigint;
}

/** One attempt of one operation. */
export interface HistoryOperation {
  /** Whoever does one thing after the other. */
  readonly process: number;
  /** Of a write; attempts of the same operation have the same key. */
  readonly key?: OperationKey;
  readonly request: HistoryRequest;
  /** Position at which it began. */
  readonly invokedAt: number;
  /** Position at which the client learned how it ended, greater than `invokedAt`; undefined if it never did. */
  readonly completedAt: number | undefined;
  readonly outcome: HistoryOutcome;
  /** Slot that the client asked for; absent when the server chose. */
  readonly slot?: bigint;
  readonly servedBy?: ServedBy;
  /** Monotonic time of the run, in nanoseconds; only for latencies and pictures, never for an order. */
  readonly invokedNs?: number;
  readonly completedNs?: number;
}
