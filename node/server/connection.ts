import { answer, type Asker, SHUTTING_DOWN } from "./answer.ts";
import { FRAME_HEADER_BYTES, FrameReader } from "../wire/framing.ts";
import type { Flushable, ServerContext } from "./context.ts";
import { FORBIDDEN, FRAME_FAULTS, type Refusal, requestRefusal } from "./faults.ts";
import { Gate } from "./gate.ts";
import type { Permission } from "../auth/roles.ts";
import type { PendingSubmit, SubmitOwner } from "./pending.ts";
import { SocketWriter } from "./socket_writer.ts";
import { writeAuthChallenge } from "../wire/auth.ts";
import { writeError, writeServerHello } from "../wire/hello.ts";
import { MessageType, type WireErrorCode } from "../wire/messages.ts";
import { readRequest } from "../wire/requests.ts";
import { readSubmit, type SubmitRequest, writeSubmitReply } from "../wire/submit.ts";
import type { WireWriter } from "../wire/writer.ts";

/**
 * - `greeting`: hello, or the proof that it has to be followed by, has not come yet.
 * - `open`: requests are taken.
 * - `finishing`: the client has nothing more to say; what it asked for is still answered.
 * - `ending`: the last message is written; what still comes in is thrown away until the client hangs up.
 * - `closed`: the socket is gone.
 */
type Phase = "greeting" | "open" | "finishing" | "ending" | "closed";

/** Largest frame body until the connection is open: hello and proof are shorter. */
const GREETING_BYTES_MAX = 1_024;

/** One client. Nothing it sends or does gets out of here as an exception. */
export class ServerConnection implements SubmitOwner, Asker, Flushable {
  /** The client's address, for people. */
  readonly peer: string;
  /** See {@linkcode Flushable}. */
  isFlushDue = false;
  readonly #conn: Deno.Conn;
  readonly #context: ServerContext;
  readonly #frames: FrameReader;
  readonly #writer: SocketWriter;
  /** Let go once the connection is open. */
  #gate: Gate | undefined;
  #permissions: ReadonlySet<Permission<"client">> = new Set();
  #phase: Phase = "greeting";
  /** When it got into its phase, by `performance.now()`. */
  #phaseSinceMs = performance.now();
  /** When the first byte of an unfinished frame came, or 0. */
  #frameSinceMs = 0;
  #receivedMs = 0;
  /** Commands and other requests that the node has not answered. */
  #inFlight = 0;
  #roomWaiter: (() => void) | undefined;
  /** Resolves when the system has the socket back. */
  readonly #gone = Promise.withResolvers<void>();

