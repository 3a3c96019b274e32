/** Histories that may have been recorded, with everything that events can say, and the way through a format and back. */
import fc from "fast-check";
import type { Format, FormatName } from "../../testbed/jepsen/codec/format.ts";
import { READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { formatNamed } from "../../testbed/jepsen/codec/formats.ts";
import { RecordingSink } from "../../testbed/jepsen/codec/recording_sink.ts";
import type {
  Completion,
  HistoryEvent,
  HistoryHeader,
  RecordedAnswer,
  RecordedRequest,
} from "../../testbed/jepsen/history/event.ts";
import type { Value } from "../../testbed/jepsen/history/model.ts";
import { MODEL_NAMES } from "../../testbed/jepsen/history/model.ts";
import { MODEL_OPERATIONS } from "../../testbed/jepsen/history/model_operations.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";

/** A history as it is given to a writer. */
export interface RecordedHistory {
  readonly header: HistoryHeader;
  readonly events: readonly HistoryEvent[];
  readonly names: ReadonlyMap<number, string>;
}

/** Edges first: what a float loses, and the ends of every width. */
const EDGES = [
  0n,
  23n,
  24n,
  255n,
  256n,
  65_536n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
];
const u64 = fc.oneof(
  fc.constantFrom(...EDGES, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);
const u128 = fc.oneof(
  fc.constantFrom(...EDGES, 2n ** 64n, 2n ** 127n, 2n ** 128n - 1n),
  fc.bigInt(0n, 2n ** 128n - 1n),
);
const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const text = fc.oneof(
  fc.constantFrom(
    "timeout",
    "",
    " ",
    "none",
    '"',
    "\\",
    "a b=c",
    "\u0000\n\r",
    "ü\u2028\u202e😀",
    "#",
  ),
  fc.string({ maxLength: 60, unit: "binary" }),
);
const word = fc.constantFrom("primary", "backup", "learner", "two words", "ok");

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.bigInt(-(2n ** 130n), 2n ** 130n),
    fc.constantFrom(-1n, 2n ** 53n + 1n, -(2n ** 64n), 2n ** 127n),
    text,
    fc.array(tie("value"), { maxLength: 3 }),
  ),
})).value;

/** Without the members that are undefined: what is absent was not recorded. */
function present<T extends object>(
  members: { readonly [Name in keyof T]: fc.Arbitrary<T[Name] | undefined> },
): fc.Arbitrary<T> {
  return fc.record(members as Record<string, fc.Arbitrary<unknown>>).map((record) => {
    const kept = Object.entries(record).filter(([, member]) => member !== undefined);
    return Object.fromEntries(kept) as T;
  });
}

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

const request: fc.Arbitrary<RecordedRequest> = fc.oneof(
  fc.record({ kind: fc.constant("create_resource"), resourceId: u128 }),
  fc.record({ kind: fc.constant("reserve"), resourceId: u128, holderId: u128, ttlSlots: u64 }),
  fc.record({
    kind: fc.constant("reserve_bundle"),
    resourceIds: fc.array(u128, { maxLength: 4 }),
    holderId: u128,
    ttlSlots: u64,
  }),
  fc.record({
    kind: fc.constantFrom("confirm", "release"),
    reservationId: u128,
    holderId: u128,
    epoch: u64,
  }),
  fc.record({ kind: fc.constantFrom("revoke", "reclaim"), reservationId: u128 }),
  present({ kind: fc.constant("get_resource"), resourceId: u128, requiredLsn: maybe(u64) }),
  present({ kind: fc.constant("get_reservation"), reservationId: u128, requiredLsn: maybe(u64) }),
  fc.constant({ kind: "tick_expirations" }),
) as fc.Arbitrary<RecordedRequest>;

