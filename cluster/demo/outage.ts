/** How long nobody could buy, measured where it hurts: at the clients. */
import type { AllocDbClient } from "../../node/client/client.ts";
import type { Committed } from "../../node/client/types.ts";
import type { Ledger } from "../../node/demo/ledger.ts";
import { sleep } from "../../node/demo/waiting.ts";
import { CliError } from "../../node/errors.ts";

/** One time without service. */
export interface Gap {
  /** From the last answer of the old server to the first new write of another one, in milliseconds. */
  readonly ms: number;
  /** Where the other one listens. */
  readonly successor: string;
}

/** Takes note of every answer to a write, by which server gave it and when. */
export class OutageMeter {
  readonly #nowMs: () => number;
  readonly #latestMs = new Map<string, number>();
  #watching: { readonly address: string; readonly found: (gap: Gap) => void } | undefined;

  /** @param nowMs Monotonic milliseconds. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** An answer has come. */
  note({ fromRetryCache }: Committed, address: string): void {
    const nowMs = this.#nowMs();
    const watching = this.#watching;
    // What is remembered was written before: it proves that somebody answers, not that he can write.
    if (watching !== undefined && address !== watching.address && !fromRetryCache) {
      const ms = nowMs - this.#latestMs.get(watching.address)!;
      this.#watching = undefined;
      watching.found({ ms, successor: address });
    }
    this.#latestMs.set(address, nowMs);
  }

  /**
   * Waits for the first write that another server carries out. To be called before the old one is hit.
   *
   * @param address The old one's.
   */
  successorOf(address: string): Promise<Gap> {
    if (!this.#latestMs.has(address)) this.#latestMs.set(address, this.#nowMs());
    return new Promise((found) => this.#watching = { address, found });
  }
}

/** Between the answer to one write of the pulse and the next write, in milliseconds. */
const PULSE_MS = 10;

/** A client who writes all the time, so that a gap is one in the service and never one between two buyers. */
export class Pulse implements AsyncDisposable {
  readonly #client: AllocDbClient;
  readonly #ending = new AbortController();
  readonly #beating: Promise<void>;

  /**
   * @param client A connection of its own, which it closes.
   * @param resourceId Something that exists; to make it again is refused, which is a write like any other.
   * @param ledger Where answers are noted.
   * @param meter The same.
   */
  constructor(client: AllocDbClient, resourceId: bigint, ledger: Ledger, meter: OutageMeter) {
    this.#client = client;
    this.#beating = this.#beat(resourceId, ledger, meter);
    this.#beating.catch(() => {}); // Whoever stops it sees what went wrong.
  }

  /**
   * Ends it after the write that is under way.
   *
   * @throws {CliError} E_INDEFINITE when one of its writes was not carried out.
   */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#beating;
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#client.close();
    await Promise.allSettled([this.#beating]);
  }

  async #beat(resourceId: bigint, ledger: Ledger, meter: OutageMeter): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const answer = await this.#client.createResource({ resourceId });
      if (answer.kind !== "committed") {
        throw new CliError("E_INDEFINITE", `a write during the sale was ${answer.kind}`);
      }
      ledger.note(answer);
      meter.note(answer, this.#client.server.address);
      await sleep(PULSE_MS, signal);
    }
  }
}
