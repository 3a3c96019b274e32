/**
 * Commands as bytes. One command has exactly one encoding: a CBOR array of fixed shape in which every
 * id is a 16-byte string (big-endian) and every u64 has its 8-byte argument, so offsets are known before
 * anything is read and equal bytes mean equal commands. Source: docs/wire.md#commands.
 */
import { type Command, CommandTag, Field, FIELDS_WORDS } from "./command.ts";
import { sha256Words } from "./sha256.ts";

/** Why bytes are no command. Negative, so that a decoder answers the next offset or one of these. */
export const CodecError = {
  buffer_too_short: -1,
  invalid_command_tag: -2,
  invalid_layout: -3,
} as const;

/** One of the numbers in {@linkcode CodecError}. */
export type CodecError = typeof CodecError[keyof typeof CodecError];

/** Operator's word for a codec error. */
export function codecErrorName(error: number): string {
  if (error === CodecError.buffer_too_short) return "buffer_too_short";
  return error === CodecError.invalid_command_tag ? "invalid_command_tag" : "invalid_layout";
}

const ARRAY = 0x80;
const BYTES_16 = 0x50;
const UINT_64 = 0x1b;
const ID_BYTES = 17;
const U64_BYTES = 9;
/** Array head, tag, operation_id, client_id. */
const CLIENT_PREFIX_BYTES = 2 + 2 * ID_BYTES;

/** Encoded bytes of every command but a bundle; index is the tag, 0 where the length varies or nothing is. */
export const COMMAND_BYTES: readonly number[] = [0, 53, 79, 0, 79, 79, 28, 53, 53];

/** Encoded bytes of a bundle of `count` resources. */
export function bundleBytes(count: number): number {
  return CLIENT_PREFIX_BYTES + arrayHeadBytes(count) + count * ID_BYTES + ID_BYTES + U64_BYTES;
}

/** Most resources one encoded bundle can name: what a 16-bit array head counts. */
export const BUNDLE_MEMBERS_MAX = 0xffff;

/**
 * Decodes one client command.
 *
 * @param view The buffer.
 * @param at Where the command starts, in bytes.
 * @param end Where readable bytes stop; bytes behind the command are the caller's.
 * @param into Overwritten; undefined content after an error. A bundle keeps as many ids as it has room for.
 * @returns The offset behind the command, or a {@linkcode CodecError}.
 */
export function decodeCommand(view: DataView, at: number, end: number, into: Command): number {
  if (end - at < 2) return CodecError.buffer_too_short;
  const head = view.getUint8(at);
  const tag = view.getUint8(at + 1);
  switch (tag) {
    case CommandTag.create_resource:
    case CommandTag.revoke:
    case CommandTag.reclaim:
      return head === ARRAY + 4
        ? decodeSubjectOnly(view, at, end, tag, into)
        : CodecError.invalid_layout;
    case CommandTag.reserve:
    case CommandTag.confirm:
    case CommandTag.release:
      return head === ARRAY + 6
        ? decodeHolderCommand(view, at, end, tag, into)
        : CodecError.invalid_layout;
    case CommandTag.reserve_bundle:
      return head === ARRAY + 6 ? decodeBundle(view, at, end, into) : CodecError.invalid_layout;
    default:
      return (head & 0xe0) === ARRAY ? CodecError.invalid_command_tag : CodecError.invalid_layout;
  }
}

/**
 * Where a client command ends, from its head and tag alone: enough to walk a list of commands whose
 * contents somebody else validates.
 *
 * @param view The buffer.
 * @param at Where the command starts, in bytes.
 * @param end Where readable bytes stop.
 * @returns The offset behind the command, or a {@linkcode CodecError}.
 */
export function commandEnd(view: DataView, at: number, end: number): number {
  if (end - at < 2) return CodecError.buffer_too_short;
  const tag = view.getUint8(at + 1);
  const known = tag <= CommandTag.reclaim && tag !== CommandTag.expire && tag > 0;
  if (!known) {
    return (view.getUint8(at) & 0xe0) === ARRAY
      ? CodecError.invalid_command_tag
      : CodecError.invalid_layout;
  }
  let next = at + COMMAND_BYTES[tag]!;
  if (tag === CommandTag.reserve_bundle) {
    const list = at + CLIENT_PREFIX_BYTES;
    if (list + 3 > end) return CodecError.buffer_too_short;
    const count = readArrayHead(view, list);
    if (count < 0) return CodecError.invalid_layout;
    next = at + bundleBytes(count);
  }
  return next > end ? CodecError.buffer_too_short : next;
}

