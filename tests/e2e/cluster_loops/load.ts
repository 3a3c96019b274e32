/** Clients of a cluster in trouble: writers that fight over a few resources, and readers that look on. */
import type { ReservationRead, ResourceRead } from "../../../node/api.ts";
import { AllocDbClient } from "../../../node/client/client.ts";
import { type ClientCommand, type Committed, TransportError } from "../../../node/client/types.ts";
import { SeededRandom } from "../../../testbed/sim/random.ts";
import type { History, ReadAnswer, Write } from "./history.ts";

/** Longest bundle. */
const BUNDLE_MAX = 3;
/** How long one call of a client may take, and how long an operation is tried at all, in milliseconds. */
const CALL_MS = 4_000;
const OPERATION_MS_MAX = 30_000;
/** How long writers and readers think at most, in milliseconds. */
const THINK_MS = 16;
/** Reservations that readers ask for are among the latest so many. */
const RECENT_MAX = 40;

type Keyed = ClientCommand & { readonly operationId: bigint };
type Unkeyed = ClientCommand extends infer Command
  ? Command extends ClientCommand ? Omit<Command, "operationId"> : never
  : never;

/** What all clients share. */
export interface Market {
  readonly addresses: readonly string[];
  readonly resourceIds: readonly bigint[];
  /** Reservations that somebody was told about, the latest last. */
  readonly recent: bigint[];
  /** Of the round under way. */
  history: History;
}

async function connect({ addresses }: Market): Promise<AllocDbClient> {
  return await AllocDbClient.connect({
    addresses,
    requestTimeoutMs: CALL_MS,
    reconnectBackoffMsMax: 100,
  });
}

/** One client's life: it claims, and then confirms, gives back, is revoked, or lets its time run out. */
export class Writer {
  readonly client: AllocDbClient;
  readonly #market: Market;
  readonly #random: SeededRandom;
  readonly #holderId: bigint;
  #nextOperation = 1n;

  private constructor(client: AllocDbClient, market: Market, seed: number) {
    this.client = client;
    this.#market = market;
    this.#random = new SeededRandom(seed);
    this.#holderId = BigInt(seed + 1);
  }

  static async connect(market: Market, seed: number): Promise<Writer> {
    return new Writer(await connect(market), market, seed);
  }

  /** Goes on until told to stop, whatever happens to the cluster. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#claim();
      await sleep(this.#random.below(THINK_MS));
    }
  }

  /** Makes a resource; there may be one already. */
  async create(resourceId: bigint): Promise<void> {
    await this.#do({ kind: "create_resource", resourceId });
  }