const reserved = fc.record({ reservationId: u128, epoch: u64, deadlineSlot: u64 });
const applied = present({
  kind: fc.constant("applied"),
  code: fc.constantFrom("ok", "resource_busy", "stale_epoch", "a_code_of_tomorrow"),
  lsn: maybe(u64),
  reserved: maybe(reserved),
});
const notFound = fc.constant({ kind: "not_found" });
const resource = present({
  kind: fc.constant("resource"),
  state: fc.constantFrom("available", "reserved", "confirmed", "revoking"),
  version: maybe(u64),
});
const known = fc.constantFrom("unsaid", "none", 7n, 2n ** 64n - 1n);
const reservation = fc.tuple(
  present({
    kind: fc.constant("reservation"),
    state: fc.constantFrom("reserved", "confirmed", "revoking", "released", "expired", "revoked"),
    holderId: maybe(u128),
    epoch: maybe(u64),
    deadlineSlot: maybe(u64),
    memberResourceIds: maybe(fc.array(u128, { maxLength: 3 })),
    createdLsn: maybe(u64),
  }),
  known,
  known,
).map(([seen, released, retire]) => ({
  ...seen,
  ...(released === "unsaid" ? {} : { releasedLsn: released === "none" ? undefined : released }),
  ...(retire === "unsaid" ? {} : { retireAfterSlot: retire === "none" ? undefined : retire }),
}));
const ticked = present({
  kind: fc.constant("ticked"),
  lsn: maybe(u64),
  expired: maybe(fc.array(
    present({ resourceId: u128, holderId: u128, reservationId: u128, releasedLsn: maybe(u64) }),
    { maxLength: 3 },
  )),
});

/** Answers of every kind at once; which one is used depends on the request. */
const answers = fc.record({
  write: applied,
  get_resource: fc.oneof(
    notFound,
    fc.tuple(resource, maybe(u128)).map(([seen, id]) => ({ ...seen, reservationId: id })),
  ),
  get_reservation: fc.oneof(notFound, fc.constant({ kind: "retired" }), reservation),
  tick_expirations: ticked,
  model: fc.record({ kind: fc.constant("model"), value }),
}) as unknown as fc.Arbitrary<Record<string, RecordedAnswer>>;

