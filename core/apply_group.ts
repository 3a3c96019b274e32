/**
 * Applying entries a group at a time. While a group is decoded, what each entry will look up is touched once: the
 * loads of different entries do not wait for each other, so a group of cache misses costs little more than one.
 * What is decided is the same as entry by entry.
 */
import { type Command, CommandTag, createCommand, Field } from "./command.ts";
import type { CodecError } from "./command_codec.ts";
import { hashKey, touchRow, touchWord } from "./fixed_map.ts";
import type { Outcome } from "./outcome.ts";
import { applyDecoded, decodeEntry } from "./replay.ts";
import type { Engine } from "./state.ts";
import { Operation, Reservation, Resource } from "./tables.ts";

/** Entries of a group: enough to overlap their misses, few enough to stay in the nearest cache. */
export const GROUP_ENTRIES = 32;

/** Decoded entries on their way into an engine; reused from group to group. */
export interface EntryGroup {
  readonly commands: readonly Command[];
  readonly hashes: Int32Array;
  readonly internal: Uint8Array;
}

/**
 * Makes an empty group.
 *
 * @param maxBundleSize Most members of a bundle.
 * @returns Room for {@linkcode GROUP_ENTRIES} entries.
 */
export function createEntryGroup(maxBundleSize: number): EntryGroup {
  return {
    commands: Array.from({ length: GROUP_ENTRIES }, () => createCommand(maxBundleSize)),
    hashes: new Int32Array(GROUP_ENTRIES),
    internal: new Uint8Array(GROUP_ENTRIES),
  };
}

/**
 * Decodes an entry into the group and brings what it will look up into the cache.
 *
 * @param engine The engine that it will be applied to.
 * @param group The group.
 * @param i Its place in the group.
 * @param internal Whether it is an internal command.
 * @param view Where the payload is.
 * @param at Its first byte.
 * @param end One past its last byte.
 * @param lsn Words of the lsn it will be applied at, under which a reserve is indexed.
 * @param lsnAt Index into `lsn`.
 * @returns 0, or a {@linkcode CodecError}.
 */
export function decodeIntoGroup(
  engine: Engine,
  group: EntryGroup,
  i: number,
  internal: boolean,
  view: DataView,
  at: number,
  end: number,
  lsn: Uint32Array,
  lsnAt: number,
): 0 | CodecError {
  const command = group.commands[i]!;
  const failed = decodeEntry(internal, view, at, end, command);
  if (failed !== 0) return failed;
  group.internal[i] = internal ? 1 : 0;
  if (!internal) group.hashes[i] = touchClient(engine, command, lsn, lsnAt);
  return 0;
}

/**
 * Applies an entry of the group.
 *
 * @param engine The engine.
 * @param group The group.
 * @param i Its place in the group.
 * @param position Where and when, by `Position`.
 * @param out Receives the outcome.
 */
export function applyFromGroup(
  engine: Engine,
  group: EntryGroup,
  i: number,
  position: Uint32Array,
  out: Outcome,
): void {
  const internal = group.internal[i] === 1;
  applyDecoded(engine, internal, group.commands[i]!, group.hashes[i]!, position, out);
}

/** Touches what a client command will look up; answers the hash of its retry key. */
function touchClient(engine: Engine, command: Command, lsn: Uint32Array, lsnAt: number): number {
  const { operationIndex, resourceIndex, reservationIndex } = engine.tables;
  const { tag, words } = command;
  const hash = hashKey(operationIndex, words, Field.operationId);
  touchRow(operationIndex, hash, Operation.key);
  if (tag === CommandTag.reserve_bundle) return hash; // Its members are many, and read ahead for each other.
  if (tag > CommandTag.reserve) {
    touchReservation(engine, hashKey(reservationIndex, words, Field.subjectId));
    return hash;
  }
  touchRow(resourceIndex, hashKey(resourceIndex, words, Field.subjectId), Resource.state);
  if (tag === CommandTag.reserve) {
    touchRow(reservationIndex, hashKey(reservationIndex, lsn, lsnAt), Reservation.createdLsn);
  }
  return hash;
}

/** A reservation, and the first of the resources that will change state with it. */
function touchReservation(engine: Engine, hash: number): void {
  const { resources, reservationIndex } = engine.tables;
  const member = touchRow(reservationIndex, hash, Reservation.members);
  touchWord(resources.words, member * resources.stride + Resource.state);
}
