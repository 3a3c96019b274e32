/** Writes a runbook history while operations end. What the format has no words for is counted. */
import type { Completion, HistoryEvent, HistoryHeader, Invocation } from "../../history/event.ts";
import { HistoryError } from "../../history/history_error.ts";
import type { HistoryWriter, Losses } from "../format.ts";
import { TextBuffer } from "../own/text_buffer.ts";
import { Holds } from "./holds.ts";
import { operationTokens } from "./write_line.ts";

const NS_PER_MS = 1_000_000;

/** See the top of this file. */
export class RunbookWriter implements HistoryWriter {
  readonly #buffer = new TextBuffer();
  readonly #losses = new Map<string, number>();
  readonly #open = new Map<number, Invocation>();
  readonly #names = new Map<number, string>();
  readonly #holds = new Holds();
  #startedAtMillis = 0;
  #sequence = 0;
  #lastNs = 0;

  get losses(): Losses {
    return this.#losses;
  }

  get pendingBytes(): number {
    return this.#buffer.pendingBytes;
  }

  /** @throws {HistoryError} For other models than reservations. */
  header(header: HistoryHeader, hasInvocations = true): void {
    const { model, startedAtMillis, ...more } = header;
    if (model !== "reservation") {
      throw new HistoryError(undefined, `a history of ${model}`, "reservations: format runbook");
    }
    this.#startedAtMillis = startedAtMillis ?? 0;
    this.#buffer.add("version=1\n");
    if (hasInvocations) this.#lose("when operations began");
    if (Object.keys(more).length > 0) this.#lose("what the header says of the run");
  }

  event(event: HistoryEvent): void {
    if (event.timeNs > this.#lastNs) this.#lastNs = event.timeNs;
    switch (event.type) {
      case "invoke":
        this.#open.set(event.process, event);
        return;
      case "fault":
        return this.#lose("faults");
      case "replica":
        return this.#lose("what replicas said of themselves");
      default:
        return this.#complete(event);
    }
  }

  processName(number: number, name: string): void {
    if (name !== "") this.#names.set(number, oneWord(name));
  }

  skip(): void {
    this.#lose("lines that were no events");
  }

  note(): void {
    this.#lose("notes");
  }

  end(): void {
    for (const invocation of this.#open.values()) this.#line(invocation, undefined);
    this.#open.clear();
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#buffer.take();
  }

  #complete(completion: Completion): void {
    const invocation = this.#open.get(completion.process);
    if (invocation === undefined) return this.#lose("ends without a beginning");
    this.#open.delete(completion.process);
    this.#remember(invocation, completion);
    this.#line(invocation, completion);
  }

  #remember({ request }: Invocation, { answer }: Completion): void {
    if (answer?.kind !== "applied" || answer.reserved === undefined) return;
    if (request.kind !== "reserve" && request.kind !== "reserve_bundle") return;
    const { reservationId, deadlineSlot } = answer.reserved;
    const { holderId } = request;
    const resourceIds = request.kind === "reserve" ? [request.resourceId] : request.resourceIds;
    this.#holds.add(reservationId, { resourceIds, holderId, deadlineSlot });
  }

  #line(invocation: Invocation, completion: Completion | undefined): void {
    const pairs = operationTokens(invocation, completion, this.#holds);
    if (pairs === undefined) {
      return this.#lose(`${invocation.request.kind} that it has no words for`);
    }
    if (invocation.attempt !== undefined) this.#lose("numbers of attempts");
    if (completion?.servedBy?.view !== undefined) this.#lose("views of who answered");
    const { process: client } = invocation;
    const timeNs = completion?.timeNs ?? this.#lastNs;
    const elapsedMs = Math.floor((timeNs || 0) / NS_PER_MS);
    const millis = Math.min(this.#startedAtMillis + elapsedMs, Number.MAX_SAFE_INTEGER);
    let line = `sequence=${++this.#sequence} process=${
      this.#names.get(client) ?? `client-${client}`
    }`;
    line += ` time_millis=${millis}`;
    for (const [key, value] of pairs) {
      if (value !== undefined) line += ` ${key}=${oneWord(`${value}`)}`;
    }
    this.#buffer.add(`${line}\n`);
  }

  #lose(what: string): void {
    this.#losses.set(what, (this.#losses.get(what) ?? 0) + 1);
  }
}

/** Values have no spaces here. */
function oneWord(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, "_");
}
