/**
 * Attempts become operations. All attempts of one key with one command are one operation: it happened at most once,
 * after the first of them began and before the first answer came. That is exact, and takes the memory of
 * answers out of the state that has to be searched.
 */
import type { HistoryAnswer, HistoryOperation } from "../../history/operation.ts";
import { chosenOf } from "../large_lists.ts";
import { attemptsByKey } from "../repeats.ts";
import {
  type Folded,
  isWrite,
  LogicalOperation,
  reserveSlotOf,
  type SlotChoice,
  slotOf,
} from "./logical.ts";
import { answerText, requestText } from "./texts.ts";
import type { ReservationBounds } from "./verdict.ts";

/** How late retries and full tables are taken. */
export interface FoldRules {
  /** A late retry may execute again. */
  readonly mayForget: boolean;
  /** More than this many slots later; undefined when it is not known. */
  readonly retryWindowSlots: bigint | undefined;
  /** `operation_table_full` says that this attempt did nothing. */
  readonly mayFill: boolean;
}

/** How the attempts of a history with such bounds are folded. */
export function foldRulesOf({ answers, retryWindowSlots, tables }: ReservationBounds): FoldRules {
  const mayForget = answers === "may_be_forgotten";
  return { mayForget, retryWindowSlots, mayFill: tables !== "roomy" };
}

/** Folds the attempts of a history; those that certainly did nothing are left out. */
export function fold(history: readonly HistoryOperation[], rules: FoldRules): Folded {
  const folded: Folding = { operations: [], groups: 0, contradiction: undefined };
  const certain = chosenOf(history, (attempt) => !didNothing(attempt, rules));
  for (const attempt of certain) {
    if (attempt.key === undefined && (isWrite(attempt.request) || isAnswered(attempt))) {
      folded.operations.push(joined([attempt], -1));
    }
  }
  for (const attempts of attemptsByKey(certain)) foldKey(folded, attempts, rules);
  folded.operations.sort((a, b) => a.invokedAt - b.invokedAt);
  return folded;
}

interface Folding {
  operations: LogicalOperation[];
  groups: number;
  contradiction: Folded["contradiction"];
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
  rules: FoldRules,
): void {
  const own = attempts.filter((attempt) => codeOf(attempt) !== "operation_conflict");
  if (!rules.mayForget) {
    for (const attempt of attempts) {
      if (codeOf(attempt) !== "operation_conflict") continue;
      const conflict = joined([attempt], group).with({ isConflict: true, slots: undefined });
      into.operations.push(conflict);
    }
  }
  if (own.length === 0) return;
  const answered = own.filter(isAnswered);
  const hasLsns = answered.every(({ outcome }) => lsnOfOutcome(outcome) !== undefined);
  const answers = groupBy(answered, ({ outcome }) => answerText(outcome, hasLsns));
  if (rules.mayForget) {
    foldForgotten(into, own, answers, rules);
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
  { retryWindowSlots }: FoldRules,
): void {
  const open = own.filter((attempt) => !isAnswered(attempt));
  for (const attempt of open) into.operations.push(joined([attempt], -1));
  const executions = answers.map((same) => joined(same, -1, own));
  into.operations.push(...executions);
  if (retryWindowSlots === undefined) return;
  for (const [i, one] of executions.entries()) {
    for (const other of executions.slice(i + 1)) {
      const [slot, another] = [slotOf(one), slotOf(other)];
      if (slot === undefined || another === undefined) continue;
      const apart = slot < another ? another - slot : slot - another;
      if (apart > retryWindowSlots) continue;
      into.contradiction ??= { first: one.attempts[0]!, second: other.attempts[0]! };
    }
  }
}

/**
 * @param attempts Those whose answer counts.
 * @param all Those of which any one may have happened.
 */
function joined(
  attempts: readonly HistoryOperation[],
  group: number,
  all: readonly HistoryOperation[] = attempts,
): LogicalOperation {
  let completedAt = Infinity;
  let answer: HistoryAnswer | undefined;
  for (const attempt of attempts) {
    if (attempt.outcome.kind !== "ok") continue;
    answer ??= attempt.outcome.answer;
    completedAt = Math.min(completedAt, completionOf(attempt));
  }
  const { request } = attempts[0]!;
  const ranAt = reserveSlotOf(request, answer);
  return new LogicalOperation({
    attempts,
    answer,
    invokedAt: beginningOf(all, ranAt),
    completedAt,
    isOptional: answer === undefined,
    group,
    isConflict: false,
    slots: ranAt === undefined && isWrite(request) ? slotsOf(all) : undefined,
  });
}

/** Of the first attempt that asked for a slot at which it can have happened; of the first, when no attempt did. */
function beginningOf(attempts: readonly HistoryOperation[], ranAt: bigint | undefined): number {
  let [fitting, first] = [Infinity, Infinity];
  for (const { invokedAt, slot } of attempts) {
    first = Math.min(first, invokedAt);
    if (ranAt === undefined || slot === undefined || slot === ranAt) {
      fitting = Math.min(fitting, invokedAt);
    }
  }
  return fitting === Infinity ? first : fitting;
}

function slotsOf(attempts: readonly HistoryOperation[]): readonly SlotChoice[] | undefined {
  if (attempts.every(({ slot }) => slot === undefined)) return undefined;
  const choices = new Map<bigint | undefined, number>();
  for (const { slot, invokedAt } of attempts) {
    choices.set(slot, Math.min(choices.get(slot) ?? Infinity, invokedAt));
  }
  return [...choices].map(([slot, from]) => ({ slot, from }))
    .sort((a, b) => (a.slot ?? -1n) < (b.slot ?? -1n) ? -1 : 1);
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

function lsnOfOutcome(outcome: HistoryOperation["outcome"]): bigint | undefined {
  return outcome.kind === "ok" && outcome.answer.kind === "applied"
    ? outcome.answer.lsn
    : undefined;
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
