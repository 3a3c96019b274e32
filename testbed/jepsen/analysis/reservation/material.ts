/** A history before it is split into problems. */
import type { LogicalOperation } from "./logical.ts";
import type { Sighting } from "./sightings.ts";
import type { ReservationBounds } from "./verdict.ts";

/** What problems are made of. */
export interface Material {
  readonly operations: readonly LogicalOperation[];
  readonly sightings: ReadonlyMap<bigint, Sighting>;
  readonly bounds: ReservationBounds;
  readonly initialResourceIds: ReadonlySet<bigint>;
}
