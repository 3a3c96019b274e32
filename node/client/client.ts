import type {
  CheckpointResult,
  Metrics,
  Rejection,
  ReservationRead,
  ResourceRead,
  TickResult,
} from "../api.ts";
import type { ServerStatus } from "../wire_status.ts";
import {
  type CallOptions,
  type ClientCommand,
  type ConnectOptions,
  type CreateResource,
  type HolderAction,
  type OperatorAction,
  type Reserve,
  type ReserveBundle,
  type ServerInfo,
  type SubmitResult,
  TransportError,
  type WriteOptions,
} from "./types.ts";

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

/** What an expiration tick answers. */
export type TickReply = TickResult | { readonly kind: "rejected"; readonly rejection: Rejection };

/**
 * A connection to AllocDB that mends itself. Writes made in one turn travel together; a write whose
 * outcome is in doubt is sent again with the same operation id until its deadline. Business outcomes are
 * values; reads and administration throw {@linkcode TransportError} when nobody answers.
 */
export class AllocDbClient implements AsyncDisposable {
  /** Half of every retry key. */
  readonly clientId: bigint;
  /** What the server of the latest connection said about itself. */
  readonly server: ServerInfo;

  private constructor(clientId: bigint, server: ServerInfo) {
    this.clientId = clientId;
    this.server = server;
  }

  /**
   * Connects to the first server that answers.
   *
   * @param options Where to, and how long to try.
   * @returns A client that is ready.
   * @throws {TransportError} When no server answered in time, or one refused this client.
   */
  static connect(options: ConnectOptions): Promise<AllocDbClient> {
    return Promise.reject(new TransportError("unreachable", `no server at ${options.address}`));
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
    return Promise.all(commands.map((command) => this.#submit(command, options)));
  }

  /** Reads a resource. */
  getResource(_resourceId: bigint, _options?: ReadOptions): Promise<ResourceRead> {
    return this.#unconnected();
  }

  /** Reads a reservation. */
  getReservation(
    _reservationId: bigint,
    _options?: ReadOptions & SlotOptions,
  ): Promise<ReservationRead> {
    return this.#unconnected();
  }

  /** The node's operational figures. */
  metrics(_options?: SlotOptions): Promise<Metrics> {
    return this.#unconnected();
  }

  /** Sequences the expirations that are due. */
  tick(_options?: SlotOptions): Promise<TickReply> {
    return this.#unconnected();
  }

  /** Has the node write a snapshot. Waits up to 60 seconds unless told. */
  checkpoint(_options?: CallOptions): Promise<CheckpointResult> {
    return this.#unconnected();
  }

  /** Who the server is, how it is bounded and what it did. */
  status(_options?: CallOptions): Promise<ServerStatus> {
    return this.#unconnected();
  }

  /** Ends the connection. Calls under way end at once, as unknown or failed. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Closes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #submit(_command: ClientCommand, _options?: WriteOptions): Promise<SubmitResult> {
    return this.#unconnected();
  }

  #unconnected(): Promise<never> {
    return Promise.reject(new TransportError("closed", "the client is not connected"));
  }
}
