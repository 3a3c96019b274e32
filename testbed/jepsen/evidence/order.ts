/** The order of the log is one in real time, and expirations in it come when they are due. */
import { Finder } from "../analysis/gate/finder.ts";
import { askedText } from "../analysis/gate/words.ts";
import type { CheckResult } from "../analysis/judgement.ts";
import { executionOf, keyOf, type Replay } from "./replay.ts";
import type { TimeBounds } from "./time_bounds.ts";
import type { KeyedWrite } from "./writes.ts";

/** Whatever anybody knew when an operation was first sent came before it. */
export function checkRealTime(
  writes: readonly KeyedWrite[],
  replay: Replay,
  bounds: TimeBounds,
): CheckResult {
  const finder = new Finder({
    name: "log_is_in_real_time",
    unit: "operations in the log",
    holds: "no operation stands in the log before what was known when it was first sent",
    nothing: "no operation of the history is in the log",
  });
  const first = new Map<string, KeyedWrite>();
  for (const write of writes) {
    const known = first.get(keyOf(write.key));
    if (known !== undefined && known.attempt.invokedAt <= write.attempt.invokedAt) continue;
    first.set(keyOf(write.key), write);
  }
  for (const { attempt, key } of first.values()) {
    const lsn = executionOf(replay, key, undefined)?.decided.frame.lsn;
    if (lsn === undefined) continue;
    finder.examined++;
    const known = bounds.known(attempt.invokedAt);
    if (lsn > known) continue;
    finder.add({
      fields: { operation_id: key.operationId, lsn, known_lsn: known },
      sentence: `${askedText(attempt)} (event ${attempt.invokedAt}) is at lsn ${lsn}, ` +
        `and was first sent when lsn ${known} was known`,
      operations: [attempt],
    });
  }
  return finder.result();
}

/** Nothing is put through the log to expire before its deadline. */
export function checkDeadlines({ truth, expirations }: Replay): CheckResult {
  const finder = new Finder({
    name: "expirations_are_due",
    unit: "expirations in the log",
    holds: "no expiration stands in the log before the deadline of its reservation",
    nothing: "the log holds no expiration",
  });
  for (const { command, frame } of expirations) {
    if (command?.kind !== "expire") continue;
    finder.examined++;
    const { reservationId } = command;
    const made = truth.atLsn(BigInt.asUintN(64, reservationId))?.outcome?.reserved;
    const deadline = made?.deadlineSlot ?? command.deadlineSlot;
    if (frame.slot >= deadline) continue;
    finder.add({
      fields: {
        reservation_id: reservationId,
        expires_at_slot: deadline,
        released_at_slot: frame.slot,
        op: frame.op,
      },
      sentence: `op ${frame.op} expires reservation ${reservationId} at slot ${frame.slot}, ` +
        `before its deadline at slot ${deadline}`,
    });
  }
  return finder.result();
}
