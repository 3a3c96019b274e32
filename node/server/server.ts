/** The server: speaks docs/wire.md on TCP for one node. */
import type { NodeApi } from "../api.ts";
import { KeyRing } from "../auth/keys.ts";
import { ServerConnection } from "./connection.ts";
import type { Flushable, Refusals, ServerAuth, ServerContext } from "./context.ts";
import {
  DEFAULT_PORT,
  type ServerDeadlines,
  serverDeadlines,
  type ServerEvent,
  serverLimits,
  type ServerOptions,
} from "./options.ts";
import { listenTls } from "../io/tls_listener.ts";
import { PendingPool } from "./pending.ts";
import type { ClusterHello, Member } from "../wire/cluster.ts";
import { type ServerHello, writeError } from "../wire/hello.ts";
import { WireReader } from "../wire/reader.ts";
import type { ServerLimits, ServerStatus, ServerTraffic } from "../wire/status.ts";
import { createSubmitRequest } from "../wire/submit.ts";
import { WireWriter } from "../wire/writer.ts";

/** Pause after the system refused to give a connection: out of file handles, most likely. */
const ACCEPT_RETRY_MS = 100;

/**
 * Starts serving clients.
 *
 * @param node Who answers.
 * @param options Where to listen, and bounds.
 * @returns A server that is listening.
 * @throws {RangeError} When a bound makes no sense.
 * @throws {Deno.errors.AddrInUse} When the port is taken; other errors of `Deno.listen` likewise.
 */
export function startServer(node: NodeApi, options: ServerOptions): Server {
  return new Server(node, options);
}

/** A listening server. */
export class Server implements AsyncDisposable {
  /** Where it listens. */
  readonly addr: Deno.NetAddr;
  readonly #node: NodeApi;
  readonly #version: string;
  readonly #onEvent: (event: ServerEvent) => void;
  readonly #members: (() => readonly Member[]) | undefined;
  readonly #limits: ServerLimits;
  readonly #deadlines: ServerDeadlines;
  readonly #listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn>;
  readonly #context: ServerContext;
  readonly #connections = new Map<ServerConnection, Promise<void>>();
  readonly #startedMs = performance.now();
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #accepting: Promise<void>;
  readonly #flushAll = (): void => this.#flush();
  #flushDue: Flushable[] = [];
  #flushing: Flushable[] = [];
  #drained: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  /** See {@linkcode startServer}. */
  constructor(node: NodeApi, options: ServerOptions) {
    this.#node = node;
    this.#version = options.version;
    this.#onEvent = options.onEvent ?? ((): void => {});
    this.#members = options.members;
    this.#limits = serverLimits(options);
    this.#deadlines = serverDeadlines(options);
    this.#listener = listenTo(options);
    this.addr = this.#listener.addr as Deno.NetAddr;
    this.#context = this.#createContext(authOf(options));
    this.#sweeper = setInterval(() => this.#sweep(), sweepIntervalMs(this.#deadlines));
    this.#accepting = this.#accept();
  }

