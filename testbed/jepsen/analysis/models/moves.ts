/** What can happen to a configuration. One row is worked on at a time; nothing is allocated. */
import type { Board } from "./board.ts";
import { REFUSED } from "./machine.ts";
import { firstFrom } from "./sources.ts";
import type { Store } from "./store.ts";

/** Reads ahead that a growing state is held against. */
const WATCHED_MAX = 3;
/** Reads ahead of which one has to see what an unanswered operation did. */
const SEEN_MAX = 64;
/** Operations that make a value above which one of them is taken to be left. */
const MAKERS_MAX = 8;

const UNASKED = 0;
const HOPEFUL = 1;
const HOPELESS = 2;

/** See the top of this file. */
export class Moves {
  /** The row that is worked on. */
  readonly row: Int32Array;
  /** Steps so far. */
  steps = 0;
  readonly #board: Board;
  readonly #looksAhead: boolean;
  /** Of each call: when it was tried last; of equal ones the first suffices. */
  readonly #tried: Int32Array;
  #round = 0;
  /** Of each level, once somebody has asked. */
  readonly #hopeless: Uint8Array;

  /**
   * @param looksAhead Whether to leave out what later answers rule out. The level at which nothing is left then says little.
   */
  constructor(board: Board, looksAhead: boolean) {
    this.#board = board;
    this.#looksAhead = looksAhead;
    this.row = new Int32Array(board.layout.size);
    this.#tried = new Int32Array(board.machine.callsCount);
    this.#hopeless = new Uint8Array(board.goals.length);
  }

  /** Makes `row` the one at the very beginning; no level may be missing. */
  begin(): void {
    this.row.fill(0);
    this.row[1] = this.#board.machine.initial;
    this.#enter();
  }

  /** Takes a row out of a store. */
  load(store: Store, at: number): void {
    const { size } = this.#board.layout;
    const from = at * size;
    for (let i = 0; i < size; i++) this.row[i] = store.words[from + i]!;
  }

  /** Whether `row` is past the last answer. */
  isOver(): boolean {
    return this.row[0] === this.#board.goals.length;
  }

  /** Whether the operation has happened that is answered at the level of `row`. */
  isReached(): boolean {
    const { goals, isPure, bits, layout } = this.#board;
    const goal = goals[this.row[0]!]!;
    const bit = bits[goal]!;
    return isPure[goal] === 1
      ? (this.row[layout.readsAt + (bit >>> 5)]! & (1 << (bit & 31))) === 0
      : (this.row[layout.mutationsAt + (bit >>> 5)]! & (1 << (bit & 31))) !== 0;
  }

  /** Leads `row`, which has reached its level, to the next. */
  advance(): void {
    const { goals, isPure, bits, layout } = this.#board;
    const goal = goals[this.row[0]!]!;
    const bit = bits[goal]!;
    if (isPure[goal] === 0) this.row[layout.mutationsAt + (bit >>> 5)]! &= ~(1 << (bit & 31));
    this.row[0]!++;
    if (!this.isOver()) this.#enter();
  }

  /** Whether nothing at all can lead a row of this level on. */
  isHopeless(level: number): boolean {
    const known = this.#hopeless[level]!;
    if (known !== UNASKED) return known === HOPELESS;
    const { machine, goals } = this.#board;
    const isImpossible = machine.isImpossible(machine.calls[goals[level]!]!);
    this.#hopeless[level] = isImpossible ? HOPELESS : HOPEFUL;
    return isImpossible;
  }

