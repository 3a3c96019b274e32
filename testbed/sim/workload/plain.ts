/** Commands and outcomes as plain values, and as the engine's records and bytes. */
import { type Command, CommandTag, createCommand, Field } from "../../../core/command.ts";
import { encodeCommand, encodedBytes } from "../../../core/command_codec.ts";
import { type Outcome, OutcomeField, RESULT_NAMES } from "../../../core/outcome.ts";
import { readU128, readU64, writeU128, writeU64 } from "../../../core/words.ts";
import type { ClientCommand, ModelCommand, ModelOutcome } from "../../model/words.ts";

/** A command without the retry key, which its client makes up. */
export type Request<T = ClientCommand> = T extends ClientCommand
  ? Omit<T, "operationId" | "clientId">
  : never;

/** The engine's outcome record in the model's words. */
export function plainOutcome(outcome: Outcome): ModelOutcome {
  const { words } = outcome;
  const plain = {
    code: RESULT_NAMES[outcome.code]!,
    appliedLsn: readU64(words, OutcomeField.appliedLsn),
    fromRetryCache: outcome.fromRetryCache,
  };
  if (!outcome.hasReservation) return plain;
  const reserved = {
    reservationId: readU128(words, OutcomeField.reservationId),
    epoch: readU64(words, OutcomeField.epoch),
    deadlineSlot: readU64(words, OutcomeField.deadlineSlot),
  };
  return { ...plain, reserved };
}

/** Where commands are encoded. */
let encoded = new DataView(new ArrayBuffer(4_096));

/** Bytes of a command. */
export function encodePlain(command: ModelCommand): Uint8Array {
  const record = recordToEncode(command);
  const length = encodedBytes(record);
  if (length > encoded.byteLength) encoded = new DataView(new ArrayBuffer(2 * length));
  encodeCommand(encoded, 0, record);
  return new Uint8Array(encoded.buffer, 0, length).slice();
}

/** The record of a command, filled in field by field. */
export function toRecord(command: ModelCommand): Command {
  const ids = membersOf(command);
  return fillRecord(createCommand(Math.max(ids.length, 1)), command, ids);
}

/** Filled in again for every command that only becomes bytes. */
const reused = createCommand(16);

function recordToEncode(command: ModelCommand): Command {
  const ids = membersOf(command);
  if (ids.length * 4 > reused.members.length) return toRecord(command);
  reused.words.fill(0);
  return fillRecord(reused, command, ids);
}

function membersOf(command: ModelCommand): readonly bigint[] {
  return "resourceIds" in command ? command.resourceIds : [];
}

function fillRecord(record: Command, command: ModelCommand, ids: readonly bigint[]): Command {
  const { words } = record;
  record.tag = CommandTag[command.kind];
  if (command.kind !== "expire") {
    writeU128(words, Field.operationId, command.operationId);
    writeU128(words, Field.clientId, command.clientId);
  }
  if ("resourceId" in command) writeU128(words, Field.subjectId, command.resourceId);
  if ("reservationId" in command) writeU128(words, Field.subjectId, command.reservationId);
  if ("holderId" in command) writeU128(words, Field.holderId, command.holderId);
  if ("ttlSlots" in command) writeU64(words, Field.quantity, command.ttlSlots);
  if ("epoch" in command) writeU64(words, Field.quantity, command.epoch);
  if ("deadlineSlot" in command) writeU64(words, Field.quantity, command.deadlineSlot);
  for (let i = 0; i < ids.length; i++) writeU128(record.members, i * 4, ids[i]!);
  record.memberCount = command.kind === "reserve" ? 1 : ids.length;
  if (command.kind === "reserve") writeU128(record.members, 0, command.resourceId);
  return record;
}
