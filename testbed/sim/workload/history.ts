/**
 * What clients saw of a life, attempt by attempt in the order of virtual time, in the form in which histories of real
 * clusters are judged. An attempt that failed for certain leaves nothing behind and is not kept. Memory is bounded: when
 * there are so many attempts, the history ends. What is under way then stays without an answer, as what comes later may
 * have made it what it is.
 */
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../../core/tables.ts";
import type { ReadRefusal, Rejection, ReservationRead, ResourceRead } from "../../../node/api.ts";
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryOutcome,
  HistoryRequest,
  OperationKey,
  ReservationSeen,
  ResourceSeen,
  WriteRequest,
} from "../../jepsen/history/operation.ts";
import type { ClientCommand, ModelOutcome } from "../../model/words.ts";
import { isRefusal, type Operation } from "./operation.ts";

/** An attempt while nobody knows how it ends. */
export interface Attempt extends HistoryOperation {
  completedAt: number | undefined;
  outcome: HistoryOutcome;
}

const ATTEMPTS_MAX = 2_500;
const NOBODY_KNOWS: HistoryOutcome = { kind: "info" };

/** See the top of this file. */
export class ClientHistory {
  /** Whether attempts have begun that are not here. */
  isCutShort = false;
  readonly #attemptsMax: number;
  readonly #ended: Attempt[] = [];
  readonly #open = new Set<Attempt>();
  /** Which of the commands that were sent under one key each is. */
  readonly #variants = new Map<string, ClientCommand[]>();
  #position = 0;

  /** @param attemptsMax How many to keep. */
  constructor(attemptsMax = ATTEMPTS_MAX) {
    this.#attemptsMax = attemptsMax;
  }

  /** Those that have ended, in that order, then the others. */
  get attempts(): readonly HistoryOperation[] {
    return [...this.#ended, ...this.#open];
  }

  /** A client begins an attempt of a write. */
  write({ command, wish }: Operation): Attempt | undefined {
    if (wish.malformed !== undefined || this.#isFull()) return undefined;
    return this.#begin(requestOf(command), this.#keyOf(command));
  }

  /** A client begins a read. */
  read(isResource: boolean, id: bigint, requiredLsn: bigint): Attempt | undefined {
    if (this.#isFull()) return undefined;
    return this.#begin(
      isResource
        ? { kind: "get_resource", resourceId: id, requiredLsn }
        : { kind: "get_reservation", reservationId: id, requiredLsn },
      undefined,
    );
  }

  /** The client learns how a command ended. */
  applied(attempt: Attempt | undefined, outcome: ModelOutcome): void {
    const { code, appliedLsn, reserved } = outcome;
    // The key belongs to another command: this one was not executed, and never will be.
    if (code === "operation_conflict") return this.#drop(attempt);
    const answer = { kind: "applied", code, lsn: appliedLsn } as const;
    this.#end(attempt, { kind: "ok", answer: reserved ? { ...answer, reserved } : answer });
  }

  /** The client learns that there is no result. */
  rejected(attempt: Attempt | undefined, { category, code }: Rejection): void {
    if (category === "definite") return this.#drop(attempt);
    this.#end(attempt, { kind: "info", reason: code });
  }

  /** Nobody was there to be asked. */
  unreached(attempt: Attempt | undefined): void {
    this.#drop(attempt);
  }

  /** The client learns what a read saw. */
  seen(attempt: Attempt | undefined, result: ResourceRead | ReservationRead): void {
    if (isRefusal(result)) return this.#drop(attempt);
    this.#end(attempt, { kind: "ok", answer: answerOf(result) });
  }

  #isFull(): boolean {
    if (this.#ended.length + this.#open.size >= this.#attemptsMax) this.isCutShort = true;
    return this.isCutShort;
  }

  #begin(request: HistoryRequest, key: OperationKey | undefined): Attempt {
    const attempt: Attempt = {
      process: this.#position,
      ...(key === undefined ? {} : { key }),
      request,
      invokedAt: this.#position++,
      completedAt: undefined,
      outcome: NOBODY_KNOWS,
    };
    this.#open.add(attempt);
    return attempt;
  }

  #end(attempt: Attempt | undefined, outcome: HistoryOutcome): void {
    if (attempt === undefined || this.isCutShort || !this.#open.delete(attempt)) return;
    attempt.completedAt = this.#position++;
    attempt.outcome = outcome;
    this.#ended.push(attempt);
  }

  /** It did not happen and never will. */
  #drop(attempt: Attempt | undefined): void {
    if (attempt !== undefined && !this.isCutShort) this.#open.delete(attempt);
  }

  /** Commands under the same key are different operations, of which one at most is executed. */
  #keyOf(command: ClientCommand): OperationKey {
    const { clientId, operationId } = command;
    const name = `${clientId} ${operationId}`;
    const variants = this.#variants.get(name) ?? [];
    if (variants.length === 0) this.#variants.set(name, variants);
    let variant = variants.findIndex((known) => known === command || isSame(known, command));
    if (variant < 0) variant = variants.push(command) - 1;
    return { clientId, operationId: operationId + (BigInt(variant) << 64n) };
  }
}

function isSame(a: ClientCommand, b: ClientCommand): boolean {
  const fields = Object.entries(a);
  return fields.every(([name, value]) => `${b[name as keyof ClientCommand]}` === `${value}`) &&
    fields.length === Object.keys(b).length;
}

function requestOf(command: ClientCommand): WriteRequest {
  const { clientId: _client, operationId: _operation, ...request } = command;
  return request;
}

function answerOf(
  result: Exclude<ResourceRead | ReservationRead, ReadRefusal>,
): HistoryAnswer {
  if (result.kind !== "found") return { kind: result.kind };
  if (!("reservationId" in result)) {
    const { state, currentReservationId, version } = result;
    const name = RESOURCE_STATE_NAMES[state] as ResourceSeen["state"];
    return { kind: "resource", state: name, reservationId: currentReservationId, version };
  }
  const { kind: _kind, reservationId: _id, state, ...facts } = result;
  const name = RESERVATION_STATE_NAMES[state] as ReservationSeen["state"];
  return { kind: "reservation", state: name, ...facts };
}
