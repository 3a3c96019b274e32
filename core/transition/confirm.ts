import type { Command } from "../command.ts";
import type { Engine } from "../state.ts";
import type { Row } from "../ids.ts";
import { reservationState, setMembers, setReservationState } from "../lookup.ts";
import { ResultCode } from "../outcome.ts";
import { ReservationState, ResourceState } from "../tables.ts";
import { unschedule } from "../timing_wheel.ts";
import { decideHolder } from "./holder.ts";

/** Whether a hold may become permanent; an overdue one may until its expire is applied. Source: docs/semantics.md#confirm. */
export function decideConfirm(engine: Engine, command: Command): ResultCode {
  const holder = decideHolder(engine, command);
  if (holder !== ResultCode.ok) return holder;
  const state = reservationState(engine, engine.foundRow);
  return state === ReservationState.reserved ? ResultCode.ok : ResultCode.invalid_state;
}

/** Makes it permanent until release or revoke: time no longer frees it. */
export function commitConfirm(engine: Engine): void {
  const row = engine.foundRow as Row;
  unschedule(engine.wheel, row);
  setReservationState(engine, row, ReservationState.confirmed);
  setMembers(engine, row, ResourceState.confirmed, row + 1);
}
