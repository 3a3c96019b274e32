/**
 * Everything that loads a cluster during a run: independent clients of one family, and readers of single replicas. They go
 * on through whatever happens to the cluster; every attempt is recorded, and what was never told is asked about at the end.
 */
import { presentedKey, type RoleKey } from "../../../node/auth/keys.ts";
import { parseCredential } from "../../../node/auth/credential.ts";
import { AllocDbClient } from "../../../node/client/client.ts";
import { partRandom } from "../../sim/random.ts";
import type { HistoryBounds } from "../history/event.ts";
import type { WorkloadName } from "./workload_name.ts";
import { Counts, type WorkloadCounts } from "./counts.ts";
import { type Connect, Desk } from "./desk.ts";
import { Draw } from "./draw.ts";
import type { ReadIntent } from "./intent.ts";
import { HABITS, type Habits } from "./habits.ts";
import { clientIdOf, resourceIdOf, RESOURCES_MAX } from "./ids.ts";
import { GROUP_SIZE, Market } from "./market.ts";
import { OperationLog } from "./operation_log.ts";
import { type Pace, REAL_PACE, TokenBucket } from "./token_bucket.ts";
import { type EventSink, Voice } from "./voice.ts";
import { Watch } from "./watch.ts";
import { Worker } from "./worker.ts";

/** Clients, operations a second of all of them, and resources, unless told. */
export const CLIENTS = 16;
export const RATE_PER_SECOND = 200;
export const RESOURCES = 256;
/** Most clients. */
export const CLIENTS_MAX = 1_000;
/** Reads that are under way at one replica at once. */
const WATCH_VOICES = 4;
/** How long connecting and one call may take at most, in milliseconds. */
const CONNECT_MS_MAX = 1_000;
const CALL_MS_MAX = 5_000;
/**
 * What was answered comes again within this share of the cluster's retry window: its clocks may be twice as fast, and a call
 * takes its time. Later it might rightly run twice.
 */
const AGAIN_SHARE = 1 / 3;
/** The same in milliseconds where the window is not known. */
const AGAIN_MS_MAX = 10_000;

/** Who loads what, and how hard. */
export interface WorkloadOptions {
  readonly workload: WorkloadName;
  /** 32 bits: decides ids and everything that is drawn. */
  readonly seed: number;
  readonly clients?: number;
  /** Operations begun a second, of everybody together. */
  readonly ratePerSecond?: number;
  /** Resources that everything is about. */
  readonly resources?: number;
  /** `HOST:PORT` of every replica. */
  readonly addresses: readonly string[];
  /** Text of the credential, where the cluster asks for one. */
  readonly secret?: string | undefined;
  readonly slotDurationMs: number;
  readonly bounds: HistoryBounds;
  readonly maxResources: number;
  readonly recorder: EventSink;
  readonly connect?: Connect;
  readonly pace?: Pace;
}

/** See the top of this file. */
export class Workload implements AsyncDisposable {
  readonly market: Market;
  /** After so many milliseconds without load every hold that was not confirmed has fallen due. */
  readonly holdMsMax: number;
  readonly #counts = new Counts();
  readonly #workers: readonly Worker[];
  readonly #watches: readonly Watch[];

