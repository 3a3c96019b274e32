/**
 * Results of commands in columns and as bytes. Columns, because a batch has thousands: one byte says what
 * a result is, ten words hold its numbers, and nothing is allocated for one. Source: docs/wire.md#results.
 */
import { type Outcome, OUTCOME_WORDS, OutcomeField, ResultCode } from "../../core/outcome.ts";
import type { Rejection } from "../api.ts";
import {
  isDefinite,
  readRejection,
  REJECTION_CODE_MAX,
  RejectionCategory,
  RejectionCode,
  writeDetails,
} from "./rejection.ts";

/** Encoded bytes of the longest result: committed, with a reservation. */
export const RESULT_BYTES_MAX = 47;

const REJECTED = 0x80;
const CACHED = 0x20;
const RESERVATION = 0x40;
const CODE_MASK = 0x1f;

const ARRAY_COMMITTED = 0x83;
const ARRAY_RESERVATION = 0x86;
const BYTES_COMMITTED = 12;
const BYTES_REJECTED = 31;

/** Results by position. `kinds` is 0 where there is none yet. */
export interface ResultColumns {
  /** A code, with bits that say rejected, from the retry cache, with a reservation. */
  readonly kinds: Uint8Array;
  /** The words of the outcome, or of the rejection's details; 10 for each position. */
  readonly words: Uint32Array;
}

/** Makes columns for `capacity` results. */
export function createResultColumns(capacity: number): ResultColumns {
  return {
    kinds: new Uint8Array(capacity),
    words: new Uint32Array(capacity * OUTCOME_WORDS),
  };
}

/** Stores a copy of an outcome. */
export function setCommitted(columns: ResultColumns, index: number, outcome: Outcome): void {
  const { words } = columns;
  const from = outcome.words;
  const at = index * OUTCOME_WORDS;
  words[at] = from[0]!;
  words[at + 1] = from[1]!;
  let kind: number = outcome.code;
  if (outcome.fromRetryCache) kind |= CACHED;
  if (outcome.hasReservation) {
    kind |= RESERVATION;
    for (let i = 2; i < OUTCOME_WORDS; i++) words[at + i] = from[i]!;
  }
  columns.kinds[index] = kind;
}

/** Stores a rejection. */
export function setRejected(columns: ResultColumns, index: number, rejection: Rejection): void {
  columns.kinds[index] = REJECTED | RejectionCode[rejection.code];
  writeDetails(rejection, columns.words, index * OUTCOME_WORDS);
}

/** Whether the result at a position is a rejection. */
export function isRejected(columns: ResultColumns, index: number): boolean {
  return (columns.kinds[index]! & REJECTED) !== 0;
}

/** The rejection at a position; `undefined` when its details make no sense. */
export function rejectionAt(columns: ResultColumns, index: number): Rejection | undefined {
  return readRejection(columns.kinds[index]! & CODE_MASK, columns.words, index * OUTCOME_WORDS);
}

/** Copies the outcome at a position. */
export function outcomeAt(columns: ResultColumns, index: number, into: Outcome): void {
  const kind = columns.kinds[index]!;
  into.code = (kind & CODE_MASK) as ResultCode;
  into.fromRetryCache = (kind & CACHED) !== 0;
  into.hasReservation = (kind & RESERVATION) !== 0;
  const at = index * OUTCOME_WORDS;
  const used = into.hasReservation ? OUTCOME_WORDS : OutcomeField.reservationId;
  for (let i = 0; i < used; i++) into.words[i] = columns.words[at + i]!;
  into.words.fill(0, used);
}

/**
 * Writes one result.
 *
 * @param view Where; {@linkcode RESULT_BYTES_MAX} bytes must be free.
 * @param at Its first byte.
 * @param columns Results.
 * @param index Which.
 * @returns The offset behind it.
 */
export function writeResult(
  view: DataView,
  at: number,
  columns: ResultColumns,
  index: number,
): number {
  const kind = columns.kinds[index]!;
  const { words } = columns;
  const from = index * OUTCOME_WORDS;
  if ((kind & REJECTED) !== 0) return writeRejected(view, at, kind & CODE_MASK, words, from);
  const hasReservation = (kind & RESERVATION) !== 0;
  view.setUint8(at, hasReservation ? ARRAY_RESERVATION : ARRAY_COMMITTED);
  view.setUint8(at + 1, kind & CODE_MASK);
  writeU64(view, at + 2, words, from + OutcomeField.appliedLsn);
  view.setUint8(at + 11, (kind & CACHED) === 0 ? 0 : 1);
  if (!hasReservation) return at + BYTES_COMMITTED;
  view.setUint8(at + 12, 0x50);
  view.setUint32(at + 13, words[from + OutcomeField.reservationId + 3]!);
  view.setUint32(at + 17, words[from + OutcomeField.reservationId + 2]!);
  view.setUint32(at + 21, words[from + OutcomeField.reservationId + 1]!);
  view.setUint32(at + 25, words[from + OutcomeField.reservationId]!);
  writeU64(view, at + 29, words, from + OutcomeField.epoch);
  writeU64(view, at + 38, words, from + OutcomeField.deadlineSlot);
  return at + RESULT_BYTES_MAX;
}

