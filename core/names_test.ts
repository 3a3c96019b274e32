// Numbers go into logs, snapshots and wires, names into operators' scripts: both are pinned here, once.
import { assertEquals, assertThrows } from "@std/assert";
import { assert, AssertionFailure, unreachable } from "./assert.ts";
import { COMMAND_NAMES, CommandTag } from "./command.ts";
import { RESULT_NAMES, ResultCode, SlotOverflowKind } from "./outcome.ts";
import {
  RESERVATION_STATE_NAMES,
  ReservationState,
  RESOURCE_STATE_NAMES,
  ResourceState,
} from "./tables.ts";

function namesOf(numbers: Record<string, number>): string[] {
  const names: string[] = [];
  for (const [name, number] of Object.entries(numbers)) names[number] = name;
  return names;
}

Deno.test("result codes keep their numbers and names", () => {
  assertEquals([...RESULT_NAMES], [
    ...["none", "ok", "noop", "already_exists", "resource_table_full", "resource_not_found"],
    ...["resource_busy", "bundle_too_large", "ttl_out_of_range", "reservation_table_full"],
    ...["reservation_member_table_full", "reservation_not_found", "reservation_retired"],
    ...["expiration_index_full", "operation_table_full", "operation_conflict", "invalid_state"],
    ...["holder_mismatch", "stale_epoch", "slot_overflow"],
  ]);
  assertEquals(namesOf(ResultCode).slice(1), RESULT_NAMES.slice(1));
});

Deno.test("command tags keep their numbers and names", () => {
  assertEquals(namesOf(CommandTag).slice(1), COMMAND_NAMES.slice(1));
  assertEquals([...COMMAND_NAMES], [
    ...["unknown", "create_resource", "reserve", "reserve_bundle", "confirm", "release", "expire"],
    ...["revoke", "reclaim"],
  ]);
});

Deno.test("states keep their numbers and names", () => {
  assertEquals(namesOf(ResourceState).slice(1), RESOURCE_STATE_NAMES.slice(1));
  assertEquals([...RESOURCE_STATE_NAMES], [
    "none",
    "available",
    "reserved",
    "confirmed",
    "revoking",
  ]);
  assertEquals(namesOf(ReservationState).slice(1), RESERVATION_STATE_NAMES.slice(1));
  assertEquals([...RESERVATION_STATE_NAMES], [
    ...["none", "reserved", "confirmed", "released", "expired", "revoking", "revoked"],
  ]);
});

Deno.test("slot overflow kinds keep their numbers", () => {
  assertEquals(SlotOverflowKind, { operation_window: 1, deadline: 2, reservation_history: 3 });
});

Deno.test("assert() throws the fact it was given, and only when it does not hold", () => {
  assert(true, "test/fact");
  const failure = assertThrows(() => assert(false, "test/fact"), AssertionFailure);
  assertEquals([failure.name, failure.fact], ["AssertionFailure", "test/fact"]);
  assertEquals(failure.message, "Invariant violated: test/fact");
});

Deno.test("unreachable() throws with the value that got there", () => {
  assertThrows(() => unreachable("east" as never), AssertionFailure, "switch/exhaustive: east");
});
