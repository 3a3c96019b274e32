import type { Command } from "../command.ts";
import type { Engine } from "../state.ts";
import type { Row } from "../ids.ts";
import { bumpEpoch, reservationState } from "../lookup.ts";
import { ResultCode } from "../outcome.ts";
import { ReservationState } from "../tables.ts";
import { unschedule } from "../timing_wheel.ts";
import { endReservation } from "./end.ts";
import { decideHolder } from "./holder.ts";

/** Whether the holder may give it back. Source: docs/semantics.md#release. */
export function decideRelease(engine: Engine, command: Command): ResultCode {
  const holder = decideHolder(engine, command);
  if (holder !== ResultCode.ok) return holder;
  const state = reservationState(engine, engine.foundRow);
  const held = state === ReservationState.reserved || state === ReservationState.confirmed;
  return held ? ResultCode.ok : ResultCode.invalid_state;
}

/** Gives it back. */
export function commitRelease(engine: Engine, position: Uint32Array): void {
  const row = engine.foundRow as Row;
  if (reservationState(engine, row) === ReservationState.reserved) unschedule(engine.wheel, row);
  endReservation(engine, row, ReservationState.released, position);
  bumpEpoch(engine, row);
}