/** `[0, category, code, a, b, c]`. */
function writeRejected(
  view: DataView,
  at: number,
  code: number,
  words: Uint32Array,
  from: number,
): number {
  view.setUint16(at, 0x8600);
  const { definite, indefinite } = RejectionCategory;
  view.setUint8(at + 2, isDefinite(code) ? definite : indefinite);
  view.setUint8(at + 3, code);
  writeU64(view, at + 4, words, from);
  writeU64(view, at + 13, words, from + 2);
  writeU64(view, at + 22, words, from + 4);
  return at + BYTES_REJECTED;
}

/**
 * Reads one result; accepts exactly what {@linkcode writeResult} writes.
 *
 * @param view The buffer.
 * @param at Its first byte.
 * @param end Where readable bytes stop.
 * @param columns Where to store it.
 * @param index At which position.
 * @returns The offset behind it, or -1.
 */
export function readResult(
  view: DataView,
  at: number,
  end: number,
  columns: ResultColumns,
  index: number,
): number {
  if (end - at < BYTES_COMMITTED) return -1;
  const head = view.getUint8(at);
  const code = view.getUint8(at + 1);
  if (code === 0 && head === ARRAY_RESERVATION) return readRejected(view, at, end, columns, index);
  const cached = view.getUint8(at + 11);
  if (code === 0 || code > ResultCode.slot_overflow || cached > 1) return -1;
  const { words } = columns;
  const to = index * OUTCOME_WORDS;
  if (!readU64(view, at + 2, words, to + OutcomeField.appliedLsn)) return -1;
  const kind = cached === 0 ? code : code | CACHED;
  columns.kinds[index] = kind;
  if (head === ARRAY_COMMITTED) return at + BYTES_COMMITTED;
  if (head !== ARRAY_RESERVATION || end - at < RESULT_BYTES_MAX) return -1;
  columns.kinds[index] = kind | RESERVATION;
  return readReservation(view, at, words, to);
}

function readReservation(view: DataView, at: number, words: Uint32Array, to: number): number {
  if (view.getUint8(at + 12) !== 0x50) return -1;
  words[to + OutcomeField.reservationId + 3] = view.getUint32(at + 13);
  words[to + OutcomeField.reservationId + 2] = view.getUint32(at + 17);
  words[to + OutcomeField.reservationId + 1] = view.getUint32(at + 21);
  words[to + OutcomeField.reservationId] = view.getUint32(at + 25);
  if (!readU64(view, at + 29, words, to + OutcomeField.epoch)) return -1;
  if (!readU64(view, at + 38, words, to + OutcomeField.deadlineSlot)) return -1;
  return at + RESULT_BYTES_MAX;
}

function readRejected(
  view: DataView,
  at: number,
  end: number,
  columns: ResultColumns,
  index: number,
): number {
  if (end - at < BYTES_REJECTED) return -1;
  const code = view.getUint8(at + 3);
  if (code === 0 || code > REJECTION_CODE_MAX) return -1;
  const { definite, indefinite } = RejectionCategory;
  if (view.getUint8(at + 2) !== (isDefinite(code) ? definite : indefinite)) return -1;
  const { words } = columns;
  const to = index * OUTCOME_WORDS;
  for (let i = 0; i < 3; i++) {
    if (!readU64(view, at + 4 + 9 * i, words, to + 2 * i)) return -1;
  }
  columns.kinds[index] = REJECTED | code;
  return at + BYTES_REJECTED;
}

function writeU64(view: DataView, at: number, words: Uint32Array, from: number): void {
  view.setUint8(at, 0x1b);
  view.setUint32(at + 1, words[from + 1]!);
  view.setUint32(at + 5, words[from]!);
}

function readU64(view: DataView, at: number, words: Uint32Array, to: number): boolean {
  words[to + 1] = view.getUint32(at + 1);
  words[to] = view.getUint32(at + 5);
  return view.getUint8(at) === 0x1b;
}
