import { SocketWriter } from "../server/socket_writer.ts";
import { FrameReader, type FrameStatus } from "../wire/framing.ts";
import { type RefusalCode, writePeerAlive, writePeerRefusal } from "./hello.ts";
import { PEER_GREETING_BYTES_MAX, PEER_PROTOCOL_VERSION } from "./message_types.ts";
import type { PeerDeadlines } from "./options.ts";

/** How long a socket that was told why it ends may take to read that. */
const LINGER_MS = 1_000;

/** Buffers up to this much are kept between two sends, and between two signs of life when it is quiet. */
const KEEP_BYTES = 0x80_0000;
const KEEP_BYTES_QUIET = 0x1_0000;

/** Takes one body; what it answers is waited for before anything else is read. */
export type TakeBody = (view: DataView, at: number, end: number) => void | Promise<void>;

/** What is wrong with a frame, for people. */
const FRAME_FAULTS: Readonly<Record<Exclude<FrameStatus, "frame" | "incomplete">, string>> = {
  frame_too_large: "it announced a frame above the limit",
  unsupported_version: "it sent a frame of another version, or something that is no frame",
  malformed_header: "it sent a frame with a reserved byte that is not 0",
  checksum_mismatch: "it sent a frame that does not match its checksum",
};

/**
 * - `open`: bodies are taken.
 * - `ending`: the last message is written; what still comes in is thrown away until the other side hangs up.
 * - `closed`: the socket is gone.
 */
type Phase = "open" | "ending" | "closed";

/** A socket between two replicas: frames in, frames out, and the deadlines of both. No error gets out of it. */
export class PeerSocket {
  /** The other side's address, for people. */
  readonly address: string;
  readonly writer: SocketWriter;
  /** What the other side did wrong, if that is why it ended. */
  fault: string | undefined;
  readonly #conn: Deno.Conn;
  readonly #tellsStrangers: boolean;
  readonly #frames = new FrameReader(PEER_GREETING_BYTES_MAX);
  #phase: Phase = "open";
  #isGreeted = false;
  #reason = "it closed the connection";
  /** All by `performance.now()`. */
  readonly #openedMs = performance.now();
  #receivedMs = performance.now();
  #wroteMs = performance.now();
  #endingMs = 0;
  /** When the first byte of an unfinished frame came, or 0. */
  #frameMs = 0;

