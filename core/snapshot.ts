/**
 * State as blocks of words and back. A block is `[table, first, rows, stride]` and then the rows; the first
 * one carries the engine's progress. Rows come in row order (operations in order of application) with their
 * derived links zeroed, so equal states give equal bytes. Source: docs/storage.md#snapshots.
 */
import {
  beginCapture,
  endCapture,
  PAGE_ROWS,
  readCapturedRow,
  settleRows,
  type TableCapture,
} from "./capture.ts";
import type { CoreConfig } from "./config.ts";
import { findRow, hashKey, insertRow } from "./fixed_map.ts";
import { NO_ROW, type Row } from "./ids.ts";
import { firstViolation } from "./invariants.ts";
import { isTerminal } from "./lookup.ts";
import { linkRetirement } from "./retire.ts";
import { takeRow } from "./row_set.ts";
import { createEngine, type Engine, type EngineOptions, Progress } from "./state.ts";
import { Reservation, ReservationState, type Table } from "./tables.ts";
import { bucketHasRoom, schedule } from "./timing_wheel.ts";
import { compareU64, isZeroU64 } from "./words.ts";

/** Largest block, in bytes. */
export const BLOCK_BYTES_MAX = 512 * 1024;

/** Which rows a block holds. */
const Block = { progress: 0, resources: 1, reservations: 2, operations: 3 } as const;

const HEAD_WORDS = 4;
const BLOCK_WORDS_MAX = BLOCK_BYTES_MAX / 4;

/** Words of the progress block: the engine's progress, then counts and the head of the operation ring. */
const Counts = { resources: 6, reservations: 7, operations: 8, operationHead: 9 } as const;
const PROGRESS_WORDS = 10;

/** Gives out the blocks of one frozen state. */
export interface SnapshotSource {
  /** Words of the progress block. */
  readonly progress: Uint32Array;
  /** One past the highest reservation row that was taken. */
  readonly reservationEnd: number;
  readonly engine: Engine;
  /** Holds the latest block. */
  readonly scratch: Uint32Array;
  table: number;
  next: number;
}

/**
 * Freezes the present state for reading out; commands may go on being applied meanwhile.
 *
 * @param engine An engine without an open snapshot.
 * @param scratch Room for {@linkcode BLOCK_BYTES_MAX} bytes, the source's until its end; it has its own unless told.
 * @returns A source; end it with {@linkcode endSnapshot}.
 */
export function beginSnapshot(
  engine: Engine,
  scratch?: Uint32Array,
): SnapshotSource {
  const { tables } = engine;
  const reservationEnd = highestTaken(engine) + 1;
  beginCapture(engine.capture, {
    resources: { first: 0, count: tables.resources.used },
    reservations: { first: 0, count: reservationEnd },
    operations: { first: tables.operations.head, count: tables.operations.used },
  });
  const progress = new Uint32Array(PROGRESS_WORDS);
  progress.set(engine.progress);
  progress[Counts.resources] = tables.resources.used;
  progress[Counts.reservations] = tables.reservationRows.used;
  progress[Counts.operations] = tables.operations.used;
  progress[Counts.operationHead] = tables.operations.head;
  return {
    progress,
    reservationEnd,
    engine,
    scratch: scratch ?? new Uint32Array(blockWordsMax(engine, reservationEnd)),
    table: Block.progress,
    next: 0,
  };
}

/** Words of the largest block that a state has. */
function blockWordsMax({ tables }: Engine, reservationEnd: number): number {
  const rows = Math.max(
    tables.resources.used * tables.resources.stride,
    reservationEnd * tables.reservations.stride,
    tables.operations.used * tables.operations.stride,
  );
  return Math.min(HEAD_WORDS + Math.max(rows, PROGRESS_WORDS), BLOCK_WORDS_MAX);
}

/** Unfreezes the state, read out or not. */
export function endSnapshot(source: SnapshotSource): void {
  endCapture(source.engine.capture);
}

/**
 * Reads the next block out.
 *
 * @param source From {@linkcode beginSnapshot}.
 * @param into Room for {@linkcode BLOCK_BYTES_MAX} bytes.
 * @returns Bytes of the block, a multiple of 4; 0 when all are out.
 */
