/** From one format into another: events go through as they come, and what the other has no words for is counted. */
import type { EventClaims } from "../history/claims.ts";
import type { HistoryEvent, HistoryHeader } from "../history/event.ts";
import { FaultPairing } from "../history/fault_pairing.ts";
import { HistoryError, type SourcePlace } from "../history/history_error.ts";
import { EventOrder } from "../history/event_order.ts";
import {
  type EventSink,
  type Format,
  FORMAT_NAMES,
  type FormatName,
  type HistoryWriter,
  type Losses,
  type ReadOptions,
} from "./format.ts";
import { formatNamed } from "./formats.ts";
import { namingSource } from "./read.ts";
import { openSource } from "./source.ts";

/** What came of it. */
export interface Converted {
  readonly from: FormatName;
  readonly to: FormatName;
  readonly events: number;
  /** What the target could not hold, by reason. */
  readonly losses: Losses;
}

/** So many bytes are written at a time. */
const WRITE_BYTES = 262_144;

/**
 * Converts a file. The target must not exist; it is gone again when something goes wrong.
 *
 * @param to Its format is `format`; `-` is standard output.
 * @throws {HistoryError} When the source cannot be read, or says what the target cannot hold at all.
 */
export async function convert(
  from: string,
  to: string,
  format: FormatName,
  options: ReadOptions,
): Promise<Converted> {
  const writer = writerOf(formatNamed(format));
  return await namingSource(from, async () => {
    await using target = await Target.open(to);
    const source = await openSource(from, options);
    if (source.format === undefined) throw new HistoryError(undefined, "nothing", "a history");
    const events = await copy(source.format, source.chunks, writer, target, options);
    await target.keep();
    return { from: source.format.name, to: format, events, losses: writer.losses };
  });
}

function writerOf({ name, write }: Format): HistoryWriter {
  if (write !== undefined) return write();
  const written = FORMAT_NAMES.filter((each) => formatNamed(each).write !== undefined);
  throw new HistoryError(undefined, `format ${name}, which is only read`, written.join(", "));
}

async function copy(
  format: Format,
  chunks: AsyncIterable<Uint8Array>,
  writer: HistoryWriter,
  target: Target,
  options: ReadOptions,
): Promise<number> {
  const checked = new CheckedWriter(writer);
  const reader = format.read(checked, options);
  for await (const chunk of chunks) {
    reader.push(chunk);
    if (writer.pendingBytes >= WRITE_BYTES) await target.write(writer.take());
  }
  reader.end();
  writer.end();
  await target.write(writer.take());
  return checked.events;
}

/** Lets nothing through that a reader of the result would refuse. */
class CheckedWriter implements EventSink {
  readonly #writer: HistoryWriter;
  readonly #faults = new FaultPairing();
  #order: EventOrder | undefined;
  #events = 0;

  constructor(writer: HistoryWriter) {
    this.#writer = writer;
  }

  get events(): number {
    return this.#events;
  }

  header(header: HistoryHeader, hasInvocations = true): void {
    this.#order = new EventOrder(header, hasInvocations);
    this.#writer.header(header, hasInvocations);
  }

  event(event: HistoryEvent, at: SourcePlace, claims?: EventClaims): void {
    if (event.type === "invoke") this.#order?.invoke(event, at, claims);
    else if (event.type === "fault") this.#faults.add(event, at);
    else if (event.type !== "replica") this.#order?.complete(event, at, claims);
    this.#events++;
    this.#writer.event(event, at);
  }

  processName(number: number, name: string): void {
    this.#writer.processName(number, name);
  }

  skip(at: SourcePlace, what: string): void {
    this.#writer.skip(at, what);
  }

  note(text: string): void {
    this.#writer.note(text);
  }
}

/** A file that is written, or standard output. */
class Target implements AsyncDisposable {
  readonly #path: string | undefined;
  readonly #file: Deno.FsFile | undefined;
  #isKept = false;

  private constructor(path: string | undefined, file: Deno.FsFile | undefined) {
    this.#path = path;
    this.#file = file;
  }

  static async open(path: string): Promise<Target> {
    if (path === "-") return new Target(undefined, undefined);
    return new Target(path, await Deno.open(path, { write: true, createNew: true }));
  }

  async write(bytes: Uint8Array): Promise<void> {
    const file = this.#file ?? Deno.stdout;
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  }

  async keep(): Promise<void> {
    await this.#file?.sync();
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.close();
    if (!this.#isKept && this.#path !== undefined) await Deno.remove(this.#path);
  }
}
