import type { Message } from "../vsr/messages.ts";
import { readError } from "../wire/hello.ts";
import { writeMessage } from "./codec.ts";
import type { Flushable, Peer, PeerContext } from "./context.ts";
import { dialPeer } from "./dial.ts";
import { helloTo, proof } from "./handshake.ts";
import {
  type PeerHello,
  readPeerAlive,
  readPeerChallenge,
  readPeerWelcome,
  writePeerHello,
  writePeerResponse,
} from "./hello.ts";
import { messageBytes } from "./link_faults.ts";
import { PeerSocket } from "./socket.ts";

/** A connection that lives shorter counts as a failure. */
const STABLE_MS = 1_000;

/** Our connection to one peer, dialled again whenever it ends. Messages go out on it, and signs of life come in. */
export class OutgoingLink implements Flushable {
  /** See {@linkcode Flushable}. */
  isFlushDue = false;
  readonly #context: PeerContext;
  readonly #peer: Peer;
  #socket: PeerSocket | undefined;
  /** Whether the peer has let us in on `#socket`. */
  #isUp = false;
  #hasProof = false;
  /** Whether it was told already why `#socket` ends. */
  #isTold = false;
  #isDialling = false;
  #failures = 0;
  #isClosed = false;
  #wake: (() => void) | undefined;

  /**
   * @param context Of the transport.
   * @param peer Whom to dial.
   */
  constructor(context: PeerContext, peer: Peer) {
    this.#context = context;
    this.#peer = peer;
  }

  /** Whether messages are sent. */
  get isUp(): boolean {
    return this.#isUp && this.#socket?.isOpen === true;
  }

  /** Bytes that wait for the system to take them. */
  get unsentBytes(): number {
    return this.#socket?.writer.unsentBytes ?? 0;
  }

  /** Copies a message into what goes out at the end of this turn, or drops it. */
  send(message: Message): void {
    const { counters } = this.#peer;
    const socket = this.#socket;
    if (socket === undefined || !this.isUp || !this.#hasRoom(socket, message)) {
      counters.messagesDropped++;
      return;
    }
    const { out } = socket.writer;
    const before = out.end;
    writeMessage(out, message);
    counters.messagesSent++;
    counters.bytesSent += out.end - before;
    this.#context.flushLater(this);
  }

  /** A peer that does not keep up is started over with: what it missed it asks for. */
  #hasRoom(socket: PeerSocket, message: Message): boolean {
    const waiting = socket.writer.unsentBytes;
    if (waiting === 0) return true;
    const bytes = waiting + messageBytes(message);
    if (bytes <= this.#context.queueBytesMax) return true;
    this.#peer.counters.queueOverflows++;
    this.#context.tell({ kind: "queue_full", peer: this.#peer.member.id, bytes });
    socket.close(`more than ${this.#context.queueBytesMax} bytes waited for it`);
    return false;
  }

  /** See {@linkcode Flushable}. */
  flush(): void {
    this.#socket?.flush();
  }

