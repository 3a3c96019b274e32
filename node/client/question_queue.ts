/** Requests that are no writes: matched with replies, asked again when a connection breaks. */
import { MessageType } from "../wire/messages.ts";
import type { WireReader } from "../wire/reader.ts";
import { type Question, writeRequest } from "../wire/requests.ts";
import type { ClientConnection } from "./connection.ts";
import { TransportError } from "./types.ts";

/** A question on its way. */
export interface PendingQuestion {
  readonly question: Question;
  /** When to give up, by `performance.now()`. */
  readonly deadlineMs: number;
  /** Takes what follows the request id of the reply. False when it makes no sense. */
  readonly answer: (reader: WireReader, elements: number) => boolean;
  readonly fail: (error: TransportError) => void;
}

interface SentQuestion {
  readonly pending: PendingQuestion;
  readonly sentMs: number;
  /** Given up: its reply may still come and is nobody's any more. */
  isLate: boolean;
}

/** See the top of the file. */
export class QuestionQueue {
  #waiting: PendingQuestion[] = [];
  readonly #sent = new Map<number, SentQuestion>();

  /** Whether nothing is on its way. */
  get isEmpty(): boolean {
    return this.#waiting.length + this.#sent.size === 0;
  }

  /** When the oldest question that should have been answered promptly was sent. A checkpoint takes its time. */
  get oldestSentMs(): number | undefined {
    for (const { pending, sentMs } of this.#sent.values()) {
      if (pending.question.kind !== "checkpoint") return sentMs;
    }
    return undefined;
  }

  /** Takes a question in; it leaves with the next {@linkcode QuestionQueue.send}. */
  add(pending: PendingQuestion): void {
    this.#waiting.push(pending);
  }

  /** Writes everything that waits; the caller flushes. */
  send(connection: ClientConnection, nextRequestId: () => number): void {
    for (const pending of this.#waiting) {
      const requestId = nextRequestId();
      writeRequest(connection.writer.out, BigInt(requestId), pending.question);
      this.#sent.set(requestId, { pending, sentMs: performance.now(), isLate: false });
    }
    this.#waiting = [];
  }

  /**
   * Takes a reply in.
   *
   * @returns False when it is no reply to anything that was asked.
   */
  reply(requestId: number, type: number, reader: WireReader, elements: number): boolean {
    const pending = this.#take(requestId);
    if (pending === undefined || type !== MessageType[pending.question.kind] + 10) {
      pending?.fail(
        new TransportError("protocol_error", "the server sent something that is no reply"),
      );
      return false;
    }
    if (pending.answer(reader, elements)) return true;
    pending.fail(
      new TransportError("protocol_error", "the server sent a reply that makes no sense"),
    );
    return false;
  }

  /** Takes an error in that answers one question. False when it answers none of these. */
  refuse(requestId: number, error: TransportError): boolean {
    const pending = this.#take(requestId);
    pending?.fail(error);
    return pending !== undefined;
  }

  /** The connection is gone: what it had not answered is asked again. */
  disconnected(): void {
    const unanswered = [...this.#sent.values()].filter(({ isLate }) => !isLate);
    this.#sent.clear();
    this.#waiting = [...unanswered.map(({ pending }) => pending), ...this.#waiting];
  }

  /**
   * Ends what is too late.
   *
   * @param linkError Why there is no connection, if there is none.
   */
  tick(nowMs: number, linkError: TransportError | undefined): void {
    const error = linkError ?? new TransportError("timeout", "no answer in time");
    for (const sent of this.#sent.values()) {
      if (sent.isLate || sent.pending.deadlineMs > nowMs) continue;
      sent.isLate = true;
      sent.pending.fail(error);
    }
    const late = this.#waiting.filter(({ deadlineMs }) => deadlineMs <= nowMs);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter(({ deadlineMs }) => deadlineMs > nowMs);
    for (const pending of late) pending.fail(error);
  }

  /** Ends everything: the client is being closed. */
  close(error: TransportError): void {
    for (const { pending } of this.#sent.values()) pending.fail(error);
    for (const pending of this.#waiting) pending.fail(error);
    this.#sent.clear();
    this.#waiting = [];
  }

  #take(requestId: number): PendingQuestion | undefined {
    const pending = this.#sent.get(requestId)?.pending;
    this.#sent.delete(requestId);
    return pending;
  }
}
