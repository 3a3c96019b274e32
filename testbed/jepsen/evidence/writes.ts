/** What clients were told of their writes, held against the log: nothing lost, nothing invented, no other answer. */
import { Finder } from "../analysis/gate/finder.ts";
import { askedText } from "../analysis/gate/words.ts";
import type { CheckResult } from "../analysis/judgement.ts";
import { requestText } from "../analysis/reservation/texts.ts";
import type {
  AppliedAnswer,
  HistoryOperation,
  OperationKey,
  WriteRequest,
} from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import { executionOf, keyOf, type LoggedCommand, type Replay } from "./replay.ts";

/** A write with its key. */
export interface KeyedWrite {
  readonly attempt: HistoryOperation;
  readonly key: OperationKey;
  readonly request: WriteRequest;
}

/** Attempts of writes that can be found in a log. */
export function keyedWrites({ operations }: Recording): readonly KeyedWrite[] {
  return operations.flatMap((attempt) => {
    const { key, request } = attempt;
    if (key === undefined || request.kind === "get_resource") return [];
    return request.kind === "get_reservation" ? [] : [{ attempt, key, request }];
  });
}

/** Everything that was acknowledged stands in the log, at its lsn, as it was sent. */
export function checkAcknowledged(writes: readonly KeyedWrite[], replay: Replay): CheckResult {
  const finder = new Finder({
    name: "acknowledged_is_in_log",
    unit: "acknowledged answers",
    holds: "everything that was acknowledged stands in the log, at its lsn, as it was sent",
    nothing: "nothing was acknowledged",
  });
  for (const write of writes) {
    const answer = answerOf(write.attempt);
    if (answer === undefined || isOfNobody(answer)) continue;
    finder.examined++;
    const logged = executionOf(replay, write.key, answer.lsn);
    const wrong = whatIsLost(write, answer, logged);
    if (wrong !== undefined) reportWrite(finder, write, answer.lsn, wrong);
  }
  return finder.result();
}

function whatIsLost(
  { request }: KeyedWrite,
  { lsn }: AppliedAnswer,
  logged: LoggedCommand | undefined,
): string | undefined {
  if (logged === undefined) return "was acknowledged and is in no log";
  if (logged.text !== requestText(request)) return "is in the log as another command";
  const { frame } = logged.decided;
  if (lsn === undefined || BigInt(frame.lsn) === lsn) return undefined;
  return `was acknowledged at lsn ${lsn} and stands at lsn ${frame.lsn}`;
}

/** Every answer is what the replayed log gives. */
export function checkAnswers(writes: readonly KeyedWrite[], replay: Replay): CheckResult {
  const finder = new Finder({
    name: "answers_follow_from_log",
    unit: "answers to writes",
    holds: "every write was answered as the replayed log answers it",
    nothing: "no write was answered",
  });
  for (const write of writes) {
    const answer = answerOf(write.attempt);
    if (answer === undefined) continue;
    finder.examined++;
    const wrong = answer.code === "operation_conflict"
      ? wrongConflict(write, replay)
      : wrongAnswer(write, answer, replay);
    if (wrong !== undefined) reportWrite(finder, write, answer.lsn, wrong);
  }
  return finder.result();
}

/** A key belongs to the command that was executed under it. */
function wrongConflict({ key, request }: KeyedWrite, { byKey }: Replay): string | undefined {
  const others = byKey.get(keyOf(key)) ?? [];
  const text = requestText(request);
  if (others.some((logged) => logged.isExecution && logged.text !== text)) return undefined;
  return "was told that its key belongs to another command, and no log has one";
}

function wrongAnswer(
  { key }: KeyedWrite,
  answer: AppliedAnswer,
  replay: Replay,
): string | undefined {
  // Not remembered, so it may have been told without taking a place.
  if (answer.code === "operation_table_full") return undefined;
  const outcome = executionOf(replay, key, answer.lsn)?.decided.outcome;
  if (outcome === undefined) return undefined; // Lost: told by another check.
  if (outcome.code !== answer.code) {
    return `was answered ${answer.code}, and the log gives ${outcome.code}`;
  }
  const { reserved } = answer;
  if (reserved === undefined || outcome.reserved === undefined) {
    return reserved === outcome.reserved ? undefined : "was not answered with its reservation";
  }
  const told = `${reserved.reservationId} with epoch ${reserved.epoch} until slot ` +
    `${reserved.deadlineSlot}`;
  const { reservationId, epoch, deadlineSlot } = outcome.reserved;
  const expected = `${reservationId} with epoch ${epoch} until slot ${deadlineSlot}`;
  return told === expected
    ? undefined
    : `was answered with reservation ${told}, and the log gives ${expected}`;
}