  /** @param options Who loads what. */
  constructor(options: WorkloadOptions) {
    const { seed, slotDurationMs, workload } = options;
    this.holdMsMax = HABITS[workload].ttlSlotsMax * slotDurationMs;
    this.market = new Market(pool(options), seed, slotDurationMs);
    const pace = options.pace ?? REAL_PACE;
    const bucket = new TokenBucket(options.ratePerSecond ?? RATE_PER_SECOND, pace);
    const shared = { options, pace, bucket, habits: HABITS[workload], market: this.market };
    const counts = this.#counts;
    const clients = Math.min(CLIENTS_MAX, options.clients ?? CLIENTS);
    this.#workers = range(clients).map((index) =>
      makeWorker({ ...shared, counts }, index, clients)
    );
    const watched = options.connect === undefined ? options.addresses : [];
    this.#watches = watched.map((address, i) =>
      makeWatch({ ...shared, counts }, address, i, clients)
    );
  }

  /**
   * Makes the resources.
   *
   * @throws {Error} When the cluster has any of them already.
   */
  async setup(signal: AbortSignal): Promise<void> {
    const ids = this.market.resourceIds;
    await this.#all((worker, i, count) => worker.create(share(ids, i, count), signal));
  }

  /** Loads until told to stop. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#workers, ...this.#watches].map((part) => part.run(signal)));
  }

  /** Asks about everything that is in doubt, until it is known or the signal is raised. The cluster must be at rest. */
  async resolve(signal: AbortSignal): Promise<void> {
    await this.#all((worker) => worker.resolve(signal));
  }

  /**
   * Sends every operation once more that was answered a short while ago, before anything else changes: a cluster that was
   * in trouble may have forgotten what it answered. With a cluster at rest.
   */
  async askAgain(signal: AbortSignal): Promise<void> {
    await this.#all((worker) => worker.repeatAll(signal));
  }

  /** Reads every resource and every reservation that anybody still knows of. */
  async readAll(signal: AbortSignal): Promise<void> {
    const fence = { requiredLsn: this.market.learnedLsn };
    const resources = this.market.resourceIds.map((resourceId): ReadIntent => (
      { kind: "read", request: { kind: "get_resource", resourceId, ...fence } }
    ));
    const reservations = this.market.known().map(({ reservationId }): ReadIntent => (
      { kind: "read", request: { kind: "get_reservation", reservationId, ...fence }, slot: 0n }
    ));
    const reads = [...resources, ...reservations];
    await this.#all((worker, i, count) => worker.readAll(share(reads, i, count), signal));
  }

  /** What it came to so far. */
  counts(): WorkloadCounts {
    return this.#counts.total(this.#workers.reduce((sum, { doubts }) => sum + doubts, 0));
  }

  /** Ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all((worker) => worker.close());
  }

  async #all(act: (worker: Worker, index: number, count: number) => Promise<void>): Promise<void> {
    const count = this.#workers.length;
    await Promise.all(this.#workers.map((worker, i) => act(worker, i, count)));
  }
}

interface Shared {
  readonly options: WorkloadOptions;
  readonly pace: Pace;
  readonly bucket: TokenBucket;
  readonly habits: Habits;
  readonly market: Market;
  readonly counts: Counts;
}

function makeWorker(shared: Shared, index: number, clients: number): Worker {
  const { options, pace, bucket, market, habits, counts } = shared;
  const connect = options.connect ?? connectTo(options);
  const desk = (name: string): Desk => {
    const voice = new Voice(name, options.recorder, counts);
    return new Desk(clientIdOf(options.seed, index), voice, { connect, market, counts, pace });
  };
  const log = new OperationLog(() => pace.nowMs(), againMsMax(options));
  const random = partRandom(options.seed, "client", index);
  const draw = new Draw(random, habits, market, log, index, clients, options.bounds);
  const main = desk(`client ${index + 1}`);
  const side = desk(`client ${index + 1} again`);
  return new Worker({ main, side, log, draw, random, market, bucket, pace });
}

function makeWatch(shared: Shared, address: string, index: number, clients: number): Watch {
  const { options, pace, bucket, market, habits, counts } = shared;
  const random = partRandom(options.seed, "watch", index);
  const log = new OperationLog(() => pace.nowMs(), 0);
  const draw = new Draw(random, habits, market, log, 0, clients, options.bounds);
  const voices = range(WATCH_VOICES).map((i) =>
    new Voice(`replica ${index + 1} reader ${i + 1}`, options.recorder, counts)
  );
  const pauseMs = habits.watchPauseMs;
  return new Watch({
    address,
    key: keyOf(options.secret),
    voices,
    draw,
    random,
    bucket,
    pace,
    pauseMs,
  });
}

function connectTo({ addresses, secret }: WorkloadOptions): Connect {
  return (clientId) =>
    AllocDbClient.connect({
      addresses,
      clientId,
      secret,
      clientName: "jepsen",
      connectTimeoutMs: CONNECT_MS_MAX,
      requestTimeoutMs: CALL_MS_MAX,
      reconnectBackoffMsMax: 100,
    });
}

function againMsMax({ bounds, slotDurationMs }: WorkloadOptions): number {
  const { retryWindowSlots } = bounds;
  if (retryWindowSlots === undefined) return AGAIN_MS_MAX;
  return Number(retryWindowSlots) * slotDurationMs * AGAIN_SHARE;
}

function keyOf(secret: string | undefined): RoleKey | undefined {
  return secret === undefined ? undefined : presentedKey(parseCredential(secret), "operator");
}

/** Whole groups, and no more than half of what the cluster has room for. */
function pool({ seed, resources = RESOURCES, maxResources }: WorkloadOptions): readonly bigint[] {
  const most = Math.min(
    resources,
    RESOURCES_MAX,
    Math.max(GROUP_SIZE, Math.floor(maxResources / 2)),
  );
  const count = Math.max(GROUP_SIZE, most - most % GROUP_SIZE);
  return range(count).map((index) => resourceIdOf(seed, index));
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Every `of`-th item, from that of the index on. */
function share<T>(items: readonly T[], index: number, of: number): readonly T[] {
  return items.filter((_, i) => i % of === index);
}
