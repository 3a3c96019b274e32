/** What the client takes and answers. Source: docs/wire.md, docs/semantics.md. */
import type { ResultName } from "../../core/outcome.ts";
import type { Rejection } from "../api.ts";
import type { ClusterHello } from "../wire/cluster.ts";

/**
 * Where the servers are and how long to try. One replica's address is enough to find the others, as long as it
 * answers when the client connects.
 */
export interface ConnectOptions {
  /** One server, `host:port`. */
  readonly address?: string;
  /** Several, tried in turn. Together with `address` they make one list, which must not be empty. */
  readonly addresses?: readonly string[];
  /** Half of every retry key; 128 random bits unless told. Two live clients must not share one. */
  readonly clientId?: bigint;
  /** How this client is called in the server's log. */
  readonly clientName?: string;
  /** The 16 bytes of the cluster to insist on. Unless told, the first server's answer is insisted on. */
  readonly clusterId?: Uint8Array;
  /**
   * The text of a file with the cluster's secret or with a key derived from it. With it the client proves who it
   * is, and talks only to servers that prove themselves. Whoever has the secret is an operator.
   */
  readonly secret?: string | undefined;
  /**
   * Certificates, in PEM, of the authorities that may vouch for a server: with them every connection is TLS, and the
   * server's certificate must name the host of its address.
   */
  readonly tlsAuthorities?: string | undefined;
  /** How long one call may take in all, every retry included. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /**
   * How long a server may stay silent while it owes a reply before the next one is tried. Default 3,000, and
   * 1,000 where there is another one.
   */
  readonly silenceTimeoutMs?: number;
  /** How long one connection attempt may take, hello included. Default 3,000. */
  readonly connectTimeoutMs?: number;
  /** Longest pause between two rounds of attempts; they begin with 20 and grow with the time without a server. Default 500. */
  readonly reconnectBackoffMsMax?: number;
  /** Submit requests under way before further commands are gathered into one. Default 4. */
  readonly submitWindow?: number;
}

/** Per call, on top of {@linkcode ConnectOptions}. */
export interface CallOptions {
  /** How long this call may take in all. */
  readonly timeoutMs?: number;
}

/** Per write. */
export interface WriteOptions extends CallOptions {
  /** The client's own slot instead of the node's clock; for tests and manual operation. */
  readonly slot?: bigint;
}

/** What every command has. */
export interface CommandBase {
  /**
   * The retry key: the same id with the same content is applied once. 128 random bits unless told;
   * the result carries it.
   */
  readonly operationId?: bigint;
}

/** How long a reservation may stay unconfirmed. Milliseconds are rounded up to whole slots. */
export type Ttl =
  | { readonly ttlMs: number; readonly ttlSlots?: undefined }
  | { readonly ttlSlots: bigint; readonly ttlMs?: undefined };

/** Makes a resource. */
export interface CreateResource extends CommandBase {
  /** Which resource. */
  readonly resourceId: bigint;
}

/** Claims one resource for a holder. */
export type Reserve = CommandBase & Ttl & {
  readonly resourceId: bigint;
  readonly holderId: bigint;
};

/** Claims several resources for a holder, all or none. */
export type ReserveBundle = CommandBase & Ttl & {
  readonly resourceIds: readonly bigint[];
  readonly holderId: bigint;
};

/** Names a reservation as its holder: what confirm and release need. */
export interface HolderAction extends CommandBase {
  /** Which reservation. */
  readonly reservationId: bigint;
  /** On whose behalf. */
  readonly holderId: bigint;
  /** The fencing token of the claim, as the reserve answered it. */
  readonly epoch: bigint;
}

/** Names a reservation as its owner's operator: what revoke and reclaim need. */
export interface OperatorAction extends CommandBase {
  /** Which reservation. */
  readonly reservationId: bigint;
}

/** Any command, for {@linkcode AllocDbClient.submitMany}. */
export type ClientCommand =
  | (CreateResource & { readonly kind: "create_resource" })
  | (Reserve & { readonly kind: "reserve" })
  | (ReserveBundle & { readonly kind: "reserve_bundle" })
  | (HolderAction & { readonly kind: "confirm" | "release" })
  | (OperatorAction & { readonly kind: "revoke" | "reclaim" });

