/** The control port of a replica: whatever comes in over it, the replica goes on. Source: docs/wire.md#control. */
import { ControlConnection, type ControlDeadlines } from "./connection.ts";
import type { ControlGuard, ControlHandler } from "./handler.ts";

/** How to listen. */
export interface ControlServerOptions {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How long a request may take from its first byte to its last, or a reply to be read. Default 500. */
  readonly requestDeadlineMs?: number;
  /** How long a connection may ask nothing. Default 5,000. */
  readonly idleDeadlineMs?: number;
  /** Connections open at once; one more ends the one that has been idle longest. Default 64. */
  readonly maxConnections?: number;
  /** Who may ask; everybody when absent. */
  readonly guard?: () => ControlGuard;
}

/** A listening control port. */
export interface ControlServer {
  readonly addr: Deno.NetAddr;
  /** Connections open now. */
  readonly connections: number;
  /** Stops listening, gives answers under way a moment, closes everything. */
  close(): Promise<void>;
}

/** Pause after the system refused to give a connection: out of file handles, most likely. */
const ACCEPT_RETRY_MS = 100;
/** How long answers under way may take once the server closes. */
const CLOSE_MS = 200;

/**
 * Starts answering operators.
 *
 * @param handler Carries out requests.
 * @param options Where to listen, and bounds.
 * @returns A server that is listening.
 * @throws {Deno.errors.AddrInUse} When the port is taken; other errors of `Deno.listen` likewise.
 */
export function startControlServer(
  handler: ControlHandler,
  options: ControlServerOptions,
): ControlServer {
  return new Listener(handler, options);
}

class Listener implements ControlServer {
  readonly addr: Deno.NetAddr;
  readonly #handler: ControlHandler;
  readonly #options: ControlServerOptions;
  readonly #deadlines: ControlDeadlines;
  readonly #connectionsMax: number;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Map<ControlConnection, Promise<void>>();
  readonly #accepting: Promise<void>;
  #isClosing = false;

  constructor(handler: ControlHandler, options: ControlServerOptions) {
    const { hostname, port, requestDeadlineMs = 500, idleDeadlineMs = 5_000 } = options;
    this.#handler = handler;
    this.#options = options;
    this.#deadlines = { requestMs: requestDeadlineMs, idleMs: idleDeadlineMs };
    this.#connectionsMax = options.maxConnections ?? 64;
    this.#listener = Deno.listen({ hostname, port });
    this.addr = this.#listener.addr as Deno.NetAddr;
    this.#accepting = this.#accept();
  }

  get connections(): number {
    return this.#open.size;
  }

  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#listener.close();
    }
    const since = performance.now();
    while (this.#isAnswering() && performance.now() - since < CLOSE_MS) await pause(5);
    for (const connection of this.#open.keys()) connection.destroy();
    // Whoever still carries something out, or writes to somebody who reads nothing, is not waited for.
    const ending = [...this.#open].filter(([{ isAnswering, isStuck }]) => !isAnswering && !isStuck);
    await Promise.all([this.#accepting, ...ending.map(([, served]) => served)]);
    this.#open.clear();
  }

  #isAnswering(): boolean {
    return [...this.#open.keys()].some((connection) => connection.isAnswering);
  }

  async #accept(): Promise<void> {
    while (!this.#isClosing) {
      try {
        this.#welcome(await this.#listener.accept());
      } catch {
        if (!this.#isClosing) await pause(ACCEPT_RETRY_MS);
      }
    }
  }

  #welcome(conn: Deno.TcpConn): void {
    if (this.#open.size >= this.#connectionsMax) this.#makeRoom();
    const guard = this.#options.guard?.();
    const connection = new ControlConnection(conn, this.#handler, this.#deadlines, guard);
    const served = connection.run().finally(() => this.#open.delete(connection));
    this.#open.set(connection, served);
  }

  /** Whoever holds connections open for nothing must not keep the operator out. */
  #makeRoom(): void {
    const all = [...this.#open.keys()];
    const oldest = all.find((connection) => !connection.isAnswering) ?? all[0];
    oldest?.destroy();
    if (oldest !== undefined) this.#open.delete(oldest);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
