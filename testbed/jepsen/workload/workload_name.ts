/** The families of clients; habits.ts says what each of them stresses. */

/** See the top of this file. */
export const WORKLOAD_NAMES = [
  "reservation_contention",
  "ambiguous_write_retry",
  "failover_read_fences",
  "expiration_and_recovery",
  "lease_safety",
] as const;

/** One of {@linkcode WORKLOAD_NAMES}. */
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];
