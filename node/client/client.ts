import type {
  CheckpointResult,
  Metrics,
  Rejection,
  ReservationRead,
  ResourceRead,
} from "../api.ts";
import { CredentialError, parseCredential } from "../auth/credential.ts";
import { presentedKey, type RoleKey } from "../auth/keys.ts";
import { readMetricsReply } from "../wire/metrics.ts";
import type { WireReader } from "../wire/reader.ts";
import {
  readCheckpointReply,
  readReservationReply,
  readResourceReply,
  readTickReply,
  type TickReply,
} from "../wire/replies.ts";
import type { Question } from "../wire/requests.ts";
import { readStatusReply, type ServerStatus } from "../wire/status.ts";
import { submitBodyBytesMax } from "../wire/submit.ts";
import { WireWriter } from "../wire/writer.ts";
import { parseAddress } from "./address.ts";
import { checkedId, randomId, writeCommand } from "./encode.ts";
import { tooLarge } from "./results.ts";
import { Session, type SessionOptions } from "./session.ts";
import type {
  CallOptions,
  ClientCommand,
  ConnectOptions,
  CreateResource,
  HolderAction,
  OperatorAction,
  Reserve,
  ReserveBundle,
  ServerInfo,
  SubmitResult,
  WriteOptions,
} from "./types.ts";

export type { TickReply };

const REQUEST_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;
const CHECKPOINT_TIMEOUT_MS = 60_000;
const BACKOFF_MS_MAX = 500;
const SUBMIT_WINDOW = 4;
/** Scratch above this is let go: a bundle of thousands came through. */
const SCRATCH_BYTES = 0x4000;

/** A command as it will be sent, time and again if need be. */
interface EncodedWrite {
  readonly operationId: bigint;
  readonly bytes: Uint8Array;
}

/** Per read. */
export interface ReadOptions extends CallOptions {
  /** The answer must include everything up to this lsn, or be `fence_not_applied`. */
  readonly requiredLsn?: bigint;
}

/** Per call that looks at the clock. */
export interface SlotOptions extends CallOptions {
  /** The slot to look from, instead of the node's clock. */
  readonly currentSlot?: bigint;
}

/**
 * A connection to AllocDB that mends itself and finds the primary of a cluster. Writes made in one turn travel
 * together; a write whose outcome is in doubt is sent again with the same operation id until its deadline.
 * Business outcomes are values; reads and administration throw {@linkcode TransportError} when nobody answers.
 * Figures, status and checkpoints are those of the replica that the client is connected to, whatever it is.
 */
export class AllocDbClient implements AsyncDisposable {
  /** Half of every retry key. */
  readonly clientId: bigint;
  readonly #session: Session;
  readonly #timeoutMs: number;
  readonly #scratch = new WireWriter();

