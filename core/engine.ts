/**
 * The engine: one shard's allocator. Synchronous and pure: positions and slots are arguments, nothing is
 * read from outside, and live apply, replay and every replica run these functions. Source: docs/semantics.md.
 */
import { assert } from "./assert.ts";
import { type Command, CommandTag, Field } from "./command.ts";
import { findRow, hashKey } from "./fixed_map.ts";
import { NO_ROW } from "./ids.ts";
import { appendOperation, makeRoom, recallOperation } from "./operations.ts";
import { type Outcome, OutcomeField, ResultCode, SlotOverflowKind } from "./outcome.ts";
import { retireThrough } from "./retire.ts";
import { type Engine, Limit, Position, Progress } from "./state.ts";
import { commitConfirm, decideConfirm } from "./transition/confirm.ts";
import { commitCreateResource, decideCreateResource } from "./transition/create_resource.ts";
import { commitExpire, decideExpire } from "./transition/expire.ts";
import { commitReclaim, decideReclaim } from "./transition/reclaim.ts";
import { commitRelease, decideRelease } from "./transition/release.ts";
import { commitReserve, decideReserve } from "./transition/reserve.ts";
import { commitRevoke, decideRevoke } from "./transition/revoke.ts";
import { addOverflowsU64, bumpU64, compareU64, copyU64, equalU64 } from "./words.ts";

/**
 * Which sum of slots would leave the u64 range, or 0: such a command is refused before it is logged.
 *
 * @param engine For its windows.
 * @param command The command.
 * @param slot Words with the request slot at `slotAt`.
 * @param slotAt Offset in `slot`.
 * @returns A {@linkcode SlotOverflowKind}, or 0 when every sum fits.
 */
export function slotOverflow(
  engine: Engine,
  command: Command,
  slot: Uint32Array,
  slotAt: number,
): SlotOverflowKind | 0 {
  const { limits } = engine;
  switch (command.tag) {
    case CommandTag.reserve:
    case CommandTag.reserve_bundle:
      if (addOverflowsU64(slot, slotAt, command.words, Field.quantity)) {
        return SlotOverflowKind.deadline;
      }
      break;
    case CommandTag.release:
    case CommandTag.reclaim:
    case CommandTag.expire:
      if (addOverflowsU64(slot, slotAt, limits, Limit.historyWindow)) {
        return SlotOverflowKind.reservation_history;
      }
      break;
    default:
  }
  if (command.tag === CommandTag.expire) return 0;
  return addOverflowsU64(slot, slotAt, limits, Limit.operationWindow)
    ? SlotOverflowKind.operation_window
    : 0;
}

/**
 * Applies one client command at its place in the log.
 *
 * @param engine The engine.
 * @param command A decoded client command.
 * @param position Words by {@linkcode Position}: lsn one above the last, slot no lower than the last.
 * @param out Receives the outcome.
 * @param hash Hash of the command's retry key, if it is known already.
 */
export function applyClient(
  engine: Engine,
  command: Command,
  position: Uint32Array,
  out: Outcome,
  hash: number = hashKey(engine.tables.operationIndex, command.words, Field.operationId),
): void {
  if (!enter(engine, command, position, out)) return;
  const known = findRow(engine.tables.operationIndex, command.words, Field.operationId, hash);
  if (known !== NO_ROW) return recallOperation(engine, known, command, out);
  const full = !makeRoom(engine);
  if (full && !isFreeing(command.tag)) {
    out.code = ResultCode.operation_table_full;
    return;
  }
  const code = decide(engine, command, position);
  if (full && code !== ResultCode.ok) {
    // What frees a resource uses the headroom; what would change nothing is not worth a row of it.
    out.code = ResultCode.operation_table_full;
    return;
  }
  out.code = code;
  if (code === ResultCode.ok) commit(engine, command, position, out);
  appendOperation(engine, command, position, code, hash);
}

/**
 * Applies one internal command (`expire`) at its place in the log.
 *
 * @param engine The engine.
 * @param command A decoded internal command.
 * @param position As for {@linkcode applyClient}.
 * @param out Receives the outcome.
 */
export function applyInternal(
  engine: Engine,
  command: Command,
  position: Uint32Array,
  out: Outcome,
): void {
  if (!enter(engine, command, position, out)) return;
  out.code = decide(engine, command, position);
  if (out.code === ResultCode.ok) commit(engine, command, position, out);
}

/** What every apply begins with. False when a sum of slots overflows: then nothing has moved. */
function enter(engine: Engine, command: Command, position: Uint32Array, out: Outcome): boolean {
  out.fromRetryCache = false;
  out.hasReservation = false;
  copyU64(out.words, OutcomeField.appliedLsn, position, Position.lsn);
  if (slotOverflow(engine, command, position, Position.slot) !== 0) {
    out.code = ResultCode.slot_overflow;
    return false;
  }
  if (advance(engine, position)) retireThrough(engine);
  return true;
}

/** Moves on to a position; answers whether time has gone on, which is all that retirement depends on. */
function advance(engine: Engine, position: Uint32Array): boolean {
  const { progress } = engine;
  assert(bumpU64(progress, Progress.lastLsn, 1), "engine/lsn-not-exhausted");
  assert(equalU64(progress, Progress.lastLsn, position, Position.lsn), "engine/lsn-contiguous");
  const order = compareU64(position, Position.slot, progress, Progress.lastSlot);
  assert(order >= 0, "engine/slot-monotonic");
  if (order === 0) return false;
  copyU64(progress, Progress.lastSlot, position, Position.slot);
  return true;
}

function isFreeing(tag: CommandTag): boolean {
  return tag === CommandTag.release || tag === CommandTag.revoke || tag === CommandTag.reclaim;
}

/** Reads only; the order of the checks inside each decision is part of the contract. */
function decide(engine: Engine, command: Command, position: Uint32Array): ResultCode {
  switch (command.tag) {
    case CommandTag.create_resource:
      return decideCreateResource(engine, command);
    case CommandTag.reserve:
    case CommandTag.reserve_bundle:
      return decideReserve(engine, command, position);
    case CommandTag.confirm:
      return decideConfirm(engine, command);
    case CommandTag.release:
      return decideRelease(engine, command);
    case CommandTag.revoke:
      return decideRevoke(engine, command);
    case CommandTag.reclaim:
      return decideReclaim(engine, command);
    case CommandTag.expire:
      return decideExpire(engine, command, position);
  }
}

/** Cannot fail: every bound was checked by the decision. */
function commit(engine: Engine, command: Command, position: Uint32Array, out: Outcome): void {
  switch (command.tag) {
    case CommandTag.create_resource:
      return commitCreateResource(engine, command);
    case CommandTag.reserve:
    case CommandTag.reserve_bundle:
      return commitReserve(engine, command, position, out);
    case CommandTag.confirm:
      return commitConfirm(engine);
    case CommandTag.release:
      return commitRelease(engine, position);
    case CommandTag.revoke:
      return commitRevoke(engine);
    case CommandTag.reclaim:
      return commitReclaim(engine, position);
    case CommandTag.expire:
      return commitExpire(engine, position);
  }
}
