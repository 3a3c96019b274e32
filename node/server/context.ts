import type { NodeApi } from "../api.ts";
import type { Transport } from "../auth/handshake.ts";
import type { KeyRing } from "../auth/keys.ts";
import type { ServerDeadlines } from "./options.ts";
import type { PendingPool } from "./pending.ts";
import type { ServerHello } from "../wire/hello.ts";
import type { WireReader } from "../wire/reader.ts";
import type { ServerLimits, ServerStatus, ServerTraffic } from "../wire/status.ts";
import type { SubmitRequest } from "../wire/submit.ts";

/** What a server needs to know of a connection that has something to send. */
export interface Flushable {
  /** Whether a flush is due at the end of this turn; the server's to set. */
  isFlushDue: boolean;
  /** Sends what was written in this turn. */
  flush(): void;
}

/** How clients prove to a server who they are. */
export interface ServerAuth {
  readonly ring: KeyRing;
  readonly transport: Transport;
}

/** Who was not let in, or asked for too much. */
export interface Refusals {
  /** Connections that ended because nobody had proved who he is. */
  readonly unauthenticated: number;
  /** Requests that the proved role may not make. */
  readonly forbidden: number;
}

/** What all connections of one server share. */
export interface ServerContext {
  readonly node: NodeApi;
  readonly limits: ServerLimits;
  readonly deadlines: ServerDeadlines;
  /** How clients prove who they are; absent where they need not. */
  readonly auth: ServerAuth | undefined;
  readonly traffic: { -readonly [Name in keyof ServerTraffic]: ServerTraffic[Name] };
  readonly refusals: { -readonly [Name in keyof Refusals]: Refusals[Name] };
  readonly pool: PendingPool;
  /** Scratch for one message at a time: connections take turns. */
  readonly reader: WireReader;
  readonly submitRequest: SubmitRequest;
  /** True from the moment the server stops: nothing new is taken. */
  isDraining: boolean;
  hello(): ServerHello;
  status(): ServerStatus;
  /** Has `flush` called at the end of this turn. */
  flushLater(connection: Flushable): void;
  /** A connection is closed for breaking the protocol or a deadline. */
  failed(peer: string, code: string, message: string): void;
}
