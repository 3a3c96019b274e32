/** Group commit: what is put into the log during one turn of the event loop is written and synced together. */
import type { DiskFault } from "./disk.ts";
import type { LogWriter } from "./log/store.ts";

/** What a flush loop works with. */
export interface FlushParts {
  readonly writer: LogWriter;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Runs a task once what has arrived in this turn of the event loop is taken in. */
  readonly atEndOfTurn: (task: () => void) => void;
  /** Told how long each write and sync of a batch took, in milliseconds. */
  readonly onSync?: (ms: number) => void;
}

/** Who wants to know about batches. */
export interface FlushListener {
  /** Whether what is there should gather more first; whoever says so asks for a flush when it no longer does. */
  holds(): boolean;
  /** A batch is complete and about to be written: peers may have it now. */
  sealed(): void;
  /** It is durable. */
  durable(): void;
  /** It may or may not be; nothing is written any more. */
  failed(fault: DiskFault): void;
}

/** Writes and syncs of the log so far. */
export interface SyncFigures {
  count: number;
  lastMs: number;
}

/** Flushes a log, one batch at a time, as long as there is something to flush. */
export class FlushLoop {
  readonly syncs: SyncFigures = { count: 0, lastMs: 0 };
  readonly #parts: FlushParts;
  #listener: FlushListener | undefined;
  #isScheduled = false;
  #isStopped = false;
  #startedMs = 0;
  readonly #endTurn = (): void => this.#flush();
  readonly #onSealed = (): void => this.#listener?.sealed();
  readonly #onDone = (fault: DiskFault | undefined): void => this.#done(fault);

  /** @param parts What to work with. */
  constructor(parts: FlushParts) {
    this.#parts = parts;
  }

  /** Names who is told; before the first request. */
  listen(listener: FlushListener): void {
    this.#listener = listener;
  }

  /** Asks for a flush at the end of this turn; true for the first request of the turn. */
  request(): boolean {
    if (this.#isScheduled) return false;
    this.#isScheduled = true;
    this.#parts.atEndOfTurn(this.#endTurn);
    return true;
  }

  /** Writes nothing from now on; what is under way ends without anybody being told. */
  stop(): void {
    this.#isStopped = true;
  }

  #flush(): void {
    this.#isScheduled = false;
    const { writer, nowMs } = this.#parts;
    if (this.#isStopped || writer.isFlushing || writer.pendingBytes === 0) return;
    if (writer.failure !== undefined || this.#listener?.holds() === true) return;
    this.#startedMs = nowMs();
    writer.flush(this.#onDone, this.#onSealed);
  }

  #done(fault: DiskFault | undefined): void {
    if (this.#isStopped) return;
    const ms = this.#parts.nowMs() - this.#startedMs;
    this.syncs.lastMs = ms;
    this.syncs.count++;
    this.#parts.onSync?.(ms);
    if (fault !== undefined) return this.#listener?.failed(fault);
    this.#listener?.durable();
    if (this.#parts.writer.pendingBytes > 0) this.request();
  }
}