  /**
   * Lets everything happen to a row that can be next, one after another.
   *
   * @param visit Told of each operation, with `row` as it is then.
   */
  expand(store: Store, at: number, visit: (operation: number) => void): void {
    const { mutations, mutationsFrom, pending, pendingCounts } = this.#board;
    this.load(store, at);
    this.#round++;
    const level = this.row[0]!;
    for (let i = mutationsFrom[level]!; i < mutationsFrom[level + 1]!; i++) {
      const operation = mutations[i]!;
      if (!this.#hasHappened(store, at, operation)) this.#try(store, at, operation, visit);
    }
    for (let i = 0; i < pendingCounts[level]!; i++) {
      if (!this.#isUsed(store, at, i)) this.#try(store, at, pending[i]!, visit);
    }
  }

  #try(store: Store, at: number, operation: number, visit: (operation: number) => void): void {
    const { machine, layout } = this.#board;
    const call = machine.calls[operation]!;
    if (this.#tried[call] === this.#round) return;
    this.#tried[call] = this.#round;
    this.steps++;
    if (machine.isCommutative && !this.#isWanted(store, at, operation)) return;
    const state = store.words[at * layout.size + 1]!;
    const next = machine.step(state, call);
    if (next === REFUSED) return;
    const isPending = this.#isPending(operation);
    if (isPending && next === state) return;
    this.load(store, at);
    this.row[1] = next;
    const bit = this.#board.bits[operation]!;
    const word = (isPending ? layout.pendingAt : layout.mutationsAt) + (bit >>> 5);
    this.row[word]! |= 1 << (bit & 31);
    if (this.#looksAhead && next !== state && this.#isLost(state)) return;
    if (isPending && this.#looksAhead && !machine.isCommutative && this.#isUnseen(call)) return;
    this.#absorb(this.#board.readsFrom[this.row[0]!]!);
    if (this.#looksAhead && this.#isDoomed(call)) return;
    visit(operation);
  }

  #isPending(operation: number): boolean {
    return this.#board.pending[this.#board.bits[operation]!] === operation;
  }

  #hasHappened(store: Store, at: number, operation: number): boolean {
    const { layout, bits } = this.#board;
    const bit = bits[operation]!;
    const word = store.words[at * layout.size + layout.mutationsAt + (bit >>> 5)]!;
    return (word & (1 << (bit & 31))) !== 0;
  }

  #isUsed(store: Store, at: number, place: number): boolean {
    const { layout } = this.#board;
    const word = store.words[at * layout.size + layout.pendingAt + (place >>> 5)]!;
    return (word & (1 << (place & 31))) !== 0;
  }

  /** Of calls that can change places: whether it has to happen now, or somebody waits to see it. */
  #isWanted(store: Store, at: number, operation: number): boolean {
    const { machine, goals, reads, readsFrom, bits, layout } = this.#board;
    const from = at * layout.size;
    const level = store.words[from]!;
    if (goals[level] === operation) return true;
    for (let i = readsFrom[level]!; i < readsFrom[level + 1]!; i++) {
      const read = reads[i]!;
      const bit = bits[read]!;
      const word = store.words[from + layout.readsAt + (bit >>> 5)]!;
      if ((word & (1 << (bit & 31))) === 0) continue;
      if (machine.growth?.sees(machine.calls[read]!, machine.calls[operation]!) ?? true) {
        return true;
      }
    }
    return false;
  }

  /** New reads begin, and happen if they fit. */
  #enter(): void {
    const { readsNewFrom, readsFrom, reads, bits, layout } = this.#board;
    const level = this.row[0]!;
    for (let i = readsNewFrom[level]!; i < readsFrom[level + 1]!; i++) {
      const bit = bits[reads[i]!]!;
      this.row[layout.readsAt + (bit >>> 5)]! |= 1 << (bit & 31);
    }
    this.#absorb(readsNewFrom[level]!);
  }

  /** What changes nothing happens as soon as it fits: that never stands in anybody's way. */
  #absorb(from: number): void {
    const { machine, reads, readsFrom, bits, layout } = this.#board;
    const to = readsFrom[this.row[0]! + 1]!;
    const state = this.row[1]!;
    for (let i = from; i < to; i++) {
      const read = reads[i]!;
      const bit = bits[read]!;
      const word = layout.readsAt + (bit >>> 5);
      if ((this.row[word]! & (1 << (bit & 31))) === 0) continue;
      this.steps++;
      if (machine.step(state, machine.calls[read]!) !== REFUSED) {
        this.row[word]! &= ~(1 << (bit & 31));
      }
    }
  }

