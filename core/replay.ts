/** One log entry into the engine: what live apply, recovery and every replica do with the bytes of the log. */
import { type Command, Field } from "./command.ts";
import { CodecError, decodeCommand, decodeInternalCommand } from "./command_codec.ts";
import { applyClient, applyInternal } from "./engine.ts";
import { hashKey } from "./fixed_map.ts";
import type { Outcome } from "./outcome.ts";
import type { Engine } from "./state.ts";

/**
 * Decodes one entry's payload and applies it.
 *
 * @param engine The engine.
 * @param internal Whether the entry is an internal command.
 * @param view Where the payload is.
 * @param at Its first byte.
 * @param end One past its last byte.
 * @param position Where and when, by `Position`.
 * @param command Scratch for the decoded command; holds it afterwards.
 * @param out Receives the outcome.
 * @returns 0, or a {@linkcode CodecError} with nothing applied.
 */
export function applyEntry(
  engine: Engine,
  internal: boolean,
  view: DataView,
  at: number,
  end: number,
  position: Uint32Array,
  command: Command,
  out: Outcome,
): 0 | CodecError {
  const failed = decodeEntry(internal, view, at, end, command);
  if (failed !== 0) return failed;
  const hash = hashKey(engine.tables.operationIndex, command.words, Field.operationId);
  applyDecoded(engine, internal, command, hash, position, out);
  return 0;
}

/**
 * Decodes one entry's payload: exactly one command, nothing behind it.
 *
 * @param internal Whether the entry is an internal command.
 * @param view Where the payload is.
 * @param at Its first byte.
 * @param end One past its last byte.
 * @param command Overwritten.
 * @returns 0, or a {@linkcode CodecError}.
 */
export function decodeEntry(
  internal: boolean,
  view: DataView,
  at: number,
  end: number,
  command: Command,
): 0 | CodecError {
  const next = internal
    ? decodeInternalCommand(view, at, end, command)
    : decodeCommand(view, at, end, command);
  if (next < 0) return next as CodecError;
  return next === end ? 0 : CodecError.invalid_layout;
}

/**
 * Applies one decoded entry.
 *
 * @param engine The engine.
 * @param internal Whether it is an internal command.
 * @param command The command.
 * @param hash Hash of a client command's retry key.
 * @param position Where and when, by `Position`.
 * @param out Receives the outcome.
 */
export function applyDecoded(
  engine: Engine,
  internal: boolean,
  command: Command,
  hash: number,
  position: Uint32Array,
  out: Outcome,
): void {
  if (internal) applyInternal(engine, command, position, out);
  else applyClient(engine, command, position, out, hash);
}
