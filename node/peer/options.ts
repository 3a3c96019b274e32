/** What a transport between replicas is given, and what it tells. */
import type { Message } from "../vsr/messages.ts";
import type { PeerHello } from "./hello.ts";
import type { LinkFaults } from "./link_faults.ts";

/** One replica of the cluster and where it listens for the others; read anew at each attempt to dial it. */
export interface PeerMember {
  readonly id: bigint;
  readonly hostname: string;
  readonly port: number;
}

/**
 * How replicas prove to each other that they know the cluster's secret. The hello is part of every proof: it says
 * who talks to whom, and carries what the dialling side drew. An exception or a rejected promise counts as a
 * failed proof. Source: docs/wire.md#hello-between-replicas.
 */
export interface PeerAuth {
  /** The dialling side's auth element of hello: fresh random bytes, at most `AUTH_BYTES_MAX`. */
  greeting(): Uint8Array;
  /** The dialled side's challenge, which also proves that it knows the secret; `undefined` when hello has no greeting that fits. */
  challenge(hello: PeerHello): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The dialling side's answer; `undefined` when the challenge does not prove anything. */
  respond(
    hello: PeerHello,
    challenge: Uint8Array,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Whether the answer fits the challenge that the dialled side gave. */
  verify(
    hello: PeerHello,
    challenge: Uint8Array,
    response: Uint8Array,
  ): boolean | Promise<boolean>;
}

/**
 * Certificates for traffic between replicas, all in PEM. Every replica shows its own and checks that of the one it
 * dials; who dials proves itself by {@linkcode PeerAuth}. Deno keeps the socket of somebody who never finishes the
 * handshake until that side closes it.
 */
export interface PeerTls {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authorities: readonly string[];
}

/** Something an operator may want to read in a log. A reason that stays the same is told once, not at every attempt. */
export type PeerEvent =
  /** Our connection to a peer is greeted: we can send. */
  | { readonly kind: "link_up"; readonly peer: bigint; readonly version: string }
  /** It ended. */
  | { readonly kind: "link_down"; readonly peer: bigint; readonly reason: string }
  /** Nobody answers where the peer should be. */
  | { readonly kind: "unreachable"; readonly peer: bigint; readonly reason: string }
  /** A peer does not let us in. `code` is one of `PEER_REFUSALS`, or what a program that is no replica answered. */
  | {
    readonly kind: "refused_by_peer";
    readonly peer: bigint;
    readonly code: string;
    readonly message: string;
  }
  /** We did not let somebody in. `peer` is who it said it is, if it is a member. */
  | {
    readonly kind: "refused_peer";
    readonly peer: bigint | undefined;
    readonly address: string;
    readonly code: string;
    readonly message: string;
  }
  /** A connection that was accepted broke the protocol or a deadline. */
  | {
    readonly kind: "connection_failed";
    readonly peer: bigint | undefined;
    readonly address: string;
    readonly reason: string;
  }
  /** More waits for a peer than it may: its connection is dropped with what waited. */
  | { readonly kind: "queue_full"; readonly peer: bigint; readonly bytes: number }
  /** The system gave no connection; accepting goes on after a pause. */
  | { readonly kind: "accept_failed"; readonly reason: string };

/** See {@linkcode PeerDeadlines}. */
export const PEER_DEADLINES: PeerDeadlines = {
  handshakeMs: 3_000,
  aliveMs: 1_000,
  silenceMs: 10_000,
  writeMs: 5_000,
  frameMs: 30_000,
  backoffMsMin: 50,
  backoffMsMax: 1_000,
};

/** Times that a transport grants and takes, in milliseconds. */
export interface PeerDeadlines {
  /** To connect, or from being connected to being greeted. */
  readonly handshakeMs: number;
  /** A side that has said nothing for so long says that it is alive. */
  readonly aliveMs: number;
  /** A greeted connection on which nothing came for so long is dropped. */
  readonly silenceMs: number;
  /** A connection whose other side takes nothing for so long is dropped. */
  readonly writeMs: number;
  /** From the first byte of a frame to its last. */
  readonly frameMs: number;
  /** Pause after the first failure to connect; doubled with each further one. */
  readonly backoffMsMin: number;
  /** Longest pause. */
  readonly backoffMsMax: number;
}

/** Bytes that may wait for one peer unless told otherwise: twice what a primary has on its way unanswered. */
export const PEER_QUEUE_BYTES = 0x100_0000;

/** How a transport is started. */
export interface PeerTransportOptions {
  readonly replicaId: bigint;
  /** Every replica of the cluster, the own one included. */
  readonly members: readonly PeerMember[];
  /** Where to listen; port 0 takes a free one. */
  readonly listen: { readonly hostname: string; readonly port: number };
  /** 16 bytes. */
  readonly clusterId: Uint8Array;
  /** Of the configuration, 16 bytes. */
  readonly fingerprint: Uint8Array;
  readonly shardId: bigint;
  /** Of the program, told to the others. */
  readonly version: string;
  readonly auth?: PeerAuth | undefined;
  readonly tls?: PeerTls | undefined;
  /** Faults to begin with; none when absent. */
  readonly faults?: LinkFaults | undefined;
  /** A message came; its byte strings are valid until this returns. What it throws is a bug and ends the process. */
  readonly onMessage: (from: bigint, message: Message) => void;
  /** From now on messages to the peer are sent. */
  readonly onLinkUp: (peer: bigint) => void;
  /** From now on messages to the peer are dropped. */
  readonly onLinkDown: (peer: bigint) => void;
  readonly onEvent?: (event: PeerEvent) => void;
  /** Bytes that may wait for one peer. Default 16 MiB. */
  readonly queueBytesMax?: number | undefined;
  readonly deadlines?: Partial<PeerDeadlines> | undefined;
}

/** What passed between a replica and one peer so far, and how it stands now. */
export interface PeerStats {
  readonly id: bigint;
  /** Whether messages to it are sent. */
  readonly connected: boolean;
  /** Whether it is connected to us. */
  readonly accepted: boolean;
  /** Connections to it that were greeted, and those that ended. */
  readonly connects: number;
  readonly disconnects: number;
  /** Connections given up because too much waited. */
  readonly queueOverflows: number;
  /** Messages that were not sent because there was no connection or no room. */
  readonly messagesDropped: number;
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Bytes that wait for the system to take them. */
  readonly bytesUnsent: number;
  /** Messages that link faults dropped, both ways. */
  readonly faultsDropped: number;
  /** Why there is no connection to it, for people; `undefined` when there is one. */
  readonly lastError: string | undefined;
}

/** What passed through a transport so far. */
export interface PeerTransportStats {
  readonly connectionsAccepted: number;
  /** Hellos that were refused. */
  readonly hellosRefused: number;
  /** Accepted connections that broke the protocol or a deadline. */
  readonly connectionsFailed: number;
  /** In order of id. */
  readonly peers: readonly PeerStats[];
}
