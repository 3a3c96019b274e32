/** The memory of applied operations: a ring in order of application, found by retry key. */
import { assert } from "./assert.ts";
import { preserveRow } from "./capture.ts";
import { type Command, CommandTag, FIELDS_WORDS, KEY_WORDS } from "./command.ts";
import { type Engine, Limit, Position, Progress } from "./state.ts";
import { findRow, hashKey, insertRow, removeRow, touchBuckets } from "./fixed_map.ts";
import { NO_ROW, type Row } from "./ids.ts";
import { type Outcome, OutcomeField, ResultCode } from "./outcome.ts";
import { Operation } from "./tables.ts";
import { addU64, compareU64, copyU64, subtractU64 } from "./words.ts";

/** Word of the ttl in a fingerprint. */
const TTL_IN_FIELDS = 8;

const horizon = new Uint32Array(2);

/**
 * Answers a command from memory before it is sequenced, if it is remembered and still inside its window.
 *
 * @param engine The engine.
 * @param command The command.
 * @param slot Words of the slot it would get.
 * @param hash Hash of its retry key.
 * @param out Filled when the answer is true: the remembered outcome, or `operation_conflict`.
 * @returns False when the operation is unknown or its window has passed: then it would run afresh.
 */
export function recallLive(
  engine: Engine,
  command: Command,
  slot: Uint32Array,
  hash: number,
  out: Outcome,
): boolean {
  const { operations, operationIndex } = engine.tables;
  const row = findRow(operationIndex, command.words, 0, hash);
  if (row === NO_ROW) return false;
  const appliedAt = row * operations.stride + Operation.requestSlot;
  const passed = subtractU64(horizon, 0, slot, 0, engine.limits, Limit.operationWindow) &&
    compareU64(operations.words, appliedAt, horizon, 0) < 0;
  if (passed) return false;
  recallOperation(engine, row, command, out);
  return true;
}

/**
 * Remembers an applied client command and its result.
 *
 * @param engine The engine.
 * @param command What was applied.
 * @param position Where and when.
 * @param code How it ended.
 * @param hash Hash of its retry key.
 */
export function appendOperation(
  engine: Engine,
  command: Command,
  position: Uint32Array,
  code: ResultCode,
  hash: number,
): void {
  const { operations, operationIndex } = engine.tables;
  assert(operations.used < operations.capacity, "operations/headroom-suffices");
  let row = operations.head + operations.used;
  if (row >= operations.capacity) row -= operations.capacity;
  if (engine.capture.active) preserveRow(engine.capture.operations, row as Row);
  operations.used++;
  const { words, stride } = operations;
  const record = row * stride;
  for (let i = 0; i < KEY_WORDS; i++) words[record + i] = command.words[i]!;
  const fields = record + Operation.fields;
  for (let i = 0; i < FIELDS_WORDS; i++) words[fields + i] = command.fingerprint[i]!;
  copyU64(words, record + Operation.appliedLsn, position, Position.lsn);
  copyU64(words, record + Operation.requestSlot, position, Position.slot);
  words[record + Operation.meta] = command.tag | (code << 8);
  insertRow(operationIndex, row as Row, hash);
}

/**
 * Answers a command from the operation remembered under its key: the same command gets its outcome again,
 * another one `operation_conflict` with the original's lsn.
 */
export function recallOperation(engine: Engine, row: Row, command: Command, out: Outcome): void {
  const { words, stride } = engine.tables.operations;
  const record = row * stride;
  out.fromRetryCache = true;
  out.hasReservation = false;
  copyU64(out.words, OutcomeField.appliedLsn, words, record + Operation.appliedLsn);
  if (!isSameCommand(words, record, command)) {
    out.code = ResultCode.operation_conflict;
    return;
  }
  const code = (words[record + Operation.meta]! >>> 8) as ResultCode;
  out.code = code;
  const reserves = command.tag === CommandTag.reserve || command.tag === CommandTag.reserve_bundle;
  if (code === ResultCode.ok && reserves) recallReservation(engine, record, out);
}

