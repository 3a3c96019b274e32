import type { Command } from "../command.ts";
import type { Engine } from "../state.ts";
import type { Row } from "../ids.ts";
import { reservationState } from "../lookup.ts";
import { ResultCode } from "../outcome.ts";
import { ReservationState } from "../tables.ts";
import { endReservation } from "./end.ts";
import { decideOperator } from "./holder.ts";

/** Whether a revoked reservation may be freed. Source: docs/semantics.md#reclaim. */
export function decideReclaim(engine: Engine, command: Command): ResultCode {
  const known = decideOperator(engine, command);
  if (known !== ResultCode.ok) return known;
  const state = reservationState(engine, engine.foundRow);
  return state === ReservationState.revoking ? ResultCode.ok : ResultCode.invalid_state;
}

/** Frees it: the only way out of revoking. */
export function commitReclaim(engine: Engine, position: Uint32Array): void {
  endReservation(engine, engine.foundRow as Row, ReservationState.revoked, position);
}
