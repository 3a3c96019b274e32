/** Writes histories of models for Knossos, Jepsen and whoever else reads theirs. What they have no words for is counted. */
import type {
  Completion,
  FaultEvent,
  HistoryEvent,
  HistoryHeader,
  Invocation,
} from "../../history/event.ts";
import type { SourcePlace } from "../../history/history_error.ts";
import type { ModelRequest, Value } from "../../history/model.ts";
import type { EventSink, HistoryWriter, Losses } from "../format.ts";
import { TextBuffer } from "../own/text_buffer.ts";
import type { ForeignLine, Notation } from "./notation.ts";

/** What a keyword may be made of; more would be allowed, less is certain. */
const NAME = /^[A-Za-z][\w.-]*$/;
const NOT_IN_NAME = /[^\w.-]/g;

type Spoken = Pick<ForeignLine, "process" | "type" | "f" | "timeNs"> & Partial<ForeignLine>;

/** See the top of this file. */
export class ForeignWriter implements HistoryWriter, EventSink {
  readonly #notation: Notation;
  readonly #out = new TextBuffer();
  readonly #losses = new Map<string, number>();
  readonly #open = new Map<number, ModelRequest>();
  readonly #names = new Map<number, string>();
  #index = 0;

  constructor(notation: Notation) {
    this.#notation = notation;
  }

  get losses(): Losses {
    return this.#losses;
  }

  get pendingBytes(): number {
    return this.#out.pendingBytes;
  }

  header(header: HistoryHeader, hasInvocations = true): void {
    for (const field of Object.keys(header)) {
      if (field !== "model") this.#lose(`field ${field} of the header`);
    }
    if (!hasInvocations) this.#lose("that it was recorded without invocations");
    this.#comment(`model ${header.model}`);
  }

  event(event: HistoryEvent): void {
    switch (event.type) {
      case "invoke":
        return this.#invocation(event);
      case "fault":
        return this.#fault(event);
      case "replica":
        return this.#lose("samples of replicas");
      default:
        return this.#completion(event);
    }
  }

  processName(number: number, name: string): void {
    if (NAME.test(name) && this.#index === 0 && name !== "nemesis") this.#names.set(number, name);
    else if (this.#names.get(number) !== name) this.#lateName(number, name);
  }

  skip(_at: SourcePlace, what: string): void {
    this.#lose(what);
  }

  note(text: string): void {
    this.#comment(text);
  }

  end(): void {}

  take(): Uint8Array<ArrayBuffer> {
    return this.#out.take();
  }

  #invocation(event: Invocation): void {
    const { request, process, timeNs } = event;
    if (request.kind !== "model") {
      return this.#lose(`operations that no model of theirs has: ${request.kind}`);
    }
    this.#open.set(process, request);
    const { f, key, value } = request;
    this.#line({
      process: this.#processOf(process),
      type: "invoke",
      f,
      timeNs,
      ...this.#keyed(key, value),
    });
  }

  #completion(event: Completion): void {
    const { process, type, timeNs, reason, answer } = event;
    const request = this.#open.get(process);
    if (request === undefined) return this.#lose("ends of operations that are not there");
    this.#open.delete(process);
    if (event.servedBy !== undefined) this.#lose("who answered");
    const keyed = answer?.kind === "model" ? this.#keyed(request.key, answer.value) : {};
    this.#line({
      process: this.#processOf(process),
      type,
      f: request.f,
      timeNs,
      ...keyed,
      error: reason,
    });
  }

  /** Twice, as a nemesis of Jepsen does: when it begins to and when it is done. */
  #fault({ name, phase, detail, timeNs, replicaIds }: FaultEvent): void {
    if (replicaIds !== undefined) this.#lose("which replicas a fault was of");
    const f = `${phase}-${name.replace(NOT_IN_NAME, "-")}`;
    const said: Spoken = { process: "nemesis", type: "info", f, timeNs, value: detail ?? null };
    this.#line(said);
    this.#line(said);
  }

  #keyed(key: Value | undefined, value: Value): Pick<ForeignLine, "key" | "value"> {
    if (key === undefined || this.#notation.hasKeyField) return { key, value };
    return { key: undefined, value: [key, value] };
  }

  #processOf(process: number): number | string {
    return this.#names.get(process) ?? process;
  }

  #lateName(number: number, name: string): void {
    if (String(number) !== name) this.#lose("names of processes");
  }

  #line(spoken: Spoken): void {
    const line: ForeignLine = {
      key: undefined,
      value: undefined,
      error: undefined,
      ...spoken,
      index: this.#index++,
    };
    this.#out.add(`${this.#notation.line(line)}\n`);
  }

  #comment(text: string): void {
    if (this.#notation.comment !== undefined) this.#out.add(`${this.#notation.comment(text)}\n`);
  }

  #lose(what: string): void {
    this.#losses.set(what, (this.#losses.get(what) ?? 0) + 1);
  }
}
