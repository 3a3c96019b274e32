/** Writes in the background while something is done to a cluster: how long each took, and which came first after. */
import { AllocDbClient } from "../../node/client/client.ts";
import { Times } from "../../node/bench/recorder.ts";
import type { ClusterLook } from "./replicas.ts";

/** How many write how often. */
export interface WritersOptions {
  readonly writers: number;
  /** Between an answer and the next write of the same writer, in milliseconds. */
  readonly pauseMs: number;
}

const RESERVED_MS = 500;

interface Waiter {
  readonly sinceMs: number;
  readonly resolve: (answeredMs: number) => void;
}

/** Clients in this process, each with one write under way, through one connection that finds the primary. */
export class Writers implements AsyncDisposable {
  /** How long committed writes took; a phase takes it and leaves a new one. */
  times = new Times();
  /** Writes that ended in doubt or were refused. */
  failed = 0;
  readonly #client: AllocDbClient;
  readonly #writing: readonly Promise<void>[];
  #waiters: Waiter[] = [];
  #isOver = false;

  private constructor(client: AllocDbClient, { writers, pauseMs }: WritersOptions) {
    this.#client = client;
    this.#writing = Array.from({ length: writers }, (_, index) => this.#write(index, pauseMs));
  }

  /** Connects to a cluster, makes what is fought over, and begins. */
  static async start({ replicas }: ClusterLook, options: WritersOptions): Promise<Writers> {
    const client = await AllocDbClient.connect({
      addresses: replicas.map(({ client }) => client),
      clientName: "allocdb bench",
    });
    const making = Array.from(
      { length: options.writers },
      (_, index) => client.createResource({ resourceId: resourceOf(index) }),
    );
    await Promise.all(making);
    return new Writers(client, options);
  }

  /** Gives what was recorded so far, and begins anew. */
  takeTimes(): Times {
    const { times } = this;
    this.times = new Times();
    return times;
  }

  /**
   * Waits for a write that began later than now to be committed.
   *
   * @param timeoutMs How long at most.
   * @returns After how many milliseconds it was answered, or undefined when none was.
   */
  async untilNextCommit(timeoutMs: number): Promise<number | undefined> {
    const sinceMs = performance.now();
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    this.#waiters.push({ sinceMs, resolve });
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    const answeredMs = await promise;
    clearTimeout(timer);
    return answeredMs === undefined ? undefined : answeredMs - sinceMs;
  }

  async #write(index: number, pauseMs: number): Promise<void> {
    const resourceId = resourceOf(index);
    while (!this.#isOver) {
      const startMs = performance.now();
      const result = await this.#client.reserve({ resourceId, holderId: 1n, ttlMs: RESERVED_MS });
      // Busy is an answer too: it was decided in the log, by a majority, like any other.
      if (result.kind === "committed") this.#committed(startMs, performance.now());
      else this.failed++;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  #committed(startMs: number, endMs: number): void {
    this.times.add(endMs - startMs);
    const isServed = (waiter: Waiter): boolean => startMs >= waiter.sinceMs;
    for (const waiter of this.#waiters) if (isServed(waiter)) waiter.resolve(endMs);
    this.#waiters = this.#waiters.filter((waiter) => !isServed(waiter));
  }

  /** Ends every writer after its write under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#writing);
    await this.#client.close();
  }
}

function resourceOf(index: number): bigint {
  return BigInt(index + 1);
}