const step = fc.record({
  what: fc.constantFrom("act", "act", "act", "act", "act", "act", "fault", "replica", "name"),
  client: fc.nat(4),
  ending: fc.constantFrom("ok", "ok", "ok", "fail", "info"),
  timeNs: fc.oneof(number, fc.constant(NaN)),
  request,
  f: fc.nat(6),
  model: present({ key: maybe(value), value }),
  key: maybe(fc.record({ clientId: u128, operationId: u128 })),
  attempt: maybe(fc.nat(9)),
  slot: maybe(u64),
  answers,
  failValue: fc.boolean(),
  reason: maybe(text),
  servedBy: maybe(
    present({
      replicaId: fc.nat(9),
      role: maybe(word),
      view: maybe(u64),
      observedLsn: maybe(u64),
    }),
  ),
  state: word,
  replicaIds: maybe(fc.array(fc.nat(9), { maxLength: 3 })),
  text,
  seen: present({
    role: maybe(word),
    view: maybe(u64),
    commitLsn: maybe(u64),
    detail: maybe(text),
  }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const header = present<Partial<HistoryHeader>>({
  runId: maybe(text),
  workload: maybe(word),
  nemesis: maybe(text),
  backend: maybe(word),
  seed: maybe(number),
  program: maybe(text),
  startedAtMillis: maybe(number),
  slotDurationMs: maybe(number),
  minimumFaultWindowSecs: maybe(number),
  isWindowOverridden: maybe(fc.boolean()),
  bounds: maybe(
    present({
      maxBundleSize: fc.nat(16),
      maxTtlSlots: maybe(u64),
      historyWindowSlots: maybe(u64),
      retryWindowSlots: maybe(u64),
    }),
  ),
  initialResourceIds: maybe(fc.array(u128, { maxLength: 3 })),
});

/** Histories of any model, or of reservations alone. */
export function histories(isReservation = false): fc.Arbitrary<RecordedHistory> {
  const model = isReservation
    ? fc.constant("reservation" as const)
    : fc.constantFrom("reservation" as const, "reservation" as const, ...MODEL_NAMES);
  return fc.tuple(model, header, fc.array(step, { maxLength: 25 })).map(
    ([name, more, steps]) => played({ ...more, model: name }, steps),
  );
}

function played(head: HistoryHeader, steps: readonly Step[]): RecordedHistory {
  const events: HistoryEvent[] = [];
  const names = new Map<number, string>();
  const waiting = new Map<number, RecordedRequest>();
  const numbers = [0, 1, 2, 3, 4];
  let faults = 0;
  for (const each of steps) {
    const process = numbers[each.client]!;
    const asked = waiting.get(process);
    if (each.what === "name") names.set(process, each.text);
    else if (each.what === "fault") events.push(faultOf(each, faults++));
    else if (each.what === "replica") events.push(sampleOf(each));
    else if (asked === undefined) {
      const invocation = invocationOf(each, process, head);
      waiting.set(process, invocation.request);
      events.push(invocation);
    } else {
      const completion = completionOf(each, process, asked);
      waiting.delete(process);
      if (completion.type === "info") numbers[each.client] = Math.max(...numbers) + 1;
      events.push(completion);
    }
  }
  return { header: head, events, names };
}

function invocationOf(
  { timeNs, request, model, f, key, attempt, slot }: Step,
  process: number,
  head: HistoryHeader,
): HistoryEvent & { readonly type: "invoke" } {
  const functions = head.model === "reservation" ? [] : MODEL_OPERATIONS[head.model];
  const asked: RecordedRequest = head.model === "reservation"
    ? request
    : { kind: "model", f: functions[f % functions.length]!, ...model } as RecordedRequest;
  return {
    type: "invoke",
    process,
    timeNs,
    request: asked,
    ...(key === undefined ? {} : { key }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(slot === undefined ? {} : { slot }),
  };
}

function completionOf(
  { timeNs, ending, answers: all, failValue, reason, servedBy }: Step,
  process: number,
  { kind }: RecordedRequest,
): Completion {
  const type = ending as Completion["type"];
  const hasAnswer = type === "ok" || (type === "fail" && kind === "model" && failValue);
  return {
    type,
    process,
    timeNs,
    ...(hasAnswer ? { answer: all[kind] ?? all["write"]! } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(servedBy === undefined ? {} : { servedBy: servedBy as Completion["servedBy"] & object }),
  };
}

/** Every second one stops the one before it. */
function faultOf({ timeNs, replicaIds, text: detail }: Step, count: number): HistoryEvent {
  return {
    type: "fault",
    timeNs,
    phase: count % 2 === 0 ? "start" : "stop",
    name: "kill",
    id: count >>> 1,
    ...(detail === "" ? {} : { detail }),
    ...(replicaIds === undefined ? {} : { replicaIds }),
  };
}

function sampleOf({ timeNs, client, state, seen }: Step): HistoryEvent {
  return { type: "replica", timeNs, replicaId: client, state, ...seen } as HistoryEvent;
}

/** Writes a history in a format. */
export function written(history: RecordedHistory, name: FormatName): Uint8Array<ArrayBuffer> {
  const writer = formatNamed(name).write!();
  writer.header(history.header);
  for (const [number, text] of history.names) writer.processName(number, text);
  for (const event of history.events) writer.event(event, { line: 0 });
  writer.end();
  return writer.take();
}

/** Reads bytes, given in pieces of that size. */
export function readBytes(
  bytes: Uint8Array,
  format: Format,
  pieceBytes = bytes.length || 1,
  maxSkipped = format.skippedMax,
): Recording {
  const sink = new RecordingSink(maxSkipped);
  const reader = format.read(sink, READ_DEFAULTS);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.push(bytes.slice(at, at + pieceBytes));
  }
  reader.end();
  return sink.finish();
}

/** What a history comes to without going through any bytes. */
export function recordingOf({ header: head, events, names }: RecordedHistory): Recording {
  const sink = new RecordingSink(0);
  sink.header(head);
  for (const [number, name] of names) sink.processName(number, name);
  for (const event of events) sink.event(event, { line: 1 });
  return sink.finish();
}