  /**
   * @param conn Connected.
   * @param isAccepted Whether the other side dialled: such a stranger is told what was wrong with its first bytes.
   */
  constructor(conn: Deno.Conn, isAccepted: boolean) {
    this.#conn = conn;
    this.#tellsStrangers = isAccepted;
    const { remoteAddr } = conn;
    const isTcp = remoteAddr.transport === "tcp";
    this.address = isTcp ? `${remoteAddr.hostname}:${remoteAddr.port}` : remoteAddr.transport;
    const sent = (): void => this.#sent();
    this.writer = new SocketWriter(
      conn,
      { bytesSent: 0 },
      sent,
      () => this.close(this.#reason),
      KEEP_BYTES,
    );
  }

  /** Whether messages are still taken and sent. */
  get isOpen(): boolean {
    return this.#phase === "open";
  }

  /** Why it ended, for people: a sentence about the other side. */
  get reason(): string {
    return this.#reason;
  }

  /** Hello is done: from now on it is kept alive, and frames may have this many bytes. */
  greeted(frameBytesMax = PEER_GREETING_BYTES_MAX): void {
    this.#isGreeted = true;
    this.#frames.maxFrameBytes = frameBytesMax;
  }

  /** Gives every body to `take` until the socket's end. Errors are those of `take`. */
  async run(take: TakeBody): Promise<void> {
    for (let count = await this.#read(); count !== null; count = await this.#read()) {
      if (this.#phase !== "open") continue;
      this.#receivedMs = performance.now();
      this.#frames.received(count);
      await this.#takeFrames(take);
    }
    this.close(this.#reason);
  }

  async #read(): Promise<number | null> {
    if (this.#phase === "closed") return null;
    try {
      return await this.#conn.read(this.#frames.space());
    } catch (error) {
      // Reset, a certificate that nobody vouches for, or closed by ourselves: the end all the same.
      if (this.#phase === "open") {
        this.#reason = error instanceof Error ? error.message : `${error}`;
      }
      return null;
    }
  }

  async #takeFrames(take: TakeBody): Promise<void> {
    const frames = this.#frames;
    while (this.#phase === "open") {
      const status = frames.next();
      if (status === "incomplete") {
        if (frames.pendingBytes === 0) this.#frameMs = 0;
        else if (this.#frameMs === 0) this.#frameMs = this.#receivedMs;
        return;
      }
      this.#frameMs = 0;
      if (status !== "frame") return this.#failFrame(status);
      const taken = take(frames.view, frames.bodyStart, frames.bodyEnd);
      if (taken !== undefined) await taken;
    }
  }

  #failFrame(status: keyof typeof FRAME_FAULTS): void {
    if (this.#isGreeted || !this.#tellsStrangers) return this.fail(FRAME_FAULTS[status]);
    this.fault = FRAME_FAULTS[status];
    this.refuse(status, `this port is for replicas and speaks version ${PEER_PROTOCOL_VERSION}`);
  }

  /** Sends what was written in this turn. */
  flush(): void {
    if (this.#phase === "closed") return;
    if (this.writer.out.end > 0) this.#wroteMs = performance.now();
    this.writer.flush();
  }

  /** Says why, and ends once the other side has had the time to read it. */
  refuse(code: RefusalCode, message: string): void {
    if (this.#phase !== "open") return;
    this.#phase = "ending";
    this.#endingMs = performance.now();
    this.#reason = message;
    writePeerRefusal(this.writer.out, code, message);
    this.writer.flush();
  }

  /** Closes the socket because of something that the other side did or did not do. */
  fail(fault: string): void {
    if (this.#phase === "open") this.fault = fault;
    this.close(fault);
  }

  /** Closes the socket; the system keeps it until a write under way ends. The first reason counts. */
  close(reason: string): void {
    if (this.#phase === "closed") return;
    if (this.#phase === "open") this.#reason = reason;
    this.#phase = "closed";
    this.writer.abandon();
    try {
      this.#conn.close();
    } catch {
      // The peer was faster.
    }
  }

  /** Says that this side is here, if it has said nothing for a while. */
  keepAlive(nowMs: number, { aliveMs }: PeerDeadlines): void {
    const isDue = this.#isGreeted && nowMs - this.#wroteMs >= aliveMs;
    if (this.#phase !== "open" || !isDue || this.writer.isSending) return;
    const { out } = this.writer;
    if (out.end === 0) out.clear(KEEP_BYTES_QUIET);
    writePeerAlive(out);
    this.flush();
  }

  /** Closes the socket if the other side is late. */
  sweep(nowMs: number, deadlines: PeerDeadlines): void {
    if (this.#phase === "ending") {
      if (nowMs - this.#endingMs > LINGER_MS) this.close(this.#reason);
    } else if (this.#phase === "open") {
      const fault = this.#overdue(nowMs, deadlines);
      if (fault !== undefined) this.fail(fault);
    }
  }

  #overdue(nowMs: number, deadlines: PeerDeadlines): string | undefined {
    const { handshakeMs, silenceMs, writeMs, frameMs } = deadlines;
    const { sendingSinceMs } = this.writer;
    if (sendingSinceMs > 0 && nowMs - sendingSinceMs > writeMs) {
      return `it took nothing for ${writeMs} ms`;
    }
    if (!this.#isGreeted && nowMs - this.#openedMs > handshakeMs) {
      return `it was not greeted within ${handshakeMs} ms`;
    }
    if (nowMs - this.#receivedMs > silenceMs) return `it said nothing for ${silenceMs} ms`;
    if (this.#frameMs > 0 && nowMs - this.#frameMs > frameMs) {
      return `it took more than ${frameMs} ms over a frame`;
    }
    return undefined;
  }

  #sent(): void {
    if (this.#phase === "ending") void this.#hangUp();
  }

  /** Closing at once, with bytes unread, would make the system throw away what the other side should read. */
  async #hangUp(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch {
      this.close(this.#reason);
    }
  }
}
