/** The words the model is spoken to in: bounds, commands and answers as plain values. */

/** Bounds, under the engine's names so that one literal configures both. */
export interface ModelBounds {
  readonly shardId: bigint;
  readonly maxResources: number;
  readonly maxReservations: number;
  readonly maxOperations: number;
  readonly maxBundleSize: number;
  readonly maxTtlSlots: bigint;
  readonly maxExpirationBucketLen: number;
  readonly reservationHistoryWindowSlots: bigint;
  readonly maxClientRetryWindowSlots: bigint;
}

interface Keyed {
  readonly operationId: bigint;
  readonly clientId: bigint;
}

/** A command of a client, field by field. */
export type ClientCommand =
  & Keyed
  & (
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
    | { readonly kind: "revoke" | "reclaim"; readonly reservationId: bigint }
  );

/** The command that only the primary itself sequences. */
export interface ExpireCommand {
  readonly kind: "expire";
  readonly reservationId: bigint;
  readonly deadlineSlot: bigint;
}

/** Anything a log can hold. */
export type ModelCommand = ClientCommand | ExpireCommand;

/** The answer to a command. */
export interface ModelOutcome {
  readonly code: string;
  readonly appliedLsn: bigint;
  readonly fromRetryCache: boolean;
  /** After a successful reserve. */
  readonly reserved?: {
    readonly reservationId: bigint;
    readonly epoch: bigint;
    readonly deadlineSlot: bigint;
  };
}