/** What was definitely refused, every time that it was sent, did not happen. */
export function checkRefused(writes: readonly KeyedWrite[], replay: Replay): CheckResult {
  const finder = new Finder({
    name: "refused_is_not_in_log",
    unit: "refused operations",
    holds: "nothing that was definitely refused is in the log",
    nothing: "nothing was definitely refused",
  });
  const possible = new Set<string>();
  const refused = new Map<string, KeyedWrite>();
  for (const write of writes) {
    if (write.attempt.outcome.kind === "fail") refused.set(keyOf(write.key), write);
    else possible.add(keyOf(write.key));
  }
  for (const [key, write] of refused) {
    if (possible.has(key)) continue;
    finder.examined++;
    const [logged] = replay.byKey.get(key) ?? [];
    if (logged === undefined) continue;
    const { outcome } = write.attempt;
    const reason = outcome.kind === "fail" ? outcome.reason : undefined;
    const { lsn, op } = logged.decided.frame;
    reportWrite(
      finder,
      write,
      BigInt(lsn),
      `was refused as ${reason ?? "failed"} and is in the log at op ${op}`,
    );
  }
  return finder.result();
}

/** The log holds nothing that nobody asked for; resources may have been made before the recording began. */
export function checkAsked(writes: readonly KeyedWrite[], { byKey }: Replay): CheckResult {
  const finder = new Finder({
    name: "log_was_asked_for",
    unit: "commands of clients in the log",
    holds: "the log holds nothing that no client asked for",
    nothing: "the log holds no command of a client",
  });
  const asked = new Map<string, Set<string>>();
  for (const { key, request } of writes) {
    const texts = asked.get(keyOf(key)) ?? new Set<string>();
    asked.set(keyOf(key), texts.add(requestText(request)));
  }
  for (const [key, logged] of byKey) {
    for (const { command, text, decided } of logged) {
      finder.examined++;
      const texts = asked.get(key);
      if (texts?.has(text) === true) continue;
      if (texts === undefined && command.kind === "create_resource") continue;
      const { op, lsn } = decided.frame;
      const why = texts === undefined ? "nobody asked for it" : "its client asked for another";
      finder.add({
        fields: { operation_id: command.operationId, lsn, op },
        sentence: `the log has ${text} at op ${op}, and ${why}`,
      });
    }
  }
  return finder.result();
}

/** Nothing ran twice: whatever is in the log again was remembered. */
export function checkExecutions({ byKey }: Replay): CheckResult {
  const finder = new Finder({
    name: "executed_once",
    unit: "operations in the log",
    holds: "the log, replayed, executes no operation twice",
    nothing: "the log holds no command of a client",
  });
  for (const logged of byKey.values()) {
    finder.examined++;
    const [first, again] = logged.filter(({ isExecution }) => isExecution);
    if (again === undefined) continue;
    const { frame } = first!.decided;
    const later = again.decided.frame;
    finder.add({
      fields: {
        operation_id: again.command.operationId,
        first_lsn: frame.lsn,
        second_lsn: later.lsn,
      },
      sentence: `${again.text} ran at op ${frame.op} and again at op ${later.op}, ` +
        `${later.slot - frame.slot} slots later`,
    });
  }
  return finder.result();
}

function answerOf({ outcome }: HistoryOperation): AppliedAnswer | undefined {
  return outcome.kind === "ok" && outcome.answer.kind === "applied" ? outcome.answer : undefined;
}

/** Answers that are not those of the command itself. */
function isOfNobody({ code }: AppliedAnswer): boolean {
  return code === "operation_conflict" || code === "operation_table_full";
}

function reportWrite(
  finder: Finder,
  { attempt, key }: KeyedWrite,
  lsn: bigint | undefined,
  what: string,
): void {
  finder.add({
    fields: { operation_id: key.operationId, lsn },
    sentence: `${askedText(attempt)} (event ${attempt.invokedAt}) ${what}`,
    operations: [attempt],
  });
}