  /** Dials, and dials again, until it is closed. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      const socket = await this.#dial();
      if (socket !== undefined) await this.#use(socket);
      if (!this.#isClosed) await this.#pause();
    }
  }

  async #dial(): Promise<PeerSocket | undefined> {
    const { deadlines, options } = this.#context;
    this.#isDialling = true;
    try {
      const conn = await dialPeer(this.#peer.member, options.tls, deadlines.handshakeMs);
      const socket = new PeerSocket(conn, false);
      if (!this.#isClosed) return socket;
      socket.close("");
    } catch (error) {
      if (!this.#isClosed) {
        this.#tellUnreachable(error instanceof Error ? error.message : `${error}`);
      }
    } finally {
      this.#isDialling = false;
    }
    return undefined;
  }

  async #use(socket: PeerSocket): Promise<void> {
    const hello = helloTo(this.#context, this.#peer.member.id);
    this.#socket = socket;
    this.#hasProof = false;
    this.#isTold = false;
    writePeerHello(socket.writer.out, hello);
    socket.flush();
    const sinceMs = performance.now();
    await socket.run((view, at, end) => this.#take(socket, hello, view, at, end));
    if (this.#isUp && performance.now() - sinceMs > STABLE_MS) this.#failures = 0;
    this.#ended(socket);
  }

  #ended(socket: PeerSocket): void {
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#socket = undefined;
    const { member, counters } = this.#peer;
    if (!wasUp) {
      if (!this.#isClosed && !this.#isTold) this.#tellUnreachable(socket.reason);
      return;
    }
    counters.disconnects++;
    if (this.#isClosed) return;
    this.#peer.lastError = socket.reason;
    this.#context.tell({ kind: "link_down", peer: member.id, reason: socket.reason });
    this.#context.options.onLinkDown(member.id);
  }

  #take(
    socket: PeerSocket,
    hello: PeerHello,
    view: DataView,
    at: number,
    end: number,
  ): void | Promise<void> {
    const { reader } = this.#context;
    reader.open(view, at, end);
    if (this.#isUp ? readPeerAlive(reader) : this.#takeWelcome(socket)) return;
    reader.open(view, at, end);
    const error = readError(reader);
    if (error !== undefined) return this.#refused(socket, error.code, error.message);
    reader.open(view, at, end);
    const challenge = this.#isUp || this.#hasProof ? undefined : readPeerChallenge(reader);
    if (challenge === undefined) return socket.fail("it answered what no replica answers");
    return this.#answer(socket, hello, challenge);
  }

  /** False when the body open in the reader is no welcome. */
  #takeWelcome(socket: PeerSocket): boolean {
    const { reader, options } = this.#context;
    const welcome = readPeerWelcome(reader);
    if (welcome === undefined) return false;
    const isMeant = welcome.replicaId === this.#peer.member.id &&
      welcome.clusterId.every((byte, i) => byte === options.clusterId[i]);
    if (!isMeant) socket.fail("it is another replica than the one that was dialled");
    else if (options.auth !== undefined && !this.#hasProof) {
      this.#refused(
        socket,
        "unauthenticated",
        "it did not prove that it knows the cluster's secret",
      );
    } else this.#up(socket, welcome.version);
    return true;
  }

  async #answer(socket: PeerSocket, hello: PeerHello, challenge: Uint8Array): Promise<void> {
    const { auth } = this.#context.options;
    const response = await proof(() => auth?.respond(hello, challenge));
    if (response === undefined) {
      const message = auth === undefined
        ? "it asks for the cluster's secret, and this replica has none"
        : "it did not prove that it knows the cluster's secret";
      return this.#refused(socket, "unauthenticated", message);
    }
    this.#hasProof = true;
    writePeerResponse(socket.writer.out, response);
    socket.flush();
  }

  #up(socket: PeerSocket, version: string): void {
    const { member, counters } = this.#peer;
    socket.greeted();
    this.#isUp = true;
    this.#peer.lastError = undefined;
    counters.connects++;
    for (const what of ["unreachable", "refused by"]) this.#context.forget(`${what} ${member.id}`);
    this.#context.tell({ kind: "link_up", peer: member.id, version });
    this.#context.options.onLinkUp(member.id);
  }

  #refused(socket: PeerSocket, code: string, message: string): void {
    const { member } = this.#peer;
    this.#isTold = true;
    this.#peer.lastError = `${code}: ${message}`;
    if (this.#context.isNews(`refused by ${member.id}`, code)) {
      this.#context.tell({ kind: "refused_by_peer", peer: member.id, code, message });
    }
    socket.close(message);
  }

  #tellUnreachable(reason: string): void {
    const { member } = this.#peer;
    this.#peer.lastError = reason;
    if (!this.#context.isNews(`unreachable ${member.id}`, reason)) return;
    this.#context.tell({ kind: "unreachable", peer: member.id, reason });
  }

  /** Longer with each failure, and not the same on two replicas that failed together. */
  #pause(): Promise<void> {
    const { backoffMsMin, backoffMsMax } = this.#context.deadlines;
    const doubled = backoffMsMin * 2 ** Math.min(this.#failures++, 20);
    const ms = Math.min(doubled, backoffMsMax) * (0.5 + this.#context.random() / 2);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The peer is there for certain: it has just dialled us. */
  hurry(): void {
    if (!this.#isUp) this.#wake?.();
  }

  /** The connection there is, greeted or not. */
  get socket(): PeerSocket | undefined {
    return this.#socket;
  }

  /** Ends the connection, and dials no more. */
  close(): void {
    this.#isClosed = true;
    this.#socket?.close("this replica stops");
    this.#wake?.();
  }

  /** Whether it is being dialled, which cannot be taken back. */
  get isDialling(): boolean {
    return this.#isDialling;
  }
}
