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
import { jittered } from "./link.ts";
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

  /** Takes a command in; it leaves with the next {@linkcode WriteQueue.send}. */
  add(write: PendingWrite): void {
    this.#waiting.push(write);
  }

  /** Writes as many requests as the window has room for; the caller flushes. */
  send(connection: ClientConnection, nextRequestId: () => number): void {
    while (this.#sent.size < this.#window && this.#waiting.length > 0) {
      const count = this.#fitting(connection.info);
      const writes = this.#waiting.splice(0, count);
      const requestId = nextRequestId();
      writeFrame(connection, requestId, writes);
      this.#sent.set(requestId, { writes, sentMs: performance.now() });
    }
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
   * @returns False when it is no reply to anything that was sent.
   */
  reply(requestId: number, view: DataView, at: number, end: number): boolean {
    const frame = this.#sent.get(requestId);
    if (frame === undefined) return false;
    const count = frame.writes.length;
    if (this.#columns.kinds.length < count) this.#columns = createResultColumns(count);
    if (!readSubmitReply(view, at, end, this.#columns, count)) return false;
    this.#sent.delete(requestId);
    for (let i = 0; i < count; i++) this.#settle(frame.writes[i]!, i);
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

  #settle(write: PendingWrite, index: number): void {
    if (write.isDone) return;
    if (!isRejected(this.#columns, index)) {
      return finish(write, committedAt(this.#columns, index, write.operationId));
    }
    const rejection = rejectionAt(this.#columns, index);
    if (rejection === undefined) {
      return finish(write, unknown(write, "protocol_error", "a rejection that makes no sense"));
    }
    write.lastRejection = rejection;
    write.lastError = undefined;
    if (rejection.category === "indefinite") write.isInDoubt = true;
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
    this.#waiting = [...unanswered, ...this.#waiting];
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
      this.#waiting = [...due, ...this.#waiting];
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