/**
 * Decodes one internal command: `expire`. Its bytes never decode as a client command.
 *
 * @param view The buffer.
 * @param at Where the command starts, in bytes.
 * @param end Where readable bytes stop.
 * @param into Overwritten.
 * @returns The offset behind the command, or a {@linkcode CodecError}.
 */
export function decodeInternalCommand(
  view: DataView,
  at: number,
  end: number,
  into: Command,
): number {
  if (end - at < 2) return CodecError.buffer_too_short;
  if (view.getUint8(at) !== ARRAY + 3) return CodecError.invalid_layout;
  if (view.getUint8(at + 1) !== CommandTag.expire) return CodecError.invalid_command_tag;
  const next = at + COMMAND_BYTES[CommandTag.expire]!;
  if (next > end) return CodecError.buffer_too_short;
  const { words } = into;
  words.fill(0);
  into.tag = CommandTag.expire;
  into.memberCount = 0;
  if (!readId(view, at + 2, words, Field.subjectId)) return CodecError.invalid_layout;
  if (!readU64(view, at + 2 + ID_BYTES, words, Field.quantity)) return CodecError.invalid_layout;
  return next;
}

/** `[tag, operation_id, client_id, subject_id]`. */
function decodeSubjectOnly(
  view: DataView,
  at: number,
  end: number,
  tag: CommandTag,
  into: Command,
): number {
  const next = at + 53;
  if (next > end) return CodecError.buffer_too_short;
  const { words, fingerprint } = into;
  if (
    !readKey(view, at, words) || !readId(view, at + CLIENT_PREFIX_BYTES, words, Field.subjectId)
  ) {
    return CodecError.invalid_layout;
  }
  into.tag = tag;
  into.memberCount = 0;
  for (let i = 0; i < 4; i++) fingerprint[i] = words[Field.subjectId + i]!;
  for (let i = 4; i < FIELDS_WORDS; i++) {
    words[Field.subjectId + i] = 0;
    fingerprint[i] = 0;
  }
  return next;
}

/** `[tag, operation_id, client_id, subject_id, holder_id, ttl_slots | epoch]`. */
function decodeHolderCommand(
  view: DataView,
  at: number,
  end: number,
  tag: CommandTag,
  into: Command,
): number {
  const next = at + 79;
  if (next > end) return CodecError.buffer_too_short;
  const { words, fingerprint, members } = into;
  const fields = at + CLIENT_PREFIX_BYTES;
  if (
    !readKey(view, at, words) ||
    !readId(view, fields, words, Field.subjectId) ||
    !readId(view, fields + ID_BYTES, words, Field.holderId) ||
    !readU64(view, fields + 2 * ID_BYTES, words, Field.quantity)
  ) return CodecError.invalid_layout;
  into.tag = tag;
  into.memberCount = 0;
  for (let i = 0; i < FIELDS_WORDS; i++) fingerprint[i] = words[Field.subjectId + i]!;
  if (tag === CommandTag.reserve) {
    into.memberCount = 1;
    for (let i = 0; i < 4; i++) members[i] = words[Field.subjectId + i]!;
  }
  return next;
}

/** `[3, operation_id, client_id, [resource_id …], holder_id, ttl_slots]`. */
function decodeBundle(view: DataView, at: number, end: number, into: Command): number {
  const list = at + CLIENT_PREFIX_BYTES;
  if (list + 3 > end) return CodecError.buffer_too_short;
  const count = readArrayHead(view, list);
  if (count < 0) return CodecError.invalid_layout;
  const ids = list + arrayHeadBytes(count);
  const holder = ids + count * ID_BYTES;
  const next = holder + ID_BYTES + U64_BYTES;
  if (next > end) return CodecError.buffer_too_short; // Before anything is sized by the count.
  const { words, members, fingerprint } = into;
  words.fill(0, Field.subjectId);
  if (!readKey(view, at, words)) return CodecError.invalid_layout;
  const room = members.length / 4;
  for (let i = 0; i < count; i++) {
    const id = ids + i * ID_BYTES;
    if (i < room ? !readId(view, id, members, i * 4) : view.getUint8(id) !== BYTES_16) {
      return CodecError.invalid_layout;
    }
  }
  if (
    !readId(view, holder, words, Field.holderId) ||
    !readU64(view, holder + ID_BYTES, words, Field.quantity)
  ) return CodecError.invalid_layout;
  into.tag = CommandTag.reserve_bundle;
  into.memberCount = count;
  sha256Words(view, list, holder + ID_BYTES, fingerprint);
  fingerprint[8] = words[Field.quantity]!;
  fingerprint[9] = words[Field.quantity + 1]!;
  return next;
}

