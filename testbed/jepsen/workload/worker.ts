/**
 * One client: does what it draws for as long as it may, keeps in mind what it was never told, and asks again until it is.
 * It has a second connection under the same client id, as a program has that retries from another place.
 */
import type { SubmitResult } from "../../../node/client/types.ts";
import type { SeededRandom } from "../../sim/random.ts";
import type { WriteRequest } from "../history/operation.ts";
import type { Desk } from "./desk.ts";
import type { Draw } from "./draw.ts";
import type { Act, Intent } from "./intent.ts";
import type { Market } from "./market.ts";
import {
  isTick,
  type Operation,
  type OperationLog,
  type Tick,
  type Write,
} from "./operation_log.ts";
import type { Pace, TokenBucket } from "./token_bucket.ts";

/** How long a call may take when nothing is wrong any more, in milliseconds. */
const CALM_MS = 5_000;
/** Between two attempts to learn an outcome, in milliseconds. */
const RESOLVE_PAUSE_MS = 100;
/** How long a client that dies lets its operation be under way, below this many milliseconds: mostly it is on its way only. */
const ABANDON_MS = 4;

/** What a worker is made of. */
export interface WorkerParts {
  readonly main: Desk;
  readonly side: Desk;
  readonly log: OperationLog;
  readonly draw: Draw;
  readonly random: SeededRandom;
  readonly market: Market;
  readonly bucket: TokenBucket;
  readonly pace: Pace;
}

/** See the top of this file. */
export class Worker {
  readonly #parts: WorkerParts;

  /** @param parts Its own, and what it shares. */
  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  /** Operations of which nobody knows how they ended. */
  get doubts(): number {
    return this.#parts.log.doubts.length;
  }

  /** Goes on until told to stop, whatever happens to the cluster; ends what it has begun. */
  async run(signal: AbortSignal): Promise<void> {
    const { bucket, market, draw, pace } = this.#parts;
    while (await bucket.take(signal)) {
      if (!await this.#open(signal)) return;
      market.turn();
      if (this.#isWorried()) await this.#askAgain();
      else await this.#do(draw.next(pace.nowMs()), signal);
    }
  }

  /**
   * Makes resources, each until that is known.
   *
   * @throws {Error} When the cluster has any of them already, and the signal's reason when it is raised before.
   */
  async create(resourceIds: readonly bigint[], signal: AbortSignal): Promise<void> {
    await this.#open(signal);
    for (const resourceId of resourceIds) {
      const operation = this.#parts.log.make({ kind: "create_resource", resourceId });
      while (!await this.#create(operation, signal)) {
        signal.throwIfAborted();
        await this.#parts.pace.wait(RESOLVE_PAUSE_MS, signal);
      }
    }
  }

  /** Asks about everything that is in doubt until it is known. With a cluster at rest. */
  async resolve(signal: AbortSignal): Promise<void> {
    if (!await this.#open(signal)) return;
    for (const operation of [...this.#parts.log.doubts]) await this.#untilKnown(operation, signal);
  }

  /** Sends once more what was answered lately: each answer has to be the one that was given. */
  async repeatAll(signal: AbortSignal): Promise<void> {
    if (!await this.#open(signal)) return;
    for (const operation of this.#parts.log.recent()) {
      if (signal.aborted) return;
      await this.#write(operation, CALM_MS, this.#parts.main);
    }
  }

  /** Reads these, with everything that anybody was told as the fence. */
  async readAll(
    acts: readonly Extract<Act, { kind: "read" }>[],
    signal: AbortSignal,
  ): Promise<void> {
    if (!await this.#open(signal)) return;
    for (const act of acts) {
      if (signal.aborted) return;
      await this.#parts.main.read(act, CALM_MS);
    }
  }

  /** Ends its connections. */
  async close(): Promise<void> {
    await Promise.all([this.#parts.main.close(), this.#parts.side.close()]);
  }

  async #open(signal: AbortSignal): Promise<boolean> {
    const { main, side } = this.#parts;
    return await main.open(signal) && await side.open(signal);
  }

  /** The more it was not told, the more often it asks. */
  #isWorried(): boolean {
    const { log, random } = this.#parts;
    return log.doubts.length > 0 && (log.doubts.length > 8 || random.oneIn(3));
  }

  /** True when there is a new one. */
  async #create(operation: Write, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const result = await this.#write(operation, CALM_MS, this.#parts.main);
    if (result.kind !== "committed") return false;
    if (result.ok && (!result.fromRetryCache || operation.attempts > 1)) return true;
    throw new Error(
      `resources cannot be made anew (${result.code}): was this seed used on this cluster before?`,
    );
  }

  async #askAgain(): Promise<void> {
    const { log, draw, random } = this.#parts;
    const operation = log.doubtful(random);
    if (operation !== undefined) await this.#attempt(operation, draw.patienceMs(), this.#desk(3));
  }

  async #do(intent: Intent, signal: AbortSignal): Promise<void> {
    const { main, log } = this.#parts;
    const { patienceMs } = intent;
    switch (intent.kind) {
      case "write":
        if (intent.waitMs !== undefined) await this.#parts.pace.wait(intent.waitMs, signal);
        await this.#write(log.make(intent.request), patienceMs, main, intent.slot);
        return;
      case "read":
        await main.read(intent, patienceMs);
        return;
      case "tick":
        await this.#tick(log.make({ kind: "tick_expirations" }), patienceMs, main, intent.slot);
        return;
      case "again":
        await this.#desk(2).write(intent.operation, patienceMs);
        return;
      case "reuse":
        return await this.#reuse(intent.operation, intent.request, patienceMs);
      case "twin":
        return await this.#twin(log.make(intent.request), patienceMs);
      case "clash":
        return await this.#clash(log.make(intent.request), intent.rival, patienceMs);
      case "abandon":
        return await this.#abandon(log.make(intent.request), patienceMs, signal);
      case "sweep":
        return await this.#sweep(intent.resourceId, patienceMs, signal);
    }
  }

  /** True when it is known how it ended. */
  async #attempt(operation: Operation, patienceMs: number, desk: Desk): Promise<boolean> {
    if (isTick(operation)) return await this.#tick(operation, patienceMs, desk);
    const { kind } = await this.#write(operation as Write, patienceMs, desk);
    return kind === "committed";
  }

  /** Asked once more it does no harm, and one answer settles it. */
  async #tick(
    operation: Tick,
    patienceMs: number,
    desk: Desk,
    slot?: bigint,
  ): Promise<boolean> {
    const { log } = this.#parts;
    const ending = await desk.tick(operation, patienceMs, slot);
    if (ending === "ok") log.settle(operation);
    if (ending === "info") log.doubt(operation);
    return ending === "ok";
  }

  async #write(
    operation: Write,
    patienceMs: number,
    desk: Desk,
    slot?: bigint,
  ): Promise<SubmitResult> {
    const result = await desk.write(operation, patienceMs, slot);
    this.#learn(operation, [result]);
    return result;
  }

  /** In doubt once, in doubt until somebody says what it came to: that a later attempt was refused says nothing of an earlier. */
  #learn(operation: Write, results: readonly SubmitResult[]): void {
    const { log } = this.#parts;
    if (results.some(({ kind }) => kind === "committed")) return log.settle(operation);
    if (results.some(({ kind }) => kind === "unknown")) log.doubt(operation);
  }

