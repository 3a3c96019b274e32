/**
 * Events in one total order become attempts. Positions are numbers of events, invocations and completions alike, from 0.
 * Refuses what cannot have happened; what may have happened but proves nothing is noted.
 */
import type { EventClaims } from "./claims.ts";
import type {
  Completion,
  HistoryEvent,
  HistoryHeader,
  Invocation,
  RecordedRequest,
  ReplicaSample,
} from "./event.ts";
import { EventOrder, type OpenAttempt } from "./event_order.ts";
import { FaultPairing } from "./fault_pairing.ts";
import type { SourcePlace } from "./history_error.ts";
import { initialResources } from "./initial_resources.ts";
import type { ModelOperation } from "./model.ts";
import type { HistoryOperation } from "./operation.ts";
import { modelOperationOf, operationOf, tickOf } from "./paired.ts";
import type { Recording, TickOperation } from "./recording.ts";

/** Reads that are told as such whatever the model. */
const READS: ReadonlySet<string> = new Set(["get_resource", "get_reservation", "read", "get"]);

/** See the top of this file. Memory: what is open, and what comes out. */
export class Pairing {
  readonly #header: HistoryHeader;
  readonly #hasInvocations: boolean;
  readonly #order: EventOrder;
  // Undefined while an attempt goes on; none is any more after `finish`.
  readonly #operations: (HistoryOperation | undefined)[] = [];
  readonly #modelOperations: (ModelOperation | undefined)[] = [];
  readonly #ticks: (TickOperation | undefined)[] = [];
  readonly #samples: ReplicaSample[] = [];
  readonly #faults = new FaultPairing();
  readonly #notes = new Set<string>();
  #answered = 0;
  #isReadsOnly = true;
  #lastNs = 0;
  #timesBack = 0;
  #skippedLines = 0;

  /**
   * @param hasInvocations False when each was made up right before its completion. Then an attempt may have begun at any
   *   time before its end, and no order follows from when anything began.
   */
  constructor(header: HistoryHeader, hasInvocations = true) {
    this.#header = header;
    this.#hasInvocations = hasInvocations;
    this.#order = new EventOrder(header, hasInvocations);
  }

  /**
   * Takes the next event. A `timeNs` that is not a number was not recorded.
   *
   * @param at Looked at during the call only.
   * @throws {HistoryError} When it cannot follow what came before, or does not fit the model.
   */
  add(event: HistoryEvent, at: SourcePlace, claims?: EventClaims): void {
    this.#passTime(event.timeNs);
    switch (event.type) {
      case "invoke":
        return this.#invoke(event, at, claims);
      case "ok":
      case "fail":
      case "info":
        return this.#complete(event, at, claims);
      case "fault":
        return this.#faults.add(event, at);
      case "replica":
        this.#samples.push(event);
    }
  }

  /** A process has a name. */
  name(number: number, name: string): void {
    this.#order.name(number, name);
  }

  /** Says something that people should know. */
  note(text: string): void {
    this.#notes.add(text);
  }

  /** Lines were no events. */
  skip(lines = 1): void {
    this.#skippedLines += lines;
  }

  /** Nothing comes any more: who still waits will never know. */
  finish(): Recording {
    for (const open of this.#order.open) this.#settle(open, undefined);
    this.#addNotes();
    const operations = this.#operations as HistoryOperation[];
    return {
      header: this.#finishedHeader(operations),
      operations,
      modelOperations: this.#modelOperations as ModelOperation[],
      ticks: this.#ticks as TickOperation[],
      faults: this.#faults.finish(),
      samples: this.#samples,
      processNames: this.#order.names,
      events: this.#order.events,
      skippedLines: this.#skippedLines,
      notes: [...this.#notes],
      hasInvocations: this.#hasInvocations,
      endNs: this.#lastNs,
    };
  }

  /** Formats without invocations leave out how resources came to be. */
  #finishedHeader(operations: readonly HistoryOperation[]): HistoryHeader {
    const { model, initialResourceIds } = this.#header;
    const isSaid = this.#hasInvocations || initialResourceIds !== undefined;
    if (isSaid || model !== "reservation") return this.#header;
    this.note("resources that nobody creates are taken to have been there");
    return { ...this.#header, initialResourceIds: initialResources(operations) };
  }

  #passTime(timeNs: number): void {
    if (timeNs >= this.#lastNs) this.#lastNs = timeNs;
    else if (timeNs < this.#lastNs) this.#timesBack++;
  }

  #invoke(invocation: Invocation, at: SourcePlace, claims: EventClaims | undefined): void {
    const { request } = invocation;
    const list = this.#listOf(request);
    this.#order.invoke(invocation, at, claims, list.length);
    this.#isReadsOnly &&= READS.has(request.kind === "model" ? request.f : request.kind);
    // Keeps its place, so that the list is in the order of beginnings.
    list.push(undefined);
  }

  #complete(completion: Completion, at: SourcePlace, claims: EventClaims | undefined): void {
    const open = this.#order.complete(completion, at, claims);
    if (completion.type !== "info") this.#answered++;
    this.#settle(open, completion);
  }

  /** Writes down what is known of an attempt. */
  #settle({ invocation, invokedAt, index }: OpenAttempt, completion: Completion | undefined): void {
    const completedAt = completion === undefined ? undefined : this.#order.events - 1;
    switch (invocation.request.kind) {
      case "model":
        this.#modelOperations[index] = modelOperationOf(
          invocation,
          invocation.request,
          invokedAt,
          completion,
          completedAt,
        );
        return;
      case "tick_expirations":
        this.#ticks[index] = tickOf(invocation, invokedAt, completion, completedAt);
        return;
      default:
        this.#operations[index] = operationOf(
          invocation,
          invocation.request,
          invokedAt,
          completion,
          completedAt,
        );
    }
  }

  #listOf(request: RecordedRequest): unknown[] {
    if (request.kind === "model") return this.#modelOperations;
    return request.kind === "tick_expirations" ? this.#ticks : this.#operations;
  }

  #addNotes(): void {
    if (!this.#hasInvocations) {
      this.note("recorded without invocations: what real time says cannot be checked");
    }
    if (this.#timesBack > 0) {
      this.note(`time goes back ${this.#timesBack} times; the order of the file counts`);
    }
    if (this.#order.events === 0) {
      const isEmpty = this.#samples.length === 0 && this.#faults.isEmpty;
      this.note(
        isEmpty ? "nothing in it: 0 operations" : "no operations, only what happened to the system",
      );
      return;
    }
    if (this.#answered === 0) this.note("nothing was answered");
    else if (this.#isReadsOnly) this.note("nothing but reads");
  }
}
