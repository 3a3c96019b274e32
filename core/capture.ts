/**
 * A frozen picture of the tables, taken while commands go on being applied. Taking it costs nothing at first;
 * a page of rows that is about to change before it was read out is copied then (copy on write).
 */
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

/** Freezes the present state. */
export function beginCapture(capture: Capture): void {
  for (const part of [capture.resources, capture.reservations, capture.operations]) {
    part.settled.fill(0);
    part.copies.clear();
  }
  capture.active = true;
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

/** Marks every page below a row as read out; their copies are dropped and changes cost nothing any more. */
export function settleBelow(part: TableCapture, fromRow: number, toRow: number): void {
  for (let page = fromRow >>> PAGE_SHIFT; (page + 1) * PAGE_ROWS <= toRow; page++) {
    part.settled[page] = 1;
    part.copies.delete(page);
  }
}
