/** What a verdict can be checked by without searching again: plain data, that speaks of attempts by their place in the history. */

/** See the top of this file. */
export type ReservationCertificate = OrderCertificate | CounterexampleCertificate;

/** An order for each partition that explains every answer. */
export interface OrderCertificate {
  readonly kind: "order";
  readonly partitions: readonly PartitionOrder[];
}

/** One partition: resources that nothing holds together with any other. */
export interface PartitionOrder {
  readonly resourceIds: readonly bigint[];
  readonly steps: readonly OrderStep[];
}

/** What happened next. */
export type OrderStep =
  | {
    readonly kind: "operation";
    /** Places of all its attempts, or of those of one answer; the first is the one that it is named by. */
    readonly attempts: readonly number[];
    /** Of a reserve that nobody got an answer of: the id that it made, where anybody names it. */
    readonly reservationId?: bigint;
  }
  /** The hold of these resources ended by itself. */
  | { readonly kind: "expire"; readonly resourceIds: readonly bigint[] };

/** Attempts that no order explains, even without all others. */
export interface CounterexampleCertificate {
  readonly kind: "counterexample";
  readonly rule: string;
  /** Places of the attempts. */
  readonly attempts: readonly number[];
  /** Places of those of them whose answer does not count: they may have happened as answered, or not. */
  readonly weakened: readonly number[];
  /** The ways in which things may have stood before the answer that fits none of them. */
  readonly frontier: readonly (readonly string[])[];
}
