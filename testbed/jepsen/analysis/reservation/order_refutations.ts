/** Lsns and slots that contradict each other or the order in which things were seen to happen. */
import { chosenOf } from "../large_lists.ts";
import { type LogicalOperation, lsnOf, observedLsnOf, slotOf } from "./logical.ts";

/** Operations that cannot all be true. */
export interface Refutation {
  /** In the form `area/claim`. */
  readonly rule: string;
  readonly sentence: string;
  /** The one that does not fit first. */
  readonly operations: readonly LogicalOperation[];
}

/** One command a lsn, and lsns in the order of time and of slots; a read sees what was answered before, and its fence. */
export function refuteLsns(operations: readonly LogicalOperation[]): Refutation | undefined {
  const placed = chosenOf(operations, (operation) => placeOf(operation) !== undefined)
    .sort(byPlace);
  let latest: LogicalOperation | undefined;
  let lastWrite: LogicalOperation | undefined;
  let lastWithSlot: LogicalOperation | undefined;
  for (const operation of placed) {
    const refutation = refuteFence(operation) ?? refuteTwice(operation, lastWrite) ??
      refuteTime(operation, latest) ?? refuteBack(operation, lastWithSlot);
    if (refutation !== undefined) return refutation;
    if (latest === undefined || operation.invokedAt > latest.invokedAt) latest = operation;
    if (lsnOf(operation) === undefined) continue;
    lastWrite = operation;
    if (slotOf(operation) !== undefined) lastWithSlot = operation;
  }
  return undefined;
}

/** What was answered before another began ran at no later slot. */
export function refuteSlots(operations: readonly LogicalOperation[]): Refutation | undefined {
  const known = chosenOf(operations, (operation) => slotOf(operation) !== undefined);
  const answered = chosenOf(known, ({ isOptional }) => !isOptional)
    .sort((a, b) => a.completedAt - b.completedAt);
  let next = 0;
  let latest: LogicalOperation | undefined;
  for (const operation of known) {
    while (next < answered.length && answered[next]!.completedAt < operation.invokedAt) {
      const before = answered[next++]!;
      if (latest === undefined || slotOf(before)! > slotOf(latest)!) latest = before;
    }
    // One that nobody got an answer of may not have happened.
    if (operation.isOptional || latest === undefined) continue;
    if (slotOf(latest)! > slotOf(operation)!) return slotsGoBack(operation, latest);
  }
  return undefined;
}

function placeOf(operation: LogicalOperation): bigint | undefined {
  return lsnOf(operation) ?? observedLsnOf(operation);
}

/** Reads come after the write that they saw last. */
function byPlace(a: LogicalOperation, b: LogicalOperation): number {
  const [one, other] = [placeOf(a)!, placeOf(b)!];
  if (one !== other) return one < other ? -1 : 1;
  return (lsnOf(a) === undefined ? 1 : 0) - (lsnOf(b) === undefined ? 1 : 0) ||
    a.invokedAt - b.invokedAt;
}

function refuteFence(operation: LogicalOperation): Refutation | undefined {
  const { request } = operation;
  const seen = observedLsnOf(operation);
  if (seen === undefined || !("requiredLsn" in request)) return undefined;
  if (request.requiredLsn === undefined || request.requiredLsn <= seen) return undefined;
  const sentence = `the ${request.kind} asked for lsn ${request.requiredLsn} and was answered ` +
    `from lsn ${seen}`;
  return { rule: "read/keeps-fence", sentence, operations: [operation] };
}

function refuteTwice(
  operation: LogicalOperation,
  previous: LogicalOperation | undefined,
): Refutation | undefined {
  const lsn = lsnOf(operation);
  if (lsn === undefined || previous === undefined || lsnOf(previous) !== lsn) return undefined;
  const sentence = `two different operations were applied at lsn ${lsn}`;
  return { rule: "lsn/one-command", sentence, operations: [operation, previous] };
}

function refuteTime(
  operation: LogicalOperation,
  latest: LogicalOperation | undefined,
): Refutation | undefined {
  if (latest === undefined || operation.completedAt >= latest.invokedAt) return undefined;
  const sentence = `the ${nameOf(latest)} began after the ${nameOf(operation)} had been answered`;
  const areWrites = lsnOf(latest) !== undefined && lsnOf(operation) !== undefined;
  const rule = areWrites ? "lsn/in-real-time" : "read/sees-what-was-answered";
  return { rule, sentence, operations: [latest, operation] };
}

function nameOf(operation: LogicalOperation): string {
  const { request: { kind } } = operation;
  const lsn = lsnOf(operation);
  return lsn === undefined
    ? `${kind} that saw lsn ${observedLsnOf(operation)}`
    : `${kind} at lsn ${lsn}`;
}

function refuteBack(
  operation: LogicalOperation,
  last: LogicalOperation | undefined,
): Refutation | undefined {
  const slot = lsnOf(operation) === undefined ? undefined : slotOf(operation);
  if (slot === undefined || last === undefined || slotOf(last)! <= slot) return undefined;
  return slotsGoBack(operation, last);
}

function slotsGoBack(operation: LogicalOperation, last: LogicalOperation): Refutation {
  const lsn = lsnOf(operation);
  const sentence =
    `the ${operation.request.kind}${lsn === undefined ? "" : ` at lsn ${lsn}`} ran ` +
    `at slot ${slotOf(operation)}, after the ${last.request.kind} at slot ${slotOf(last)}`;
  return { rule: "slot/never-back", sentence, operations: [operation, last] };
}
