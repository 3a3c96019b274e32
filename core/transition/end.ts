import type { Engine } from "../state.ts";
import type { Row } from "../ids.ts";
import { setMembers, setReservationState } from "../lookup.ts";
import { enqueueRetirement } from "../retire.ts";
import { type ReservationState, ResourceState } from "../tables.ts";

/**
 * Ends a reservation: its members become available and its history window starts.
 *
 * @param engine The engine.
 * @param row The reservation; no longer scheduled.
 * @param state Which end.
 * @param position Where and when.
 */
export function endReservation(
  engine: Engine,
  row: Row,
  state: ReservationState,
  position: Uint32Array,
): void {
  setReservationState(engine, row, state);
  setMembers(engine, row, ResourceState.available, 0);
  enqueueRetirement(engine, row, position);
}
