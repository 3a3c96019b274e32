/** Commands of the client's face as the bytes that servers store. Source: docs/wire.md#commands. */
import { CommandTag } from "../../core/command.ts";
import { BUNDLE_MEMBERS_MAX } from "../../core/command_codec.ts";
import { U64_MAX } from "../../core/config.ts";
import type { WireWriter } from "../wire/writer.ts";
import type { ClientCommand, Ttl } from "./types.ts";

const U128_MAX = (1n << 128n) - 1n;

/** Random words are drawn many at a time: one draw costs a microsecond, however much it is for. */
const randomWords = new BigUint64Array(512);
let randomWordsLeft = 0;

/**
 * Draws 128 random bits.
 *
 * @returns An id that nobody else has.
 */
export function randomId(): bigint {
  if (randomWordsLeft === 0) {
    crypto.getRandomValues(randomWords);
    randomWordsLeft = randomWords.length;
  }
  randomWordsLeft -= 2;
  return (randomWords[randomWordsLeft]! << 64n) | randomWords[randomWordsLeft + 1]!;
}

/**
 * Checks an id.
 *
 * @param name What it is the id of, for the error.
 * @param value The id.
 * @returns The same.
 * @throws {RangeError} When it does not fit 128 bits.
 */
export function checkedId(name: string, value: bigint): bigint {
  if (value < 0n || value > U128_MAX) throw new RangeError(`${name} must fit 128 bits`);
  return value;
}

/**
 * Writes one command.
 *
 * @param out Where, at its end.
 * @param command What.
 * @param clientId Half of the retry key; checked.
 * @param operationId The other half.
 * @param slotDurationMs The server's: what milliseconds are divided by.
 * @throws {RangeError} When a number does not fit its field.
 */
export function writeCommand(
  out: WireWriter,
  command: ClientCommand,
  clientId: bigint,
  operationId: bigint,
  slotDurationMs: number,
): void {
  const { kind } = command;
  const hasHolder = kind !== "create_resource" && kind !== "revoke" && kind !== "reclaim";
  out.array(hasHolder ? 6 : 4);
  out.small(CommandTag[kind]);
  writeId(out, "operationId", operationId);
  out.id(clientId);
  switch (kind) {
    case "create_resource":
      return writeId(out, "resourceId", command.resourceId);
    case "reserve":
      writeId(out, "resourceId", command.resourceId);
      writeId(out, "holderId", command.holderId);
      return writeU64(out, "ttlSlots", ttlSlots(command, slotDurationMs));
    case "reserve_bundle":
      writeMembers(out, command.resourceIds);
      writeId(out, "holderId", command.holderId);
      return writeU64(out, "ttlSlots", ttlSlots(command, slotDurationMs));
    case "confirm":
    case "release":
      writeId(out, "reservationId", command.reservationId);
      writeId(out, "holderId", command.holderId);
      return writeU64(out, "epoch", command.epoch);
    default:
      return writeId(out, "reservationId", command.reservationId);
  }
}

/** A time to live in whole slots, never less than was asked for. */
function ttlSlots(ttl: Ttl, slotDurationMs: number): bigint {
  if (ttl.ttlSlots !== undefined) return ttl.ttlSlots;
  if (!(ttl.ttlMs >= 0 && ttl.ttlMs < Infinity)) {
    throw new RangeError("ttlMs must be a finite number and not negative");
  }
  return BigInt(Math.ceil(ttl.ttlMs / slotDurationMs));
}

function writeMembers(out: WireWriter, ids: readonly bigint[]): void {
  if (ids.length > BUNDLE_MEMBERS_MAX) {
    throw new RangeError(`resourceIds must not have more than ${BUNDLE_MEMBERS_MAX} ids`);
  }
  out.array(ids.length);
  for (const id of ids) writeId(out, "resourceIds", id);
}

function writeId(out: WireWriter, name: string, value: bigint): void {
  out.id(checkedId(name, value));
}

function writeU64(out: WireWriter, name: string, value: bigint): void {
  if (value < 0n || value > U64_MAX) throw new RangeError(`${name} must fit 64 bits`);
  out.u64(value);
}