export function nextBlock(source: SnapshotSource, into: Uint8Array): number {
  const words = nextWords(source);
  if (words === 0) return 0;
  into.set(new Uint8Array(source.scratch.buffer, source.scratch.byteOffset, words * 4));
  return words * 4;
}

/**
 * The same, for who looks at a block where it is.
 *
 * @param source From {@linkcode beginSnapshot}.
 * @returns Words of the block at the start of `source.scratch`; 0 when all are out.
 */
export function nextWords(source: SnapshotSource): number {
  const { progress, engine } = source;
  const { capture } = engine;
  if (source.table === Block.progress) {
    source.table = Block.resources;
    writeHead(source, Block.progress, 0, 1, PROGRESS_WORDS);
    source.scratch.set(progress, HEAD_WORDS);
    return HEAD_WORDS + PROGRESS_WORDS;
  }
  if (source.table === Block.resources) {
    const words = fillRows(source, capture.resources, progress[Counts.resources]!, 0);
    if (words > 0) return words;
    advanceTo(source, Block.reservations);
  }
  if (source.table === Block.reservations) {
    const words = fillRows(source, capture.reservations, source.reservationEnd, 0);
    if (words > 0) return words;
    advanceTo(source, Block.operations);
  }
  const head = progress[Counts.operationHead]!;
  return fillRows(source, capture.operations, progress[Counts.operations]!, head);
}

function advanceTo(source: SnapshotSource, table: number): void {
  source.table = table;
  source.next = 0;
}

/** Fills the scratch block with rows [next, end), counted from ring position `origin`. */
function fillRows(source: SnapshotSource, part: TableCapture, end: number, origin: number): number {
  const { stride, capacity } = part.table;
  const first = source.next;
  const count = Math.min(end - first, rowsPerBlock(stride));
  if (count <= 0) return 0;
  writeHead(source, source.table, first, count, stride);
  for (let i = 0; i < count; i++) {
    const row = (origin + first + i) % capacity;
    const at = HEAD_WORDS + i * stride;
    readCapturedRow(part, row, source.scratch, at);
    if (source.table === Block.reservations) {
      source.scratch[at + Reservation.next] = 0;
      source.scratch[at + Reservation.previous] = 0;
    }
  }
  const from = (origin + first) % capacity;
  if (from + count <= capacity) settleRows(part, from, from + count);
  source.next = first + count;
  return HEAD_WORDS + count * stride;
}

/** Whole pages, so that a block lets go of all it has read. */
function rowsPerBlock(stride: number): number {
  const rows = Math.floor((BLOCK_WORDS_MAX - HEAD_WORDS) / stride);
  return rows < PAGE_ROWS ? rows : rows - rows % PAGE_ROWS;
}

function writeHead(
  source: SnapshotSource,
  table: number,
  first: number,
  rows: number,
  stride: number,
): void {
  source.scratch[0] = table;
  source.scratch[1] = first;
  source.scratch[2] = rows;
  source.scratch[3] = stride;
}

function highestTaken(engine: Engine): number {
  const bits = engine.tables.reservationRows.levels[0]!;
  for (let word = bits.length - 1; word >= 0; word--) {
    if (bits[word] !== 0) return word * 32 + 31 - Math.clz32(bits[word]!);
  }
  return -1;
}

/** Takes blocks in and makes an engine of them. */
export interface SnapshotSink {
  readonly engine: Engine;
  /** Undefined until the progress block has come. */
  progress: Uint32Array | undefined;
  resources: number;
  reservations: number;
  operations: number;
}

/**
 * Starts restoring into a fresh engine.
 *
 * @param config The bounds that the snapshot was taken under.
 * @param options As for `createEngine`.
 * @returns A sink for {@linkcode acceptBlock}; finish it with {@linkcode finishRestore}.
 */
export function beginRestore(config: CoreConfig, options: EngineOptions = {}): SnapshotSink {
  const engine = createEngine(config, options);
  return { engine, progress: undefined, resources: 0, reservations: 0, operations: 0 };
}

