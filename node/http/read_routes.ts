/** Routes that look at allocations. */
import { reservationReply, resourceReply } from "./answers.ts";
import type { Code } from "./codes.ts";
import { reservation, resource } from "./reply_schemas.ts";
import { defineRoute, type Route } from "./route.ts";
import { reservationPath, reservationQuery, resourcePath, resourceQuery } from "./schemas.ts";

const READ_CODES: readonly Code[] = ["not_found", "fence_not_applied", "engine_halted"];

/** Routes that look at allocations. */
export const READ_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    template: "/v1/resources/{id}",
    name: "getResource",
    group: "Resources",
    summary: "Look at a resource",
    path: resourcePath,
    query: resourceQuery,
    success: [{ status: 200, description: "The resource", schema: resource }],
    codes: READ_CODES,
    run: ({ gateway, path, query }) =>
      resourceReply(gateway.node.getResource(path.id, query.required_lsn)),
  }),
  defineRoute({
    method: "GET",
    template: "/v1/reservations/{id}",
    name: "getReservation",
    group: "Reservations",
    summary: "Look at a reservation",
    path: reservationPath,
    query: reservationQuery,
    success: [{ status: 200, description: "The reservation", schema: reservation }],
    codes: [...READ_CODES, "retired"],
    run: ({ gateway, path, query }) =>
      reservationReply(
        gateway.node.getReservation(path.id, query.required_lsn, query.current_slot),
      ),
  }),
];