  /** One operation from now to its answer. */
  async probe(): Promise<Write> {
    const [resourceId] = this.#market.resourceIds;
    const holderId = this.#holderId;
    return await this.#attempt({
      kind: "reserve",
      resourceId: resourceId!,
      holderId,
      ttlSlots: 1n,
    });
  }

  async #claim(): Promise<void> {
    if (this.#random.oneIn(16)) await this.create(this.#draw(this.#market.resourceIds));
    const reserved = await this.#do(this.#drawReserve());
    if (reserved === undefined || !reserved.ok) return;
    const reservationId = reserved.reservationId!;
    this.#market.recent.push(reservationId);
    if (this.#market.recent.length > RECENT_MAX) this.#market.recent.shift();
    const [holderId, epoch] = [this.#holderId, reserved.epoch!];
    if (this.#random.oneIn(4)) return; // Its time runs out.
    if (this.#random.oneIn(4)) {
      await this.#do({ kind: "release", reservationId, holderId, epoch });
      return;
    }
    const confirmed = await this.#do({ kind: "confirm", reservationId, holderId, epoch });
    // Who cannot tell goes on as if it had worked: a holder that stopped here would hold for ever.
    if (confirmed !== undefined && !confirmed.ok) return;
    if (this.#random.oneIn(3)) {
      await this.#do({ kind: "revoke", reservationId });
      await this.#do({ kind: "reclaim", reservationId });
    } else await this.#do({ kind: "release", reservationId, holderId, epoch });
  }

  #drawReserve(): Unkeyed {
    const { resourceIds } = this.#market;
    const holderId = this.#holderId;
    const ttlSlots = BigInt(3 + this.#random.below(40));
    const at = this.#random.below(resourceIds.length - BUNDLE_MAX);
    if (!this.#random.oneIn(3)) {
      return { kind: "reserve", resourceId: resourceIds[at]!, holderId, ttlSlots };
    }
    const members = resourceIds.slice(at, at + 2 + this.#random.below(BUNDLE_MAX - 1));
    return { kind: "reserve_bundle", resourceIds: members, holderId, ttlSlots };
  }

  async #do(command: Unkeyed): Promise<Committed | undefined> {
    const { result } = await this.#attempt(command);
    return result?.kind === "committed" ? result : undefined;
  }

  /** Tries again under the same id as long as nobody can tell, up to a limit. */
  async #attempt(command: Unkeyed): Promise<Write> {
    const { history } = this.#market;
    const keyed = { ...command, operationId: this.#nextOperation++ } as Keyed;
    const write = history.invoke(this.client.clientId, keyed);
    while (performance.now() - write.invokedMs < OPERATION_MS_MAX) {
      const [result] = await this.client.submitMany([keyed]);
      write.attempts++;
      if (result!.kind === "unknown") continue;
      history.end(write, result!);
      break;
    }
    return write;
  }

  #draw(ids: readonly bigint[]): bigint {
    return ids[this.#random.below(ids.length)]!;
  }
}

/** Reads strictly, again and again. */
export class Reader {
  readonly client: AllocDbClient;
  readonly #market: Market;
  readonly #random: SeededRandom;

  private constructor(client: AllocDbClient, market: Market, seed: number) {
    this.client = client;
    this.#market = market;
    this.#random = new SeededRandom(seed);
  }

  static async connect(market: Market, seed: number): Promise<Reader> {
    return new Reader(await connect(market), market, seed);
  }

  /** Goes on until told to stop, whatever happens to the cluster. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#readOne();
      await sleep(this.#random.below(THINK_MS));
    }
  }

  /** Reads everything once. */
  async readAll(): Promise<void> {
    const { resourceIds, recent } = this.#market;
    await Promise.all(resourceIds.map((id) => this.#readResource(id, undefined)));
    await Promise.all(recent.map((id) => this.#readReservation(id, undefined)));
  }

  async #readOne(): Promise<void> {
    const { resourceIds, recent, history } = this.#market;
    const requiredLsn = this.#random.oneIn(3) ? BigInt(history.known().lsn) : undefined;
    if (recent.length > 0 && this.#random.oneIn(3)) {
      await this.#readReservation(recent[this.#random.below(recent.length)]!, requiredLsn);
    } else {
      const id = resourceIds[this.#random.below(resourceIds.length)]!;
      await this.#readResource(id, requiredLsn);
    }
  }

  async #readResource(id: bigint, requiredLsn: bigint | undefined): Promise<void> {
    await this.#note(id, requiredLsn, async (options) => {
      const read = await this.client.getResource(id, options);
      const value = read.kind === "found"
        ? read
        : read.kind === "not_found"
        ? read.kind
        : undefined;
      return value === undefined ? read : { subject: "resource", value };
    });
  }

  /** As of slot 0, so that what is told of a reservation's end depends on nobody's clock. */
  async #readReservation(id: bigint, requiredLsn: bigint | undefined): Promise<void> {
    await this.#note(id, requiredLsn, async (options) => {
      const read = await this.client.getReservation(id, { ...options, currentSlot: 0n });
      if (read.kind === "found") return { subject: "reservation", value: read };
      if (read.kind !== "not_found" && read.kind !== "retired") return read;
      return { subject: "reservation", value: read.kind };
    });
  }

  async #note(
    id: bigint,
    requiredLsn: bigint | undefined,
    read: (options: { requiredLsn?: bigint }) => Promise<
      ReadAnswer | ResourceRead | ReservationRead
    >,
  ): Promise<void> {
    const { history } = this.#market;
    const [invokedMs, known] = [performance.now(), history.known()];
    try {
      const answer = await read(requiredLsn === undefined ? {} : { requiredLsn });
      const endedMs = performance.now();
      if ("subject" in answer) history.reads.push({ id, answer, invokedMs, endedMs, known });
      else if (answer.kind !== "fence_not_applied") history.readsFailed++;
      else {history.refusals.push(
          `read: ${id} with lsn ${requiredLsn}, which was told: ${answer.kind}`,
        );}
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      history.readsFailed++;
    }
  }
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
