import type { RoleKey } from "../auth/keys.ts";
import { PROTOCOL_VERSION } from "../wire/messages.ts";
import type { Address } from "./address.ts";
import { ClientConnection, type ConnectionOwner, type Ending } from "./connection.ts";
import { TransportError } from "./types.ts";

/** Pause after the first failure, doubled with each further one, with jitter. */
const BACKOFF_MS = 20;
/** A connection that lives shorter counts as a failure. */
const STABLE_MS = 1_000;

/** How a link connects. */
export interface LinkOptions {
  readonly addresses: readonly Address[];
  readonly clientName: string;
  /** The cluster to insist on; the first one found when absent. */
  readonly clusterId: Uint8Array | undefined;
  /** What to prove oneself with; nothing when absent. */
  readonly key: RoleKey | undefined;
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
  readonly #options: LinkOptions;
  readonly #owner: LinkOwner;
  #clusterId: Uint8Array | undefined;
  #next = 0;
  #isClosed = false;
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

  /** Ends the connection and the looking for another one; resolves when all is quiet. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.lastError = new TransportError("closed", "the client was closed");
    this.connection?.close(this.lastError);
    this.#wake?.();
    return this.#running;
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
    for (let failures = 0; !this.#isClosed;) {
      const sinceMs = performance.now();
      if (connection !== undefined) await this.#use(connection);
      const wasStable = connection !== undefined && performance.now() - sinceMs > STABLE_MS;
      failures = wasStable ? 0 : failures + 1;
      if (failures > 0) await this.#pause(failures);
      connection = await this.#tryAll();
    }
    connection?.close(this.lastError);
  }

  async #use(connection: ClientConnection): Promise<void> {
    this.connection = connection;
    this.#owner.connected(connection);
    await connection.run(this);
  }

  /** One round over the addresses, from the one behind the last that was tried. */
  async #tryAll(): Promise<ClientConnection | undefined> {
    const { addresses, connectTimeoutMs, clientName, key } = this.#options;
    for (let i = 0; i < addresses.length && !this.#isClosed; i++) {
      const address = addresses[this.#next++ % addresses.length]!;
      const hello = { version: PROTOCOL_VERSION, clusterId: this.#clusterId, clientName };
      const greeting = { hello, key };
      try {
        const connection = await ClientConnection.open(address, greeting, connectTimeoutMs);
        this.#clusterId ??= connection.info.clusterId;
        return connection;
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        if (!this.#isClosed) this.lastError = error;
      }
    }
    return undefined;
  }

  #pause(failures: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const exponential = BACKOFF_MS * 2 ** Math.min(failures - 1, 20);
    const ms = jittered(Math.min(this.#options.backoffMsMax, exponential));
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Between half of it and all of it, so that clients that failed together do not come back together. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