/**
 * Takes one block in.
 *
 * @param sink The sink.
 * @param block Bytes as {@linkcode nextBlock} gave them.
 * @returns What is wrong with the block, or `undefined`.
 */
export function acceptBlock(sink: SnapshotSink, block: Uint8Array): string | undefined {
  if (block.length < HEAD_WORDS * 4 || block.length % 4 !== 0) return "block has no head";
  const words = new Uint32Array(block.slice().buffer);
  const [table, first, rows, stride] = [words[0]!, words[1]!, words[2]!, words[3]!];
  if (words.length !== HEAD_WORDS + rows * stride) return "block length contradicts its head";
  const data = words.subarray(HEAD_WORDS);
  if (table === Block.progress) return acceptProgress(sink, data);
  if (sink.progress === undefined) return "rows come before progress";
  const { tables } = sink.engine;
  if (table === Block.resources) {
    const error = acceptRows(tables.resources, data, first, rows, stride, sink.resources);
    sink.resources += rows;
    return error;
  }
  if (table === Block.reservations) {
    const error = acceptRows(tables.reservations, data, first, rows, stride, sink.reservations);
    sink.reservations += rows;
    return error;
  }
  if (table !== Block.operations) return `block of unknown table ${table}`;
  return acceptOperations(sink, data, first, rows, stride);
}

function acceptProgress(sink: SnapshotSink, data: Uint32Array): string | undefined {
  if (sink.progress !== undefined) return "second progress block";
  if (data.length !== PROGRESS_WORDS) return "progress block has the wrong length";
  const { tables, progress } = sink.engine;
  const counts: readonly (readonly [string, number, number])[] = [
    ["resources", data[Counts.resources]!, tables.resources.capacity],
    ["reservations", data[Counts.reservations]!, tables.reservations.capacity],
    ["operations", data[Counts.operations]!, tables.operations.capacity],
    ["operation head", data[Counts.operationHead]!, tables.operations.capacity - 1],
  ];
  for (const [name, count, max] of counts) {
    if (count > max) return `${name} over capacity: ${count} of ${max}`;
  }
  if (isZeroU64(data, Progress.lastLsn) && data.some((word) => word !== 0)) {
    return "inconsistent watermarks: state without a log position";
  }
  if (compareU64(data, Progress.maxRetiredLsn, data, Progress.lastLsn) > 0) {
    return "inconsistent watermarks: retired beyond the log";
  }
  sink.progress = data;
  progress.set(data.subarray(0, progress.length));
  return undefined;
}

function acceptRows(
  table: Table,
  data: Uint32Array,
  first: number,
  rows: number,
  stride: number,
  expected: number,
): string | undefined {
  if (stride !== table.stride) return `rows of ${stride} words, not ${table.stride}`;
  if (first !== expected) return `rows from ${first}, not from ${expected}`;
  if (first + rows > table.capacity) return `rows up to ${first + rows} of ${table.capacity}`;
  table.words.set(data, first * stride);
  return undefined;
}

function acceptOperations(
  sink: SnapshotSink,
  data: Uint32Array,
  first: number,
  rows: number,
  stride: number,
): string | undefined {
  const { operations } = sink.engine.tables;
  if (stride !== operations.stride) return `rows of ${stride} words, not ${operations.stride}`;
  if (first !== sink.operations) return `rows from ${first}, not from ${sink.operations}`;
  if (first + rows > sink.progress![Counts.operations]!) return "more operations than announced";
  const head = sink.progress![Counts.operationHead]!;
  for (let i = 0; i < rows; i++) {
    const row = (head + first + i) % operations.capacity;
    operations.words.set(data.subarray(i * stride, (i + 1) * stride), row * stride);
  }
  sink.operations += rows;
  return undefined;
}

/**
 * Rebuilds what a snapshot leaves out and checks every invariant.
 *
 * @param sink A sink that has taken every block.
 * @returns The engine, or what is wrong with the state.
 */
