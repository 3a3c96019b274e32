/** Requests that are no writes: matched with replies, asked again when a connection breaks. */
import { MessageType } from "../wire/messages.ts";
import type { WireReader } from "../wire/reader.ts";
import { type Question, writeRequest } from "../wire/requests.ts";
import type { ClientConnection } from "./connection.ts";
import type { Displacement } from "./course.ts";
import { TransportError } from "./types.ts";

/** A question on its way. */
export interface PendingQuestion {
  readonly question: Question;
  /** When to give up, by `performance.now()`. */
  readonly deadlineMs: number;
  /** Takes what follows the request id of the reply; it makes no sense, or is the server's reason to give none. */
  readonly answer: (reader: WireReader, elements: number) => "taken" | "malformed" | Displacement;
  readonly fail: (error: TransportError) => void;
  /** Whether the latest server to answer was not primary. */
  isDisplaced: boolean;
}

/** Replies that only a primary gives. */
export function isStrictReply(type: number): boolean {
  return type === MessageType.resource || type === MessageType.reservation ||
    type === MessageType.tick;
}

function isStrict({ question: { kind } }: PendingQuestion): boolean {
  return isStrictReply(MessageType[kind] + 10);
}

interface SentQuestion {
  readonly pending: PendingQuestion;
  readonly sentMs: number;
  /** Given up: its reply may still come and is nobody's any more. */
  isLate: boolean;
}

/** See the top of the file. */
export class QuestionQueue {
  /** For whichever server it is. */
  #waiting: PendingQuestion[] = [];
  /** For a primary. */
  #strict: PendingQuestion[] = [];
  #displacement: Displacement | undefined;
  readonly #sent = new Map<number, SentQuestion>();

  /** Whether nothing is on its way. */
  get isEmpty(): boolean {
    return this.#waiting.length + this.#strict.length + this.#sent.size === 0;
  }

  /** Whether anything is to be asked that only a primary answers. */
  get isWaiting(): boolean {
    return this.#strict.length > 0;
  }

  /** Whether the answer to such a question is still to come. */
  get isAwaiting(): boolean {
    for (const { pending } of this.#sent.values()) if (isStrict(pending)) return true;
    return false;
  }

  /** When the oldest question that should have been answered promptly was sent. A checkpoint takes its time. */
  get oldestSentMs(): number | undefined {
    for (const { pending, sentMs } of this.#sent.values()) {
      if (pending.question.kind !== "checkpoint") return sentMs;
    }
    return undefined;
  }

  /** Takes a question in; it leaves with the next {@linkcode QuestionQueue.send} of its kind. */
  add(pending: PendingQuestion): void {
    (isStrict(pending) ? this.#strict : this.#waiting).push(pending);
  }

  /** Writes what any server answers; the caller flushes. */
  send(connection: ClientConnection, nextRequestId: () => number): void {
    const questions = this.#waiting.splice(0);
    for (const pending of questions) this.#write(connection, nextRequestId(), pending);
  }

  /** Writes the first `countMax` questions that only a primary answers; the caller flushes. */
  sendStrict(
    connection: ClientConnection,
    nextRequestId: () => number,
    countMax = Infinity,
  ): void {
    const questions = this.#strict.splice(0, countMax);
    for (const pending of questions) this.#write(connection, nextRequestId(), pending);
  }

  #write({ writer }: ClientConnection, requestId: number, pending: PendingQuestion): void {
    writeRequest(writer.out, BigInt(requestId), pending.question);
    this.#sent.set(requestId, { pending, sentMs: performance.now(), isLate: false });
  }

  /** Why the latest reply was none, if the server had a reason of its own; asked once. */
  takeDisplacement(): Displacement | undefined {
    const displacement = this.#displacement;
    this.#displacement = undefined;
    return displacement;
  }

  /**
   * Takes a reply in.
   *
   * @returns False when it is no reply to anything that was asked.
   */
  reply(requestId: number, type: number, reader: WireReader, elements: number): boolean {
    const { pending, isLate } = this.#take(requestId) ?? {};
    if (pending === undefined || type !== MessageType[pending.question.kind] + 10) {
      pending?.fail(
        new TransportError("protocol_error", "the server sent something that is no reply"),
      );
      return false;
    }
    const answer = pending.answer(reader, elements);
    if (answer === "taken") return true;
    if (answer !== "malformed") {
      this.#displacement = answer;
      pending.isDisplaced = true;
      if (!isLate) this.add(pending);
      return true;
    }
    pending.fail(
      new TransportError("protocol_error", "the server sent a reply that makes no sense"),
    );
    return false;
  }

  /** Takes an error in that answers one question. False when it answers none of these. */
  refuse(requestId: number, error: TransportError): boolean {
    const sent = this.#take(requestId);
    sent?.pending.fail(error);
    return sent !== undefined;
  }

  /** The connection is gone: what it had not answered is asked again. */
  disconnected(): void {
    const unsent = [...this.#waiting, ...this.#strict];
    const unanswered = [...this.#sent.values()].filter(({ isLate }) => !isLate);
    this.#sent.clear();
    this.#waiting = [];
    this.#strict = [];
    for (const pending of [...unanswered.map(({ pending }) => pending), ...unsent]) {
      this.add(pending);
    }
  }

  /**
   * Ends what is too late.
   *
   * @param linkError Why there is no connection, if there is none.
   */
  tick(nowMs: number, linkError: TransportError | undefined): void {
    const giveUp = (pending: PendingQuestion): void => pending.fail(failure(pending, linkError));
    for (const sent of this.#sent.values()) {
      if (sent.isLate || sent.pending.deadlineMs > nowMs) continue;
      sent.isLate = true;
      giveUp(sent.pending);
    }
    const unsent = [...this.#waiting, ...this.#strict];
    const late = unsent.filter(({ deadlineMs }) => deadlineMs <= nowMs);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter(({ deadlineMs }) => deadlineMs > nowMs);
    this.#strict = this.#strict.filter(({ deadlineMs }) => deadlineMs > nowMs);
    for (const pending of late) giveUp(pending);
  }

  /** Ends everything: the client is being closed. */
  close(error: TransportError): void {
    for (const { pending } of this.#sent.values()) pending.fail(error);
    for (const pending of [...this.#waiting, ...this.#strict]) pending.fail(error);
    this.#sent.clear();
    this.#waiting = [];
    this.#strict = [];
  }

  #take(requestId: number): SentQuestion | undefined {
    const sent = this.#sent.get(requestId);
    this.#sent.delete(requestId);
    return sent;
  }
}

/** The time is up: says why there is no answer. */
function failure(
  { isDisplaced }: PendingQuestion,
  linkError: TransportError | undefined,
): TransportError {
  if (isDisplaced) return new TransportError("no_primary", "no replica was primary in time");
  return linkError ?? new TransportError("timeout", "no answer in time");
}
