/**
 * Applying entries a group at a time: decode all, read ahead for all, then apply one by one. The loads of reading
 * ahead do not wait for each other, so a group of cache misses costs little more than one. What is decided is the same
 * as entry by entry.
 */
import { type Command, CommandTag, createCommand, Field } from "./command.ts";
import type { CodecError } from "./command_codec.ts";
import { guessRows, hashKey, touchBuckets, touchRecords } from "./fixed_map.ts";
import type { Outcome } from "./outcome.ts";
import { applyDecoded, decodeEntry } from "./replay.ts";
import type { Engine } from "./state.ts";
import { Reservation, Resource } from "./tables.ts";

/** Entries of a group: enough to overlap their misses, few enough to stay in the nearest cache. */
export const GROUP_ENTRIES = 64;

/** Decoded entries on their way into an engine; reused from group to group. */
export interface EntryGroup {
  readonly commands: readonly Command[];
  readonly internal: Uint8Array;
  count: number;
  /** Hashes of the retry keys, entry by entry. */
  readonly hashes: Int32Array;
  /** Hashes of the resources that entries name. */
  readonly resources: Int32Array;
  resourceCount: number;
  /** Hashes of the reservations that entries name or will make. */
  readonly reservations: Int32Array;
  reservationCount: number;
  readonly rows: Int32Array;
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
    internal: new Uint8Array(GROUP_ENTRIES),
    count: 0,
    hashes: new Int32Array(GROUP_ENTRIES),
    resources: new Int32Array(GROUP_ENTRIES),
    resourceCount: 0,
    reservations: new Int32Array(GROUP_ENTRIES),
    reservationCount: 0,
    rows: new Int32Array(GROUP_ENTRIES),
  };
}

/** Empties the group. */
export function beginGroup(group: EntryGroup): void {
  group.count = 0;
  group.resourceCount = 0;
  group.reservationCount = 0;
}

/**
 * Decodes the next entry into a group that has room for it.
 *
 * @param engine The engine that it will be applied to.
 * @param group The group.
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
  internal: boolean,
  view: DataView,
  at: number,
  end: number,
  lsn: Uint32Array,
  lsnAt: number,
): 0 | CodecError {
  const command = group.commands[group.count]!;
  const failed = decodeEntry(internal, view, at, end, command);
  if (failed !== 0) return failed;
  group.internal[group.count] = internal ? 1 : 0;
  const index = engine.tables.operationIndex;
  group.hashes[group.count++] = hashKey(index, command.words, Field.operationId);
  noteSubject(engine, group, command, lsn, lsnAt);
  return 0;
}

/**
 * Brings everything that the group will look up into the cache: buckets first, then the records they point to,
 * then the resources of the reservations. Each is a short loop, so that its loads are under way together.
 */
export function readAhead(engine: Engine, group: EntryGroup): void {
  const { operationIndex, resourceIndex, reservationIndex, resources, reservations } =
    engine.tables;
  const { rows, resourceCount, reservationCount } = group;
  touchBuckets(operationIndex, group.hashes, group.count);
  guessRows(resourceIndex, group.resources, resourceCount, rows);
  touchRecords(resources.words, resources.stride, Resource.state, rows, resourceCount);
  guessRows(reservationIndex, group.reservations, reservationCount, rows);
  const { members } = Reservation;
  touchRecords(reservations.words, reservations.stride, members, rows, reservationCount);
  touchRecords(resources.words, resources.stride, Resource.state, rows, reservationCount);
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

/** Notes what to read ahead; a bundle's members read ahead for each other when it is decided. */
function noteSubject(
  engine: Engine,
  group: EntryGroup,
  command: Command,
  lsn: Uint32Array,
  lsnAt: number,
): void {
  const { resourceIndex, reservationIndex } = engine.tables;
  const { tag, words } = command;
  if (tag === CommandTag.create_resource || tag === CommandTag.reserve) {
    group.resources[group.resourceCount++] = hashKey(resourceIndex, words, Field.subjectId);
  }
  if (tag === CommandTag.reserve || tag === CommandTag.reserve_bundle) {
    group.reservations[group.reservationCount++] = hashKey(reservationIndex, lsn, lsnAt);
  } else if (tag !== CommandTag.create_resource) {
    group.reservations[group.reservationCount++] = hashKey(
      reservationIndex,
      words,
      Field.subjectId,
    );
  }
}
