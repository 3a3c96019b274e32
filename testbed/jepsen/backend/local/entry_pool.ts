/**
 * Entries of logs for as long as a run lasts, in columns: as objects they would need four times the memory, and several
 * clusters may run at once. What replicas have in common is kept once.
 */
import type { LogBuffer } from "../../../../core/log_frame.ts";
import { type Tip, TipWord } from "../../../../core/log_tip.ts";
import { readU64 } from "../../../../core/words.ts";
import type { LogEntries, LogEntry } from "../../evidence/evidence.ts";
import { entryAt } from "./log_reader.ts";

/** Ops whose columns are allocated together. */
const CHUNK_OPS = 4_096;
/** Payloads lie in slabs of so many bytes; a longer one has a slab of its own. */
const SLAB_BYTES = 65_536;

/** Flags of an op: 0 where nothing is kept. */
const IS_KEPT = 1;
const IS_COMMAND = 2;
const IS_INTERNAL = 4;

/** Consecutive ops. */
class Chunk {
  readonly flags = new Uint8Array(CHUNK_OPS);
  readonly lsn = new Float64Array(CHUNK_OPS);
  readonly slot = new BigUint64Array(CHUNK_OPS);
  readonly view = new BigUint64Array(CHUNK_OPS);
  readonly hash = new BigUint64Array(CHUNK_OPS);
  readonly previousHash = new BigUint64Array(CHUNK_OPS);
  readonly slab = new Uint32Array(CHUNK_OPS);
  readonly offset = new Uint32Array(CHUNK_OPS);
  readonly length = new Uint32Array(CHUNK_OPS);
}

/** See the top of this file. All replicas of one cluster share one. */
export class EntryPool {
  readonly #chunks = new Map<number, Chunk>();
  readonly #slabs: Uint8Array<ArrayBuffer>[] = [];
  /** The slab that is being filled, and how far it is; there is none at first. */
  #slab = -1;
  #used = Infinity;

  /**
   * Keeps the frame that `tip` ends with, unless it is here already.
   *
   * @returns The frame as an entry when another one has its op: whoever asks has to keep it.
   */
  take(buffer: LogBuffer, at: number, tip: Tip): LogEntry | undefined {
    const op = Number(readU64(tip, TipWord.op));
    const place = op % CHUNK_OPS;
    const chunk = this.#chunkOf(op);
    if (chunk.flags[place] === 0) this.#put(chunk, place, entryAt(buffer, at, tip));
    else if (chunk.hash[place] !== readU64(tip, TipWord.hash)) return entryAt(buffer, at, tip);
    return undefined;
  }

  /** What is kept of an op. */
  at(op: number): LogEntry | undefined {
    const chunk = this.#chunks.get(Math.floor(op / CHUNK_OPS));
    const place = op % CHUNK_OPS;
    const flags = chunk?.flags[place] ?? 0;
    if (chunk === undefined || flags === 0) return undefined;
    const offset = chunk.offset[place]!;
    return {
      op,
      lsn: chunk.lsn[place]!,
      slot: chunk.slot[place]!,
      view: chunk.view[place]!,
      hash: chunk.hash[place]!,
      previousHash: chunk.previousHash[place]!,
      isCommand: (flags & IS_COMMAND) !== 0,
      isInternal: (flags & IS_INTERNAL) !== 0,
      payload: this.#slabs[chunk.slab[place]!]!.subarray(offset, offset + chunk.length[place]!),
    };
  }

  #chunkOf(op: number): Chunk {
    const index = Math.floor(op / CHUNK_OPS);
    const known = this.#chunks.get(index);
    if (known !== undefined) return known;
    const chunk = new Chunk();
    this.#chunks.set(index, chunk);
    return chunk;
  }

  #put(chunk: Chunk, place: number, entry: LogEntry): void {
    const { lsn, slot, view, hash, previousHash, isCommand, isInternal, payload } = entry;
    chunk.flags[place] = IS_KEPT | (isCommand ? IS_COMMAND : 0) | (isInternal ? IS_INTERNAL : 0);
    chunk.lsn[place] = lsn;
    chunk.slot[place] = slot;
    chunk.view[place] = view;
    chunk.hash[place] = hash;
    chunk.previousHash[place] = previousHash!;
    chunk.length[place] = payload.length;
    chunk.offset[place] = this.#keep(payload);
    chunk.slab[place] = payload.length > SLAB_BYTES ? this.#slabs.length - 1 : this.#slab;
  }

  /** Copies a payload; answers where in its slab it is. */
  #keep(payload: Uint8Array): number {
    if (payload.length > SLAB_BYTES) {
      this.#slabs.push(payload.slice());
      return 0;
    }
    if (this.#used + payload.length > SLAB_BYTES) {
      this.#slab = this.#slabs.push(new Uint8Array(SLAB_BYTES)) - 1;
      this.#used = 0;
    }
    const offset = this.#used;
    this.#slabs[this.#slab]!.set(payload, offset);
    this.#used += payload.length;
    return offset;
  }
}

/** A run of ops: those of a pool, but for what one replica has instead. */
export class PooledEntries implements LogEntries {
  readonly length: number;
  readonly #pool: EntryPool;
  readonly #baseOp: number;
  readonly #own: ReadonlyMap<number, LogEntry>;

  /**
   * @param pool Where entries are kept.
   * @param baseOp The op before the first.
   * @param length How many there are.
   * @param own What is another entry than in the pool, by op.
   */
  constructor(
    pool: EntryPool,
    baseOp: number,
    length: number,
    own: ReadonlyMap<number, LogEntry>,
  ) {
    this.#pool = pool;
    this.#baseOp = baseOp;
    this.length = length;
    this.#own = own;
  }

  at(index: number): LogEntry | undefined {
    const place = index < 0 ? this.length + index : index;
    if (place < 0 || place >= this.length) return undefined;
    const op = this.#baseOp + 1 + place;
    return this.#own.get(op) ?? this.#pool.at(op);
  }

  *[Symbol.iterator](): Generator<LogEntry> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }
}
