/**
 * Attempts become operations. All attempts of one key with one command are one operation: it happened at most once,
 * after the first of them began and before the first answer came. That is exact, and takes the memory of
 * answers out of the state that has to be searched.
 */
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryRequest,
  WriteRequest,
} from "../../history/operation.ts";

/** One operation, whatever number of attempts it took. */
export interface LogicalOperation {
  readonly attempts: readonly HistoryOperation[];
  readonly request: HistoryRequest;
  /** What it answered, if anybody was told. An optional one with an answer happened like that or not at all. */
  readonly answer: HistoryAnswer | undefined;
  readonly invokedAt: number;
  /** Infinity when nobody was told. */
  readonly completedAt: number;
  /** Whether it may never have happened. */
  readonly isOptional: boolean;
  /** Commands that share a key: at most one of a group happens. -1 when the key has one command. */
  readonly group: number;
  /** An attempt that was told that its key belongs to another command: not an operation, but an observation. */
  readonly isConflict: boolean;
}

/** Two answers to one operation. */
export interface Contradiction {
  readonly first: HistoryOperation;
  readonly second: HistoryOperation;
}

/** What a history consists of. */
export interface Folded {
  readonly operations: readonly LogicalOperation[];
  readonly groups: number;
  readonly contradiction: Contradiction | undefined;
}

/** How late retries and full tables are taken. */
export interface FoldRules {
  /** A late retry may execute again. */
  readonly mayForget: boolean;
  /** `operation_table_full` says that this attempt did nothing. */
  readonly mayFill: boolean;
}

/** Folds the attempts of a history; those that certainly did nothing are left out. */
export function fold(history: readonly HistoryOperation[], rules: FoldRules): Folded {
  const keyed = new Map<string, HistoryOperation[]>();
  const operations: LogicalOperation[] = [];
  for (const attempt of history) {
    if (didNothing(attempt, rules)) continue;
    if (attempt.key === undefined) {
      if (isWrite(attempt.request) || isAnswered(attempt)) operations.push(joined([attempt], -1));
      continue;
    }
    const key = `${attempt.key.clientId} ${attempt.key.operationId}`;
    const others = keyed.get(key);
    if (others === undefined) keyed.set(key, [attempt]);
    else others.push(attempt);
  }
  const folded: Folding = { operations, groups: 0, contradiction: undefined };
  for (const attempts of keyed.values()) foldKey(folded, attempts, rules);
  operations.sort((a, b) => a.invokedAt - b.invokedAt);
  return folded;
}

/** The lsn that an operation was answered with. */
export function lsnOf({ answer, isConflict }: LogicalOperation): bigint | undefined {
  return answer?.kind === "applied" && !isConflict ? answer.lsn : undefined;
}

/** Whether a request has a place in the log. */
export function isWrite(request: HistoryRequest): request is WriteRequest {
  return request.kind !== "get_resource" && request.kind !== "get_reservation";
}

interface Folding {
  operations: LogicalOperation[];
  groups: number;
  contradiction: Contradiction | undefined;
}

function foldKey(into: Folding, attempts: readonly HistoryOperation[], rules: FoldRules): void {
  if (attempts.length === 1 && codeOf(attempts[0]!) !== "operation_conflict") {
    into.operations.push(joined(attempts, -1));
    return;
  }
  const variants = groupBy(attempts, (attempt) => requestText(attempt.request));
  const isShared = variants.length > 1 || attempts.some((a) => codeOf(a) === "operation_conflict");
  const group = isShared && !rules.mayForget ? into.groups++ : -1;
  for (const variant of variants) foldVariant(into, variant, group, rules);
}

function foldVariant(
  into: Folding,
  attempts: readonly HistoryOperation[],
  group: number,
  { mayForget }: FoldRules,
): void {
  const own = attempts.filter((attempt) => codeOf(attempt) !== "operation_conflict");
  if (!mayForget) {
    for (const attempt of attempts) {
      if (codeOf(attempt) !== "operation_conflict") continue;
      into.operations.push({ ...joined([attempt], group), isConflict: true });
    }
  }
  if (own.length === 0) return;
  const answers = groupBy(own.filter(isAnswered), ({ outcome }) => answerText(outcome));
  if (mayForget) {
    foldForgotten(into, own, answers);
    return;
  }
  into.operations.push(joined(own, group));
  if (answers.length > 1) {
    into.contradiction ??= { first: answers[0]![0]!, second: answers[1]![0]! };
  }
}

/** Each answer stands for one execution, and each unanswered attempt may be another. */
function foldForgotten(
  into: Folding,
  own: readonly HistoryOperation[],
  answers: readonly (readonly HistoryOperation[])[],
): void {
  const open = own.filter((attempt) => !isAnswered(attempt));
  for (const attempt of open) into.operations.push(joined([attempt], -1));
  const invokedAt = Math.min(...own.map((attempt) => attempt.invokedAt));
  for (const same of answers) into.operations.push({ ...joined(same, -1), invokedAt });
}

function joined(attempts: readonly HistoryOperation[], group: number): LogicalOperation {
  let [invokedAt, completedAt] = [Infinity, Infinity];
  let answer: HistoryAnswer | undefined;
  for (const attempt of attempts) {
    invokedAt = Math.min(invokedAt, attempt.invokedAt);
    if (attempt.outcome.kind !== "ok") continue;
    answer ??= attempt.outcome.answer;
    completedAt = Math.min(completedAt, completionOf(attempt));
  }
  const { request } = attempts[0]!;
  const isOptional = answer === undefined;
  return {
    attempts,
    request,
    answer,
    invokedAt,
    completedAt,
    isOptional,
    group,
    isConflict: false,
  };
}

function completionOf({ completedAt, invokedAt }: HistoryOperation): number {
  if (completedAt !== undefined && completedAt > invokedAt) return completedAt;
  throw new RangeError(`an answered attempt ends after it began: ${invokedAt}, ${completedAt}`);
}

function didNothing(attempt: HistoryOperation, { mayFill }: FoldRules): boolean {
  return attempt.outcome.kind === "fail" ||
    (mayFill && codeOf(attempt) === "operation_table_full");
}

function isAnswered({ outcome }: HistoryOperation): boolean {
  return outcome.kind === "ok";
}

function codeOf({ outcome }: HistoryOperation): string | undefined {
  if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") return undefined;
  return outcome.answer.code;
}

function groupBy<T>(items: readonly T[], textOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const text = textOf(item);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** Equal for equal commands: kind and every field. */
export function requestText(request: HistoryRequest): string {
  switch (request.kind) {
    case "create_resource":
    case "get_resource":
      return `${request.kind} ${request.resourceId}`;
    case "reserve":
      return `${request.kind} ${request.resourceId} ${request.holderId} ${request.ttlSlots}`;
    case "reserve_bundle":
      return `${request.kind} ${request.resourceIds} ${request.holderId} ${request.ttlSlots}`;
    case "confirm":
    case "release":
      return `${request.kind} ${request.reservationId} ${request.holderId} ${request.epoch}`;
    case "revoke":
    case "reclaim":
    case "get_reservation":
      return `${request.kind} ${request.reservationId}`;
  }
}

function answerText(outcome: HistoryOperation["outcome"]): string {
  if (outcome.kind !== "ok") return "";
  const { answer } = outcome;
  if (answer.kind !== "applied") return answer.kind;
  const { code, lsn, reserved } = answer;
  if (reserved === undefined) return `${code} ${lsn}`;
  return `${code} ${lsn} ${reserved.reservationId} ${reserved.epoch} ${reserved.deadlineSlot}`;
}
