/**
 * Reads from one replica and no other, whatever that replica is at the time: where a client would have gone elsewhere long
 * ago, this one still waits for what a primary will say that has lost its view and does not know. Backups must refuse.
 */
import type { ReservationRead, ResourceRead } from "../../../node/api.ts";
import type { RoleKey } from "../../../node/auth/keys.ts";
import { parseAddress } from "../../../node/client/address.ts";
import { ClientConnection } from "../../../node/client/connection.ts";
import { TransportError } from "../../../node/client/types.ts";
import { WireReader } from "../../../node/wire/reader.ts";
import { readReservationReply, readResourceReply } from "../../../node/wire/replies.ts";
import { writeRequest } from "../../../node/wire/requests.ts";
import type { SeededRandom } from "../../sim/random.ts";
import type { ServedBy } from "../history/operation.ts";
import type { Draw } from "./draw.ts";
import type { ReadIntent } from "./intent.ts";
import { endingOfRead } from "./endings.ts";
import type { Pace, TokenBucket } from "./token_bucket.ts";
import type { Ending, Voice } from "./voice.ts";

/**
 * How long each reader waits for an answer, in milliseconds. The last ones wait longer than most faults last, so that some read
 * is always under way; the first begins a new one all the time: only what is asked for after a replica has lost its view,
 * and before it knows, is answered wrongly.
 */
const PATIENCES_MS = [150, 600, 3_000, 12_000] as const;
const CONNECT_MS_MAX = 1_000;
/** Between two attempts to connect, in milliseconds. */
const CONNECT_PAUSE_MS = 100;

/** What one is made of. */
export interface WatchParts {
  /** Of the replica. */
  readonly address: string;
  readonly key: RoleKey | undefined;
  /** Each waits for one read at a time. */
  readonly voices: readonly Voice[];
  readonly draw: Draw;
  readonly random: SeededRandom;
  readonly bucket: TokenBucket;
  readonly pace: Pace;
  /** How long one thinks at most, in milliseconds. */
  readonly pauseMs: number;
}

interface Open {
  readonly isResource: boolean;
  readonly done: (ending: Ending) => void;
}

/** See the top of this file. */
export class Watch {
  readonly #parts: WatchParts;
  readonly #reader = new WireReader();
  readonly #open = new Map<bigint, Open>();
  #connection: ClientConnection | undefined;
  #nextRequestId = 1n;

  /** @param parts Its own, and what it shares. */
  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Goes on until told to stop; connects again when a connection ends. */
  async run(signal: AbortSignal): Promise<void> {
    const reading = this.#parts.voices.map((voice, i) =>
      this.#read(voice, PATIENCES_MS[i % PATIENCES_MS.length]!, signal)
    );
    await Promise.all([this.#keep(signal), ...reading]);
  }

  async #keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#use(signal);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        await this.#parts.pace.wait(CONNECT_PAUSE_MS, signal);
      }
    }
  }

  /** One connection, from its beginning to its end. */
  async #use(signal: AbortSignal): Promise<void> {
    const hello = { version: 1, clusterId: undefined, clientName: "jepsen watch" };
    const greeting = { hello, key: this.#parts.key, tlsAuthorities: undefined };
    const address = parseAddress(this.#parts.address);
    const connection = await ClientConnection.open(address, greeting, CONNECT_MS_MAX, signal);
    const stop = (): void => connection.close(new TransportError("closed", "the run is over"));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    this.#connection = connection;
    try {
      await connection.run({
        received: (view, at, end) => this.#received(view, at, end),
        ended: ({ error }) => this.#ended(error),
      });
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #ended({ code }: TransportError): void {
    this.#connection = undefined;
    for (const { done } of this.#open.values()) done({ type: "info", reason: code });
    this.#open.clear();
  }

  async #read(voice: Voice, patienceMs: number, signal: AbortSignal): Promise<void> {
    const { pace, random, bucket, pauseMs, draw } = this.#parts;
    for (;;) {
      await pace.wait(random.below(pauseMs), signal);
      if (!await bucket.take(signal)) return;
      if (this.#connection === undefined) continue;
      await this.#ask(voice, this.#connection, draw.read(), patienceMs);
    }
  }

  async #ask(
    voice: Voice,
    { writer }: ClientConnection,
    { request, slot }: ReadIntent,
    patienceMs: number,
  ): Promise<void> {
    const requestId = this.#nextRequestId++;
    voice.begin({ request, ...(slot === undefined ? {} : { slot }) });
    const ended = this.#expect(voice, requestId, request.kind === "get_resource", patienceMs);
    const { requiredLsn } = request;
    const question = request.kind === "get_resource"
      ? { ...request, requiredLsn }
      : { ...request, requiredLsn, currentSlot: slot };
    writeRequest(writer.out, requestId, question);
    writer.flush();
    await ended;
  }

  /** Ends the voice's wait with the answer, with the connection, or with its patience. */
  #expect(voice: Voice, requestId: bigint, isResource: boolean, patienceMs: number): Promise<void> {
    const late = new AbortController();
    return new Promise((resolve) => {
      const done = (ending: Ending): void => {
        if (late.signal.aborted) return;
        late.abort();
        voice.end(ending);
        resolve();
      };
      this.#open.set(requestId, { isResource, done });
      this.#parts.pace.wait(patienceMs, late.signal).then(() =>
        done({ type: "info", reason: "timeout" })
      );
    });
  }

  #received(view: DataView, at: number, end: number): boolean {
    const reader = this.#reader;
    reader.open(view, at, end);
    const elements = reader.arrayHead();
    reader.small(0xff);
    const requestId = reader.u64();
    const asked = this.#open.get(requestId);
    if (reader.failed || asked === undefined) return false;
    const read = asked.isResource
      ? readResourceReply(reader, elements)
      : readReservationReply(reader, elements);
    if (read === undefined || !reader.finish()) return false;
    this.#open.delete(requestId);
    asked.done(endingOfRead(read, this.#servedBy(read)));
    return true;
  }

  /** A replica that refuses because it is not primary says so. */
  #servedBy({ kind }: ResourceRead | ReservationRead): Partial<ServedBy> {
    const cluster = this.#connection?.info.cluster;
    if (cluster === undefined) return {};
    const replicaId = Number(cluster.replicaId);
    return kind === "not_primary" ? { replicaId, role: "not primary" } : { replicaId };
  }
}
