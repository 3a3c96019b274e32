import { FRAME_HEADER_BYTES } from "../wire/framing.ts";
import { readMessage } from "./codec.ts";
import type { Peer, PeerContext } from "./context.ts";
import { type HelloRefusal, proof, refusalOf, UNAUTHENTICATED } from "./handshake.ts";
import {
  type PeerHello,
  readPeerAlive,
  readPeerHello,
  readPeerResponse,
  writePeerChallenge,
  writePeerWelcome,
} from "./hello.ts";
import { PEER_FRAME_BYTES_MAX, PEER_PROTOCOL_VERSION } from "./message_types.ts";
import { PeerSocket } from "./socket.ts";

/** What is known of the other side while it has to prove itself. */
interface Candidate {
  readonly hello: PeerHello;
  readonly peer: Peer;
  readonly challenge: Uint8Array;
}

/** A connection that somebody else dialled: messages come in on it, and only signs of life go out. */
export class IncomingLink {
  /** Who is there, once it is let in. */
  peer: Peer | undefined;
  readonly socket: PeerSocket;
  readonly #context: PeerContext;
  readonly #onLetIn: (link: IncomingLink, peer: Peer) => void;
  #candidate: Candidate | undefined;

  /**
   * @param conn Accepted.
   * @param context Of the transport.
   * @param onLetIn Called when the other side is let in, before its first message.
   */
  constructor(
    conn: Deno.Conn,
    context: PeerContext,
    onLetIn: (link: IncomingLink, peer: Peer) => void,
  ) {
    this.#context = context;
    this.#onLetIn = onLetIn;
    this.socket = new PeerSocket(conn, true);
  }

  /** Takes in what comes until the connection ends. */
  async run(): Promise<void> {
    await this.socket.run((view, at, end) => this.#take(view, at, end));
    if (this.socket.fault !== undefined) this.#tellFault(this.socket.fault);
  }

  #take(view: DataView, at: number, end: number): void | Promise<void> {
    const { reader } = this.#context;
    reader.open(view, at, end);
    if (this.peer === undefined) return this.#greet();
    const message = readMessage(reader);
    if (message !== undefined) {
      this.peer.counters.messagesReceived++;
      this.peer.counters.bytesReceived += FRAME_HEADER_BYTES + end - at;
      return this.peer.inward.pass(message);
    }
    reader.open(view, at, end);
    if (!readPeerAlive(reader)) this.socket.fail("it sent what is no message");
  }

  #greet(): void | Promise<void> {
    const { reader } = this.#context;
    if (this.#candidate !== undefined) {
      return this.#takeResponse(this.#candidate, readPeerResponse(reader));
    }
    const hello = readPeerHello(reader);
    if (hello === undefined) {
      this.socket.fault = "it did not begin with a replica's hello";
      return this.socket.refuse("unexpected_message", "this port is for replicas alone");
    }
    if (hello === "unsupported_version") {
      const message = `this replica speaks version ${PEER_PROTOCOL_VERSION}`;
      return this.#refuse(undefined, { code: hello, message });
    }
    return this.#takeHello(hello);
  }

  #takeHello(hello: PeerHello): void | Promise<void> {
    const refusal = refusalOf(this.#context, hello);
    if (refusal !== undefined) return this.#refuse(hello.from, refusal);
    const peer = this.#context.peers.get(hello.from)!;
    if (this.#context.options.auth === undefined) this.#letIn(peer);
    else return this.#challenge(hello, peer);
  }

  async #challenge(hello: PeerHello, peer: Peer): Promise<void> {
    const { auth } = this.#context.options;
    const challenge = hello.auth && await proof(() => auth?.challenge(hello));
    if (challenge === undefined) return this.#refuse(hello.from, UNAUTHENTICATED);
    this.#candidate = { hello, peer, challenge };
    writePeerChallenge(this.socket.writer.out, challenge);
    this.socket.flush();
  }

  async #takeResponse(candidate: Candidate, response: Uint8Array | undefined): Promise<void> {
    const { hello, peer, challenge } = candidate;
    const { auth } = this.#context.options;
    const isProved = response !== undefined &&
      await proof(() => auth?.verify(hello, challenge, response)) === true;
    if (isProved) this.#letIn(peer);
    else this.#refuse(hello.from, UNAUTHENTICATED);
  }

  #letIn(peer: Peer): void {
    if (!this.socket.isOpen) return;
    const { clusterId, replicaId, version } = this.#context.options;
    writePeerWelcome(this.socket.writer.out, { clusterId, replicaId, version });
    this.socket.greeted(PEER_FRAME_BYTES_MAX);
    this.socket.flush();
    this.peer = peer;
    this.#onLetIn(this, peer);
  }

  #refuse(from: bigint | undefined, { code, message }: HelloRefusal): void {
    const context = this.#context;
    context.hellosRefused++;
    const peer = from !== undefined && context.peers.has(from) ? from : undefined;
    if (context.isNews(`refused ${peer ?? "a stranger"}`, code)) {
      const { address } = this.socket;
      context.tell({ kind: "refused_peer", peer, address, code, message });
    }
    this.socket.refuse(code, message);
  }

  #tellFault(reason: string): void {
    const context = this.#context;
    context.connectionsFailed++;
    const peer = this.peer?.member.id;
    if (!context.isNews(`failed ${peer ?? "a stranger"}`, reason)) return;
    context.tell({ kind: "connection_failed", peer, address: this.socket.address, reason });
  }
}
