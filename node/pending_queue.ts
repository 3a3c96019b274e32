/**
 * Entries that have their place in the log but are not applied yet, oldest first: who waits for each, and
 * which retry keys are among them, so that a retry of a command in flight waits for it instead of running twice.
 */
import { assert } from "../core/assert.ts";
import { type Command, COMMAND_WORDS, FIELDS_WORDS, KEY_WORDS } from "../core/command.ts";
import { createFixedMap, findRow, type FixedMap, insertRow, removeRow } from "../core/fixed_map.ts";
import type { Row } from "../core/ids.ts";
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
  readonly #index: FixedMap;
  readonly #hashes: Int32Array;
  readonly #keyed: Uint8Array;
  readonly #tokens: Int32Array;
  readonly #sinks: (ResultSink | undefined)[];
  readonly #followers = new Map<number, Follower[]>();
  #head = 0;
  #length = 0;

  /**
   * @param capacity Most entries at a time.
   */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Uint32Array(capacity * STRIDE);
    let buckets = 2;
    while (buckets < capacity * 2) buckets *= 2;
    const records = { words: this.#words, stride: STRIDE };
    this.#index = createFixedMap(buckets, records, 0, KEY_WORDS, 0);
    this.#hashes = new Int32Array(capacity);
    this.#keyed = new Uint8Array(capacity);
    this.#tokens = new Int32Array(capacity);
    this.#sinks = new Array<ResultSink | undefined>(capacity).fill(undefined);
  }

  /** How many entries wait. */
  get length(): number {
    return this.#length;
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
    return findRow(this.#index, command.words, 0, hash);
  }

  /** Adds a client command at the end. */
  pushClient(command: Command, hash: number, sink: ResultSink, token: number): void {
    const row = this.#push(sink, token);
    const at = row * STRIDE;
    for (let i = 0; i < KEY_WORDS; i++) this.#words[at + i] = command.words[i]!;
    for (let i = 0; i < FIELDS_WORDS; i++) {
      this.#words[at + KEY_WORDS + i] = command.fingerprint[i]!;
    }
    this.#words[at + TAG_AT] = command.tag;
    this.#hashes[row] = hash;
    this.#keyed[row] = 1;
    insertRow(this.#index, row, hash);
  }

  /** Adds an internal command at the end: it has no retry key. */
  pushInternal(sink: ResultSink, token: number): void {
    this.#keyed[this.#push(sink, token)] = 0;
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
    if (this.#keyed[row] === 1) removeRow(this.#index, row, this.#hashes[row]!);
    this.#sinks[row] = undefined;
    this.#head = row + 1 === this.capacity ? 0 : row + 1;
    this.#length--;
    if (this.#followers.size === 0) return NOBODY;
    const followers = this.#followers.get(row);
    if (followers === undefined) return NOBODY;
    this.#followers.delete(row);
    return followers;
  }

  #push(sink: ResultSink, token: number): Row {
    assert(this.#length < this.capacity, "queue/bounded");
    let row = this.#head + this.#length;
    if (row >= this.capacity) row -= this.capacity;
    this.#length++;
    this.#sinks[row] = sink;
    this.#tokens[row] = token;
    return row as Row;
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
