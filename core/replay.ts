/** One log entry into the engine: what live apply, recovery and every replica do with the bytes of the log. */
import type { Command } from "./command.ts";
import { CodecError, decodeCommand, decodeInternalCommand } from "./command_codec.ts";
import { applyClient, applyInternal } from "./engine.ts";
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
  const next = internal
    ? decodeInternalCommand(view, at, end, command)
    : decodeCommand(view, at, end, command);
  if (next < 0) return next as CodecError;
  if (next !== end) return CodecError.invalid_layout;
  if (internal) applyInternal(engine, command, position, out);
  else applyClient(engine, command, position, out);
  return 0;
}
