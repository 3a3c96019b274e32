/**
 * Reading ahead: before a group of commands is applied, what each will look up is touched once. The loads of
 * different commands do not wait for each other, so a group of cache misses costs little more than one.
 * Changes nothing but the cache.
 */
import { CommandTag } from "./command.ts";
import { hashKey, touchRow } from "./fixed_map.ts";
import type { Engine } from "./state.ts";

/** Commands to read ahead at a time: enough to overlap, few enough to stay in the nearest cache. */
export const WARM_GROUP = 32;

/** Where ids start in an encoded client command: behind array head, tag and each id's own head. */
const OPERATION_ID_AT = 3;
const CLIENT_ID_AT = 20;
const SUBJECT_ID_AT = 37;

const key = new Uint32Array(8);

/**
 * Touches what one encoded client command will look up.
 *
 * @param engine The engine.
 * @param view The buffer.
 * @param at First byte of a whole client command; whether its bytes mean anything is not checked.
 * @param lsn Words of the lsn it will be applied at, under which a reserve is indexed.
 * @param lsnAt Index into `lsn`.
 */
export function warmCommand(
  engine: Engine,
  view: DataView,
  at: number,
  lsn: Uint32Array,
  lsnAt: number,
): void {
  const { operationIndex, resourceIndex, reservationIndex } = engine.tables;
  const tag = view.getUint8(at + 1);
  readId(view, at + OPERATION_ID_AT, 0);
  readId(view, at + CLIENT_ID_AT, 4);
  touchRow(operationIndex, hashKey(operationIndex, key, 0));
  if (tag === CommandTag.reserve_bundle) return; // Its members are many, and read ahead for each other.
  readId(view, at + SUBJECT_ID_AT, 0);
  if (tag > CommandTag.reserve) {
    return touchRow(reservationIndex, hashKey(reservationIndex, key, 0));
  }
  touchRow(resourceIndex, hashKey(resourceIndex, key, 0));
  if (tag === CommandTag.reserve) touchRow(reservationIndex, hashKey(reservationIndex, lsn, lsnAt));
}

function readId(view: DataView, at: number, to: number): void {
  key[to + 3] = view.getUint32(at);
  key[to + 2] = view.getUint32(at + 4);
  key[to + 1] = view.getUint32(at + 8);
  key[to] = view.getUint32(at + 12);
}
