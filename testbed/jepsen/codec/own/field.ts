/**
 * What our own formats say of an event: fields with a name and a number. Text and JSON use the names, CBOR the numbers, and
 * all three say the same. A number keeps its meaning for ever; new fields come at the end.
 */

/** Number by name. Units are in the names, as far as there are any. */
export const Field = {
  /** Of a record: `invoke`, `ok`, `fail`, `info`, `fault`, `replica`, `process`, `note`, `header`, `end`. */
  type: 0,
  process: 1,
  /** Nanoseconds since the run began. */
  time_ns: 2,
  /** What is asked for: a kind of request, or `model`. */
  operation: 3,
  client_id: 4,
  operation_id: 5,
  attempt: 6,
  slot: 7,
  resource_id: 8,
  resource_ids: 9,
  holder_id: 10,
  ttl_slots: 11,
  reservation_id: 12,
  epoch: 13,
  required_lsn: 14,
  /** The operation of a model. */
  f: 15,
  key: 16,
  value: 17,
  reason: 18,
  replica_id: 19,
  role: 20,
  view: 21,
  observed_lsn: 22,
  /** A kind of answer. */
  answer: 23,
  code: 24,
  lsn: 25,
  deadline_slot: 26,
  state: 27,
  version: 28,
  member_resource_ids: 29,
  created_lsn: 30,
  released_lsn: 31,
  retire_after_slot: 32,
  /** What a tick freed: `resource:holder:reservation:released_lsn|none`, between commas. */
  expired: 33,
  phase: 34,
  name: 35,
  fault_id: 36,
  detail: 37,
  replica_ids: 38,
  commit_lsn: 39,
  /** At the end: how many events there were. */
  events: 40,
  format: 41,
  model: 42,
  run_id: 43,
  workload: 44,
  nemesis: 45,
  backend: 46,
  seed: 47,
  program: 48,
  started_at_millis: 49,
  slot_duration_ms: 50,
  minimum_fault_window_secs: 51,
  window_overridden: 52,
  max_bundle_size: 53,
  max_ttl_slots: 54,
  history_window_slots: 55,
  retry_window_slots: 56,
  initial_resource_ids: 57,
  /** `false` in a header: there are completions alone. */
  invocations: 58,
  /** Of an event in its file; only read, and has to go up. */
  index: 59,
  text: 60,
} as const;

/** The number of a field. */
export type Field = (typeof Field)[keyof typeof Field];

/** Name by number. */
export const FIELD_NAMES: readonly string[] = Object.keys(Field);

/** Number by name, for readers. */
export const FIELD_NUMBERS: ReadonlyMap<string, Field> = new Map(
  Object.entries(Field) as [string, Field][],
);

/** Whether a field holds a value of a model. */
export function isValueField(field: Field): boolean {
  return field === Field.key || field === Field.value;
}

/** What our formats call themselves. */
export const FORMAT_WORD = "allocdb-history";
/** The version that is written, and the only one that is read. */
export const FORMAT_VERSION = 1;
