/** How a committed command ended. Numbers are the wire's and the snapshot's. Source: docs/semantics.md#result-codes. */
export const ResultCode = {
  ok: 1,
  noop: 2,
  already_exists: 3,
  resource_table_full: 4,
  resource_not_found: 5,
  resource_busy: 6,
  bundle_too_large: 7,
  ttl_out_of_range: 8,
  reservation_table_full: 9,
  reservation_member_table_full: 10,
  reservation_not_found: 11,
  reservation_retired: 12,
  expiration_index_full: 13,
  operation_table_full: 14,
  operation_conflict: 15,
  invalid_state: 16,
  holder_mismatch: 17,
  stale_epoch: 18,
  slot_overflow: 19,
} as const;

/** One of the numbers in {@linkcode ResultCode}. */
export type ResultCode = typeof ResultCode[keyof typeof ResultCode];

/** A result code as operators read it. */
export type ResultName = keyof typeof ResultCode;

/** Name of each code; index is the code, 0 is no code. */
export const RESULT_NAMES: readonly (ResultName | "none")[] = [
  "none",
  ...(Object.keys(ResultCode) as ResultName[]),
];

/** Which sum of slots left the u64 range. Numbers are the wire's. */
export const SlotOverflowKind = {
  operation_window: 1,
  deadline: 2,
  reservation_history: 3,
} as const;

/** One of the numbers in {@linkcode SlotOverflowKind}. */
export type SlotOverflowKind = typeof SlotOverflowKind[keyof typeof SlotOverflowKind];

/** Word offsets in {@linkcode Outcome.words}. */
export const OutcomeField = { appliedLsn: 0, reservationId: 2, epoch: 6, deadlineSlot: 8 } as const;

/** Words of an outcome. */
export const OUTCOME_WORDS = 10;

/** The answer to one command, reused from one apply to the next: whoever keeps it copies it. */
export interface Outcome {
  code: ResultCode;
  /** True when an earlier apply decided it and this one only remembered. */
  fromRetryCache: boolean;
  /** True after a successful reserve or reserve_bundle: id, epoch and deadline are meant. */
  hasReservation: boolean;
  /** Laid out by {@linkcode OutcomeField}. */
  readonly words: Uint32Array;
}

/**
 * Makes an outcome record.
 *
 * @returns A record for the engine to fill.
 */
export function createOutcome(): Outcome {
  return {
    code: ResultCode.ok,
    fromRetryCache: false,
    hasReservation: false,
    words: new Uint32Array(OUTCOME_WORDS),
  };
}
