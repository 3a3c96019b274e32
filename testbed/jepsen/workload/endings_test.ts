// A mistake here makes every history a lie: what was refused is a failure, what was answered is answered, and what nobody
// said is recorded by nobody.
import { assertEquals, assertThrows } from "@std/assert";
import { ReservationState, ResourceState } from "../../../core/tables.ts";
import type { ReservationView, ResourceView } from "../../../node/api.ts";
import type {
  Committed,
  NotSent,
  SubmitResult,
  TransportErrorCode,
} from "../../../node/client/types.ts";
import { TransportError } from "../../../node/client/types.ts";
import { endingOfError, endingOfRead, endingOfTick, endingOfWrite } from "./endings.ts";

const COMMITTED: Committed = {
  ...{ kind: "committed", code: "ok", ok: true, appliedLsn: 9n, fromRetryCache: false },
  ...{ operationId: 1n, reservationId: 9n, epoch: 1n, deadlineSlot: 40n },
};

Deno.test("endingOfWrite(): a refusal that was committed is as good as any answer", () => {
  assertEquals(endingOfWrite(COMMITTED), {
    type: "ok",
    answer: {
      ...{ kind: "applied", code: "ok", lsn: 9n },
      reserved: { reservationId: 9n, epoch: 1n, deadlineSlot: 40n },
    },
  });
  const nothing = { reservationId: undefined, epoch: undefined, deadlineSlot: undefined };
  const busy: SubmitResult = { ...COMMITTED, ...nothing, code: "resource_busy", ok: false };
  assertEquals(endingOfWrite(busy), {
    type: "ok",
    answer: { kind: "applied", code: "resource_busy", lsn: 9n },
  });
});

Deno.test("endingOfWrite(): what certainly did not happen fails, what nobody knows is in doubt", () => {
  const operationId = 1n;
  const rejection = { category: "definite", code: "not_primary", view: 3n, primary: 2n } as const;
  assertEquals(endingOfWrite({ kind: "rejected", rejection, operationId }), {
    type: "fail",
    reason: "not_primary",
  });
  const notSent: NotSent = {
    ...{ category: "definite", code: "not_sent", reason: "unreachable", message: "" },
  };
  assertEquals(endingOfWrite({ kind: "rejected", rejection: notSent, operationId }), {
    type: "fail",
    reason: "not_sent unreachable",
  });
  const unknown = { kind: "unknown", reason: "view_changed", message: "", operationId } as const;
  assertEquals(endingOfWrite(unknown), { type: "info", reason: "view_changed" });
});

Deno.test("endingOfRead() says who answered and what the answer reflects only where it is known", () => {
  const resource: ResourceView = {
    ...{ kind: "found", resourceId: 1n, state: ResourceState.confirmed, version: 4n },
    ...{ currentReservationId: 9n, observedLsn: 12n },
  };
  const answer = { kind: "resource", state: "confirmed", reservationId: 9n, version: 4n } as const;
  assertEquals(endingOfRead(resource), { type: "ok", answer });
  assertEquals(endingOfRead(resource, { replicaId: 2 }), {
    ...{ type: "ok", answer, servedBy: { replicaId: 2, observedLsn: 12n } },
  });
  const refusal = { kind: "not_primary", view: 5n, primary: 1n } as const;
  assertEquals(endingOfRead(refusal, { replicaId: 3, role: "not primary" }), {
    type: "fail",
    reason: "not_primary",
    servedBy: { replicaId: 3, role: "not primary", view: 5n },
  });
  assertEquals(endingOfRead({ kind: "retired", observedLsn: undefined }, { replicaId: 1 }), {
    ...{ type: "ok", answer: { kind: "retired" }, servedBy: { replicaId: 1 } },
  });
});

Deno.test("endingOfRead() keeps every field of a reservation", () => {
  const view: ReservationView = {
    ...{ kind: "found", reservationId: 9n, holderId: 7n, state: ReservationState.released },
    ...{ epoch: 2n, createdLsn: 9n, deadlineSlot: 40n, releasedLsn: 11n, retireAfterSlot: 90n },
    ...{ memberResourceIds: [3n, 1n], observedLsn: 12n },
  };
  assertEquals(endingOfRead(view).answer, {
    ...{ kind: "reservation", state: "released", holderId: 7n, epoch: 2n, createdLsn: 9n },
    ...{ deadlineSlot: 40n, releasedLsn: 11n, retireAfterSlot: 90n, memberResourceIds: [3n, 1n] },
  });
});

Deno.test("endingOfTick() claims no place in the log, and nothing that it freed", () => {
  assertEquals(endingOfTick({ kind: "applied", processedCount: 3, lastAppliedLsn: 50n }), {
    ...{ type: "ok", answer: { kind: "ticked" } },
  });
  const halted = { category: "indefinite", code: "storage_failure" } as const;
  assertEquals(endingOfTick({ kind: "rejected", rejection: halted }).type, "info");
  const draining = { category: "definite", code: "shutting_down" } as const;
  assertEquals(endingOfTick({ kind: "rejected", rejection: draining }).type, "fail");
});

Deno.test("endingOfError(): only that nobody was primary is an answer, and other errors are no endings", () => {
  const codes: TransportErrorCode[] = ["timeout", "connection_lost", "unreachable", "closed"];
  for (const code of codes) {
    assertEquals(endingOfError(new TransportError(code, "")), { type: "info", reason: code });
  }
  assertEquals(endingOfError(new TransportError("no_primary", "")).type, "fail");
  const bug = new Error("a bug");
  assertThrows(() => endingOfError(bug), Error, "a bug");
});
