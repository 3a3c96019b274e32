/** Routes that look at allocations. */
import { lateReadReply, readRefusalReply, reservationReply, resourceReply } from "./answers.ts";
import type { Code } from "./codes.ts";
import { reservation, resource } from "./reply_schemas.ts";
import type { Gateway } from "./gateway.ts";
import type { Reply } from "./reply.ts";
import { defineRoute, orDeadline, type Route } from "./route.ts";
import { reservationPath, reservationQuery, resourcePath, resourceQuery } from "./schemas.ts";

const READ_CODES: readonly Code[] = [
  "not_found",
  "fence_not_applied",
  "not_primary",
  "engine_halted",
  "deadline_exceeded",
];

/** Reads once the node has confirmed that it may, within the turn in which it has. */
function strictly(
  { node }: Gateway,
  deadline: AbortSignal,
  read: () => Reply,
): Promise<Reply> {
  return orDeadline(
    deadline,
    (done) =>
      node.confirmAuthority((refusal) => {
        // Nobody waits any more, and what is thrown here is thrown at the node.
        if (deadline.aborted) return;
        done(refusal === undefined ? read() : readRefusalReply(refusal));
      }),
    lateReadReply,
  );
}

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
    waits: true,
    run: ({ gateway, path, query, deadline }) =>
      strictly(
        gateway,
        deadline,
        () => resourceReply(gateway.node.getResource(path.id, query.required_lsn)),
      ),
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
    waits: true,
    run: ({ gateway, path, query, deadline }) =>
      strictly(
        gateway,
        deadline,
        () =>
          reservationReply(
            gateway.node.getReservation(path.id, query.required_lsn, query.current_slot),
          ),
      ),
  }),
];
