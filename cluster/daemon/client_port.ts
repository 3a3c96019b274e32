/** The client listener of a replica, which an isolation takes away and gives back. */
import type { NodeApi } from "../../node/api.ts";
import type { Refusals } from "../../node/server/context.ts";
import type { ServerOptions } from "../../node/server/options.ts";
import { type Server, startServer } from "../../node/server/server.ts";
import { Bouncer } from "./bouncer.ts";

/** How long clients are given to take their answers when the replica becomes isolated, in milliseconds. */
const ISOLATE_MS = 100;

/** Pause before a port that could not be had is tried again, in milliseconds. */
const RETRY_MS = 50;

/** Serves clients on one address, or turns them away there. */
export class ClientPort {
  readonly #node: NodeApi;
  readonly #options: ServerOptions;
  #server: Server | undefined;
  #bouncer: Bouncer | undefined;
  #wanted: "serving" | "isolated" | "closed" = "serving";
  #changing: Promise<void> = Promise.resolve();

  /**
   * Listens at once.
   *
   * @param node Who answers clients.
   * @param options Where, and within which bounds.
   * @throws {Deno.errors.AddrInUse} When the port is taken; other errors of `Deno.listen` likewise.
   */
  constructor(node: NodeApi, options: ServerOptions) {
    this.#node = node;
    this.#options = options;
    this.#server = startServer(node, options);
  }

  /** Who was not let in, since it began to serve or since the latest isolation. */
  refusals(): Refusals {
    return this.#server?.refusals() ?? { unauthenticated: 0, forbidden: 0 };
  }

  /** Turns clients away, or serves them again. Takes effect soon; the latest call counts. */
  setIsolated(isolated: boolean): void {
    if (this.#wanted === "closed") return;
    const wanted = isolated ? "isolated" : "serving";
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#changing = this.#changing.then(() => this.#change());
  }

  /** Resolves when the last change has taken effect. */
  settled(): Promise<void> {
    return this.#changing;
  }

  /** Stops listening; clients get their answers if they take them in time. */
  async drain(deadlineMs: number): Promise<void> {
    this.#wanted = "closed";
    await this.#changing;
    await Promise.all([this.#server?.drain(deadlineMs), this.#bouncer?.close()]);
  }

  async #change(): Promise<void> {
    if (this.#wanted === "isolated" && this.#bouncer === undefined) {
      await this.#server?.drain(ISOLATE_MS);
      this.#server = undefined;
      this.#bouncer = await this.#listen("isolated", () => new Bouncer(this.#options));
    } else if (this.#wanted === "serving" && this.#server === undefined) {
      await this.#bouncer?.close();
      this.#bouncer = undefined;
      this.#server = await this.#listen("serving", () => startServer(this.#node, this.#options));
    }
  }

  /** Between two listeners somebody else's outgoing connection may get the port for a moment. */
  async #listen<T>(wanted: "serving" | "isolated", listen: () => T): Promise<T | undefined> {
    while (this.#wanted === wanted) {
      try {
        return listen();
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return undefined;
  }
}
