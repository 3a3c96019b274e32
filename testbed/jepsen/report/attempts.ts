/**
 * Attempts of whatever model as one kind of thing: what was asked, what came of it, when, and in which lane it is drawn.
 */
import type { ModelOperation } from "../history/model.ts";
import type { HistoryOperation } from "../history/operation.ts";
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
export function attemptOf(operation: HistoryOperation | ModelOperation, isTimed: boolean): Attempt {
  const { process, invokedAt, completedAt, invokedNs, completedNs } = operation;
  const end = isTimed ? completedNs : completedAt;
  return {
    process,
    ...("f" in operation ? modelSaid(operation) : reservationSaid(operation)),
    outcome: operation.outcome.kind,
    start: isTimed ? invokedNs ?? 0 : invokedAt,
    end: completedAt === undefined ? undefined : end,
    position: invokedAt,
    endPosition: completedAt,
    source: operation,
  };
}

type Said = Pick<Attempt, "f" | "request" | "answer" | "key" | "servedBy">;

function reservationSaid({ request, outcome, key, servedBy }: HistoryOperation): Said {
  const isFinished = outcome.kind === "ok";
  return {
    f: request.kind,
    request: requestWords(request),
    answer: isFinished ? answerWords(outcome.answer) : outcome.reason ?? "",
    key: key === undefined ? undefined : `${key.clientId}/${key.operationId}`,
    servedBy: servedBy === undefined ? "" : [
      `replica ${servedBy.replicaId}`,
      servedBy.role ?? "",
      servedBy.view === undefined ? "" : `view ${servedBy.view}`,
      servedBy.observedLsn === undefined ? "" : `lsn ${servedBy.observedLsn}`,
    ].filter((part) => part !== "").join(", "),
  };
}

function modelSaid({ f, key, value, outcome }: ModelOperation): Said {
  const seen = "value" in outcome ? outcome.value : undefined;
  // What was asked, said once more, is no answer to anything but a read.
  const isEcho = seen !== undefined && !/^(read|get)/.test(f) &&
    valueWords(seen) === valueWords(value);
  const told = seen === undefined || isEcho ? "" : valueWords(seen);
  const reason = outcome.kind === "ok" ? "" : outcome.reason ?? "";
  return {
    f,
    request: modelWords(f, key, value),
    answer: [told, reason].filter((part) => part !== "").join(", "),
    key: undefined,
    servedBy: "",
  };
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