/**
 * Encodes a command record; the inverse of the decoders.
 *
 * @param view The buffer; must have room for the command.
 * @param at Where to write.
 * @param command What to write. Every member of a bundle must be held by the record.
 * @returns The offset behind the command.
 */
export function encodeCommand(view: DataView, at: number, command: Command): number {
  const { tag, words } = command;
  if (tag === CommandTag.expire) {
    view.setUint16(at, ((ARRAY + 3) << 8) | tag);
    writeId(view, at + 2, words, Field.subjectId);
    return writeU64(view, at + 2 + ID_BYTES, words, Field.quantity);
  }
  const short = COMMAND_BYTES[tag] === 53;
  view.setUint16(at, ((ARRAY + (short ? 4 : 6)) << 8) | tag);
  writeId(view, at + 2, words, Field.operationId);
  let next = writeId(view, at + 2 + ID_BYTES, words, Field.clientId);
  if (tag === CommandTag.reserve_bundle) next = writeMembers(view, next, command);
  else next = writeId(view, next, words, Field.subjectId);
  if (short) return next;
  next = writeId(view, next, words, Field.holderId);
  return writeU64(view, next, words, Field.quantity);
}

/** Bytes that {@linkcode encodeCommand} will write. */
export function encodedBytes(command: Command): number {
  return COMMAND_BYTES[command.tag] || bundleBytes(command.memberCount);
}

function writeMembers(view: DataView, at: number, command: Command): number {
  let next = writeArrayHead(view, at, command.memberCount);
  for (let i = 0; i < command.memberCount; i++) next = writeId(view, next, command.members, i * 4);
  return next;
}

function readKey(view: DataView, at: number, words: Uint32Array): boolean {
  return readId(view, at + 2, words, Field.operationId) &&
    readId(view, at + 2 + ID_BYTES, words, Field.clientId);
}

function readId(view: DataView, at: number, words: Uint32Array, to: number): boolean {
  if (view.getUint8(at) !== BYTES_16) return false;
  words[to + 3] = view.getUint32(at + 1);
  words[to + 2] = view.getUint32(at + 5);
  words[to + 1] = view.getUint32(at + 9);
  words[to] = view.getUint32(at + 13);
  return true;
}

function readU64(view: DataView, at: number, words: Uint32Array, to: number): boolean {
  if (view.getUint8(at) !== UINT_64) return false;
  words[to + 1] = view.getUint32(at + 1);
  words[to] = view.getUint32(at + 5);
  return true;
}

function writeId(view: DataView, at: number, words: Uint32Array, from: number): number {
  view.setUint8(at, BYTES_16);
  view.setUint32(at + 1, words[from + 3]!);
  view.setUint32(at + 5, words[from + 2]!);
  view.setUint32(at + 9, words[from + 1]!);
  view.setUint32(at + 13, words[from]!);
  return at + ID_BYTES;
}

function writeU64(view: DataView, at: number, words: Uint32Array, from: number): number {
  view.setUint8(at, UINT_64);
  view.setUint32(at + 1, words[from + 1]!);
  view.setUint32(at + 5, words[from]!);
  return at + U64_BYTES;
}

function arrayHeadBytes(count: number): number {
  return count < 24 ? 1 : count < 0x100 ? 2 : 3;
}

/** The count of a shortest-form array head of up to 16 bits, or -1. */
function readArrayHead(view: DataView, at: number): number {
  const head = view.getUint8(at);
  if (head >= ARRAY && head < ARRAY + 24) return head - ARRAY;
  if (head === ARRAY + 24) {
    const count = view.getUint8(at + 1);
    return count >= 24 ? count : -1;
  }
  if (head !== ARRAY + 25) return -1;
  const count = view.getUint16(at + 1);
  return count >= 0x100 ? count : -1;
}

function writeArrayHead(view: DataView, at: number, count: number): number {
  if (count < 24) view.setUint8(at, ARRAY + count);
  else if (count < 0x100) view.setUint16(at, ((ARRAY + 24) << 8) | count);
  else {
    view.setUint8(at, ARRAY + 25);
    view.setUint16(at + 1, count);
  }
  return at + arrayHeadBytes(count);
}
