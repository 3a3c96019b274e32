/**
 * Records what clients see while it happens, into a file that is worth something when the recording process is killed.
 * Calls only append to a buffer; the buffer goes to the file in batches.
 */
import type {
  Completion,
  FaultEvent,
  HistoryHeader,
  Invocation,
  ReplicaSample,
} from "../history/event.ts";

/** See the top of this file. The order of the calls is the order of the events. */
export class Recorder implements AsyncDisposable {
  /**
   * Creates the file, which must not exist, and writes the header.
   *
   * @param path In format `cbor`; convention `<run>-history.cbor`.
   */
  static create(_path: string, _header: HistoryHeader): Promise<Recorder> {
    return Promise.reject(new Error("not written yet"));
  }

  /** Nanoseconds since the recording began; for `timeNs` of everything that is recorded. */
  nowNs(): number {
    return 0;
  }

  /** A process number that nobody has had: for a client, and for one whose last attempt ended with `info`. */
  nextProcess(_name?: string): number {
    return 0;
  }

  /** A client begins to wait. Call before the request goes out. */
  invoke(_event: Invocation): void {}

  /** It waits no more. Call as soon as the answer is known. */
  complete(_event: Completion): void {}

  fault(_event: FaultEvent): void {}

  sample(_event: ReplicaSample): void {}

  /** Waits until everything recorded so far is in the file, and synced. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  /** Flushes, writes the mark that says that nothing is missing, and closes. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Events recorded so far. */
  get events(): number {
    return 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
