/**
 * Records what clients see while it happens, into a file that is worth something when the recording process is killed.
 * Calls only append to a buffer; the buffer goes to the file in batches of the format `cbor`, each with its checksum.
 */
import { CborOutput } from "../codec/own/cbor.ts";
import { RecordWriter } from "../codec/own/record_writer.ts";
import type {
  Completion,
  FaultEvent,
  HistoryEvent,
  HistoryHeader,
  Invocation,
  ReplicaSample,
} from "../history/event.ts";

/** Longest that an event stays in memory alone, in milliseconds. */
const WRITE_MS = 50;
/** So many bytes are written at once without waiting for that. */
const WRITE_BYTES = 262_144;
/** How often the disk is asked to have it, in milliseconds; against the machine's end, not the process's. */
const SYNC_MS = 1_000;
/** So many bytes may wait for the file; more means that the disk does not keep up, and recording stops. */
const PENDING_BYTES_MAX = 256 * 1_048_576;
const NS_PER_MS = 1_000_000;

/** The settings of a recorder; what is absent is as the top of recorder.ts has it. */
export interface RecorderOptions {
  /** Milliseconds from an arbitrary origin, with fractions. */
  readonly now?: () => number;
}

/** See the top of this file. The order of the calls is the order of the events. */
export class Recorder implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #writer: RecordWriter;
  readonly #now: () => number;
  readonly #startMs: number;
  #events = 0;
  #processes = 0;
  #timer: number | undefined;
  /** The write that goes on, and those that follow it. */
  #writing: Promise<void> = Promise.resolve();
  #writingBytes = 0;
  #syncedMs: number;
  #failure: unknown;
  #isWhole = true;
  #closing: Promise<void> | undefined;

  private constructor(file: Deno.FsFile, options: RecorderOptions) {
    this.#file = file;
    this.#writer = new RecordWriter(new CborOutput());
    this.#now = options.now ?? (() => performance.now());
    this.#startMs = this.#now();
    this.#syncedMs = this.#startMs;
  }

  /**
   * Creates the file, which must not exist, and writes the header: from here on it can be read.
   *
   * @param path By convention `<run>-history.cbor`.
   */
  static async create(
    path: string,
    header: HistoryHeader,
    options: RecorderOptions = {},
  ): Promise<Recorder> {
    const file = await Deno.open(path, { write: true, createNew: true });
    const recorder = Recorder.on(file, header, options);
    await recorder.flush();
    return recorder;
  }

  /** Records into an open file, which it closes in the end. */
  static on(file: Deno.FsFile, header: HistoryHeader, options: RecorderOptions = {}): Recorder {
    const recorder = new Recorder(file, options);
    recorder.#writer.header(header);
    return recorder;
  }

  /** Events recorded so far. */
  get events(): number {
    return this.#events;
  }

  /** Whole nanoseconds since the recording began; for `timeNs` of everything that is recorded. */
  nowNs(): number {
    return Math.round((this.#now() - this.#startMs) * NS_PER_MS);
  }

  /** A process number that nobody has had: for a client, and for one whose last attempt ended with `info`. */
  nextProcess(name?: string): number {
    const number = this.#processes++;
    if (name !== undefined) this.#writer.processName(number, name);
    return number;
  }

  /** A client begins to wait. Call before the request goes out. */
  invoke(event: Invocation): void {
    this.#record(event);
  }

  /** It waits no more. Call as soon as the answer is known. */
  complete(event: Completion): void {
    this.#record(event);
  }

  fault(event: FaultEvent): void {
    this.#record(event);
  }

  sample(event: ReplicaSample): void {
    this.#record(event);
  }

  /** Waits until everything recorded so far is in the file, and synced. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
    this.#rethrow();
    await this.#file.syncData();
  }

  /** Flushes, writes the mark that says that nothing is missing, and closes. Once is enough. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The run is broken off, and nobody asks about what is in doubt any more: no mark is written. */
  breakOff(): void {
    this.#isWhole = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#writing;
      this.#rethrow();
      if (this.#isWhole) this.#writer.end();
      await this.flush();
    } finally {
      clearTimeout(this.#timer);
      this.#file.close();
    }
  }

  /** @throws What went wrong with the file; recording on would be for nothing. */
  #record(event: HistoryEvent): void {
    this.#rethrow();
    this.#writer.event(event);
    this.#events++;
    const { pendingBytes } = this.#writer;
    if (pendingBytes >= WRITE_BYTES) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), WRITE_MS);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writingBytes > PENDING_BYTES_MAX) {
      this.#failure ??= new Error("The disk does not keep up with the recording");
    }
    if (this.#writer.pendingBytes === 0) return;
    const bytes = this.#writer.take();
    this.#writingBytes += bytes.length;
    this.#writing = this.#writing.then(() => this.#append(bytes));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
      if (this.#now() - this.#syncedMs >= SYNC_MS) {
        this.#syncedMs = this.#now();
        await this.#file.syncData();
      }
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#writingBytes -= bytes.length;
    }
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