  private constructor(clientId: bigint, session: Session, timeoutMs: number) {
    this.clientId = clientId;
    this.#session = session;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Connects to the first server that answers; each address is tried once.
   *
   * @param options Where to, and how long to try.
   * @returns A client that is ready.
   * @throws {TransportError} When no server answered in time, or one refused this client.
   * @throws {TypeError} When there is no address, or one that is none, or a secret that is none.
   * @throws {RangeError} When the client id does not fit 128 bits.
   *
   * @example
   * ```ts ignore
   * await using client = await AllocDbClient.connect({ address: "127.0.0.1:7100" });
   * const claim = await client.reserve({ resourceId: 21n, holderId: 7n, ttlMs: 30_000 });
   * if (claim.kind === "committed" && claim.ok) console.log(claim.reservationId, claim.epoch);
   * ```
   */
  static async connect(options: ConnectOptions): Promise<AllocDbClient> {
    const session = new Session(sessionOptions(options));
    const clientId = checkedId("clientId", options.clientId ?? randomId());
    await session.open();
    return new AllocDbClient(clientId, session, options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS);
  }

  /** What the server of the latest connection said about itself. */
  get server(): ServerInfo {
    return this.#session.info;
  }

  /** Makes a resource. */
  createResource(command: CreateResource, options?: WriteOptions): Promise<SubmitResult> {
    return this.#submit({ kind: "create_resource", ...command }, options);
  }

  /** Claims one resource. */
  reserve(command: Reserve, options?: WriteOptions): Promise<SubmitResult> {
    return this.#submit({ kind: "reserve", ...command }, options);
  }

  /** Claims several resources, all or none. */
  reserveBundle(command: ReserveBundle, options?: WriteOptions): Promise<SubmitResult> {
    return this.#submit({ kind: "reserve_bundle", ...command }, options);
  }

  /** Makes a reservation permanent until release or revoke. */
  confirm(command: HolderAction, options?: WriteOptions): Promise<SubmitResult> {
    return this.#submit({ kind: "confirm", ...command }, options);
  }

  /** Gives a reservation back. */
  release(command: HolderAction, options?: WriteOptions): Promise<SubmitResult> {
    return this.#submit({ kind: "release", ...command }, options);
  }

  /** Takes a confirmed reservation's authority away; its resources stay held until `reclaim`. */
  revoke(command: OperatorAction, options?: WriteOptions): Promise<SubmitResult> {
    return this.#submit({ kind: "revoke", ...command }, options);
  }

  /** Frees the resources of a revoked reservation. */
  reclaim(command: OperatorAction, options?: WriteOptions): Promise<SubmitResult> {
    return this.#submit({ kind: "reclaim", ...command }, options);
  }

  /**
   * Sends many commands at once. They are applied in this order as far as they are sent for the first
   * time; a command that has to be retried may land behind later ones.
   *
   * @returns One result per command, in order.
   */
  submitMany(
    commands: readonly ClientCommand[],
    options?: WriteOptions,
  ): Promise<readonly SubmitResult[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly SubmitResult[]>();
    const results: SubmitResult[] = new Array(commands.length);
    let left = commands.length;
    if (left === 0) resolve(results);
    try {
      const encoded = commands.map((command) => this.#encode(command));
      encoded.forEach((write, i) =>
        this.#start(write, options, (result) => {
          results[i] = result;
          if (--left === 0) resolve(results);
        })
      );
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  /** Reads a resource. */
  getResource(resourceId: bigint, options: ReadOptions = {}): Promise<ResourceRead> {
    const { requiredLsn } = options;
    const question = { kind: "get_resource", resourceId, requiredLsn } as const;
    return this.#ask(question, options, readResourceReply, readRefusal);
  }

  /** Reads a reservation. */
  getReservation(
    reservationId: bigint,
    options: ReadOptions & SlotOptions = {},
  ): Promise<ReservationRead> {
    const { requiredLsn, currentSlot } = options;
    const question = { kind: "get_reservation", reservationId, requiredLsn, currentSlot } as const;
    return this.#ask(question, options, readReservationReply, readRefusal);
  }

  /** The node's operational figures. */
  metrics(options: SlotOptions = {}): Promise<Metrics> {
    const { currentSlot } = options;
    return this.#ask({ kind: "get_metrics", currentSlot }, options, readMetricsReply);
  }

  /** Sequences the expirations that are due. */
  tick(options: SlotOptions = {}): Promise<TickReply> {
    const { currentSlot } = options;
    const question = { kind: "tick_expirations", currentSlot } as const;
    return this.#ask(question, options, readTickReply, tickRefusal);
  }

  /** Has the node write a snapshot. Waits for a minute unless told. */
  checkpoint(options: CallOptions = {}): Promise<CheckpointResult> {
    const timeoutMs = options.timeoutMs ?? Math.max(this.#timeoutMs, CHECKPOINT_TIMEOUT_MS);
    return this.#ask({ kind: "checkpoint" }, { timeoutMs }, readCheckpointReply);
  }

  /** Who the server is, how it is bounded and what it did. */
  status(options: CallOptions = {}): Promise<ServerStatus> {
    return this.#ask({ kind: "status" }, options, readStatusReply);
  }

  /** Ends the connection. Calls under way end at once, as unknown, rejected or failed. */
  close(): Promise<void> {
    return this.#session.close();
  }

  /** Closes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #submit(command: ClientCommand, options?: WriteOptions): Promise<SubmitResult> {
    const [result] = await this.submitMany([command], options);
    return result!;
  }

  #encode(command: ClientCommand): EncodedWrite {
    const operationId = command.operationId ?? randomId();
    const out = this.#scratch;
    out.clear(SCRATCH_BYTES);
    writeCommand(out, command, this.clientId, operationId, this.server.slotDurationMs);
    return { operationId, bytes: out.bytes.slice(0, out.end) };
  }

  #start(
    { operationId, bytes }: EncodedWrite,
    options: WriteOptions | undefined,
    done: (result: SubmitResult) => void,
  ): void {
    const { maxFrameBytes, maxCommandBytes } = this.server;
    if (submitBodyBytesMax(bytes.length) > maxFrameBytes) {
      return done(tooLarge(operationId, bytes.length, maxCommandBytes));
    }
    this.#session.submit({
      operationId,
      bytes,
      slot: options?.slot,
      deadlineMs: this.#deadline(options?.timeoutMs),
      done,
      order: 0,
      isInDoubt: false,
      isDone: false,
      attempts: 0,
      notBeforeMs: 0,
      lastRejection: undefined,
      lastError: undefined,
    });
  }

  #ask<T>(
    question: Question,
    { timeoutMs }: CallOptions,
    read: (reader: WireReader, elements: number) => T | undefined,
    refusal?: (value: T) => Rejection | undefined,
  ): Promise<T> {
    return this.#session.ask(question, this.#deadline(timeoutMs), read, refusal);
  }

  #deadline(timeoutMs: number | undefined): number {
    return performance.now() + (timeoutMs ?? this.#timeoutMs);
  }
}

/** On the port of clients the whole secret makes an operator. */
function keyOf(secret: string): RoleKey {
  try {
    return presentedKey(parseCredential(secret), "operator");
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new TypeError(`secret is no credential: ${error.message}`);
  }
}

/** When a read is refused for what its server is, and another server may answer it. */
function readRefusal(read: ResourceRead | ReservationRead): Rejection | undefined {
  switch (read.kind) {
    case "not_primary":
      return { category: "definite", code: read.kind, view: read.view, primary: read.primary };
    case "engine_halted":
      return { category: "indefinite", code: read.kind };
    default:
      return undefined;
  }
}

/** The same for expirations; to have them sequenced twice does no harm. */
function tickRefusal(reply: TickReply): Rejection | undefined {
  return reply.kind === "rejected" ? reply.rejection : undefined;
}

function sessionOptions(options: ConnectOptions): SessionOptions {
  const { address, addresses = [] } = options;
  const all = address === undefined ? addresses : [address, ...addresses];
  if (all.length === 0) throw new TypeError("no address to connect to");
  return {
    addresses: all.map(parseAddress),
    clientName: options.clientName ?? "allocdb client",
    clusterId: options.clusterId,
    key: options.secret === undefined ? undefined : keyOf(options.secret),
    tlsAuthorities: options.tlsAuthorities,
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    backoffMsMax: options.reconnectBackoffMsMax ?? BACKOFF_MS_MAX,
    silenceTimeoutMs: options.silenceTimeoutMs,
    submitWindow: options.submitWindow ?? SUBMIT_WINDOW,
  };
}
