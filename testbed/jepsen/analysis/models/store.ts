/**
 * Configurations that were met. Of two that differ only in their last words, where fewer bits leave more open, the one with fewer
 * makes the other superfluous.
 */
import type { Layout } from "./board.ts";

const NONE = -1;

/** See the top of this file. Rows are numbered from 0 in the order of their coming. */
export class Store {
  /** Rows one after another, `layout.size` words each. */
  words: Int32Array<ArrayBuffer>;
  count = 0;
  /** Rows looked at since it was made: what the caller counts as steps. */
  looks = 0;
  readonly #layout: Layout;
  #next = new Int32Array(64);
  #traces = new Int32Array(64);
  #isDead = new Uint8Array(64);
  #buckets = new Int32Array(128).fill(NONE);

  constructor(layout: Layout) {
    this.#layout = layout;
    this.words = new Int32Array(layout.size * 64);
  }

  /** Adds a row unless a better one is there; returns its number, or -1. What it makes superfluous is dead from then on. */
  add(row: Int32Array, trace: number): number {
    const bucket = this.#hash(row, 0) & (this.#buckets.length - 1);
    let previous = NONE;
    for (let at = this.#buckets[bucket]!; at !== NONE; at = this.#next[at]!) {
      this.looks++;
      const relation = this.#compare(at, row);
      if (relation === COVERS) return NONE;
      if (relation === IS_COVERED) {
        this.#isDead[at] = 1;
        if (previous === NONE) this.#buckets[bucket] = this.#next[at]!;
        else this.#next[previous] = this.#next[at]!;
      } else previous = at;
    }
    return this.#append(row, trace, bucket);
  }

  /** Whether a better one has come since. */
  isDead(at: number): boolean {
    return this.#isDead[at] === 1;
  }

  traceOf(at: number): number {
    return this.#traces[at]!;
  }

  setTrace(at: number, trace: number): void {
    this.#traces[at] = trace;
  }

  clear(): void {
    if (this.count * 4 > this.#buckets.length) this.#buckets.fill(NONE);
    else {
      for (let at = 0; at < this.count; at++) {
        const bucket = this.#hash(this.words, at * this.#layout.size) & (this.#buckets.length - 1);
        this.#buckets[bucket] = NONE;
      }
    }
    this.count = 0;
  }

  #append(row: Int32Array, trace: number, bucket: number): number {
    const at = this.count++;
    if (this.count > this.#next.length) this.#grow();
    const { size } = this.#layout;
    const from = at * size;
    for (let i = 0; i < size; i++) this.words[from + i] = row[i]!;
    this.#traces[at] = trace;
    this.#isDead[at] = 0;
    this.#next[at] = this.#buckets[bucket]!;
    this.#buckets[bucket] = at;
    if (this.count * 2 > this.#buckets.length) this.#rehash();
    return at;
  }

  #compare(at: number, row: Int32Array): number {
    const { readsAt, size } = this.#layout;
    const { words } = this;
    const from = at * size;
    for (let i = 0; i < readsAt; i++) if (words[from + i] !== row[i]) return DIFFERS;
    let isCovering = true;
    let isCovered = true;
    for (let i = readsAt; i < size; i++) {
      const old = words[from + i]!;
      const fresh = row[i]!;
      if ((old & ~fresh) !== 0) isCovering = false;
      if ((fresh & ~old) !== 0) isCovered = false;
    }
    return isCovering ? COVERS : isCovered ? IS_COVERED : DIFFERS;
  }

  #hash(words: Int32Array, from: number): number {
    const { readsAt } = this.#layout;
    let hash = 0x811c9dc5;
    for (let i = from; i < from + readsAt; i++) {
      hash = Math.imul(hash ^ words[i]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  }

  #grow(): void {
    const capacity = this.#next.length * 2;
    this.words = enlarged(this.words, capacity * this.#layout.size);
    this.#next = enlarged(this.#next, capacity);
    this.#traces = enlarged(this.#traces, capacity);
    const isDead = new Uint8Array(capacity);
    isDead.set(this.#isDead);
    this.#isDead = isDead;
  }

  #rehash(): void {
    this.#buckets = new Int32Array(this.#buckets.length * 4).fill(NONE);
    const { size } = this.#layout;
    for (let at = 0; at < this.count; at++) {
      if (this.#isDead[at] === 1) continue;
      const bucket = this.#hash(this.words, at * size) & (this.#buckets.length - 1);
      this.#next[at] = this.#buckets[bucket]!;
      this.#buckets[bucket] = at;
    }
  }
}

const DIFFERS = 0;
const COVERS = 1;
const IS_COVERED = 2;

function enlarged(words: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(words);
  return larger;
}
