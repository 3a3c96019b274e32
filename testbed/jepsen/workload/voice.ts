/**
 * Who speaks in a history: one process at a time, one thing after the other. After an outcome that nobody knows the process
 * is closed, and the voice goes on as another one of the same name.
 */
import type { Completion, Invocation, RecordedRequest } from "../history/event.ts";
import type { Counts } from "./counts.ts";

/** What a workload needs of a recorder. */
export interface EventSink {
  invoke(event: Invocation): void;
  complete(event: Completion): void;
  /** Nanoseconds since the run began. */
  nowNs(): number;
  /** A number that no process has had. */
  nextProcess(name?: string): number;
}

/** How something ended, as it is recorded. */
export type Ending = Pick<Completion, "type" | "answer" | "reason" | "servedBy">;

/** What is said of a beginning. */
export type Beginning = Pick<Invocation, "key" | "attempt" | "slot" | "request">;

/** See the top of this file. */
export class Voice {
  readonly name: string;
  readonly #sink: EventSink;
  readonly #counts: Counts;
  #process: number | undefined;
  #open: RecordedRequest | undefined;

  /**
   * @param name Of all its processes.
   * @param sink Records.
   * @param counts Counts.
   */
  constructor(name: string, sink: EventSink, counts: Counts) {
    this.name = name;
    this.#sink = sink;
    this.#counts = counts;
  }

  /** Begins to wait for something. */
  begin(beginning: Beginning): void {
    if (this.#open !== undefined) throw new Error(`${this.name} waits already`);
    this.#open = beginning.request;
    const process = (this.#process ??= this.#sink.nextProcess(this.name));
    this.#sink.invoke({ type: "invoke", process, timeNs: this.#sink.nowNs(), ...beginning });
  }

  /** Waits no more. */
  end(ending: Ending): void {
    const [request, process] = [this.#open, this.#process];
    if (request === undefined || process === undefined) {
      throw new Error(`${this.name} does not wait`);
    }
    this.#open = undefined;
    this.#sink.complete({ process, timeNs: this.#sink.nowNs(), ...ending });
    this.#counts.note(request.kind, ending.type, ending.reason);
    if (ending.type !== "info") return;
    this.#process = undefined;
    this.#counts.processesClosed++;
  }
}
