/**
 * Tells the world how a run goes: its status file, a copy of that under a name that is the same for all runs, and the log of
 * its events. Every change is on disk before the run goes on; the final state is written once, last.
 */
import { replaceText, writeAll } from "../../../cluster/workspace/files.ts";
import type { RunPaths } from "./paths.ts";
import { eventLine, type Phase, PHASES, type RunStatus, statusText } from "./status.ts";

/** What may change while a run goes on. */
export type StatusChange = Partial<
  Omit<RunStatus, "backend" | "runId" | "state" | "phase" | "startedAtMillis" | "updatedAtMillis">
>;

/** See the top of this file. */
export class Tracker implements Disposable {
  readonly #paths: RunPaths;
  readonly #nowMillis: () => number;
  readonly #events: Deno.FsFile;
  #status: RunStatus;

  /**
   * Writes the first status.
   *
   * @param paths The output root exists.
   * @param status As it is known at the beginning; running and waiting.
   * @param nowMillis The wall clock.
   */
  constructor(
    paths: RunPaths,
    status: Omit<RunStatus, "state" | "phase" | "detail" | "updatedAtMillis">,
    nowMillis: () => number,
  ) {
    this.#paths = paths;
    this.#nowMillis = nowMillis;
    this.#events = Deno.openSync(paths.events, { create: true, append: true });
    const updatedAtMillis = nowMillis();
    this.#status = {
      ...status,
      ...{ state: "running", phase: "waiting", detail: "run initialized", updatedAtMillis },
    };
    this.event("run initialized");
    this.#write();
  }

  /** As last written. */
  get status(): RunStatus {
    return this.#status;
  }

  /** The next phase; a run never goes back. */
  enter(phase: Exclude<Phase, "waiting" | "completed" | "failed">, detail: string): void {
    this.#requireRunning();
    if (PHASES.indexOf(phase) <= PHASES.indexOf(this.#status.phase)) {
      throw new Error(`a run in phase ${this.#status.phase} does not enter ${phase}`);
    }
    this.#status = { ...this.#status, phase, detail };
    this.event(detail);
    this.#write();
  }

  /** Something is known that was not. */
  update(change: StatusChange): void {
    this.#requireRunning();
    this.#status = { ...this.#status, ...change };
    this.#write();
  }

  /** One line of the events log. */
  event(detail: string): void {
    writeAll(this.#events, new TextEncoder().encode(eventLine(this.#nowMillis(), detail)));
    this.#events.syncDataSync();
  }

  /** The run came to its end: everything is archived. */
  complete(isPassed: boolean, change: StatusChange): void {
    this.#requireRunning();
    const state = isPassed ? "passed" : "failed";
    this.event("run completed");
    this.#end({ ...change, state, phase: "completed", detail: "run completed" });
  }

  /** The run did not come to its end. */
  fail(message: string, change: StatusChange = {}): void {
    this.#requireRunning();
    this.event(`error: ${message}`);
    const failed = { state: "failed", phase: "failed", detail: "run failed" } as const;
    this.#end({ ...change, ...failed, lastError: message });
  }

  /** Closes the events log. */
  [Symbol.dispose](): void {
    this.#events.close();
  }

  #end(change: Partial<RunStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#write();
  }

  #requireRunning(): void {
    if (this.#status.state !== "running") throw new Error("the run is over");
  }

  /** The run's own file first: whoever follows the copy finds what it names. */
  #write(): void {
    this.#status = { ...this.#status, updatedAtMillis: this.#nowMillis() };
    const text = statusText(this.#status);
    replaceText(this.#paths.status, text);
    const { latestStatus } = this.#paths;
    replaceText(latestStatus, text, `${latestStatus}.${Deno.pid}.tmp`);
  }
}