  /**
   * @param conn An accepted socket.
   * @param context What it shares with the others.
   */
  constructor(conn: Deno.Conn, context: ServerContext) {
    this.#conn = conn;
    this.#context = context;
    this.#gate = new Gate(context);
    this.#frames = new FrameReader(GREETING_BYTES_MAX);
    this.#writer = new SocketWriter(
      conn,
      context.traffic,
      () => this.#sent(),
      () => this.#broken(),
    );
    const { remoteAddr } = conn;
    const isTcp = remoteAddr.transport === "tcp";
    this.peer = isTcp ? `${remoteAddr.hostname}:${remoteAddr.port}` : remoteAddr.transport;
  }

  /** Serves the client until the system has the socket back. */
  async run(): Promise<void> {
    await this.#receive();
    if (this.#phase === "greeting" || this.#phase === "open") this.#enter("finishing");
    if (this.#phase === "ending") this.destroy();
    this.#closeWhenDone();
    await this.#gone.promise;
  }

  /** Takes in what comes, until nothing more comes, for whatever reason. */
  async #receive(): Promise<void> {
    for (;;) {
      let count: number | null;
      try {
        count = await this.#conn.read(this.#frames.space());
      } catch {
        return this.destroy();
      }
      if (count === null) return;
      this.#context.traffic.bytesReceived += count;
      if (this.#phase === "ending") continue;
      this.#receivedMs = performance.now();
      this.#frames.received(count);
      while (!this.#takeFrames()) await this.#room();
    }
  }

  /** Handles the frames that are here. False when it stopped because the client has too much under way. */
  #takeFrames(): boolean {
    const frames = this.#frames;
    while (this.#phase === "greeting" || this.#phase === "open") {
      if (this.#isFull()) return false;
      const status = frames.next();
      if (status === "incomplete") {
        if (frames.pendingBytes === 0) this.#frameSinceMs = 0;
        else if (this.#frameSinceMs === 0) this.#frameSinceMs = this.#receivedMs;
        return true;
      }
      this.#frameSinceMs = 0;
      if (status !== "frame") this.#fail({ code: status, message: FRAME_FAULTS[status] });
      else this.#takeMessage();
    }
    return true;
  }

  #isFull(): boolean {
    const { maxInFlightCommands, maxUnsentBytes } = this.#context.limits;
    return this.#inFlight >= maxInFlightCommands || this.#writer.unsentBytes >= maxUnsentBytes;
  }

  /** Resolves when the client may ask for more, or is gone. */
  #room(): Promise<void> {
    return new Promise((resolve) => this.#roomWaiter = resolve);
  }

  #wakeWhenRoom(): void {
    if (this.#roomWaiter === undefined || (this.#phase !== "closed" && this.#isFull())) return;
    this.#roomWaiter();
    this.#roomWaiter = undefined;
  }

  #takeMessage(): void {
    const { view, bodyStart, bodyEnd } = this.#frames;
    if (this.#gate !== undefined) return this.#takeGreeting(this.#gate, view, bodyStart, bodyEnd);
    const type = bodyEnd - bodyStart < 2 ? -1 : view.getUint8(bodyStart + 1);
    if (type === MessageType.submit) return this.#takeSubmit(view, bodyStart, bodyEnd);
    const { reader, traffic } = this.#context;
    reader.open(view, bodyStart, bodyEnd);
    const request = readRequest(reader);
    if (request === undefined) return this.#fail(requestRefusal(type));
    traffic.requests++;
    if (this.#permissions.has(request.question.kind)) answer(this.#context, this, request);
    else this.#refuse(request.requestId, FORBIDDEN);
  }

  #takeGreeting(gate: Gate, view: DataView, at: number, end: number): void {
    const verdict = gate.take(view, at, end);
    switch (verdict.kind) {
      case "refused":
        return this.#fail(verdict.refusal);
      case "challenge":
        writeAuthChallenge(this.#writer.out, verdict.challenge);
        return this.#flushLater();
      case "open":
        return this.#open(verdict.permissions);
    }
  }

  #open(permissions: ReadonlySet<Permission<"client">>): void {
    this.#gate = undefined;
    this.#permissions = permissions;
    this.#frames.maxFrameBytes = this.#context.limits.maxFrameBytes;
    this.#enter("open");
    writeServerHello(this.#writer.out, this.#context.hello());
    this.#flushLater();
    if (this.#context.isDraining) this.drain();
  }

  #takeSubmit(view: DataView, at: number, end: number): void {
    const { submitRequest, traffic, pool } = this.#context;
    const status = readSubmit(view, at, end, submitRequest);
    if (status === "malformed_message") return this.#fail(requestRefusal(MessageType.submit));
    traffic.requests++;
    const { requestIdHigh, requestIdLow, count } = submitRequest;
    const refusal = this.#submitRefusal(status);
    if (refusal !== undefined) {
      return this.#refuse((BigInt(requestIdHigh) << 32n) | BigInt(requestIdLow), refusal);
    }
    traffic.commands += count;
    this.#inFlight += count;
    const pending = pool.take(Math.max(count, 1));
    pending.begin(this, requestIdHigh, requestIdLow, count);
    if (count === 0) this.submitDone(pending);
    else this.#submitAll(view, submitRequest, pending);
  }

  /** Why nothing of a submit request is taken, although it is one. */
  #submitRefusal(status: "ok" | "batch_too_large"): Refusal | undefined {
    if (!this.#permissions.has("submit")) return FORBIDDEN;
    if (status === "ok") return undefined;
    const { limits, submitRequest } = this.#context;
    const message =
      `${submitRequest.count} commands, no more than ${limits.maxBatchCommands} are taken`;
    return { code: status, message };
  }

  #refuse(requestId: bigint, { code, message }: Refusal): void {
    if (code === "forbidden") this.#context.refusals.forbidden++;
    this.reply(requestId, (out) => writeError(out, requestId, code, message));
  }

  #submitAll(view: DataView, request: SubmitRequest, pending: PendingSubmit): void {
    const { node, isDraining } = this.#context;
    const { ends, slot, count } = request;
    let at = request.commandsStart;
    for (let i = 0; i < count; i++) {
      const end = ends[i]!;
      if (isDraining) pending.rejected(i, SHUTTING_DOWN);
      else node.submit(view, at, end, slot, pending, i);
      at = end;
    }
  }

  /** Sends the reply to a submit request; called by its last result. */
  submitDone(pending: PendingSubmit): void {
    if (this.#isListening()) {
      const { requestIdHigh, requestIdLow, columns, count } = pending;
      writeSubmitReply(this.#writer.out, requestIdHigh, requestIdLow, columns, count);
    }
    this.#context.pool.give(pending);
    this.answered(pending.count);
  }

  /** A request goes to the node and its answer comes later. */
  began(): void {
    this.#inFlight++;
  }

  /** Writes one reply frame, or an error in its place when it came out too large. */
  reply(requestId: bigint, write: (out: WireWriter) => void): void {
    if (!this.#isListening()) return;
    const { out } = this.#writer;
    const at = out.end;
    write(out);
    if (out.end - at - FRAME_HEADER_BYTES > this.#context.limits.maxFrameBytes) {
      out.end = at;
      writeError(out, requestId, "reply_too_large", "the reply does not fit a frame");
    }
    this.#flushLater();
  }

  /** Whether the client still expects replies. */
  #isListening(): boolean {
    return this.#phase === "open" || this.#phase === "finishing";
  }

  /** Requests of which the node had `count` are answered: there may be room for more. */
  answered(count: number): void {
    this.#inFlight -= count;
    if (this.#phase === "closed") return;
    this.#flushLater();
    this.#wakeWhenRoom();
    if (this.#context.isDraining) this.drain();
  }

  #flushLater(): void {
    this.#context.flushLater(this);
  }

  /** Sends what was written in this turn. */
  flush(): void {
    if (this.#phase !== "closed") this.#writer.flush();
    this.#closeWhenDone();
  }

  #sent(): void {
    if (this.#phase === "closed") return this.#gone.resolve();
    this.#wakeWhenRoom();
    if (this.#phase === "ending") void this.#hangUp();
    else this.#closeWhenDone();
  }

  #broken(): void {
    this.destroy();
    this.#gone.resolve();
  }

  #closeWhenDone(): void {
    const isDone = this.#inFlight === 0 && this.#writer.unsentBytes === 0;
    if (this.#phase === "finishing" && isDone) this.destroy();
  }

  /** Says goodbye as soon as nothing is under way. The server calls it when it stops. */
  drain(): void {
    const isQuiet = this.#phase === "open" && this.#inFlight === 0;
    if (!isQuiet && this.#phase !== "greeting") return;
    this.#end("shutting_down", "the server is stopping; what it has not answered it has not taken");
  }

  #fail({ code, message }: Refusal): void {
    this.#context.traffic.connectionsFailed++;
    if (code === "unauthenticated") this.#context.refusals.unauthenticated++;
    this.#context.failed(this.peer, code, message);
    this.#end(code, message);
  }

  /** Writes the last message; the socket is closed once the client has had the time to read it. */
  #end(code: WireErrorCode, message: string): void {
    writeError(this.#writer.out, 0n, code, message);
    this.#enter("ending");
    this.#flushLater();
    this.#wakeWhenRoom();
  }

  /** Closing at once, with bytes unread, would make the system throw away what the client should read. */
  async #hangUp(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch {
      this.destroy();
    }
  }

  /** Whether the socket is closed but for a write that cannot be taken back. */
  get isStuck(): boolean {
    return this.#phase === "closed" && this.#writer.isSending;
  }

  /** Closes the socket now, or as soon as a write under way ends. */
  destroy(): void {
    if (this.#phase === "closed") return;
    this.#enter("closed");
    this.#writer.abandon();
    try {
      this.#conn.close();
    } catch {
      // The peer was faster.
    }
    this.#wakeWhenRoom();
    if (!this.#writer.isSending) this.#gone.resolve();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseSinceMs = performance.now();
  }

  /** Closes the connection if it takes too long over something. Called by the server now and then. */
  sweep(nowMs: number): void {
    if (this.#phase === "closed") return;
    const { handshakeMs, frameMs, writeMs, idleMs, lingerMs } = this.#context.deadlines;
    const since = (startMs: number): number => startMs === 0 ? -1 : nowMs - startMs;
    if (since(this.#writer.sendingSinceMs) > writeMs) this.#abandon("does not read its replies");
    else if (this.#phase === "ending") {
      if (since(this.#phaseSinceMs) > lingerMs) this.destroy();
    } else if (this.#phase === "greeting" && since(this.#phaseSinceMs) > handshakeMs) {
      this.#tooLate(`no hello within ${handshakeMs} ms`);
    } else if (since(this.#frameSinceMs) > frameMs) {
      this.#tooLate(`a frame took more than ${frameMs} ms`);
    } else if (idleMs > 0 && this.#inFlight === 0 && since(this.#receivedMs) > idleMs) {
      this.#tooLate(`idle for more than ${idleMs} ms`);
    }
  }

  #tooLate(message: string): void {
    this.#fail({ code: "deadline_exceeded", message });
  }

  /** A client that reads nothing cannot be told. */
  #abandon(message: string): void {
    this.#context.traffic.connectionsFailed++;
    this.#context.failed(this.peer, "deadline_exceeded", message);
    this.destroy();
  }
}
