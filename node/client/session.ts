import { unreachable } from "../../core/assert.ts";
import type { Rejection } from "../api.ts";
import { readError } from "../wire/hello.ts";
import { MessageType } from "../wire/messages.ts";
import { WireReader } from "../wire/reader.ts";
import type { Question } from "../wire/requests.ts";
import { submitReplyId } from "../wire/submit.ts";
import type { ClientConnection, Ending } from "./connection.ts";
import { Course, type Displacement, isDisplacement, type Step } from "./course.ts";
import { Link, type LinkOptions } from "./link.ts";
import { isStrictReply, type PendingQuestion, QuestionQueue } from "./question_queue.ts";
import { jittered } from "./primary_search.ts";
import { type ServerInfo, TransportError } from "./types.ts";
import { type PendingWrite, WriteQueue } from "./write_queue.ts";

/** How often deadlines are looked at while something is on its way. */
const TICK_MS = 20;
/** How long a server may be silent by default when it is the only one. */
const SILENCE_MS_ALONE = 3_000;
/** The same when there is another one to turn to. */
const SILENCE_MS_AMONG_OTHERS = 1_000;
/** After this much silence the others are asked whether there is a new primary. */
const SCOUT_MS = 250;
/** Most that may pass between two such questions; at least half of it does. */
const SCOUT_EVERY_MS = 100;

/** How a session behaves. */
export interface SessionOptions extends LinkOptions {
  /** Depends on whether there is a choice when absent. */
  readonly silenceTimeoutMs: number | undefined;
  readonly submitWindow: number;
}

/** Everything on its way between one client and whichever server it is connected to. */
export class Session {
  readonly #link: Link;
  readonly #writes: WriteQueue;
  readonly #questions = new QuestionQueue();
  readonly #reader = new WireReader();
  readonly #silenceTimeoutMs: number | undefined;
  readonly #course: Course;
  readonly #nextRequestId = (): number => ++this.#requestId;
  readonly #sendAll = (): void => this.#send();
  #requestId = 0;
  #isSendDue = false;
  #isClosed = false;
  #isLeaving = false;
  #scoutDueMs = 0;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #info: ServerInfo | undefined;

