import { assert } from "./assert.ts";
import { NO_ROW, type Row } from "./ids.ts";

/**
 * Which rows of a table are taken, as a tree of bitmaps: a bit of level n + 1 is set when its word of
 * level n is full. Taking always gives the lowest free row, so positions are a function of the set alone
 * and a restored table goes on exactly like the live one.
 */
export interface RowSet {
  readonly capacity: number;
  used: number;
  /** Level 0 has a bit a row. */
  readonly levels: readonly Uint32Array[];
}

const FULL = 0xffff_ffff;

/**
 * Makes an empty set.
 *
 * @param capacity How many rows there are.
 * @returns A set with every row free.
 */
export function createRowSet(capacity: number): RowSet {
  const levels: Uint32Array[] = [];
  for (let bits = capacity; levels.length === 0 || bits > 1;) {
    const words = Math.ceil(bits / 32);
    levels.push(new Uint32Array(words));
    bits = words;
  }
  return { capacity, used: 0, levels };
}

/** Takes the lowest free row, or {@linkcode NO_ROW} when all are taken. */
export function takeLowestRow(set: RowSet): Row {
  if (set.used === set.capacity) return NO_ROW;
  let position = 0;
  for (let level = set.levels.length - 1; level >= 0; level--) {
    const free = ~set.levels[level]![position]!;
    position = position * 32 + (31 - Math.clz32(free & -free));
  }
  takeRow(set, position as Row);
  return position as Row;
}

/** Takes one given row, which must be free. */
export function takeRow(set: RowSet, row: Row): void {
  assert(row < set.capacity && !isTaken(set, row), "rows/taken-once");
  set.used++;
  let position: number = row;
  for (const words of set.levels) {
    const word = position >>> 5;
    const value = (words[word]! | (1 << (position & 31))) >>> 0;
    words[word] = value;
    if (value !== FULL) return;
    position = word;
  }
}

/** Frees one taken row. */
export function freeRow(set: RowSet, row: Row): void {
  assert(isTaken(set, row), "rows/freed-when-taken");
  set.used--;
  let position: number = row;
  for (const words of set.levels) {
    const word = position >>> 5;
    const was = words[word]!;
    words[word] = was & ~(1 << (position & 31));
    if (was !== FULL) return;
    position = word;
  }
}

/** Whether a row is taken. */
export function isTaken(set: RowSet, row: Row): boolean {
  return (set.levels[0]![row >>> 5]! & (1 << (row & 31))) !== 0;
}
