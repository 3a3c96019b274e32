/** Replicas in touch: what each says to the others over TCP. Source: docs/wire.md#replicas. */
import { assert } from "../../core/assert.ts";
import type { Message } from "../vsr/messages.ts";
import { WireReader } from "../wire/reader.ts";
import type { Flushable, Peer, PeerContext, PeerCounters } from "./context.ts";
import { listenForPeers } from "./dial.ts";
import { digestOf } from "./handshake.ts";
import { IncomingLink } from "./incoming.ts";
import type { LinkPorts } from "./line.ts";
import { FaultyLink, type LinkFaults } from "./link_faults.ts";
import {
  PEER_DEADLINES,
  PEER_QUEUE_BYTES,
  type PeerDeadlines,
  type PeerEvent,
  type PeerMember,
  type PeerStats,
  type PeerTransportOptions,
  type PeerTransportStats,
} from "./options.ts";
import { OutgoingLink } from "./outgoing.ts";
import { ToldOnce } from "./told_once.ts";

/** Pause after the system refused to give a connection: out of file handles, most likely. */
const ACCEPT_RETRY_MS = 100;

/** Accepted connections that nobody has vouched for yet; the oldest goes when there is one more. */
const STRANGERS_MAX = 64;

/** Deadlines are looked at this often, or four times in the shortest of them. */
const SWEEP_MS = 250;

/**
 * Starts listening for the other replicas and dialling them.
 *
 * @param options Who this is, who the others are, and who is told.
 * @returns A transport that is listening.
 * @throws {Deno.errors.AddrInUse} When the port is taken; other errors of `Deno.listen` likewise.
 */
export function startPeerTransport(options: PeerTransportOptions): PeerTransport {
  return new PeerTransport(options);
}

/** See {@linkcode startPeerTransport}. */
export class PeerTransport implements AsyncDisposable {
  /** Where it listens. */
  readonly addr: Deno.NetAddr;
  readonly #options: PeerTransportOptions;
  readonly #deadlines: PeerDeadlines;
  readonly #listener: Deno.Listener<Deno.Conn, Deno.NetAddr>;
  readonly #context: PeerContext;
  readonly #told = new ToldOnce();
  readonly #peers = new Map<bigint, Peer>();
  readonly #outgoing = new Map<bigint, OutgoingLink>();
  readonly #incoming = new Map<bigint, IncomingLink>();
  /** Every accepted connection, in order, and when it ends. */
  readonly #accepted = new Map<IncomingLink, Promise<void>>();
  readonly #running: readonly { readonly link: OutgoingLink; readonly end: Promise<void> }[];
  readonly #accepting: Promise<void>;
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #sweepMs: number;
  readonly #flushAll = (): void => this.#flush();
  #sweptMs = performance.now();
  #flushDue: Flushable[] = [];
  #flushing: Flushable[] = [];
  #connectionsAccepted = 0;
  #closed: Promise<void> | undefined;

  /** See {@linkcode startPeerTransport}. */
  constructor(options: PeerTransportOptions) {
    this.#options = options;
    this.#deadlines = { ...PEER_DEADLINES, ...options.deadlines };
    this.#listener = listenForPeers(options.listen, options.tls);
    this.addr = this.#listener.addr;
    this.#context = this.#createContext();
    for (const member of options.members) {
      if (member.id !== options.replicaId) this.#addPeer(member);
    }
    if (options.faults !== undefined) this.setFaults(options.faults);
    this.#sweepMs = sweepIntervalMs(this.#deadlines);
    this.#sweeper = setInterval(() => this.#sweep(), this.#sweepMs);
    this.#accepting = this.#accept();
    this.#running = [...this.#outgoing.values()].map((link) => ({ link, end: link.run() }));
  }

