/** What a violation is about, told: the two operations that cannot both be right, and what their resource went through. */
import { type Attempt, attemptOf } from "./attempts.ts";
import type { Violation } from "../analysis/judgement.ts";
import type { HistoryOperation } from "../history/operation.ts";
import { orderOf } from "./holds.ts";
import type { Survey } from "./survey.ts";
import { requestWords } from "./text/words.ts";

/** Steps around the violation that are shown. */
const STEPS_MAX = 14;

/** One thing that happened to a resource. */
export interface Step {
  readonly lsn: string;
  readonly slot: string;
  readonly what: string;
  readonly code: string;
  /** State after it. */
  readonly state: string;
  /** Whether a violation names it. */
  readonly isEvidence: boolean;
  /** Whether it cannot follow the step before it. */
  readonly isImpossible: boolean;
  readonly position: number;
  /** Above 0, it stands for so many requests that were refused, and the rest says nothing. */
  readonly refused: number;
}

/** Attempts of a violation, in the order of their beginning. */
export function attemptsIn(
  { operations, modelOperations, first }: Violation,
  isTimed: boolean,
): Attempt[] {
  const named = [...operations, ...modelOperations, ...first === undefined ? [] : [first]];
  const byPosition = new Map(named.map((operation) => [operation.invokedAt, operation]));
  return [...byPosition.values()].map((operation) => attemptOf(operation, isTimed))
    .sort((a, b) => a.position - b.position);
}

/**
 * The two attempts to put side by side: the one at which it shows, and what it contradicts, which is the latest other
 * one that asked for the same and ended ok, or else the latest other one.
 */
export function conflictIn(violation: Violation, isTimed: boolean): Attempt[] {
  const attempts = attemptsIn(violation, isTimed);
  const first = attempts.find(({ position }) => position === violation.first?.invokedAt) ??
    attempts.at(-1);
  if (first === undefined) return [];
  const others = attempts.filter((attempt) => attempt !== first);
  const other = others.findLast(({ f, outcome }) => f === first.f && outcome === "ok") ??
    others.findLast(({ outcome }) => outcome === "ok") ?? others.at(-1);
  return other === undefined ? [first] : [other, first].sort((a, b) => a.position - b.position);
}

/** What happened to a resource of a violation, in the order of the log; what was refused as well. */
export function stepsOf(survey: Survey, resourceId: bigint, violation: Violation): Step[] {
  const { operations } = survey.input.recording;
  const reservations = reservationsOf(operations, resourceId);
  const touching = operations
    .filter((operation) => isAbout(operation, resourceId, reservations))
    .sort((a, b) => orderOf(a) - orderOf(b));
  const steps: Step[] = [];
  let held: Held | undefined;
  for (const operation of touching) {
    const { after, step } = stepOf(operation, held, survey.evidence.has(operation.invokedAt));
    held = after;
    steps.push(step);
  }
  return around(withoutRefusals(steps), violation);
}

/** What was refused changes nothing: neighbours become one, unless a violation names them. */
function withoutRefusals(steps: readonly Step[]): Step[] {
  const kept: Step[] = [];
  for (const step of steps) {
    const last = kept.at(-1);
    if (step.code === "ok" || step.isEvidence) kept.push(step);
    else if (last !== undefined && last.refused > 0) {
      kept[kept.length - 1] = { ...last, refused: last.refused + 1 };
    } else kept.push({ ...step, refused: 1 });
  }
  return kept;
}

interface Held {
  readonly words: string;
  readonly deadlineSlot: bigint;
  readonly isConfirmed: boolean;
  readonly reservationId: bigint;
}

function reservationsOf(
  operations: readonly HistoryOperation[],
  resourceId: bigint,
): ReadonlySet<bigint> {
  const found = new Set<bigint>();
  for (const { request, outcome } of operations) {
    if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") continue;
    const { reserved } = outcome.answer;
    if (reserved !== undefined && isOf(request, resourceId)) found.add(reserved.reservationId);
  }
  return found;
}

function isOf(request: HistoryOperation["request"], resourceId: bigint): boolean {
  if ("resourceIds" in request) return request.resourceIds.includes(resourceId);
  return "resourceId" in request && request.resourceId === resourceId;
}

function isAbout(
  { request, outcome }: HistoryOperation,
  resourceId: bigint,
  reservations: ReadonlySet<bigint>,
): boolean {
  if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") return false;
  return isOf(request, resourceId) ||
    ("reservationId" in request && reservations.has(request.reservationId));
}

function stepOf(
  operation: HistoryOperation,
  held: Held | undefined,
  isEvidence: boolean,
): { after: Held | undefined; step: Step } {
  const { request, outcome, invokedAt } = operation;
  const answer = outcome.kind === "ok" && outcome.answer.kind === "applied"
    ? outcome.answer
    : undefined;
  const after = answer?.code === "ok" ? heldAfter(operation, held) : held;
  const reserved = answer?.reserved;
  const ttl = "ttlSlots" in request ? request.ttlSlots : 0n;
  const slot = reserved === undefined ? operation.slot : reserved.deadlineSlot - ttl;
  const isImpossible = reserved !== undefined && held !== undefined &&
    held.reservationId !== reserved.reservationId &&
    (held.isConfirmed || (slot ?? 0n) < held.deadlineSlot);
  const step = {
    lsn: answer?.lsn === undefined ? "" : String(answer.lsn),
    slot: slot === undefined ? "" : String(slot),
    what: requestWords(request),
    code: answer?.code ?? "",
    state: after?.words ?? "available",
    isEvidence,
    isImpossible,
    position: invokedAt,
    refused: 0,
  };
  return { after, step };
}

function heldAfter(
  { request, outcome }: HistoryOperation,
  held: Held | undefined,
): Held | undefined {
  const reserved = outcome.kind === "ok" && outcome.answer.kind === "applied"
    ? outcome.answer.reserved
    : undefined;
  if (reserved !== undefined && "holderId" in request) {
    const { reservationId, deadlineSlot } = reserved;
    const words = `reserved by holder ${request.holderId} until slot ${deadlineSlot}`;
    return { words, deadlineSlot, isConfirmed: false, reservationId };
  }
  if (!("reservationId" in request) || request.reservationId !== held?.reservationId) return held;
  const now = (words: string): Held => ({ ...held, words, isConfirmed: true });
  if (request.kind === "confirm") return now(`confirmed, reservation ${held.reservationId}`);
  return request.kind === "revoke" ? now(`revoking, reservation ${held.reservationId}`) : undefined;
}

/** The steps that end a little after the violation's last attempt. */
function around(steps: readonly Step[], { first, operations }: Violation): Step[] {
  const position = first?.invokedAt ?? operations.at(-1)?.invokedAt;
  const at = steps.findIndex((step) => step.position === position);
  const end = at < 0 ? steps.length : Math.min(steps.length, at + 4);
  return steps.slice(Math.max(0, end - STEPS_MAX), end);
}