  /** @param options How to connect and how long to wait. */
  constructor(options: SessionOptions) {
    this.#silenceTimeoutMs = options.silenceTimeoutMs;
    this.#writes = new WriteQueue(options.submitWindow);
    this.#link = new Link(options, {
      connected: ({ info }) => {
        this.#info = info;
        this.#isLeaving = false;
        this.#course.connected(info);
        this.#send();
      },
      received: (view, at, end) => this.#received(view, at, end),
      disconnected: (ending) => this.#disconnected(ending),
    });
    this.#course = new Course(this.#link.search);
  }

  /**
   * Connects.
   *
   * @throws {TransportError} Why none of the servers would do.
   */
  open(): Promise<void> {
    return this.#link.open();
  }

  /** What the server of the latest connection said about itself. */
  get info(): ServerInfo {
    if (this.#info === undefined) throw this.#link.lastError;
    return this.#info;
  }

  /** Whether {@linkcode Session.close} was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends a command, together with whatever else is to be sent in this turn. */
  submit(write: PendingWrite): void {
    this.#writes.add(write);
    if (this.#isClosed) this.#writes.close(this.#link.lastError);
    else this.#sendLater();
  }

  /**
   * Asks something.
   *
   * @param question What.
   * @param deadlineMs When to give up, by `performance.now()`.
   * @param read Reads what follows the request id of the reply.
   * @param refusal Says when an answer is the server's reason to give none.
   * @returns The answer.
   * @throws {TransportError} When there was none.
   */
  ask<T>(
    question: Question,
    deadlineMs: number,
    read: (reader: WireReader, elements: number) => T | undefined,
    refusal: (value: T) => Rejection | undefined = (): undefined => undefined,
  ): Promise<T> {
    return new Promise((resolve, fail) => {
      if (this.#isClosed) return fail(this.#link.lastError);
      const answer: PendingQuestion["answer"] = (reader, elements) => {
        const value = read(reader, elements);
        if (value === undefined || !reader.finish()) return "malformed";
        const reason = refusal(value);
        const { hasChoice } = this.#link.search;
        if (reason !== undefined && isDisplacement(reason, hasChoice)) return reason;
        resolve(value);
        return "taken";
      };
      this.#questions.add({ question, deadlineMs, answer, fail, isDisplaced: false });
      this.#sendLater();
    });
  }

  /** Ends everything that is on its way, and the connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closing = this.#link.close();
    this.#writes.close(this.#link.lastError);
    this.#questions.close(this.#link.lastError);
    clearInterval(this.#ticker);
    await closing;
  }

  #sendLater(): void {
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
    if (this.#isSendDue) return;
    this.#isSendDue = true;
    queueMicrotask(this.#sendAll);
  }

  #send(): void {
    this.#isSendDue = false;
    const { connection } = this.#link;
    if (connection === undefined || this.#isLeaving) return;
    this.#questions.send(connection, this.#nextRequestId);
    if (this.#writes.isWaiting || this.#questions.isWaiting) this.#sendToPrimary(connection);
    connection.writer.flush();
  }

  #sendToPrimary(connection: ClientConnection): void {
    const awaits = this.#writes.isAwaiting || this.#questions.isAwaiting;
    const step = this.#course.step(performance.now(), awaits);
    switch (step) {
      case "send":
        this.#questions.sendStrict(connection, this.#nextRequestId);
        return this.#writes.send(connection, this.#nextRequestId);
      case "knock":
        return this.#knock(connection);
      case "wait":
        return;
      case "move":
      case "leave":
        return this.#leave(step);
      default:
        return unreachable(step);
    }
  }

  /** A command rather than a read: whether a primary can commit is what those who wait want to know. */
  #knock(connection: ClientConnection): void {
    this.#course.knocked();
    if (this.#writes.isWaiting) this.#writes.sendOne(connection, this.#nextRequestId, 1);
    else this.#questions.sendStrict(connection, this.#nextRequestId, 1);
  }

  #leave(step: Step): void {
    this.#isLeaving = true;
    this.#link.leave(this.#course.reason(), step === "move");
  }

  /** What a reply to something that only a primary answers says about the server. */
  #judge(displacement: Displacement | undefined): void {
    if (displacement === undefined) this.#course.accepted();
    else this.#course.displaced(displacement, performance.now());
    this.#sendLater();
  }

  #received(view: DataView, at: number, end: number): boolean {
    const type = view.getUint8(at + 1);
    if (type === MessageType.submit_reply) return this.#submitReply(view, at, end);
    this.#reader.open(view, at, end);
    if (type === MessageType.error) return this.#error();
    const elements = this.#reader.arrayHead();
    this.#reader.small(23);
    const requestId = this.#reader.count();
    if (this.#reader.failed) return false;
    const isReply = this.#questions.reply(requestId, type, this.#reader, elements);
    if (isReply && isStrictReply(type)) this.#judge(this.#questions.takeDisplacement());
    return isReply;
  }

  #submitReply(view: DataView, at: number, end: number): boolean {
    const { hasChoice } = this.#link.search;
    const isReply = this.#writes.reply(submitReplyId(view, at, end), view, at, end, hasChoice);
    if (isReply) this.#judge(this.#writes.takeDisplacement());
    return isReply;
  }

  #error(): boolean {
    const error = readError(this.#reader);
    if (error === undefined) return false;
    const requestId = Number(error.requestId);
    const code = error.code === "forbidden" ? "forbidden" : "refused";
    const reason = new TransportError(code, `${error.code}: ${error.message}`);
    return this.#questions.refuse(requestId, reason) || this.#writes.refuse(requestId, reason);
  }

  #disconnected(ending: Ending): void {
    if (this.#isClosed) return;
    this.#writes.disconnected(ending);
    this.#questions.disconnected();
  }

  #tick(): void {
    const nowMs = performance.now();
    const { connection, lastError } = this.#link;
    const linkError = connection === undefined ? lastError : undefined;
    this.#writes.tick(nowMs, linkError);
    this.#questions.tick(nowMs, linkError);
    this.#send();
    this.#watchForSilence(nowMs);
    if (!this.#writes.isEmpty || !this.#questions.isEmpty) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  /** A primary that has stopped without a word has a successor long before the patience with it is over. */
  async #scout(): Promise<void> {
    this.#scoutDueMs = Infinity;
    const hasNews = await this.#link.scout();
    const nowMs = performance.now();
    this.#scoutDueMs = nowMs + jittered(SCOUT_EVERY_MS);
    const isConnected = this.#link.connection !== undefined && !this.#isLeaving;
    if (hasNews && isConnected && this.#course.isOvertaken(nowMs)) this.#leave("move");
  }

  /** A server that owes a reply and says nothing at all may be gone without the system knowing. */
  #watchForSilence(nowMs: number): void {
    const { connection } = this.#link;
    const writes = this.#writes.oldestSentMs ?? Infinity;
    const oldest = Math.min(writes, this.#questions.oldestSentMs ?? Infinity);
    if (connection === undefined || oldest === Infinity) return;
    const silentMs = nowMs - Math.max(oldest, connection.receivedMs);
    const { hasChoice } = this.#link.search;
    const usualMs = hasChoice ? SILENCE_MS_AMONG_OTHERS : SILENCE_MS_ALONE;
    const silentMsMax = this.#silenceTimeoutMs ?? usualMs;
    if (silentMs <= silentMsMax) {
      if (hasChoice && silentMs > SCOUT_MS && nowMs >= this.#scoutDueMs) void this.#scout();
      return;
    }
    const message = `${connection.info.address} was silent for ${Math.round(silentMs)} ms`;
    connection.close(new TransportError("connection_lost", message));
  }
}