  /**
   * Sends a message if there is a connection to the peer, and drops it otherwise. Its byte strings are copied before
   * this returns; it leaves with everything else of this turn.
   */
  send(to: bigint, message: Message): void {
    const peer = this.#peers.get(to);
    assert(peer !== undefined, "peer/sends-to-members");
    if (this.#closed === undefined) peer.outward.pass(message);
  }

  /** Lets what was sent leave at once instead of at the end of the turn: this thread is about to be busy. */
  sendNow(): void {
    this.#flush();
  }

  /** From now on this happens between this replica and the others; `undefined` is fair weather. */
  setFaults(faults: LinkFaults | undefined): void {
    for (const [id, { outward, inward }] of this.#peers) {
      outward.setFault(faults?.toPeer(id));
      inward.setFault(faults?.fromPeer(id));
    }
  }

  /** What passed through so far, and how it stands. */
  stats(): PeerTransportStats {
    const { hellosRefused, connectionsFailed } = this.#context;
    const peers = [...this.#peers.keys()].sort((a, b) => a < b ? -1 : 1);
    return {
      ...{ connectionsAccepted: this.#connectionsAccepted, hellosRefused, connectionsFailed },
      peers: peers.map((id) => this.#statsOf(id)),
    };
  }

  #statsOf(id: bigint): PeerStats {
    const { counters, lastError, outward, inward } = this.#peers.get(id)!;
    const link = this.#outgoing.get(id)!;
    return {
      ...{ id, connected: link.isUp, accepted: this.#incoming.has(id), ...counters },
      bytesUnsent: link.unsentBytes,
      faultsDropped: outward.dropped + inward.dropped,
      lastError: link.isUp ? undefined : lastError,
    };
  }

  /** Listens and dials no more, and closes every connection as it is. A second call waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** See {@linkcode PeerTransport.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#listener.close();
    for (const { outward, inward } of this.#peers.values()) {
      outward.close();
      inward.close();
    }
    for (const { link } of this.#running) link.close();
    for (const { socket } of this.#accepted.keys()) socket.close("this replica stops");
    const dialled = this.#running.filter(({ link }) => !link.isDialling).map(({ end }) => end);
    await Promise.allSettled([this.#accepting, ...dialled, ...this.#accepted.values()]);
  }

  async #accept(): Promise<void> {
    while (this.#closed === undefined) {
      try {
        this.#welcome(await this.#listener.accept());
      } catch (error) {
        if (this.#closed !== undefined) return;
        const reason = error instanceof Error ? error.message : String(error);
        this.#context.tell({ kind: "accept_failed", reason });
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  #welcome(conn: Deno.Conn): void {
    this.#connectionsAccepted++;
    const link = new IncomingLink(conn, this.#context, (from, peer) => this.#letIn(from, peer));
    try {
      if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
    } catch {
      // Gone already, as reading from it will show.
    }
    this.#accepted.set(link, this.#serve(link));
    const strangers = [...this.#accepted.keys()].filter(({ peer }) => peer === undefined);
    if (strangers.length > STRANGERS_MAX) strangers[0]!.socket.fail("too many are greeted at once");
  }

  async #serve(link: IncomingLink): Promise<void> {
    await link.run();
    this.#accepted.delete(link);
    const id = link.peer?.member.id;
    if (id !== undefined && this.#incoming.get(id) === link) this.#incoming.delete(id);
  }

  /** A peer dials anew when it has lost its connection, which may not be known here yet: the newer one counts. */
  #letIn(link: IncomingLink, { member }: Peer): void {
    this.#incoming.get(member.id)?.socket.close("it dialled again");
    this.#incoming.set(member.id, link);
    this.#context.forget(`refused ${member.id}`);
    this.#outgoing.get(member.id)!.hurry();
  }

  /** After a pause of the whole process everybody looks late, although what they said waits to be read. */
  #sweep(): void {
    const nowMs = performance.now();
    const wasPaused = nowMs - this.#sweptMs > 2 * this.#sweepMs;
    this.#sweptMs = nowMs;
    const dialled = [...this.#outgoing.values()].map(({ socket }) => socket);
    for (const socket of [...dialled, ...[...this.#accepted.keys()].map((link) => link.socket)]) {
      socket?.keepAlive(nowMs, this.#deadlines);
      if (!wasPaused) socket?.sweep(nowMs, this.#deadlines);
    }
  }

  #flushLater(link: Flushable): void {
    if (link.isFlushDue) return;
    link.isFlushDue = true;
    if (this.#flushDue.push(link) === 1) queueMicrotask(this.#flushAll);
  }

  #flush(): void {
    const due = this.#flushDue;
    this.#flushDue = this.#flushing;
    this.#flushing = due;
    for (const link of due) {
      link.isFlushDue = false;
      link.flush();
    }
    due.length = 0;
  }

  #addPeer(member: PeerMember): void {
    const { onMessage, queueBytesMax = PEER_QUEUE_BYTES } = this.#options;
    const { id } = member;
    const link = (deliver: (message: Message) => void): FaultyLink =>
      new FaultyLink(REAL_PORTS, deliver, queueBytesMax);
    const peer: Peer = {
      member,
      counters: emptyCounters(),
      outward: link((message) => outgoing.send(message)),
      inward: link((message) => onMessage(id, message)),
      lastError: undefined,
    };
    const outgoing = new OutgoingLink(this.#context, peer);
    this.#peers.set(id, peer);
    this.#outgoing.set(id, outgoing);
  }

  #createContext(): PeerContext {
    const { queueBytesMax = PEER_QUEUE_BYTES } = this.#options;
    return {
      options: this.#options,
      deadlines: this.#deadlines,
      queueBytesMax,
      membersDigest: digestOf(this.#options),
      peers: this.#peers,
      reader: new WireReader(),
      hellosRefused: 0,
      connectionsFailed: 0,
      tell: (event: PeerEvent) => this.#options.onEvent?.(event),
      isNews: (subject, text) => this.#told.isNews(subject, text, performance.now()),
      forget: (subject) => this.#told.forget(subject),
      random: Math.random,
      flushLater: (link) => this.#flushLater(link),
    };
  }
}

const REAL_PORTS: LinkPorts = {
  nowMs: () => performance.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

function emptyCounters(): PeerCounters {
  return {
    ...{ connects: 0, disconnects: 0, queueOverflows: 0, messagesDropped: 0 },
    ...{ messagesSent: 0, messagesReceived: 0, bytesSent: 0, bytesReceived: 0 },
  };
}

function sweepIntervalMs(
  { handshakeMs, aliveMs, silenceMs, writeMs, frameMs }: PeerDeadlines,
): number {
  const shortest = Math.min(handshakeMs, aliveMs, silenceMs, writeMs, frameMs);
  return Math.min(SWEEP_MS, Math.max(10, Math.floor(shortest / 4)));
}
