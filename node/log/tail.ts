/** The end of the log in memory: the batch that collects, and batches that were flushed and may still be wanted. */
import { type Tip, TipWord } from "../../core/log_tip.ts";
import { compareU64, readU64 } from "../../core/words.ts";
import { LogBatch } from "./batch.ts";

/** Batches kept to be used again; beyond them memory is given back. */
const SPARE_MAX = 4;

/** Batches of frames, each a run behind the one before. */
export class LogTail {
  /** The batch that takes frames. */
  collecting: LogBatch;
  /** The batch that was sealed last; the next {@linkcode LogTail.seal} may use its memory again. */
  sealed: LogBatch;
  /** Sealed batches, oldest first, without a gap up to the last sealed one. */
  readonly retained: LogBatch[] = [];
  /** Bytes of their frames. */
  bytes = 0;
  /** Bytes of the memory that holds them. */
  memoryBytes = 0;
  readonly #bytesMax: number;
  readonly #keeps: boolean;
  readonly #spare: LogBatch[];

  /**
   * @param bytesMax Most bytes of a batch.
   * @param keeps Whether sealed batches stay until they are released, or only until the next one is sealed.
   * @param tip The last frame of the log.
   */
  constructor(bytesMax: number, keeps: boolean, tip: Tip) {
    this.#bytesMax = bytesMax;
    this.#keeps = keeps;
    this.collecting = new LogBatch(bytesMax);
    this.collecting.start(tip);
    this.sealed = new LogBatch(bytesMax);
    this.sealed.start(tip);
    this.sealed.tip.set(tip);
    this.#spare = [this.sealed];
  }

  /**
   * Seals the collecting batch and begins the next.
   *
   * @param synced The last durable op, a u64 in words 0 and 1.
   * @param tip The last frame put.
   * @returns The sealed frames.
   */
  seal(synced: Uint32Array, tip: Tip): Uint8Array {
    if (!this.#keeps) this.release(readU64(tip, TipWord.op), undefined);
    const batch = this.collecting;
    const bytes = batch.seal(synced, tip);
    this.collecting = this.#spare.pop() ?? new LogBatch(this.#bytesMax);
    this.collecting.start(tip);
    this.retained.push(batch);
    this.bytes += batch.bytes;
    this.memoryBytes += batch.buffer.bytes.length;
    this.sealed = batch;
    return bytes;
  }

  /**
   * Gives up batches that lie wholly at or below an op.
   *
   * @param through The op.
   * @param except A batch that is being written; it stays.
   */
  release(through: bigint, except: LogBatch | undefined): void {
    let count = 0;
    for (const batch of this.retained) {
      if (batch.lastOp > through || batch === except) break;
      this.#forget(batch);
      if (this.#spare.length < SPARE_MAX) this.#spare.push(batch);
      count++;
    }
    if (count > 0) this.retained.splice(0, count);
  }

  /** The retained batch that holds an op. */
  find(op: bigint): LogBatch | undefined {
    let low = 0;
    let high = this.retained.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.retained[middle]!.lastOp < op) low = middle + 1;
      else high = middle;
    }
    const batch = this.retained[low];
    return batch !== undefined && batch.firstOp <= op ? batch : undefined;
  }

  /**
   * Drops every frame behind a tip, collecting ones first.
   *
   * @param tip The last frame to keep.
   */
  cut(tip: Tip): void {
    if (compareU64(tip, TipWord.op, this.collecting.base, TipWord.op) >= 0) {
      return this.collecting.cut(tip);
    }
    this.collecting.start(tip);
    const op = readU64(tip, TipWord.op);
    for (let last = this.retained.at(-1); last !== undefined; last = this.retained.at(-1)) {
      if (last.lastOp <= op) break;
      if (last.firstOp <= op) {
        const before = last.bytes;
        last.cut(tip);
        this.bytes -= before - last.bytes;
      } else this.#forget(this.retained.pop()!);
    }
  }

  /** Forgets everything: the log goes on behind `tip`, which no batch leads up to. */
  restart(tip: Tip): void {
    this.retained.length = 0;
    this.bytes = 0;
    this.memoryBytes = 0;
    this.collecting.start(tip);
  }

  #forget(batch: LogBatch): void {
    this.bytes -= batch.bytes;
    this.memoryBytes -= batch.buffer.bytes.length;
  }
}
