/** The other end of a control port. */
import { type Address, dial, parseAddress } from "../client/address.ts";
import { TransportError } from "../client/types.ts";
import { FrameReader } from "../wire/framing.ts";
import { CONTROL_BODY_BYTES_MAX, decodeControl, encodeControl, parseReply } from "./codec.ts";
import type { ControlErrorCode, ControlReplies, ControlRequest } from "./messages.ts";

/** Why a call has no answer. */
export type ControlFailureKind =
  /** Nobody listens there, or nobody took the connection in time: nothing was asked. */
  | "unreachable"
  /** The connection was made, and no answer came in time. */
  | "timeout"
  /** The connection ended before an answer. */
  | "closed"
  /** What answers is no control port, or one of another version. */
  | "protocol"
  /** The replica says no; `code` and the message have its words. */
  | "refused";

/** A call without an answer. */
export class ControlFailure extends Error {
  override readonly name = "ControlFailure";
  readonly kind: ControlFailureKind;
  /** The replica's own, for `refused`. */
  readonly code: ControlErrorCode | undefined;

  /**
   * @param kind What kind of failure.
   * @param message What happened.
   * @param code The replica's own code.
   */
  constructor(kind: ControlFailureKind, message: string, code?: ControlErrorCode) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** One exchange of messages on a connection, before the request. */
export type Exchange = (message: object) => Promise<unknown>;

/** How to call. */
export interface ControlCallOptions {
  /** For the whole call, in milliseconds. */
  readonly timeoutMs: number;
  /** Proves to the replica who asks; called once, before the request. */
  readonly prove?: (exchange: Exchange) => Promise<void>;
}

/**
 * Puts one request to a replica's control port.
 *
 * @param address `HOST:PORT`, or its parts.
 * @param request What to ask.
 * @param options How long, and how to prove who asks.
 * @returns The answer.
 * @throws {ControlFailure} When there is none.
 */
export async function controlCall<Request extends ControlRequest>(
  address: string | { readonly hostname: string; readonly port: number },
  request: Request,
  options: ControlCallOptions,
): Promise<ControlReplies[Request["request"]]> {
  const target = typeof address === "string" ? parse(address) : withText(address);
  const since = performance.now();
  const conn = await connect(target, options.timeoutMs);
  let isLate = false;
  let isOver = false;
  const close = () => {
    if (isOver) return; // A timer that is due in the same turn as the answer goes off all the same.
    isLate = true;
    conn.close();
  };
  const leftMs = Math.max(1, options.timeoutMs - (performance.now() - since));
  const timer = setTimeout(close, leftMs);
  try {
    const line = new Line(conn);
    if (options.prove !== undefined) await options.prove((message) => line.exchange(message));
    return judge(request, await line.exchange(request));
  } catch (error) {
    if (isLate) throw new ControlFailure("timeout", `no answer within ${options.timeoutMs} ms`);
    if (error instanceof ControlFailure) throw error;
    throw new ControlFailure("closed", `the connection broke: ${textOf(error)}`);
  } finally {
    isOver = true;
    clearTimeout(timer);
    if (!isLate) conn.close();
  }
}

function parse(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new ControlFailure("unreachable", textOf(error));
  }
}

function withText(address: { readonly hostname: string; readonly port: number }): Address {
  return { ...address, text: `${address.hostname}:${address.port}` };
}

async function connect(target: Address, timeoutMs: number): Promise<Deno.TcpConn> {
  try {
    return await dial(target, timeoutMs);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    throw new ControlFailure("unreachable", error.message);
  }
}

function judge<Request extends ControlRequest>(
  request: Request,
  value: unknown,
): ControlReplies[Request["request"]] {
  const verb: Request["request"] = request.request;
  const reply = parseReply(verb, value);
  if (reply === undefined) throw new ControlFailure("protocol", "the answer makes no sense");
  if (reply.status === "error") throw new ControlFailure("refused", reply.message, reply.code);
  return reply as ControlReplies[Request["request"]];
}

/** One connection, one question at a time. */
class Line {
  readonly #conn: Deno.TcpConn;
  readonly #frames = new FrameReader(CONTROL_BODY_BYTES_MAX);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  async exchange(message: object): Promise<unknown> {
    const bytes = encodeControl(message);
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    return await this.#receive();
  }

  async #receive(): Promise<unknown> {
    const frames = this.#frames;
    let status = frames.next();
    while (status === "incomplete") {
      const count = await this.#conn.read(frames.space());
      if (count === null) throw new ControlFailure("closed", "the replica closed the connection");
      frames.received(count);
      status = frames.next();
    }
    if (status !== "frame") {
      throw new ControlFailure("protocol", `what answers is no control port: ${status}`);
    }
    return decodeControl(frames.bytes.subarray(frames.bodyStart, frames.bodyEnd));
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
