/** Operations on what is no reservation: histories of other systems, by the models that everybody knows. */

/** Models of other systems; docs/jepsen.md says what each of their operations means. */
export const MODEL_NAMES = [
  "register",
  "cas-register",
  "multi-register",
  "mutex",
  "lock",
  "kv",
  "set",
] as const;

/** One of {@linkcode MODEL_NAMES}. */
export type ModelName = (typeof MODEL_NAMES)[number];

/** A value: nothing, a whole number of any size, text (also a keyword, without its colon), or several of them. */
export type Value = null | bigint | boolean | string | readonly Value[];

/** What a client asked for. */
export interface ModelRequest {
  readonly kind: "model";
  /** `read`, `write`, `cas`, `acquire`, `release`, `append`, `add`, ...; the model says which there are. */
  readonly f: string;
  /** Of a keyed history: which object is meant. */
  readonly key?: Value;
  /** The argument; of a cas `[expected, new]`. */
  readonly value: Value;
}

/** What the system said: the value of a read, or what was asked once more. */
export interface ModelAnswer {
  readonly kind: "model";
  readonly value: Value;
}

/** How it ended; as of reservations, but that a foreign `fail` may have a value to be checked. */
export type ModelOutcome =
  | { readonly kind: "ok"; readonly value: Value }
  | { readonly kind: "fail"; readonly value?: Value; readonly reason?: string }
  | { readonly kind: "info"; readonly reason?: string };

/** One operation. Positions are those of {@linkcode HistoryOperation}. */
export interface ModelOperation {
  readonly process: number;
  readonly f: string;
  readonly key?: Value;
  readonly value: Value;
  readonly invokedAt: number;
  readonly completedAt: number | undefined;
  readonly outcome: ModelOutcome;
  readonly invokedNs?: number;
  readonly completedNs?: number;
}