export function finishRestore(sink: SnapshotSink): Engine | string {
  const { engine, progress } = sink;
  if (progress === undefined) return "no progress block";
  if (sink.resources !== progress[Counts.resources]) return "fewer resources than announced";
  if (sink.operations !== progress[Counts.operations]) return "fewer operations than announced";
  const error = rebuildResources(engine, sink.resources) ??
    rebuildReservations(engine, sink.reservations) ??
    rebuildOperations(engine, progress);
  if (error !== undefined) return error;
  if (engine.tables.reservationRows.used !== progress[Counts.reservations]) {
    return "reservations are not as many as announced";
  }
  return firstViolation(engine) ?? engine;
}

function rebuildResources(engine: Engine, count: number): string | undefined {
  const { resources, resourceIndex } = engine.tables;
  for (let row = 0; row < count; row++) {
    const hash = hashKey(resourceIndex, resources.words, row * resources.stride);
    const twin = findRow(resourceIndex, resources.words, row * resources.stride, hash);
    if (twin !== NO_ROW) return `duplicate resource in rows ${twin} and ${row}`;
    insertRow(resourceIndex, row as Row, hash);
  }
  resources.used = count;
  return undefined;
}

function rebuildReservations(engine: Engine, end: number): string | undefined {
  const { reservations, reservationIndex, reservationRows } = engine.tables;
  const { words, stride } = reservations;
  const ended: number[] = [];
  for (let row = 0; row < end; row++) {
    const record = row * stride;
    const state = words[record + Reservation.state]!;
    if (state > ReservationState.revoked) return `unknown state ${state} in row ${row}`;
    if (!isClean(words, record, record + stride)) return `words that nobody writes in row ${row}`;
    if (state === 0) continue;
    const hash = hashKey(reservationIndex, words, record);
    if (findRow(reservationIndex, words, record, hash) !== NO_ROW) {
      return `duplicate reservation in row ${row}`;
    }
    takeRow(reservationRows, row as Row);
    reservations.members += words[record + Reservation.memberCount]!;
    insertRow(reservationIndex, row as Row, hash);
    if (isTerminal(state as ReservationState)) ended.push(row);
    else if (state === ReservationState.reserved) {
      if (!bucketHasRoom(engine.wheel, words, record + Reservation.deadlineSlot)) {
        return "expiration bucket over capacity";
      }
      schedule(engine.wheel, row as Row);
    }
  }
  for (const row of ended.sort((a, b) => byRetirement(words, a * stride, b * stride))) {
    linkRetirement(engine, row as Row);
  }
  return undefined;
}

/** Whether a reservation's record is as it is written: no links, nothing behind its members, or nothing at all. */
function isClean(words: Uint32Array, record: number, end: number): boolean {
  const isFree = words[record + Reservation.state] === 0;
  const members = record + Reservation.members + words[record + Reservation.memberCount]!;
  for (let at = isFree ? record : members; at < end; at++) if (words[at] !== 0) return false;
  return words[record + Reservation.next] === 0 && words[record + Reservation.previous] === 0;
}

/** The live queue is in order of the slot; among equals all go at once, so any fixed order will do. */
function byRetirement(words: Uint32Array, a: number, b: number): number {
  const slots = compareU64(
    words,
    a + Reservation.retireAfterSlot,
    words,
    b + Reservation.retireAfterSlot,
  );
  return slots !== 0
    ? slots
    : compareU64(words, a + Reservation.createdLsn, words, b + Reservation.createdLsn);
}

function rebuildOperations(engine: Engine, progress: Uint32Array): string | undefined {
  const { operations, operationIndex } = engine.tables;
  operations.head = progress[Counts.operationHead]!;
  operations.used = progress[Counts.operations]!;
  for (let i = 0; i < operations.used; i++) {
    const row = (operations.head + i) % operations.capacity;
    const hash = hashKey(operationIndex, operations.words, row * operations.stride);
    if (findRow(operationIndex, operations.words, row * operations.stride, hash) !== NO_ROW) {
      return `duplicate operation in row ${row}`;
    }
    insertRow(operationIndex, row as Row, hash);
  }
  return undefined;
}
