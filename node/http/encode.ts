/** Requests as the bytes that the node stores, replicates and replays. */
import { type Command, CommandTag, createCommand, Field } from "../../core/command.ts";
import { encodeCommand, encodedBytes } from "../../core/command_codec.ts";
import { U64_MAX } from "../../core/config.ts";
import { writeU128, writeU64 } from "../../core/words.ts";
import type { WriteRequest } from "./schemas.ts";
import type { WriteKey } from "./write_key.ts";

/** One command, encoded. */
export interface EncodedWrite {
  readonly bytes: DataView;
  /** The client's own slot; the node's clock when absent. */
  readonly slot: bigint | undefined;
  readonly key: WriteKey;
}

/**
 * Encodes one write.
 *
 * @param request What was asked.
 * @param key Its retry key.
 * @param slotDurationMs Real length of a slot, to turn milliseconds into slots.
 */
export function encodeWrite(
  request: WriteRequest,
  key: WriteKey,
  slotDurationMs: number,
): EncodedWrite {
  const command = toCommand(request, slotDurationMs);
  writeU128(command.words, Field.operationId, key.operationId);
  writeU128(command.words, Field.clientId, key.clientId);
  const bytes = new DataView(new ArrayBuffer(encodedBytes(command)));
  encodeCommand(bytes, 0, command);
  return { bytes, slot: request.request_slot, key };
}

function toCommand(request: WriteRequest, slotDurationMs: number): Command {
  switch (request.command) {
    case "create_resource":
      return subject(CommandTag.create_resource, request.resource_id);
    case "reserve": {
      const command = claim(request);
      writeU128(command.words, Field.holderId, request.holder_id);
      writeU64(command.words, Field.quantity, ttlSlots(request, slotDurationMs));
      return command;
    }
    case "confirm":
    case "release": {
      const command = subject(CommandTag[request.command], request.reservation_id);
      writeU128(command.words, Field.holderId, request.holder_id);
      writeU64(command.words, Field.quantity, request.epoch);
      return command;
    }
    case "revoke":
    case "reclaim":
      return subject(CommandTag[request.command], request.reservation_id);
  }
}

function subject(tag: CommandTag, id: bigint): Command {
  const command = createCommand(0);
  command.tag = tag;
  writeU128(command.words, Field.subjectId, id);
  return command;
}

/** A list of one is still a bundle: the two are different commands to whoever compares retries. */
function claim(request: Extract<WriteRequest, { command: "reserve" }>): Command {
  if (request.resource_ids === undefined) {
    return subject(CommandTag.reserve, request.resource_id ?? 0n);
  }
  const command = createCommand(request.resource_ids.length);
  command.tag = CommandTag.reserve_bundle;
  command.memberCount = request.resource_ids.length;
  request.resource_ids.forEach((id, i) => writeU128(command.members, i * 4, id));
  return command;
}

/** Milliseconds become whole slots, rounded up, as in every client. */
function ttlSlots(
  request: Extract<WriteRequest, { command: "reserve" }>,
  slotDurationMs: number,
): bigint {
  const { ttl, ttl_ms: ttlMs, ttl_slots: slots } = request;
  if (slots !== undefined) return slots;
  if (ttl?.unit === "slots") return ttl.slots;
  const ms = ttl?.ms ?? ttlMs ?? 0n;
  const rounded = (ms + BigInt(slotDurationMs) - 1n) / BigInt(slotDurationMs);
  return rounded > U64_MAX ? U64_MAX : rounded;
}