/** Applied and durable; whether it did what was asked is `ok`. */
export interface Committed {
  /** Tells the members of the union apart. */
  readonly kind: "committed";
  /** How it ended. */
  readonly code: ResultName;
  /** True when `code` is `ok`. */
  readonly ok: boolean;
  /** Where in the order of all commands it was applied. */
  readonly appliedLsn: bigint;
  /** With `epoch` and `deadlineSlot`: after a reserve that succeeded. */
  readonly reservationId: bigint | undefined;
  /** Fencing token of the claim. */
  readonly epoch: bigint | undefined;
  /** Slot from which on the claim may expire. */
  readonly deadlineSlot: bigint | undefined;
  /** True when an earlier attempt decided it and the server remembered. */
  readonly fromRetryCache: boolean;
  /** The retry key. */
  readonly operationId: bigint;
}

/** The command never left this program, or nobody took it: it certainly did not happen. */
export interface NotSent {
  /** It certainly did not happen. */
  readonly category: "definite";
  /** Tells it from the server's rejections. */
  readonly code: "not_sent";
  /** What went wrong. */
  readonly reason: TransportErrorCode;
  /** In the words of a person. */
  readonly message: string;
}

/** It certainly did not happen. */
export interface Rejected {
  /** Tells the members of the union apart. */
  readonly kind: "rejected";
  /** Why it did not happen. */
  readonly rejection: Extract<Rejection, { readonly category: "definite" }> | NotSent;
  /** The retry key. */
  readonly operationId: bigint;
}

/**
 * It may or may not have happened. Sending the same content with the same `operationId`, by the same
 * client id, is safe as long as the server remembers operations.
 */
export interface Unknown {
  /** Tells the members of the union apart. */
  readonly kind: "unknown";
  /** What the last attempt ended with. */
  readonly reason: Rejection["code"] | TransportErrorCode;
  /** In the words of a person. */
  readonly message: string;
  /** The retry key. */
  readonly operationId: bigint;
}

/** How one command ended. */
export type SubmitResult = Committed | Rejected | Unknown;

/** Why a call failed for reasons that are nobody's business outcome. */
export type TransportErrorCode =
  /** No server could be reached. */
  | "unreachable"
  /** The connection ended before the reply. */
  | "connection_lost"
  /** The deadline passed before the reply. */
  | "timeout"
  /** The deadline passed, and servers that answered said that they are not primary. */
  | "no_primary"
  /** `close` was called. */
  | "closed"
  /** The server belongs to another cluster. */
  | "wrong_cluster"
  /** The server and the client could not prove to each other that they know the same secret. */
  | "unauthenticated"
  /** The role that was proved may not ask for this. */
  | "forbidden"
  /** The server speaks another version of the protocol. */
  | "wrong_version"
  /** The server, or something in between, broke the protocol. */
  | "protocol_error"
  /** The server refused this request or this connection; the message has its words. */
  | "refused";

/** A call that got no answer. Writes do not throw it: they answer `rejected` or `unknown`. */
export class TransportError extends Error {
  /** Stable class name, kept through bundling. */
  override readonly name = "TransportError";
  /** What went wrong, for programs. */
  readonly code: TransportErrorCode;

  /**
   * Makes the error.
   *
   * @param code What went wrong.
   * @param message In the words of a person.
   */
  constructor(code: TransportErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Bounds and identity that a server states when a connection opens. */
export interface ServerInfo {
  /** `host:port` this client dialled. */
  readonly address: string;
  /** 16 bytes, made once when the data directory was. */
  readonly clusterId: Uint8Array;
  /** Of the server's program. */
  readonly version: string;
  /** High half of every reservation id. */
  readonly shardId: bigint;
  /** Real length of a slot. */
  readonly slotDurationMs: number;
  /** Largest frame body either way. */
  readonly maxFrameBytes: number;
  /** Largest encoded command. */
  readonly maxCommandBytes: number;
  /** Commands in one request. */
  readonly maxBatchCommands: number;
  /** Resources in one bundle. */
  readonly maxBundleSize: number;
  /** Longest time to live. */
  readonly maxTtlSlots: bigint;
  /** The server's slot when the connection opened. */
  readonly currentSlot: bigint;
  /** The replicas, and which was primary when the connection opened; absent where one node is all there is. */
  readonly cluster?: ClusterHello | undefined;
}
