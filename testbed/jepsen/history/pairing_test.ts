// Positions are the only order that judges believe. So: they are the numbers of events, whatever the clock says; what never
// ended has no end; and without invocations nothing follows from when an attempt began.
import { assertEquals, assertThrows } from "@std/assert";
import type { Completion, HistoryEvent, Invocation } from "./event.ts";
import { HistoryError } from "./history_error.ts";
import { Pairing } from "./pairing.ts";
import type { Recording } from "./recording.ts";

function invoke(process: number, resourceId: bigint, timeNs = NaN): Invocation {
  return { type: "invoke", process, timeNs, request: { kind: "get_resource", resourceId } };
}

function seen(process: number, timeNs = NaN): Completion {
  return { type: "ok", process, timeNs, answer: { kind: "not_found" } };
}

function pair(events: readonly HistoryEvent[], hasInvocations = true): Recording {
  const pairing = new Pairing({ model: "reservation" }, hasInvocations);
  for (const [i, event] of events.entries()) pairing.add(event, { line: i + 1 });
  return pairing.finish();
}

Deno.test("Pairing numbers events and keeps operations in the order of their beginning", () => {
  const { operations, events } = pair([
    invoke(1, 10n, 50),
    invoke(2, 20n, 40),
    { type: "fault", timeNs: 60, phase: "start", name: "kill", id: 1 },
    seen(2, 45),
    invoke(2, 30n),
    seen(1, 70),
  ]);
  const positions = operations.map(({ process: client, invokedAt, completedAt }) => [
    client,
    invokedAt,
    completedAt,
  ]);
  assertEquals(positions, [[1, 0, 4], [2, 1, 2], [2, 3, undefined]]);
  assertEquals(operations.map(({ outcome }) => outcome.kind), ["ok", "ok", "info"]);
  assertEquals(operations.map(({ invokedNs }) => invokedNs), [50, 40, undefined]);
  assertEquals(events, 5);
});

Deno.test("Pairing without invocations lets every attempt have begun before everything", () => {
  const { operations, hasInvocations, header } = pair(
    [
      invoke(1, 10n),
      seen(1, 5),
      invoke(1, 11n),
      { type: "info", process: 1, timeNs: 6 },
      invoke(1, 10n),
      seen(1, 7),
    ],
    false,
  );
  assertEquals(operations.map(({ invokedAt }) => invokedAt), [0, 0, 0]);
  assertEquals(operations.map(({ completedAt }) => completedAt), [1, 3, 5]);
  assertEquals(hasInvocations, false);
  assertEquals(header.initialResourceIds, [10n, 11n]);
});

Deno.test("Pairing joins the ends of faults to their beginnings by id", () => {
  const { faults } = pair([
    { type: "fault", timeNs: 1, phase: "start", name: "kill", id: 1, replicaIds: [2] },
    { type: "fault", timeNs: 2, phase: "start", name: "cut", id: 2, detail: "1 from 2" },
    { type: "fault", timeNs: 3, phase: "stop", name: "kill", id: 1, detail: "restarted" },
  ]);
  assertEquals(faults, [
    { name: "kill", detail: "restarted", replicaIds: [2], startNs: 1, stopNs: 3 },
    { name: "cut", detail: "1 from 2", replicaIds: [], startNs: 2, stopNs: undefined },
  ]);
});

Deno.test("Pairing says at which place an event cannot be, and looks at places during the call only", () => {
  const pairing = new Pairing({ model: "reservation" });
  const at = { line: 7 };
  pairing.add(invoke(1, 10n), at);
  at.line = 9;
  const error = assertThrows(() => pairing.add(invoke(1, 11n), at), HistoryError);
  at.line = 11;
  assertEquals(error.place, { line: 9 });
  assertEquals(
    error.inSource("a.txt").message,
    "a.txt: line 9: found a second invocation of process 1, expected the end of its get_resource from line 7",
  );
});
