/**
 * Attempts of whatever model as one kind of thing: what was asked, what came of it, when, and in which lane it is drawn.
 */
import type { ModelOperation } from "../history/model.ts";
import type { HistoryOperation, ServedBy } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import { answerWords, modelWords, requestWords, valueWords } from "./text/words.ts";

/** `ok`, `fail` and `info` as of histories; the order is that of the columns of the page. */
export const OUTCOMES = ["ok", "fail", "info"] as const;

/** One of {@linkcode OUTCOMES}. */
export type Outcome = typeof OUTCOMES[number];

/** See the top of this file. Times are nanoseconds, or positions in a recording without times. */
export interface Attempt {
  readonly process: number;
  /** `reserve`, `cas`, ...: what is counted together. */
  readonly f: string;
  readonly request: string;
  readonly answer: string;
  readonly outcome: Outcome;
  readonly start: number;
  /** Undefined if the client never learned how it ended. */
  readonly end: number | undefined;
  /** Position of its beginning: names the attempt. */
  readonly position: number;
  readonly endPosition: number | undefined;
  /** `client/operation`; attempts with the same are one operation. */
  readonly key: string | undefined;
  readonly servedBy: string;
  readonly source: HistoryOperation | ModelOperation;
}

/** Whether every attempt of a recording has a time. */
export function hasTimes({ operations, modelOperations }: Recording): boolean {
  const all = operations.length > 0 ? operations : modelOperations;
  return all.length > 0 && all.every(({ invokedNs }) => invokedNs !== undefined);
}

/** All attempts of a recording, in the order of their beginning. Ticks are not among them. */
export function attemptsOf(recording: Recording): Attempt[] {
  const isTimed = hasTimes(recording);
  const attempts = [
    ...recording.operations.map((operation) => attemptOf(operation, isTimed)),
    ...recording.modelOperations.map((operation) => attemptOf(operation, isTimed)),
  ];
  return attempts.sort((a, b) => a.position - b.position);
}

/**
 * One attempt.
 *
 * @param isTimed Whether to take the times; the positions otherwise.
 */
export function attemptOf(source: HistoryOperation | ModelOperation, isTimed: boolean): Attempt {
  return new RecordedAttempt(source, isTimed);
}

/** Puts into words only what is asked for: of a million attempts a few thousand are told. */
class RecordedAttempt implements Attempt {
  readonly source: HistoryOperation | ModelOperation;
  readonly process: number;
  readonly f: string;
  readonly outcome: Outcome;
  readonly start: number;
  readonly end: number | undefined;
  readonly position: number;
  readonly endPosition: number | undefined;

  constructor(source: HistoryOperation | ModelOperation, isTimed: boolean) {
    const { process, invokedAt, completedAt, invokedNs, completedNs } = source;
    this.source = source;
    this.process = process;
    this.f = "f" in source ? source.f : source.request.kind;
    this.outcome = source.outcome.kind;
    this.start = isTimed ? invokedNs ?? 0 : invokedAt;
    this.end = completedAt === undefined ? undefined : isTimed ? completedNs : completedAt;
    this.position = invokedAt;
    this.endPosition = completedAt;
  }

  get request(): string {
    const { source } = this;
    return "f" in source
      ? modelWords(source.f, source.key, source.value)
      : requestWords(source.request);
  }

  get answer(): string {
    const { source } = this;
    if ("f" in source) return modelAnswer(source);
    const { outcome } = source;
    return outcome.kind === "ok" ? answerWords(outcome.answer) : outcome.reason ?? "";
  }

  get key(): string | undefined {
    if ("f" in this.source || this.source.key === undefined) return undefined;
    return `${this.source.key.clientId}/${this.source.key.operationId}`;
  }

  get servedBy(): string {
    return "f" in this.source ? "" : servedWords(this.source.servedBy);
  }
}

function servedWords(servedBy: ServedBy | undefined): string {
  if (servedBy === undefined) return "";
  const { replicaId, role, view, observedLsn } = servedBy;
  const parts = [`replica ${replicaId}`];
  if (role !== undefined) parts.push(role);
  if (view !== undefined) parts.push(`view ${view}`);
  if (observedLsn !== undefined) parts.push(`lsn ${observedLsn}`);
  return parts.join(", ");
}

/** What was asked, said once more, is no answer to anything but a read. */
function modelAnswer({ f, value, outcome }: ModelOperation): string {
  const seen = "value" in outcome ? outcome.value : undefined;
  const isEcho = seen !== undefined && !/^(read|get)/.test(f) &&
    valueWords(seen) === valueWords(value);
  const told = seen === undefined || isEcho ? "" : valueWords(seen);
  const reason = outcome.kind === "ok" ? "" : outcome.reason ?? "";
  return [told, reason].filter((part) => part !== "").join(", ");
}

/** How an attempt ended, in words. */
export function outcomeWords({ outcome, answer }: Attempt): string {
  if (outcome === "ok") return answer === "" ? "ok" : answer;
  const what = outcome === "fail" ? "did not happen" : "nobody knows";
  return answer === "" ? what : `${what}: ${answer}`;
}

/**
 * A lane for each process. A process that ends in `info` is never seen again, so that its lane goes on to the next one.
 *
 * @returns Lane by process, counted from 0.
 */
export function lanesOf(attempts: readonly Attempt[]): Map<number, number> {
  const spans = new Map<number, { first: number; last: number; isOver: boolean }>();
  for (const { process, position, endPosition, outcome } of attempts) {
    const span = spans.get(process) ?? { first: position, last: position, isOver: false };
    span.last = Math.max(span.last, endPosition ?? position);
    span.isOver = outcome === "info";
    spans.set(process, span);
  }
  const lanes = new Map<number, number>();
  const freeFrom: number[] = [];
  const inOrder = [...spans].sort(([, a], [, b]) => a.first - b.first);
  for (const [process, { first, last, isOver }] of inOrder) {
    const free = freeFrom.findIndex((from) => from < first);
    const lane = free < 0 ? freeFrom.length : free;
    lanes.set(process, lane);
    freeFrom[lane] = isOver ? last : Infinity;
  }
  return lanes;
}
