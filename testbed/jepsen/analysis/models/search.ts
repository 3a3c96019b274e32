/** What both searches have in common. */

/** A search that can be interrupted. */
export interface Search {
  /** How it ended; undefined while it has not. */
  readonly outcome: Outcome | undefined;
  /** Steps so far. */
  readonly steps: number;
  /** The furthest level that was met. */
  readonly level: number;
  /** Goes on until it has taken about that many steps in all, or has ended. */
  runTo(steps: number): void;
}

/** How a search ended. */
export type Outcome =
  /** The mutations that happened, in an order that explains every answer. */
  | { readonly kind: "valid"; readonly path: readonly number[] }
  /** No order gets past the answer of `level`; `states` are some that there were before it. */
  | { readonly kind: "invalid"; readonly level: number; readonly states: readonly number[] }
  /** Too many configurations had to be remembered. */
  | { readonly kind: "full" };

/** States of an `invalid` outcome at most. */
export const STATES_MAX = 8;
