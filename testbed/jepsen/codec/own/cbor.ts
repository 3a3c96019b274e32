/** Our CBOR: what the recorder writes. Its bytes are described in cbor_batch.ts and cbor_fields.ts. */
import { crc32c } from "../../../../core/crc32c.ts";
import { HistoryError } from "../../history/history_error.ts";
import type { EventSink, Format, FormatReader } from "../format.ts";
import { startsWithBytes } from "../sniff.ts";
import { ByteQueue } from "./byte_queue.ts";
import { type BatchHead, HEAD_BYTES, MAGIC, readBatchHead, writeBatch } from "./cbor_batch.ts";
import { CborFields } from "./cbor_fields.ts";
import { CborRecords } from "./cbor_reader.ts";
import { RecordReader } from "./record_reader.ts";
import { type FieldOutput, RecordWriter } from "./record_writer.ts";

/** See the top of this file. */
export const CBOR_FORMAT: Format = {
  name: "cbor",
  describe: "our CBOR, as recorded",
  skippedMax: 0,
  sniff: (head) => startsWithBytes(head, MAGIC),
  read: (sink) => new CborReader(sink),
  write: () => new RecordWriter(new CborOutput()),
};

/** Records of a batch are closed when there are so many bytes of them. */
const BATCH_BYTES = 262_144;

/** Writes batches; one ends when it is large, and when it is taken. */
export class CborOutput extends CborFields implements FieldOutput {
  #number = 0;
  #batches: Uint8Array[] = [];
  #batchBytes = 0;

  get pendingBytes(): number {
    return this.#batchBytes + this.length;
  }

  override finish(): void {
    super.finish();
    if (this.length >= BATCH_BYTES) this.#close();
  }

  take(): Uint8Array<ArrayBuffer> {
    this.#close();
    const bytes = new Uint8Array(this.#batchBytes);
    let at = 0;
    for (const batch of this.#batches) {
      bytes.set(batch, at);
      at += batch.length;
    }
    this.#batches = [];
    this.#batchBytes = 0;
    return bytes;
  }

  #close(): void {
    if (this.length === 0) return;
    const batch = writeBatch(this.#number++, this.view());
    this.clear();
    this.#batches.push(batch);
    this.#batchBytes += batch.length;
  }
}

class CborReader implements FormatReader {
  readonly #sink: EventSink;
  readonly #queue = new ByteQueue();
  readonly #records: RecordReader;
  readonly #cbor: CborRecords;
  #batches = 0;
  #head: BatchHead | undefined;
  /** From here on there are only zeros, so far; undefined when all is well. */
  #zerosFrom: number | undefined;

  constructor(sink: EventSink) {
    this.#sink = sink;
    this.#records = new RecordReader(sink);
    this.#cbor = new CborRecords(this.#records);
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    while (this.#step());
  }

  end(): void {
    const { length, offset } = this.#queue;
    const torn = this.#zerosFrom ?? (length > 0 || this.#head !== undefined ? offset : undefined);
    if (this.#batches === 0) {
      throw new HistoryError({ byte: offset }, "the end of the file", "a header in a whole batch");
    }
    if (torn !== undefined) {
      this.#sink.note(
        "the end is torn: whoever wrote it was stopped; what stands before it counts",
      );
    }
    this.#records.end({ byte: offset + length });
  }

  /** Takes the next part; answers whether there was one. */
  #step(): boolean {
    if (this.#zerosFrom !== undefined) return this.#takeZeros();
    if (this.#head === undefined) return this.#takeHead();
    return this.#takeRecords(this.#head);
  }

  #takeHead(): boolean {
    const before = this.#batches === 0 ? MAGIC.length : 0;
    if (this.#queue.length < before + HEAD_BYTES) return false;
    const { offset } = this.#queue;
    const bytes = this.#queue.take(before + HEAD_BYTES);
    const isMarked = before === 0 || startsWithBytes(bytes, MAGIC);
    const head = isMarked ? readBatchHead(bytes.subarray(before)) : undefined;
    if (head !== undefined && head.number === this.#batches) {
      this.#head = head;
      return true;
    }
    if (this.#batches === 0 || bytes.some((byte) => byte !== 0)) throw this.#damage(offset, head);
    this.#zerosFrom = offset;
    return true;
  }

  #damage(offset: number, head: BatchHead | undefined): HistoryError {
    const found = head === undefined ? "damage" : `batch ${head.number}`;
    return new HistoryError({ byte: offset }, found, `batch ${this.#batches} with its checksum`);
  }

  /** A file system may make a file longer before it writes what stands there. */
  #takeZeros(): boolean {
    const { length, offset } = this.#queue;
    if (length === 0) return false;
    const at = this.#queue.take(length).findIndex((byte) => byte !== 0);
    if (at >= 0) throw this.#damage(offset + at, undefined);
    return true;
  }

  #takeRecords({ length, checksum }: BatchHead): boolean {
    if (this.#queue.length < length) return false;
    const { offset } = this.#queue;
    const bytes = this.#queue.take(length);
    if (crc32c(bytes, 0, length) !== checksum) {
      throw new HistoryError({ byte: offset }, "damage", "records with their checksum");
    }
    this.#head = undefined;
    this.#batches++;
    this.#cbor.read(bytes, offset);
    return true;
  }
}