/**
 * Makes room for one more operation in a full table, by forgetting the oldest ones that are past the retry window
 * proper: that much is promised, the longest ttl on top of it only while there is room.
 *
 * @param engine The engine.
 * @returns False when the table stays full.
 */
export function makeRoom(engine: Engine): boolean {
  const { operations } = engine.tables;
  while (operations.used >= engine.config.maxOperations) {
    if (!forgetOldest(engine)) return false;
  }
  return true;
}

function forgetOldest(engine: Engine): boolean {
  const { operations, operationIndex } = engine.tables;
  const { words, stride, head, capacity } = operations;
  const { progress, limits } = engine;
  if (!subtractU64(horizon, 0, progress, Progress.lastSlot, limits, Limit.retryWindow)) {
    return false;
  }
  const record = head * stride;
  if (compareU64(words, record + Operation.requestSlot, horizon, 0) >= 0) return false;
  removeRow(operationIndex, head as Row, hashKey(operationIndex, words, record + Operation.key));
  operations.head = head + 1 === capacity ? 0 : head + 1;
  operations.used--;
  return true;
}

/** Operations that are dropped as one group. */
const GROUP = 32;
const groupHashes = new Int32Array(GROUP);

/** Drops operations whose window has passed at the engine's slot. The window is constant, so the ring is in order. */
export function retireOperations(engine: Engine): void {
  const { operations } = engine.tables;
  if (operations.used === 0) return;
  if (
    !subtractU64(
      horizon,
      0,
      engine.progress,
      Progress.lastSlot,
      engine.limits,
      Limit.operationWindow,
    )
  ) return;
  while (retireGroup(engine));
}

/**
 * Drops up to a group of operations. All their buckets are touched before any is changed: the loads do not
 * wait for each other, so the group pays for about one miss of the cache instead of one each.
 */
function retireGroup(engine: Engine): boolean {
  const { operations, operationIndex } = engine.tables;
  const { words, stride, capacity } = operations;
  const most = Math.min(operations.used, GROUP);
  let count = 0;
  let row = operations.head;
  for (; count < most; count++) {
    const record = row * stride;
    if (compareU64(words, record + Operation.requestSlot, horizon, 0) >= 0) break;
    groupHashes[count] = hashKey(operationIndex, words, record + Operation.key);
    row = row + 1 === capacity ? 0 : row + 1;
  }
  touchBuckets(operationIndex, groupHashes, count);
  for (let i = 0; i < count; i++) {
    removeRow(operationIndex, operations.head as Row, groupHashes[i]!);
    operations.head = operations.head + 1 === capacity ? 0 : operations.head + 1;
  }
  operations.used -= count;
  return count === GROUP;
}

/** Whether the operation index finds exactly this row under the key in its record. */
export function isIndexed(engine: Engine, row: Row): boolean {
  const { operations, operationIndex } = engine.tables;
  const key = row * operations.stride + Operation.key;
  return findRow(
    operationIndex,
    operations.words,
    key,
    hashKey(operationIndex, operations.words, key),
  ) ===
    row;
}

function isSameCommand(words: Uint32Array, record: number, command: Command): boolean {
  if ((words[record + Operation.meta]! & 0xff) !== command.tag) return false;
  const fields = record + Operation.fields;
  for (let i = 0; i < FIELDS_WORDS; i++) {
    if (words[fields + i] !== command.fingerprint[i]) return false;
  }
  return true;
}

/** Everything a successful reserve answered follows from its place in the log and its ttl. */
function recallReservation(engine: Engine, record: number, out: Outcome): void {
  const { words } = engine.tables.operations;
  out.hasReservation = true;
  copyU64(out.words, OutcomeField.reservationId, words, record + Operation.appliedLsn);
  copyU64(out.words, OutcomeField.reservationId + 2, engine.limits, Limit.shard);
  out.words[OutcomeField.epoch] = 1;
  out.words[OutcomeField.epoch + 1] = 0;
  const ttl = record + Operation.fields + TTL_IN_FIELDS;
  addU64(out.words, OutcomeField.deadlineSlot, words, record + Operation.requestSlot, words, ttl);
}
