/** Which event may follow which: invocations and completions of a process take turns, and nothing follows `info`. */
import { equalValues, type EventClaims } from "./claims.ts";
import type { Completion, HistoryHeader, Invocation } from "./event.ts";
import { HistoryError, placeNumber, quoted, type SourcePlace } from "./history_error.ts";
import { MODEL_OPERATIONS } from "./model_operations.ts";
import { unfitness } from "./paired.ts";

/** An attempt that goes on. */
export interface OpenAttempt {
  readonly invocation: Invocation;
  /** Its number among events. */
  readonly invokedAt: number;
  /** Of its invocation: a line or byte. */
  readonly place: number;
  /** What the caller knows it by. */
  readonly index: number;
}

/** See the top of this file. Its memory is what is open, and a number for each process that is closed. */
export class EventOrder {
  readonly #model: HistoryHeader["model"];
  readonly #hasInvocations: boolean;
  readonly #open = new Map<number, OpenAttempt>();
  /** Processes whose last attempt ended with `info`. */
  readonly #closed = new Set<number>();
  readonly #names = new Map<number, string>();
  #events = 0;
  #lastIndex = -1;

  /** @param hasInvocations As for a `Pairing`. */
  constructor({ model }: HistoryHeader, hasInvocations: boolean) {
    this.#model = model;
    this.#hasInvocations = hasInvocations;
  }

  /** Invocations and completions so far. */
  get events(): number {
    return this.#events;
  }

  /** Attempts without an end. */
  get open(): Iterable<OpenAttempt> {
    return this.#open.values();
  }

  get names(): ReadonlyMap<number, string> {
    return this.#names;
  }

  name(number: number, name: string): void {
    this.#names.set(number, name);
  }

  /**
   * Begins an attempt.
   *
   * @param index Comes back with its end.
   * @throws {HistoryError} When it cannot come now, or is none of the model.
   */
  invoke(
    invocation: Invocation,
    at: SourcePlace,
    claims: EventClaims | undefined,
    index = 0,
  ): void {
    this.#checkIndex(claims, at);
    this.#checkModel(invocation, at);
    this.#checkFree(invocation.process, at);
    const invokedAt = this.#hasInvocations ? this.#events : 0;
    this.#events++;
    this.#open.set(invocation.process, { invocation, invokedAt, place: placeNumber(at), index });
  }

  /**
   * Ends an attempt.
   *
   * @throws {HistoryError} When there is none, or it cannot end like that.
   */
  complete(
    completion: Completion,
    at: SourcePlace,
    claims: EventClaims | undefined,
  ): OpenAttempt {
    const { process: client, type } = completion;
    this.#checkIndex(claims, at);
    const open = this.#open.get(client);
    if (open === undefined) {
      const found = `${type} of process ${this.#processWords(client)}, which waits for nothing`;
      throw new HistoryError(at, found, "its invocation before it");
    }
    if (claims !== undefined) checkClaims(open, claims, at);
    const unfit = unfitness(open.invocation.request, completion);
    if (unfit !== undefined) throw new HistoryError(at, unfit.found, unfit.expected);
    this.#open.delete(client);
    if (type === "info" && this.#hasInvocations) this.#closed.add(client);
    this.#events++;
    return open;
  }

  #checkIndex(claims: EventClaims | undefined, at: SourcePlace): void {
    const index = claims?.index;
    if (index === undefined) return;
    if (index <= this.#lastIndex) {
      throw new HistoryError(at, `index ${index}`, `an index above ${this.#lastIndex}`);
    }
    this.#lastIndex = index;
  }

  #checkFree(client: number, at: SourcePlace): void {
    const open = this.#open.get(client);
    if (open !== undefined) {
      const found = `a second invocation of process ${this.#processWords(client)}`;
      const before = `the end of its ${kindOf(open.invocation)} from ${
        placeUnit(at)
      } ${open.place}`;
      throw new HistoryError(at, found, before);
    }
    if (!this.#closed.has(client)) return;
    const found = `process ${this.#processWords(client)}, whose last attempt ended with info`;
    throw new HistoryError(at, found, "a new process in its place");
  }

  #checkModel({ request }: Invocation, at: SourcePlace): void {
    const model = this.#model;
    if (model === "reservation") {
      if (request.kind !== "model") return;
      throw new HistoryError(at, `operation ${quoted(request.f)}`, "an operation on reservations");
    }
    const f = request.kind === "model" ? request.f : request.kind;
    const known = MODEL_OPERATIONS[model];
    if (request.kind === "model" && known.includes(f)) return;
    const expected = `one of the model ${model}: ${known.join(", ")}`;
    throw new HistoryError(at, `operation ${quoted(f)}`, expected);
  }

  #processWords(client: number): string {
    const name = this.#names.get(client);
    return name === undefined ? `${client}` : `${client} (${quoted(name)})`;
  }
}

function checkClaims({ invocation }: OpenAttempt, claims: EventClaims, at: SourcePlace): void {
  const { request, key } = invocation;
  const kind = kindOf(invocation);
  if (claims.f !== undefined && claims.f !== kind) {
    throw new HistoryError(at, `the end of ${quoted(claims.f)}`, `the end of ${quoted(kind)}`);
  }
  if (claims.operationId !== undefined && claims.operationId !== key?.operationId) {
    const expected = `that of its invocation, ${key?.operationId ?? "none"}`;
    throw new HistoryError(at, `operation id ${claims.operationId}`, expected);
  }
  if (claims.key === undefined || request.kind !== "model") return;
  if (request.key !== undefined && equalValues(claims.key, request.key)) return;
  throw new HistoryError(at, "the end of an operation on another key", "that of its invocation");
}

function kindOf({ request }: Invocation): string {
  return request.kind === "model" ? request.f : request.kind;
}

function placeUnit(place: SourcePlace): string {
  return "line" in place ? "line" : "byte";
}