  /** Its own outcome may stay unknown: the key is known to belong to another command, so nothing can have come of it. */
  async #reuse(operation: Write, request: WriteRequest, patienceMs: number): Promise<void> {
    const mistaken = this.#parts.log.reuse(operation, request);
    await this.#write(mistaken, patienceMs, this.#desk(3));
  }

  async #twin(operation: Write, patienceMs: number): Promise<void> {
    const { main, side } = this.#parts;
    const results = await Promise.all([
      main.write(operation, patienceMs),
      side.write(operation, patienceMs),
    ]);
    this.#learn(operation, results);
  }

  /** Whichever comes second is another command under a key that is in flight. */
  async #clash(operation: Write, request: WriteRequest, patienceMs: number): Promise<void> {
    const { main, side, log } = this.#parts;
    const rival = log.reuse(operation, request);
    const [first, second] = await Promise.all([
      main.write(operation, patienceMs),
      side.write(rival, patienceMs),
    ]);
    this.#learn(operation, [first]);
    this.#learn(rival, [second]);
  }

  async #abandon(operation: Write, patienceMs: number, signal: AbortSignal): Promise<void> {
    const { main, pace, random } = this.#parts;
    const writing = this.#write(operation, patienceMs, main);
    const waitMs = random.below(ABANDON_MS);
    if (waitMs > 0) await pace.wait(waitMs, signal);
    await main.close();
    await writing;
  }

  async #sweep(resourceId: bigint, patienceMs: number, signal: AbortSignal): Promise<void> {
    const { main, bucket, log } = this.#parts;
    const read = await main.read(
      { kind: "read", request: { kind: "get_resource", resourceId } },
      patienceMs,
    );
    if (read?.kind !== "found" || !("resourceId" in read)) return;
    const reservationId = read.currentReservationId;
    if (reservationId === undefined || !await bucket.take(signal)) return;
    const revoked = await this.#write(
      log.make({ kind: "revoke", reservationId }),
      patienceMs,
      main,
    );
    const isHeld = revoked.kind === "committed" && revoked.code === "invalid_state";
    if ((revoked.kind === "committed" && !revoked.ok && !isHeld) || !await bucket.take(signal)) {
      return;
    }
    await this.#write(log.make({ kind: "reclaim", reservationId }), patienceMs, main);
  }

  /** False when the signal was raised before. */
  async #untilKnown(operation: Operation, signal: AbortSignal): Promise<boolean> {
    const { main, pace } = this.#parts;
    while (!signal.aborted) {
      if (await this.#attempt(operation, CALM_MS, main)) return true;
      await pace.wait(RESOLVE_PAUSE_MS, signal);
    }
    return false;
  }

  /** The second connection once in so many. */
  #desk(outOf: number): Desk {
    return this.#parts.random.oneIn(outOf) ? this.#parts.side : this.#parts.main;
  }
}
