import { FRAME_HEADER_BYTES, FrameReader, type FrameStatus } from "../wire/framing.ts";
import { CONTROL_BODY_BYTES_MAX, decodeControl, encodeControl, parseRequest } from "./codec.ts";
import { controlError, type ControlErrorReply } from "./messages.ts";
import type { ControlGuard, ControlHandler } from "./handler.ts";

/** Times that a connection is granted, in milliseconds. */
export interface ControlDeadlines {
  /** From a request's first byte to its last; for the reading of a reply; for the last words. */
  readonly requestMs: number;
  /** Without a request. */
  readonly idleMs: number;
}

/** Most requests that one connection may put: an end to every loop. */
const REQUESTS_MAX = 1_000_000;

/** One operator. Requests are answered one after the other; nothing gets out of here as an exception. */
export class ControlConnection {
  /** Whether a request is being carried out or answered. */
  isAnswering = false;
  /** Whether the system still has bytes that it cannot give back. */
  isStuck = false;
  readonly #conn: Deno.TcpConn;
  readonly #handler: ControlHandler;
  readonly #deadlines: ControlDeadlines;
  readonly #guard: ControlGuard | undefined;
  readonly #frames = new FrameReader(CONTROL_BODY_BYTES_MAX);
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param conn An accepted socket.
   * @param handler Carries out requests.
   * @param deadlines Times that are granted.
   * @param guard Decides who may ask.
   */
  constructor(
    conn: Deno.TcpConn,
    handler: ControlHandler,
    deadlines: ControlDeadlines,
    guard: ControlGuard | undefined,
  ) {
    this.#conn = conn;
    this.#handler = handler;
    this.#deadlines = deadlines;
    this.#guard = guard;
  }

  /** Serves until the caller hangs up or breaks a rule. */
  async run(): Promise<void> {
    try {
      this.#conn.setNoDelay(true);
      await this.#serve();
    } catch {
      // The caller is gone, or took too long.
    } finally {
      this.destroy();
    }
  }

  /** Closes the socket. */
  destroy(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#conn.close();
    } catch {
      // The caller was faster.
    }
  }

  async #serve(): Promise<void> {
    for (let i = 0; i < REQUESTS_MAX; i++) {
      const status = await this.#receive();
      if (status === "end") return;
      if (status !== "frame") return await this.#end(refusalOf(status));
      this.isAnswering = true;
      await this.#send(await this.#answer());
      this.isAnswering = false;
    }
  }

  /** Reads until a frame is whole, the caller has nothing more to say, or it took too long. */
  async #receive(): Promise<Received> {
    const frames = this.#frames;
    const { requestMs, idleMs } = this.#deadlines;
    let isLate = false;
    const expire = () => {
      isLate = true;
      if (frames.pendingBytes === 0) return this.destroy();
      this.#sayLast(refusalOf("late")).catch(() => this.destroy());
    };
    for (let status = frames.next(), started = false;;) {
      if (status !== "incomplete") {
        clearTimeout(this.#timer);
        return status;
      }
      if (!started) this.#grant(frames.pendingBytes > 0 ? requestMs : idleMs, expire);
      started = frames.pendingBytes > 0;
      const count = await this.#conn.read(frames.space());
      if (count === null) return "end";
      if (isLate) continue; // Thrown away.
      frames.received(count);
      status = frames.next();
    }
  }

  async #answer(): Promise<object> {
    const { bytes, bodyStart, bodyEnd } = this.#frames;
    const message = decodeControl(bytes.subarray(bodyStart, bodyEnd));
    try {
      const verdict = await this.#guard?.check(message) ?? "pass";
      if (verdict !== "pass") return verdict;
      const request = parseRequest(message);
      if (request === undefined) return controlError("malformed_request", whatIsWrong(message));
      return await this.#handler(request);
    } catch (error) {
      return controlError("failed", error instanceof Error ? error.message : String(error));
    }
  }

  async #send(reply: object): Promise<void> {
    const frame = encodeReply(reply);
    this.#grant(this.#deadlines.requestMs, () => this.destroy());
    this.isStuck = true;
    try {
      for (let at = 0; at < frame.length;) at += await this.#conn.write(frame.subarray(at));
    } finally {
      this.isStuck = false;
      clearTimeout(this.#timer);
    }
  }

  /** Says why, and reads what is still coming: closing with bytes unread would take the reason away again. */
  async #end(refusal: ControlErrorReply): Promise<void> {
    await this.#sayLast(refusal);
    const waste = new Uint8Array(4_096);
    for (let i = 0; i < WASTE_READS_MAX && await this.#conn.read(waste) !== null; i++);
  }

  /** The last message; the socket is closed once the caller has had the time to read it. */
  async #sayLast(refusal: ControlErrorReply): Promise<void> {
    await this.#send(refusal);
    await this.#conn.closeWrite();
    this.#grant(this.#deadlines.requestMs, () => this.destroy());
  }

  #grant(ms: number, expire: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(expire, ms);
  }
}

/** As much of a stranger's talk is thrown away before the socket is closed on him. */
const WASTE_READS_MAX = 1_024;

type Received = Exclude<FrameStatus, "incomplete"> | "end";

function refusalOf(status: Exclude<Received, "frame" | "end"> | "late"): ControlErrorReply {
  if (status === "late") return controlError("deadline_exceeded", "the request took too long");
  return controlError("malformed_frame", `this is no request to a control port: ${status}`);
}

function whatIsWrong(message: unknown): string {
  if (typeof message !== "object" || message === null || !("request" in message)) {
    return "the message is no map with a request";
  }
  return `unknown or malformed control command \`${String(message.request).slice(0, 40)}\``;
}

/** A reply that is too long for a frame is replaced by that fact. */
function encodeReply(reply: object): Uint8Array<ArrayBuffer> {
  const frame = encodeControl(reply);
  if (frame.length <= FRAME_HEADER_BYTES + CONTROL_BODY_BYTES_MAX) return frame;
  return encodeControl(controlError("failed", "the reply exceeds the largest frame"));
}
