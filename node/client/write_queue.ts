/** Writes on their way: gathered into requests, matched with replies, sent again while in doubt. */
import type { Rejection } from "../api.ts";
import { FRAME_HEADER_BYTES } from "../wire/framing.ts";
import {
  createResultColumns,
  isRejected,
  rejectionAt,
  type ResultColumns,
} from "../wire/results.ts";
import { beginSubmit, readSubmitReply, submitBodyBytesMax } from "../wire/submit.ts";
import type { ClientConnection, Ending } from "./connection.ts";
import { type Displacement, isDisplacement } from "./course.ts";
import { jittered } from "./primary_search.ts";
import { committedAt, notSent, refused, rejected, unknown } from "./results.ts";
import type { ServerInfo, SubmitResult, TransportError, TransportErrorCode } from "./types.ts";

/** First pause before a command that was not taken is sent again; doubled each time, with jitter. */
const RETRY_MS = 10;
const RETRY_MS_MAX = 500;

/** A command on its way. */
export interface PendingWrite {
  readonly operationId: bigint;
  /** The encoded command: the same in every attempt. */
  readonly bytes: Uint8Array;
  readonly slot: bigint | undefined;
  /** When to give up, by `performance.now()`. */
  readonly deadlineMs: number;
  /** Called once. */
  readonly done: (result: SubmitResult) => void;
  /** Which of the client's writes it is; the queue's to set. */
  order: number;
  /** True once an attempt ended without anybody knowing whether it was taken. */
  isInDoubt: boolean;
  isDone: boolean;
  attempts: number;
  /** When the next attempt is due, by `performance.now()`. */
  notBeforeMs: number;
  /** What the latest attempt ended with. */
  lastRejection: Rejection | undefined;
  lastError: TransportError | undefined;
}

/** A submit request that waits for its reply. */
interface SentFrame {
  readonly writes: readonly PendingWrite[];
  readonly sentMs: number;
}

/** See the top of the file. */
export class WriteQueue {
  readonly #window: number;
  #waiting: PendingWrite[] = [];
  #delayed: PendingWrite[] = [];
  readonly #sent = new Map<number, SentFrame>();
  #columns: ResultColumns = createResultColumns(64);
  #added = 0;
  #displacement: Displacement | undefined;

  /** @param window Requests under way before further commands wait to be gathered. */
  constructor(window: number) {
    this.#window = window;
  }

  /** Whether nothing is on its way. */
  get isEmpty(): boolean {
    return this.#waiting.length + this.#delayed.length + this.#sent.size === 0;
  }

  /** When the oldest request that waits for a reply was sent. */
  get oldestSentMs(): number | undefined {
    return this.#sent.values().next().value?.sentMs;
  }

  /** Whether anything is to be sent. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether a request waits for its reply. */
  get isAwaiting(): boolean {
    return this.#sent.size > 0;
  }

  /** Takes a command in; it leaves with the next {@linkcode WriteQueue.send}. */
  add(write: PendingWrite): void {
    write.order = this.#added++;
    this.#waiting.push(write);
  }

