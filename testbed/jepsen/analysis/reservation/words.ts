/** The small numbers that the search thinks in, and the names that people know them by. */

/** What has been asked. */
export const Kind = {
  create: 0,
  reserve: 1,
  confirm: 2,
  release: 3,
  revoke: 4,
  reclaim: 5,
  readResource: 6,
  readReservation: 7,
  /** The observation that the key of an operation belongs to another command. */
  conflict: 8,
} as const;

/** One of `Kind`. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Where a claim is in its life; `none` also stands for one whose end nobody asks about any more. */
export const Status = {
  none: 0,
  reserved: 1,
  confirmed: 2,
  revoking: 3,
  released: 4,
  expired: 5,
  revoked: 6,
} as const;

/** Instead of a claim, in the place of the one that holds a resource. */
export const AVAILABLE = -1;
/** The resource has not been created. */
export const ABSENT = -2;

/** Answers to writes. */
export const CODES = [
  "",
  "ok",
  "already_exists",
  "resource_table_full",
  "resource_not_found",
  "resource_busy",
  "bundle_too_large",
  "ttl_out_of_range",
  "reservation_table_full",
  "reservation_not_found",
  "reservation_retired",
  "expiration_index_full",
  "invalid_state",
  "holder_mismatch",
  "stale_epoch",
] as const;

/** The places of `CODES`, by name. */
export const Code = {
  unknown: 0,
  ok: 1,
  already_exists: 2,
  resource_table_full: 3,
  resource_not_found: 4,
  resource_busy: 5,
  bundle_too_large: 6,
  ttl_out_of_range: 7,
  reservation_table_full: 8,
  reservation_not_found: 9,
  reservation_retired: 10,
  expiration_index_full: 11,
  invalid_state: 12,
  holder_mismatch: 13,
  stale_epoch: 14,
  /** An answer that no write of this kind ever gives. */
  impossible: 15,
} as const;

const NUMBERS: ReadonlyMap<string, number> = new Map(CODES.map((name, i) => [name, i]));

/** The number of a result code. */
export function codeNumber(code: string): number {
  return NUMBERS.get(code) || Code.impossible;
}

/** The name of a status. */
export function statusName(status: number): string {
  return Object.entries(Status).find(([, value]) => value === status)?.[0] ?? "none";
}
