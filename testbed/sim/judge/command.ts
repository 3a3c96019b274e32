/** A log entry's bytes as a command in the model's words. */
import { CommandTag, createCommand, Field } from "../../../core/command.ts";
import { decodeEntry } from "../../../core/replay.ts";
import { readU128, readU64 } from "../../../core/words.ts";
import { viewUnder } from "./kept_bytes.ts";
import type { ModelCommand } from "../../model/words.ts";

const record = createCommand(16);

/**
 * Decodes a payload.
 *
 * @param isInternal Whether the entry is an internal command.
 * @param payload The command's bytes, nothing behind them.
 * @returns The command.
 * @throws {Error} When they are none.
 */
export function commandOf(isInternal: boolean, payload: Uint8Array): ModelCommand {
  const { byteOffset, length } = payload;
  const failed = decodeEntry(
    isInternal,
    viewUnder(payload),
    byteOffset,
    byteOffset + length,
    record,
  );
  if (failed !== 0) throw new Error(`An entry does not decode: ${failed}`);
  const { words } = record;
  const key = {
    operationId: readU128(words, Field.operationId),
    clientId: readU128(words, Field.clientId),
  };
  const subject = readU128(words, Field.subjectId);
  const holderId = readU128(words, Field.holderId);
  const quantity = readU64(words, Field.quantity);
  switch (record.tag) {
    case CommandTag.create_resource:
      return { ...key, kind: "create_resource", resourceId: subject };
    case CommandTag.reserve:
      return { ...key, kind: "reserve", resourceId: subject, holderId, ttlSlots: quantity };
    case CommandTag.reserve_bundle:
      return {
        ...key,
        kind: "reserve_bundle",
        resourceIds: members(),
        holderId,
        ttlSlots: quantity,
      };
    case CommandTag.confirm:
      return { ...key, kind: "confirm", reservationId: subject, holderId, epoch: quantity };
    case CommandTag.release:
      return { ...key, kind: "release", reservationId: subject, holderId, epoch: quantity };
    case CommandTag.revoke:
      return { ...key, kind: "revoke", reservationId: subject };
    case CommandTag.reclaim:
      return { ...key, kind: "reclaim", reservationId: subject };
    case CommandTag.expire:
      return { kind: "expire", reservationId: subject, deadlineSlot: quantity };
  }
}

function members(): bigint[] {
  return Array.from({ length: record.memberCount }, (_, i) => readU128(record.members, i * 4));
}
