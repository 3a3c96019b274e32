/** What may be sent to the connected server, by whether it is primary as far as is known. Time is an argument. */
import type { Rejection } from "../api.ts";
import type { PrimarySearch } from "./primary_search.ts";
import { type ServerInfo, TransportError } from "./types.ts";

/** Questions to a server that is not primary before another one is asked. */
const KNOCKS_MAX = 3;
/** How long a server that is left may take over what it still owes, in milliseconds. */
const GRACE_MS = 20;

/** Rejections that a server gives for its own state, not for the command's. */
export type Displacement = Extract<
  Rejection,
  {
    readonly code:
      | "not_primary"
      | "view_changed"
      | "engine_halted"
      | "storage_failure"
      | "shutting_down";
  }
>;

/** Whether a command is better off elsewhere. A server that stops or has stopped itself may be the only one. */
export function isDisplacement(
  rejection: Rejection,
  hasChoice: boolean,
): rejection is Displacement {
  switch (rejection.code) {
    case "not_primary":
    case "view_changed":
      return true;
    case "engine_halted":
    case "storage_failure":
    case "shutting_down":
      return hasChoice;
    default:
      return false;
  }
}

/**
 * - `send`: everything.
 * - `knock`: one request, whose answer shows whether the rest may follow.
 * - `wait`: nothing now.
 * - `move`: nothing here; there is a better server.
 * - `leave`: nothing here; any other server is worth a try.
 */
export type Step = "send" | "knock" | "wait" | "move" | "leave";

/** See the top of the file. */
export class Course {
  readonly #search: PrimarySearch;
  #server: ServerInfo | undefined;
  #isSearching = false;
  #isUnwell = false;
  #isKnocking = false;
  #knocks = 0;
  #knockDueMs = 0;
  #displacedMs = 0;

  /** @param search Where else to go. */
  constructor(search: PrimarySearch) {
    this.#search = search;
  }

  /** A connection is open. */
  connected(server: ServerInfo): void {
    const { cluster } = server;
    this.#server = server;
    this.#isSearching = cluster !== undefined && cluster.primary !== cluster.replicaId;
    this.#isUnwell = false;
    this.#isKnocking = false;
    this.#knocks = 0;
    this.#knockDueMs = 0;
    this.#displacedMs = 0;
  }

  /** The one request of a `knock` is sent. */
  knocked(): void {
    this.#isKnocking = true;
  }

  /** The server did what only a primary does. */
  accepted(): void {
    this.#isSearching = false;
    this.#isKnocking = false;
    this.#knocks = 0;
    this.#search.settled();
  }

  /** The server did not, for a reason of its own. */
  displaced(reason: Displacement, nowMs: number): void {
    if (reason.code === "not_primary") this.#search.heard(reason);
    else if (reason.code !== "view_changed") this.#isUnwell = true;
    if (this.#isKnocking) this.#knocks++;
    this.#isKnocking = false;
    this.#isSearching = true;
    this.#displacedMs = nowMs;
    this.#search.disappointed(nowMs);
    this.#knockDueMs = nowMs + this.#search.pauseMs(nowMs);
  }

  /**
   * What is to be done now.
   *
   * @param awaits Whether the server owes an answer to something that only a primary answers.
   */
  step(nowMs: number, awaits: boolean): Step {
    if (!this.#isSearching) return "send";
    const direction = this.#direction(nowMs);
    if (direction !== undefined) {
      return awaits && nowMs - this.#displacedMs < GRACE_MS ? "wait" : direction;
    }
    return awaits || nowMs < this.#knockDueMs ? "wait" : "knock";
  }

  /** Whether a view has begun since the connection opened, and its primary is known to be elsewhere. */
  isOvertaken(nowMs: number): boolean {
    const cluster = this.#server?.cluster;
    return cluster !== undefined && this.#search.target(cluster.replicaId, nowMs) !== undefined;
  }

  #direction(nowMs: number): "move" | "leave" | undefined {
    if (this.isOvertaken(nowMs)) return "move";
    const isUseless = this.#isUnwell || this.#knocks >= KNOCKS_MAX;
    return isUseless && this.#search.hasChoice ? "leave" : undefined;
  }

  /** Why the server is left. */
  reason(): TransportError {
    const address = this.#server?.address ?? "the server";
    if (this.#isUnwell) return new TransportError("connection_lost", `${address} has stopped`);
    return new TransportError("no_primary", `${address} is not primary`);
  }
}
