import type { Command } from "../command.ts";
import type { Engine } from "../state.ts";
import type { Row } from "../ids.ts";
import { bumpEpoch, reservationState, setMembers, setReservationState } from "../lookup.ts";
import { ResultCode } from "../outcome.ts";
import { ReservationState, ResourceState } from "../tables.ts";
import { decideOperator } from "./holder.ts";

/** Whether an operator may start taking it back. Source: docs/semantics.md#revoke. */
export function decideRevoke(engine: Engine, command: Command): ResultCode {
  const known = decideOperator(engine, command);
  if (known !== ResultCode.ok) return known;
  const state = reservationState(engine, engine.foundRow);
  return state === ReservationState.confirmed ? ResultCode.ok : ResultCode.invalid_state;
}

/** Fences the holder off. The resources stay taken until reclaim says that the holder has really stopped. */
export function commitRevoke(engine: Engine): void {
  const row = engine.foundRow as Row;
  setReservationState(engine, row, ReservationState.revoking);
  setMembers(engine, row, ResourceState.revoking, row + 1);
  bumpEpoch(engine, row);
}
