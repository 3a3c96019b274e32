/** A history that is written while it happens in a format of text, so that people can look at it: `<run>-history.txt`. */
import type { FormatName, HistoryWriter, Losses } from "../codec/format.ts";
import { formatNamed } from "../codec/formats.ts";
import type { HistoryEvent, HistoryHeader } from "../history/event.ts";

/** So many bytes come together before they are written. */
const WRITE_BYTES = 65_536;
/** The place that a writer is told; it looks at none. */
const NOWHERE = { line: 0 };

/** See the top of this file. A {@linkcode Recorder} feeds it through its `onEvent`. */
export class HistoryFile implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #writer: HistoryWriter;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;
  #closing: Promise<void> | undefined;

  private constructor(file: Deno.FsFile, writer: HistoryWriter) {
    this.#file = file;
    this.#writer = writer;
  }

  /** Creates the file, which must not exist. */
  static async create(
    path: string,
    format: FormatName,
    header: HistoryHeader,
  ): Promise<HistoryFile> {
    const { write } = formatNamed(format);
    if (write === undefined) throw new RangeError(`Format '${format}' is only read`);
    const writer = write();
    writer.header(header);
    const file = new HistoryFile(await Deno.open(path, { write: true, createNew: true }), writer);
    file.#write();
    return file;
  }

  /** Takes the next event. */
  add(event: HistoryEvent): void {
    this.#writer.event(event, NOWHERE);
    if (this.#writer.pendingBytes >= WRITE_BYTES) this.#write();
  }

  /** A process has a name; formats that name processes use it from then on. */
  processName(number: number, name: string): void {
    this.#writer.processName(number, name);
  }

  /** What the format has no words for, by reason. */
  get losses(): Losses {
    return this.#writer.losses;
  }

  /** Waits until everything so far is in the file. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Writes what stands at the end, and closes. Once is enough. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      this.#writer.end();
      await this.flush();
      await this.#file.syncData();
    } finally {
      this.#file.close();
    }
  }

  #write(): void {
    const bytes = this.#writer.take();
    if (bytes.length > 0) this.#writing = this.#writing.then(() => this.#append(bytes));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    } catch (error) {
      this.#failure ??= error;
    }
  }
}