  /** Writes as many requests as the window has room for; the caller flushes. */
  send(connection: ClientConnection, nextRequestId: () => number): void {
    while (this.#sent.size < this.#window && this.#waiting.length > 0) {
      this.sendOne(connection, nextRequestId, this.#fitting(connection.info));
    }
  }

  /** Writes one request with the first of the commands that wait; the caller flushes. */
  sendOne(connection: ClientConnection, nextRequestId: () => number, count: number): void {
    const writes = this.#waiting.splice(0, count);
    const requestId = nextRequestId();
    writeFrame(connection, requestId, writes);
    this.#sent.set(requestId, { writes, sentMs: performance.now() });
  }

  /** Why the latest replies took commands back to those that wait, if they did; asked once. */
  takeDisplacement(): Displacement | undefined {
    const displacement = this.#displacement;
    this.#displacement = undefined;
    return displacement;
  }

  /** How many waiting commands go into one request: one slot, and no more than the server takes. */
  #fitting({ maxBatchCommands, maxFrameBytes }: ServerInfo): number {
    const most = Math.min(maxBatchCommands, this.#waiting.length);
    const { slot } = this.#waiting[0]!;
    let bytes = submitBodyBytesMax(0);
    let count = 0;
    for (; count < most; count++) {
      const write = this.#waiting[count]!;
      bytes += write.bytes.length;
      if (count > 0 && (write.slot !== slot || bytes > maxFrameBytes)) break;
    }
    return count;
  }

  /**
   * Takes a reply in.
   *
   * @param hasChoice Whether there is another server for what this one has no place for.
   * @returns False when it is no reply to anything that was sent.
   */
  reply(
    requestId: number,
    view: DataView,
    at: number,
    end: number,
    hasChoice: boolean,
  ): boolean {
    const frame = this.#sent.get(requestId);
    if (frame === undefined) return false;
    const count = frame.writes.length;
    if (this.#columns.kinds.length < count) this.#columns = createResultColumns(count);
    if (!readSubmitReply(view, at, end, this.#columns, count)) return false;
    this.#sent.delete(requestId);
    const displaced: PendingWrite[] = [];
    for (let i = 0; i < count; i++) {
      const write = frame.writes[i]!;
      if (this.#settle(write, i, hasChoice) === "displaced") displaced.push(write);
    }
    if (displaced.length > 0) this.#requeue(displaced);
    return true;
  }

  /** Takes an error in that answers one request. False when it answers none of these. */
  refuse(requestId: number, error: TransportError): boolean {
    const frame = this.#sent.get(requestId);
    if (frame === undefined) return false;
    this.#sent.delete(requestId);
    for (const write of frame.writes) finish(write, refused(write, error));
    return true;
  }

  #settle(write: PendingWrite, index: number, hasChoice: boolean): "displaced" | void {
    const rejection = isRejected(this.#columns, index)
      ? rejectionAt(this.#columns, index)
      : "committed";
    // Even from a reply to those who no longer wait it shows what the server is.
    const isDisplaced = typeof rejection === "object" && isDisplacement(rejection, hasChoice);
    if (isDisplaced) this.#displacement = rejection;
    if (write.isDone) return;
    if (rejection === "committed") {
      return finish(write, committedAt(this.#columns, index, write.operationId));
    }
    if (rejection === undefined) {
      return finish(write, unknown(write, "protocol_error", "a rejection that makes no sense"));
    }
    write.lastRejection = rejection;
    write.lastError = undefined;
    if (rejection.category === "indefinite") write.isInDoubt = true;
    if (isDisplaced) return "displaced";
    if (isWorthRetrying(rejection)) this.#delay(write);
    else finish(write, rejected(write, rejection));
  }

  #delay(write: PendingWrite): void {
    const ms = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(write.attempts, 20));
    write.attempts++;
    write.notBeforeMs = performance.now() + jittered(ms);
    this.#delayed.push(write);
  }

  /** The connection is gone: what it had not answered waits again, in the order it was sent in. */
  disconnected({ error, isGoodbye }: Ending): void {
    const unanswered: PendingWrite[] = [];
    for (const { writes } of this.#sent.values()) {
      for (const write of writes) {
        if (write.isDone) continue;
        write.isInDoubt ||= !isGoodbye;
        write.lastError = error;
        write.lastRejection = undefined;
        unanswered.push(write);
      }
    }
    this.#sent.clear();
    this.#requeue(unanswered);
  }

  /**
   * What has to be sent again, in the order in which the program made it. A write is never under way on two
   * connections: the first one is closed, or has answered, before the write gets here. Its server may still
   * carry it out; the second attempt has the same bytes and so the same retry key, and whoever sequences it
   * has everything in his log that was ever committed: he remembers the first attempt, or it never happens.
   */
  #requeue(writes: readonly PendingWrite[]): void {
    this.#waiting = [...writes, ...this.#waiting].sort((a, b) => a.order - b.order);
  }

  /**
   * Ends what is too late and readies what is due.
   *
   * @param linkError Why there is no connection, if there is none.
   */
  tick(nowMs: number, linkError: TransportError | undefined): void {
    const due = this.#delayed.filter((write) => write.notBeforeMs <= nowMs);
    if (due.length > 0) {
      this.#delayed = this.#delayed.filter((write) => write.notBeforeMs > nowMs);
      this.#requeue(due);
    }
    for (const { writes } of this.#sent.values()) {
      for (const write of writes) if (write.deadlineMs <= nowMs) giveUp(write, true, linkError);
    }
    this.#waiting = this.#waiting.filter((write) => !expired(write, nowMs, linkError));
    this.#delayed = this.#delayed.filter((write) => !expired(write, nowMs, linkError));
  }

  /** Ends everything: the client is being closed. */
  close(error: TransportError): void {
    for (const { writes } of this.#sent.values()) {
      for (const write of writes) giveUp(write, true, error);
    }
    for (const write of [...this.#waiting, ...this.#delayed]) giveUp(write, false, error);
    this.#sent.clear();
    this.#waiting = [];
    this.#delayed = [];
  }
}

function writeFrame(
  { writer }: ClientConnection,
  requestId: number,
  writes: readonly PendingWrite[],
): void {
  const { out } = writer;
  const frame = beginSubmit(out, requestId, writes[0]!.slot, writes.length);
  for (const { bytes } of writes) {
    out.room(bytes.length + FRAME_HEADER_BYTES);
    out.bytes.set(bytes, out.end);
    out.end += bytes.length;
  }
  out.endFrame(frame);
}

/** Rejections that another attempt may not meet again. */
function isWorthRetrying(rejection: Rejection): boolean {
  return rejection.category === "indefinite" || rejection.code === "overloaded" ||
    rejection.code === "shutting_down";
}

function expired(
  write: PendingWrite,
  nowMs: number,
  linkError: TransportError | undefined,
): boolean {
  if (write.deadlineMs > nowMs) return false;
  giveUp(write, false, linkError);
  return true;
}

/** The time is up, or the client is: says what is known of the write. */
function giveUp(
  write: PendingWrite,
  isUnderWay: boolean,
  linkError: TransportError | undefined,
): void {
  const { lastRejection } = write;
  const error = linkError ?? (isUnderWay ? undefined : write.lastError);
  const code: TransportErrorCode = error?.code ?? "timeout";
  const message = error?.message ?? "no answer in time";
  if (isUnderWay) finish(write, unknown(write, code, message));
  else if (lastRejection !== undefined) finish(write, rejected(write, lastRejection));
  else if (write.isInDoubt) finish(write, unknown(write, code, message));
  else finish(write, notSent(write, code, message));
}

function finish(write: PendingWrite, result: SubmitResult): void {
  if (write.isDone) return;
  write.isDone = true;
  write.done(result);
}