  /** Whether the state, after a call, has outgrown what somebody is going to read. */
  #isDoomed(call: number): boolean {
    const { machine, watches } = this.#board;
    const { growth } = machine;
    if (growth === undefined || watches === undefined) return false;
    const part = growth.partOf(call);
    const level = this.row[0]!;
    const reads = watches.reads[part]!;
    const since = watches.since[part]!;
    const first = watches.from[level * growth.parts + part]!;
    for (let i = first; i < reads.length && i < first + WATCHED_MAX; i++) {
      if (since[i]! > level) continue;
      const read = reads[i]!;
      if (this.#isOpen(read) && this.#hasRead(read)) continue;
      this.steps++;
      if (!growth.canReach(this.row[1]!, machine.calls[read]!)) return true;
    }
    return false;
  }

  /** Whether a value that was just left is needed by somebody, and by now nothing can bring it back. */
  #isLost(value: number): boolean {
    const { sources } = this.#board;
    if (sources === undefined || sources.makers[value]!.length > MAKERS_MAX) return false;
    const { levels } = sources;
    const needs = sources.needs[value]!;
    const first = firstFrom(needs, levels, this.row[0]!);
    for (let i = first; i < needs.length && i < first + WATCHED_MAX; i++) {
      if (this.#isDone(needs[i]!)) continue;
      this.steps++;
      return !this.#canComeBack(value, needs[i]!);
    }
    return false;
  }

  #canComeBack(value: number, need: number): boolean {
    const { operations, sources } = this.#board;
    const { makers, levels } = sources!;
    const end = operations[need]!.completedAt!;
    for (const maker of makers[value]!) {
      if (operations[maker]!.invokedAt >= end) continue;
      const isPast = levels[maker]! >= 0 && levels[maker]! < this.row[0]!;
      if (!isPast && !this.#isDone(maker)) return true;
    }
    return false;
  }

  /** Whether an operation that is not past has happened. */
  #isDone(operation: number): boolean {
    const { bits, isPure, layout } = this.#board;
    const bit = bits[operation]!;
    const mask = 1 << (bit & 31);
    if (this.#isPending(operation)) return (this.row[layout.pendingAt + (bit >>> 5)]! & mask) !== 0;
    if (!this.#isOpen(operation)) return false;
    return isPure[operation] === 1
      ? (this.row[layout.readsAt + (bit >>> 5)]! & mask) === 0
      : (this.row[layout.mutationsAt + (bit >>> 5)]! & mask) !== 0;
  }

  /** Whether nobody will ever see what an unanswered call has just done: then it need not have happened. */
  #isUnseen(call: number): boolean {
    const { machine, watches } = this.#board;
    if (machine.growth === undefined || watches === undefined) return false;
    const { parts } = machine.growth;
    const part = machine.growth.partOf(call);
    const reads = watches.reads[part]!;
    const first = watches.from[this.row[0]! * parts + part]!;
    const last = Math.min(reads.length, first + SEEN_MAX);
    for (let i = first; i < last; i++) {
      const read = reads[i]!;
      if (this.#isOpen(read) && this.#hasRead(read)) continue;
      this.steps++;
      if (machine.growth.canReach(this.row[1]!, machine.calls[read]!)) return false;
    }
    return last === reads.length;
  }

  /** Whether an operation has begun at the level of the row; those that were answered before are not asked for. */
  #isOpen(operation: number): boolean {
    const { operations, goals } = this.#board;
    return operations[operation]!.invokedAt < operations[goals[this.row[0]!]!]!.completedAt!;
  }

  #hasRead(read: number): boolean {
    const { bits, layout } = this.#board;
    const bit = bits[read]!;
    return (this.row[layout.readsAt + (bit >>> 5)]! & (1 << (bit & 31))) === 0;
  }
}
