/**
 * Entries that have their place in the log but are not applied yet, oldest first: who waits for each, and
 * which retry keys are among them, so that a retry of a command in flight waits for it instead of running twice.
 */
import { assert } from "../core/assert.ts";
import { type Command, COMMAND_WORDS, FIELDS_WORDS, KEY_WORDS } from "../core/command.ts";
import { NO_ROW, type Row } from "../core/ids.ts";
import type { ResultSink } from "./api.ts";

/** Words of an entry: retry key, fingerprint, tag. */
const STRIDE = COMMAND_WORDS + 1;
const TAG_AT = COMMAND_WORDS;

/** Somebody who sent the command of a pending entry again. */
export interface Follower {
  readonly sink: ResultSink;
  readonly token: number;
  /** Whether it really is the same command. */
  readonly isSame: boolean;
}

/** A bounded ring of pending entries. */
export class PendingQueue {
  readonly capacity: number;
  readonly #words: Uint32Array;
  readonly #hashes: Int32Array;
  /** 1 for client commands. */
  readonly #isClient: Uint8Array;
  /**
   * Newest entry of each hash bucket, and of each entry the next older one of its bucket, as ordinals from 1.
   * Entries leave oldest first, so a chain is alive up to its first dead entry and nothing is ever unlinked.
   */
  readonly #newest: Float64Array;
  readonly #older: Float64Array;
  readonly #mask: number;
  readonly #tokens: Int32Array;
  readonly #sinks: (ResultSink | undefined)[];
  readonly #followers = new Map<number, Follower[]>();
  #head = 0;
  #length = 0;
  #clients = 0;
  /** Ordinal of the oldest entry. */
  #oldest = 1;

  /**
   * @param capacity Most entries at a time.
   */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Uint32Array(capacity * STRIDE);
    let buckets = 2;
    while (buckets < capacity * 2) buckets *= 2;
    this.#mask = buckets - 1;
    this.#newest = new Float64Array(buckets);
    this.#older = new Float64Array(capacity);
    this.#hashes = new Int32Array(capacity);
    this.#isClient = new Uint8Array(capacity);
    this.#tokens = new Int32Array(capacity);
    this.#sinks = new Array<ResultSink | undefined>(capacity).fill(undefined);
  }

  /** How many entries wait. */
  get length(): number {
    return this.#length;
  }

  /** How many of them are client commands. */
  get clients(): number {
    return this.#clients;
  }

  /** Room left. */
  get room(): number {
    return this.capacity - this.#length;
  }

  /**
   * Finds the pending entry with a command's retry key.
   *
   * @param command The command.
   * @param hash Hash of its key; any good hash, the same for equal keys.
   * @returns Its place in the ring, or `NO_ROW`.
   */
  find(command: Command, hash: number): Row {
    let ordinal = this.#newest[hash & this.#mask]!;
    while (ordinal >= this.#oldest) {
      const row = this.#rowOf(ordinal);
      if (this.#hashes[row] === hash && this.#hasKey(row, command)) return row;
      ordinal = this.#older[row]!;
    }
    return NO_ROW;
  }

  /** Adds a client command at the end. */
  pushClient(command: Command, hash: number, sink: ResultSink, token: number): void {
    const row = this.#push(sink, token, 1);
    const at = row * STRIDE;
    for (let i = 0; i < KEY_WORDS; i++) this.#words[at + i] = command.words[i]!;
    for (let i = 0; i < FIELDS_WORDS; i++) {
      this.#words[at + KEY_WORDS + i] = command.fingerprint[i]!;
    }
    this.#words[at + TAG_AT] = command.tag;
    this.#hashes[row] = hash;
    this.#older[row] = this.#newest[hash & this.#mask]!;
    this.#newest[hash & this.#mask] = this.#oldest + this.#length - 1;
  }

  /** Adds an internal command at the end: it has no retry key. */
  pushInternal(sink: ResultSink, token: number): void {
    this.#push(sink, token, 0);
  }

  /** Lets a retry wait for the entry that {@linkcode find} answered. */
  follow(row: Row, command: Command, sink: ResultSink, token: number): void {
    const followers = this.#followers.get(row) ?? [];
    followers.push({ sink, token, isSame: this.#isSame(row, command) });
    this.#followers.set(row, followers);
  }

  /** Who waits for the oldest entry. */
  get headSink(): ResultSink {
    const sink = this.#sinks[this.#head];
    assert(sink !== undefined, "queue/entry-has-a-waiter");
    return sink;
  }

  /** What the waiter of the oldest entry calls it. */
  get headToken(): number {
    return this.#tokens[this.#head]!;
  }

  /** Removes the oldest entry and answers those who sent it again, if any. */
  shift(): readonly Follower[] {
    assert(this.#length > 0, "queue/shift-needs-an-entry");
    const row = this.#head as Row;
    this.#sinks[row] = undefined;
    this.#clients -= this.#isClient[row]!;
    this.#head = row + 1 === this.capacity ? 0 : row + 1;
    this.#length--;
    this.#oldest++;
    if (this.#followers.size === 0) return NOBODY;
    const followers = this.#followers.get(row);
    if (followers === undefined) return NOBODY;
    this.#followers.delete(row);
    return followers;
  }

  #push(sink: ResultSink, token: number, isClient: 0 | 1): Row {
    assert(this.#length < this.capacity, "queue/bounded");
    let row = this.#head + this.#length;
    if (row >= this.capacity) row -= this.capacity;
    this.#length++;
    this.#isClient[row] = isClient;
    this.#clients += isClient;
    this.#sinks[row] = sink;
    this.#tokens[row] = token;
    return row as Row;
  }

  #rowOf(ordinal: number): Row {
    const row = this.#head + (ordinal - this.#oldest);
    return (row >= this.capacity ? row - this.capacity : row) as Row;
  }

  #hasKey(row: number, command: Command): boolean {
    const at = row * STRIDE;
    for (let i = 0; i < KEY_WORDS; i++) if (this.#words[at + i] !== command.words[i]) return false;
    return true;
  }

  #isSame(row: number, command: Command): boolean {
    const at = row * STRIDE;
    if (this.#words[at + TAG_AT] !== command.tag) return false;
    for (let i = 0; i < FIELDS_WORDS; i++) {
      if (this.#words[at + KEY_WORDS + i] !== command.fingerprint[i]) return false;
    }
    return true;
  }
}

const NOBODY: readonly Follower[] = [];
