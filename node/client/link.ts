import type { RoleKey } from "../auth/keys.ts";
import { PROTOCOL_VERSION } from "../wire/messages.ts";
import type { Address } from "./address.ts";
import { firstOf } from "./attempts.ts";
import { ClientConnection, type ConnectionOwner, type Ending } from "./connection.ts";
import { PrimarySearch } from "./primary_search.ts";
import { TransportError } from "./types.ts";

/** A connection that lives shorter counts as a failure. */
const STABLE_MS = 1_000;
/** How long a server may take over hello before the next one is tried beside it. */
const PATIENCE_MS = 100;

/** How a link connects. */
export interface LinkOptions {
  readonly addresses: readonly Address[];
  readonly clientName: string;
  /** The cluster to insist on; the first one found when absent. */
  readonly clusterId: Uint8Array | undefined;
  /** What to prove oneself with; nothing when absent. */
  readonly key: RoleKey | undefined;
  /** Who may vouch for a server over TLS, in PEM; plain TCP when absent. */
  readonly tlsAuthorities: string | undefined;
  readonly connectTimeoutMs: number;
  readonly backoffMsMax: number;
}

/** Who is told about connections. */
export interface LinkOwner {
  /** A connection is open: send what waits. */
  connected(connection: ClientConnection): void;
  /** A message came. False when it makes no sense. */
  received(view: DataView, at: number, end: number): boolean;
  /** The connection is gone; another one is being looked for unless the link was closed. */
  disconnected(ending: Ending): void;
}

/** A connection that is replaced when it breaks, until it is closed. */
export class Link implements ConnectionOwner {
  /** The open connection, if there is one. */
  connection: ClientConnection | undefined;
  /** Why there is none. */
  lastError: TransportError = new TransportError("unreachable", "not connected yet");
  /** Which server is next. */
  readonly search: PrimarySearch;
  readonly #options: LinkOptions;
  readonly #owner: LinkOwner;
  #clusterId: Uint8Array | undefined;
  #isClosed = false;
  /** Whether the connection has been left for one that is known to be better. */
  #isMoving = false;
  /** What is being tried: a way to end each, and its end. */
  readonly #attempts = new Map<AbortController, Promise<unknown>>();
  #wake: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  /**
   * @param options How to connect.
   * @param owner Who is told.
   */
  constructor(options: LinkOptions, owner: LinkOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#clusterId = options.clusterId;
    this.search = new PrimarySearch(options.addresses, options.backoffMsMax);
  }

  /**
   * Tries every address once, and then keeps a connection open.
   *
   * @throws {TransportError} Why none of the addresses would do.
   */
  async open(): Promise<void> {
    const connection = await this.#tryAll();
    if (connection === undefined) throw this.lastError;
    this.#running = this.#keep(connection);
  }

  /**
   * Leaves the connection for another server. What it has not answered is in doubt.
   *
   * @param error Why.
   * @param isMoving True when there is a better server, so that there is no reason to wait.
   */
  leave(error: TransportError, isMoving: boolean): void {
    this.#isMoving = isMoving;
    this.connection?.close(error);
  }

  /**
   * Asks another server which view it is in, on a connection of its own that carries nothing else.
   *
   * @returns True when it answered: what it said may be news.
   */
  async scout(): Promise<boolean> {
    const address = this.search.other(this.connection?.info.address);
    const found = address && await this.#try(address);
    if (found === undefined) return false;
    found.close(this.lastError);
    if (found.info.cluster !== undefined) this.search.heard(found.info.cluster);
    return true;
  }

  /** Ends the connection and the looking for another one; resolves when all is quiet. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.lastError = new TransportError("closed", "the client was closed");
    this.connection?.close(this.lastError);
    this.#wake?.();
    this.#stopAttempts();
    await this.#running;
    await Promise.all(this.#attempts.values());
  }

  /** See {@linkcode ConnectionOwner}. */
  received(view: DataView, at: number, end: number): boolean {
    return this.#owner.received(view, at, end);
  }

  /** See {@linkcode ConnectionOwner}. */
  ended(ending: Ending): void {
    this.connection = undefined;
    if (!this.#isClosed) this.lastError = ending.error;
    this.#owner.disconnected(ending);
  }

  async #keep(first: ClientConnection): Promise<void> {
    let connection: ClientConnection | undefined = first;
    while (!this.#isClosed) {
      const isFailure = connection === undefined || !await this.#use(connection);
      if (isFailure) await this.#pause();
      connection = await this.#tryAll();
    }
    connection?.close(this.lastError);
  }

  /** Uses a connection until it ends. False when that was so soon that the next attempt must not be at once. */
  async #use(connection: ClientConnection): Promise<boolean> {
    const sinceMs = performance.now();
    this.connection = connection;
    this.#isMoving = false;
    this.#owner.connected(connection);
    await connection.run(this);
    if (this.#isMoving) return true;
    const nowMs = performance.now();
    this.search.failed(connection.info.address, nowMs);
    return nowMs - sinceMs > STABLE_MS;
  }

  /** One round over the servers, the most promising first. */
  async #tryAll(): Promise<ClientConnection | undefined> {
    const round = this.search.round(performance.now());
    const attempts = round.map((address) => () => this.#try(address));
    const found = await firstOf(attempts, PATIENCE_MS, (late) => late.close(this.lastError));
    this.#stopAttempts();
    if (found === undefined) this.search.disappointed(performance.now());
    else this.search.greeted(found.info);
    return found;
  }

  #try(address: Address): Promise<ClientConnection | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const stop = new AbortController();
    const attempt = this.#open(address, stop.signal);
    this.#attempts.set(stop, attempt);
    return attempt.finally(() => this.#attempts.delete(stop));
  }

  #stopAttempts(): void {
    for (const stop of this.#attempts.keys()) stop.abort();
  }

  async #open(address: Address, signal: AbortSignal): Promise<ClientConnection | undefined> {
    const { connectTimeoutMs, clientName, key, tlsAuthorities } = this.#options;
    const hello = { version: PROTOCOL_VERSION, clusterId: this.#clusterId, clientName };
    const greeting = { hello, key, tlsAuthorities };
    try {
      const connection = await ClientConnection.open(
        address,
        greeting,
        connectTimeoutMs,
        signal,
      );
      this.#clusterId ??= connection.info.clusterId;
      return connection;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      if (signal.aborted) return undefined; // Nothing was found out about the server.
      if (!this.#isClosed) this.lastError = error;
      this.search.failed(address.text, performance.now());
      return undefined;
    }
  }

  #pause(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const ms = this.search.pauseMs(performance.now());
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