  /** What passed through so far. */
  traffic(): ServerTraffic {
    return { ...this.#context.traffic, connectionsOpen: this.#connections.size };
  }

  /** Who was not let in so far. */
  refusals(): Refusals {
    return { ...this.#context.refusals };
  }

  /** Everything about this server; what `status` answers on the wire. */
  status(): ServerStatus {
    const { identity } = this.#node;
    const memory = Deno.memoryUsage();
    return {
      clusterId: identity.clusterId,
      replicaId: identity.replicaId,
      version: this.#version,
      uptimeMs: Math.round(performance.now() - this.#startedMs),
      currentSlot: this.#node.currentSlot(),
      core: identity.core,
      engine: identity.engine,
      limits: this.#limits,
      traffic: this.traffic(),
      memory: {
        rssBytes: memory.rss,
        heapUsedBytes: memory.heapUsed,
        heapTotalBytes: memory.heapTotal,
        externalBytes: memory.external,
      },
      metrics: this.#node.metrics(),
      replication: this.#node.replication?.(),
    };
  }

  /**
   * Stops: accepts nobody, refuses new writes with `shutting_down`, answers what is in flight, says
   * goodbye and closes. A second call waits for the first.
   *
   * @param deadlineMs After this long what is still open is closed as it is.
   */
  drain(deadlineMs: number): Promise<void> {
    this.#drained ??= this.#drain(deadlineMs);
    return this.#drained;
  }

  /** Stops at once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.drain(0);
  }

  async #drain(deadlineMs: number): Promise<void> {
    this.#context.isDraining = true;
    this.#listener.close();
    for (const connection of this.#connections.keys()) connection.drain();
    await this.#empty(deadlineMs);
    for (const connection of this.#connections.keys()) connection.destroy();
    clearInterval(this.#sweeper);
    const ending = [...this.#connections].filter(([connection]) => !connection.isStuck);
    await Promise.all([this.#accepting, ...ending.map(([, served]) => served)]);
  }

  /** Resolves when no connection is left, or the time is up. */
  #empty(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#connections.size === 0) return resolve();
      const timer = setTimeout(resolve, deadlineMs);
      this.#emptied = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #accept(): Promise<void> {
    while (!this.#context.isDraining) {
      try {
        this.#welcome(await this.#listener.accept());
      } catch (error) {
        if (this.#context.isDraining) return;
        const message = error instanceof Error ? error.message : String(error);
        this.#onEvent({ kind: "accept_failed", message });
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  #welcome(conn: Deno.TcpConn | Deno.TlsConn): void {
    const connection = new ServerConnection(conn, this.#context);
    const { traffic } = this.#context;
    traffic.connectionsAccepted++;
    try {
      if ("setNoDelay" in conn) {
        conn.setNoDelay(true); // Without it a small reply may wait 40 ms for an acknowledgement.
        conn.setKeepAlive(true);
      }
    } catch {
      return connection.destroy(); // Gone already.
    }
    if (this.#connections.size >= this.#limits.maxConnections) {
      traffic.connectionsRefused++;
      this.#onEvent({ kind: "connection_refused", peer: connection.peer });
      return void turnAway(conn);
    }
    this.#connections.set(connection, this.#serve(connection));
  }

  async #serve(connection: ServerConnection): Promise<void> {
    await connection.run();
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#emptied?.();
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections.keys()) connection.sweep(nowMs);
  }

  #flushLater(connection: Flushable): void {
    if (connection.isFlushDue) return;
    connection.isFlushDue = true;
    if (this.#flushDue.push(connection) === 1) queueMicrotask(this.#flushAll);
  }

  #flush(): void {
    const due = this.#flushDue;
    this.#flushDue = this.#flushing;
    this.#flushing = due;
    for (const connection of due) {
      connection.isFlushDue = false;
      connection.flush();
    }
    due.length = 0;
  }

  #hello(): ServerHello {
    const { clusterId, core, engine } = this.#node.identity;
    return {
      clusterId,
      version: this.#version,
      shardId: core.shardId,
      slotDurationMs: core.slotDurationMs,
      maxFrameBytes: this.#limits.maxFrameBytes,
      maxCommandBytes: engine.maxCommandBytes,
      maxBatchCommands: this.#limits.maxBatchCommands,
      maxBundleSize: core.maxBundleSize,
      maxTtlSlots: core.maxTtlSlots,
      currentSlot: this.#node.currentSlot(),
      cluster: this.#cluster(),
    };
  }

  #cluster(): ClusterHello | undefined {
    const standing = this.#node.replication?.();
    if (this.#members === undefined || standing === undefined) return undefined;
    const { view, primary } = standing;
    return {
      replicaId: this.#node.identity.replicaId,
      ...{ view, primary },
      members: this.#members(),
    };
  }

  #createContext(auth: ServerAuth | undefined): ServerContext {
    return {
      auth,
      node: this.#node,
      limits: this.#limits,
      deadlines: this.#deadlines,
      traffic: {
        connectionsOpen: 0,
        connectionsAccepted: 0,
        connectionsRefused: 0,
        connectionsFailed: 0,
        requests: 0,
        commands: 0,
        bytesReceived: 0,
        bytesSent: 0,
      },
      refusals: { unauthenticated: 0, forbidden: 0 },
      pool: new PendingPool(),
      reader: new WireReader(),
      submitRequest: createSubmitRequest(this.#limits.maxBatchCommands),
      isDraining: false,
      hello: () => this.#hello(),
      status: () => this.status(),
      flushLater: (connection) => this.#flushLater(connection),
      failed: (peer, code, message) => {
        this.#onEvent({ kind: "connection_failed", peer, code, message });
      },
    };
  }
}

function listenTo(options: ServerOptions): Deno.Listener<Deno.TcpConn | Deno.TlsConn> {
  const { hostname = "127.0.0.1", port = DEFAULT_PORT, tls } = options;
  return tls === undefined ? Deno.listen({ hostname, port }) : listenTls({ hostname, port }, tls);
}

function authOf({ secrets, tls }: ServerOptions): ServerAuth | undefined {
  const transport = tls === undefined ? "tcp" : "tls";
  return secrets && { ring: new KeyRing(secrets), transport };
}

/** Often enough that no deadline is missed by more than a quarter. */
function sweepIntervalMs(deadlines: ServerDeadlines): number {
  const shortest = Math.min(...Object.values(deadlines).filter((ms: number) => ms > 0));
  return Math.min(1_000, Math.max(10, Math.floor(shortest / 4)));
}

/** One error message, which a new socket always has room for, and the end. */
async function turnAway(conn: Deno.TcpConn | Deno.TlsConn): Promise<void> {
  if (!("setNoDelay" in conn)) return conn.close(); // A word would take a handshake.
  const out = new WireWriter();
  writeError(out, 0n, "too_many_connections", "the server has all the connections it may have");
  try {
    await conn.write(out.bytes.subarray(0, out.end));
    conn.close();
  } catch {
    // Gone already.
  }
}
