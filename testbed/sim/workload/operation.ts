/** What clients ask and are told. */
import type { ReadRefusal, Rejection, ReservationRead, ResourceRead } from "../../../node/api.ts";
import type { ClientCommand, ModelOutcome } from "../../model/words.ts";
import type { ClusterMachine } from "../world/machine.ts";
import { encodePlain } from "./plain.ts";

/** Which slot a client names: none, its server's, an earlier one, or one that is too far ahead. */
export type SlotWish = "none" | "now" | "past" | "far";

/** A command to be submitted, and how. */
export interface Wish {
  readonly command: ClientCommand;
  /** Bytes to send instead of the command's own: they are no command. */
  readonly malformed?: Uint8Array;
  readonly slot?: SlotWish;
  /** Definite refusals that may be the answer. */
  readonly refusals?: readonly Rejection["code"][];
  /** Whether to ask two replicas at once. */
  readonly isTwice?: boolean;
}

/** One command of one client, from the first attempt to the answer. */
export interface Operation {
  /** Name of the client. */
  readonly client: string;
  readonly command: ClientCommand;
  readonly wish: Wish;
  readonly bytes: Uint8Array;
  readonly invokedMs: number;
  attempts: number;
  /** Undefined until the client knows. */
  outcome: ModelOutcome | undefined;
  /** When the client stopped to wait, because it knew or because it gave up. */
  answeredMs: number | undefined;
  /** A definite rejection that no retry would change. */
  failure: Rejection | undefined;
  /** Whether the client gave up: what became of it nobody will know. */
  isAbandoned: boolean;
}

/** What a read was about and what it said. */
export interface ReadAnswer {
  readonly machine: ClusterMachine;
  readonly resourceId: bigint | undefined;
  readonly reservationId: bigint | undefined;
  /** The slot as of which a reservation was read. */
  readonly slot: bigint;
  readonly requiredLsn: bigint;
  /** Everything up to here was known to somebody when the read began. */
  readonly floorLsn: number;
  readonly result: ResourceRead | ReservationRead;
}

/** An operation that nobody has been asked to do yet. */
export function createOperation(client: string, wish: Wish, nowMs: number): Operation {
  return {
    client,
    command: wish.command,
    wish,
    bytes: wish.malformed ?? encodePlain(wish.command),
    invokedMs: nowMs,
    attempts: 0,
    outcome: undefined,
    answeredMs: undefined,
    failure: undefined,
    isAbandoned: false,
  };
}

/** Whether a read was answered without data. */
export function isRefusal(result: ResourceRead | ReservationRead): result is ReadRefusal {
  const { kind } = result;
  return kind === "not_primary" || kind === "engine_halted" || kind === "fence_not_applied";
}
