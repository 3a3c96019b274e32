/** Bounds of a cluster that is loaded for hours: what it remembers comes and goes, and no table ever runs over. */

/**
 * Overrides of the profile `small`. An operation is remembered for 300 s of retries, longer than any strike lasts, and 5 s of
 * the longest ttl: at 1,000 operations a second three quarters of the table are in use. Ended reservations stay readable
 * for 5 s.
 */
export const LONG_RUN_BOUNDS: readonly string[] = [
  "core.max_resources=1000",
  "core.max_bundle_size=4",
  "core.max_reservations=20000",
  "core.max_expiration_bucket_len=20000",
  "core.max_operations=400000",
  "core.max_ttl_slots=500",
  "core.reservation_history_window_slots=500",
  "core.max_client_retry_window_slots=30000",
];
