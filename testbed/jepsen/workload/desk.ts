/** One connection of one client, and the voice that records what goes over it: one call after the other. */
import type { AllocDbClient, SlotOptions } from "../../../node/client/client.ts";
import {
  type ClientCommand,
  type Committed,
  type SubmitResult,
  TransportError,
} from "../../../node/client/types.ts";
import type { ReservationRead, ResourceRead } from "../../../node/api.ts";
import type { Completion } from "../history/event.ts";
import type { ReadRequest, ServedBy, WriteRequest } from "../history/operation.ts";
import type { Counts } from "./counts.ts";
import type { ReadIntent } from "./intent.ts";
import {
  endingOfError,
  endingOfRead,
  endingOfTick,
  endingOfWrite,
  reservationSeen,
} from "./endings.ts";
import type { Market } from "./market.ts";
import type { Tick, Write } from "./operation_log.ts";
import type { Pace } from "./token_bucket.ts";
import type { Ending, Voice } from "./voice.ts";

/** What a workload needs of a client. */
export type ClientPort = Pick<
  AllocDbClient,
  "clientId" | "server" | "submitMany" | "getResource" | "getReservation" | "tick" | "close"
>;

/** Opens a connection for a client id. */
export type Connect = (clientId: bigint) => Promise<ClientPort>;

/** What all desks of a run share. */
export interface DeskOptions {
  readonly connect: Connect;
  readonly market: Market;
  readonly counts: Counts;
  readonly pace: Pace;
}

/** Between two attempts to connect, in milliseconds. */
const CONNECT_PAUSE_MS = 150;

/** See the top of this file. */
export class Desk {
  readonly #clientId: bigint;
  readonly #voice: Voice;
  readonly #options: DeskOptions;
  #client: ClientPort | undefined;

  /**
   * @param clientId Half of every retry key.
   * @param voice Records.
   * @param options Shared with others.
   */
  constructor(clientId: bigint, voice: Voice, options: DeskOptions) {
    this.#clientId = clientId;
    this.#voice = voice;
    this.#options = options;
  }

  /** Connects unless there is a connection, for as long as it takes. False when the signal was raised before. */
  async open(signal: AbortSignal): Promise<boolean> {
    while (this.#client === undefined && !signal.aborted) {
      try {
        this.#client = await this.#options.connect(this.#clientId);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        await this.#options.pace.wait(CONNECT_PAUSE_MS, signal);
      }
    }
    return this.#client !== undefined;
  }

  /** Dies: what is under way is answered no more. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  /**
   * One attempt of a write. The connection must be open.
   *
   * @param slot The client's own; the server chooses when absent.
   */
  async write(
    operation: Write,
    timeoutMs: number,
    slot?: bigint,
  ): Promise<SubmitResult> {
    const { operationId, request } = operation;
    this.#begin(operation, slot);
    const command: ClientCommand = { ...request, operationId };
    const options = { timeoutMs, ...(slot === undefined ? {} : { slot }) };
    const [result] = await this.#client!.submitMany([command], options);
    this.#voice.end(endingOfWrite(result!));
    if (result!.kind === "committed") this.#note(request, result!);
    return result!;
  }

  /** One strict read. Nothing when there was no answer. */
  async read(
    { request, slot }: ReadIntent,
    timeoutMs: number,
  ): Promise<ResourceRead | ReservationRead | undefined> {
    const client = this.#client!;
    this.#voice.begin({ request, ...(slot === undefined ? {} : { slot }) });
    try {
      const read = await ask(client, request, slot, timeoutMs);
      this.#voice.end(endingOfRead(read, servedBy(client)));
      this.#noteRead(request, read);
      return read;
    } catch (error) {
      this.#voice.end(endingOfError(error));
      return undefined;
    }
  }

  /** Asks for expirations that are due. */
  async tick(operation: Tick, timeoutMs: number, slot?: bigint): Promise<Completion["type"]> {
    this.#begin(operation, slot);
    const ending = await this.#askForTick({
      timeoutMs,
      ...(slot === undefined ? {} : { currentSlot: slot }),
    });
    this.#voice.end(ending);
    return ending.type;
  }

  async #askForTick(options: SlotOptions): Promise<Ending> {
    try {
      return endingOfTick(await this.#client!.tick(options));
    } catch (error) {
      return endingOfError(error);
    }
  }

  #begin(operation: Write | Tick, slot: bigint | undefined): void {
    const { operationId, request } = operation;
    const attempt = ++operation.attempts;
    if (attempt > 1) this.#options.counts.retries++;
    const key = { clientId: this.#clientId, operationId };
    this.#voice.begin({ key, attempt, request, ...(slot === undefined ? {} : { slot }) });
  }

  #note(request: WriteRequest, result: Committed): void {
    this.#options.market.noteCommitted(request, result, this.#options.pace.nowMs());
  }

  #noteRead(request: ReadRequest, read: ResourceRead | ReservationRead): void {
    const { market } = this.#options;
    if ("observedLsn" in read && read.observedLsn !== undefined) market.learn(read.observedLsn);
    if (request.kind === "get_reservation" && read.kind === "found" && "holderId" in read) {
      market.noteSeen(request.reservationId, reservationSeen(read));
    }
  }
}

async function ask(
  client: ClientPort,
  request: ReadRequest,
  slot: bigint | undefined,
  timeoutMs: number,
): Promise<ResourceRead | ReservationRead> {
  const { requiredLsn } = request;
  const options = { timeoutMs, ...(requiredLsn === undefined ? {} : { requiredLsn }) };
  if (request.kind === "get_resource") return await client.getResource(request.resourceId, options);
  const at = slot === undefined ? {} : { currentSlot: slot };
  return await client.getReservation(request.reservationId, { ...options, ...at });
}

/** Whoever the client is connected to when an answer comes has given it: a connection that was left gives none. */
function servedBy({ server: { cluster } }: ClientPort): Partial<ServedBy> {
  return cluster === undefined ? {} : { replicaId: Number(cluster.replicaId) };
}
