/**
 * A frozen picture of the tables, taken while commands go on being applied. Taking it costs nothing at first;
 * a page of rows that is about to change before it was read out is copied then (copy on write).
 */
import { assert } from "./assert.ts";
import type { Row } from "./ids.ts";
import type { Table, Tables } from "./tables.ts";

/** Rows of a page: what one first change during a capture copies. */
export const PAGE_ROWS = 64;
const PAGE_SHIFT = 6;

/** One table's part of a capture. */
export interface TableCapture {
  readonly table: Table;
  /** 1 for pages that were copied or read out: changing them is nobody's loss. */
  readonly settled: Uint8Array;
  readonly copies: Map<number, Uint32Array>;
}

/** The capture of one engine; at most one is active. */
export interface Capture {
  active: boolean;
  readonly resources: TableCapture;
  readonly reservations: TableCapture;
  readonly operations: TableCapture;
}

/** Makes an inactive capture over an engine's tables. */
export function createCapture(tables: Tables): Capture {
  return {
    active: false,
    resources: createTableCapture(tables.resources),
    reservations: createTableCapture(tables.reservations),
    operations: createTableCapture(tables.operations),
  };
}

function createTableCapture(table: Table): TableCapture {
  const pages = Math.ceil(table.capacity / PAGE_ROWS);
  return { table, settled: new Uint8Array(pages), copies: new Map() };
}

/** Rows of a table that a picture shows: `count` of them from `first` on, wrapping round at the end. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/**
 * Freezes the present state. Rows outside the given ranges are nobody's loss from the start.
 *
 * @param capture An inactive capture.
 * @param ranges Which rows of each table are shown.
 */
export function beginCapture(
  capture: Capture,
  ranges: { resources: RowRange; reservations: RowRange; operations: RowRange },
): void {
  assert(!capture.active, "capture/one-at-a-time"); // A second would let go of what the first has still to read.
  freeze(capture.resources, ranges.resources);
  freeze(capture.reservations, ranges.reservations);
  freeze(capture.operations, ranges.operations);
  capture.active = true;
}

function freeze(part: TableCapture, { first, count }: RowRange): void {
  const { settled, table } = part;
  part.copies.clear();
  settled.fill(1);
  if (count === 0) return;
  const last = first + count - 1;
  const lastPage = (last % table.capacity) >>> PAGE_SHIFT;
  if (last < table.capacity) settled.fill(0, first >>> PAGE_SHIFT, lastPage + 1);
  else {
    settled.fill(0, first >>> PAGE_SHIFT);
    settled.fill(0, 0, lastPage + 1);
  }
}

/** Lets go of the picture. */
export function endCapture(capture: Capture): void {
  capture.active = false;
  for (const part of [capture.resources, capture.reservations, capture.operations]) {
    part.copies.clear();
  }
}

/** To be called before a row's logical content changes, while a capture is active. */
export function preserveRow(part: TableCapture, row: Row): void {
  const page = row >>> PAGE_SHIFT;
  if (part.settled[page] === 1) return;
  const { words, stride } = part.table;
  const from = page * PAGE_ROWS * stride;
  part.copies.set(page, words.slice(from, from + PAGE_ROWS * stride));
  part.settled[page] = 1;
}

/**
 * Copies one row of the picture out.
 *
 * @param part Which table.
 * @param row The row, as it was when the capture began.
 * @param to Receives the row's words.
 * @param at Where in `to`.
 */
export function readCapturedRow(
  part: TableCapture,
  row: number,
  to: Uint32Array,
  at: number,
): void {
  const page = row >>> PAGE_SHIFT;
  const { words, stride } = part.table;
  const copy = part.copies.get(page);
  const source = copy ?? words;
  const from = (copy ? row - page * PAGE_ROWS : row) * stride;
  for (let i = 0; i < stride; i++) to[at + i] = source[from + i]!;
}

/** Marks the pages that lie wholly in [from, to) as read out: changing them costs nothing any more. */
export function settleRows(part: TableCapture, from: number, to: number): void {
  const end = to === part.table.capacity ? part.settled.length : to >>> PAGE_SHIFT;
  for (let page = Math.ceil(from / PAGE_ROWS); page < end; page++) {
    part.settled[page] = 1;
    part.copies.delete(page);
  }
}
