// What everybody knows about leases, locks and retries, case by case: each rule of docs/semantics.md that a client can see,
// kept and broken. All of them are judged by the search and by brute force.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkReservations } from "../../testbed/jepsen/analysis/reservation/check.ts";
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import { Script } from "./script.ts";

/** Resource 1 is there. */
function one(): Script {
  return new Script().create(1n);
}

/** Resources 1 and 2 are there. */
function two(): Script {
  return one().create(2n, "ok", [-4, -3]);
}

/** A hold that nobody confirmed may always have expired: only what came of it, or a slot, tells. */
const VALID: Record<string, Script> = {
  "a life: reserve, confirm, release": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("confirm", 5n, 7n, [2, 3], "ok")
    .holder("release", 5n, 7n, [4, 5], "ok").resource(1n, [6, 7], "available"),
  "a life: revoke, then reclaim": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("confirm", 5n, 7n, [2, 3], "ok")
    .operator("revoke", 5n, [4, 5], "ok").resource(1n, [6, 7], "revoking", 5n)
    .operator("reclaim", 5n, [8, 9], "ok").reserve(1n, 8n, [10, 11], 9n),
  "two reserves at once, one is told busy": one()
    .reserve(1n, 7n, [0, 9], 5n).reserve(1n, 8n, [1, 8], "resource_busy"),
  "busy because of a reserve that nobody was told about": one()
    .reserve(1n, 7n, [0], 5n).reserve(1n, 8n, [1, 2], "resource_busy"),
  "an unanswered reserve happens late": one()
    .reserve(1n, 7n, [0], 5n).resource(1n, [1, 2], "available").resource(
      1n,
      [3, 4],
      "reserved",
      5n,
    ),
  "an unanswered release frees": one()
    .reserve(1n, 7n, [0, 1], 5n, { ttl: 100n, deadline: 100n }).holder("release", 5n, 7n, [2], "ok")
    .reserve(1n, 8n, [3, 4], 6n, { ttl: 5n, deadline: 20n }),
  "an expired hold is taken over at its deadline": one()
    .reserve(1n, 7n, [0, 1], 5n, { ttl: 10n, deadline: 10n })
    .reserve(1n, 8n, [2, 3], 6n, { ttl: 10n, deadline: 20n }),
  "an overdue hold is confirmed before anybody expires it": one()
    .reserve(1n, 7n, [0, 1], 5n, { ttl: 1n, deadline: 1n })
    .reserve(2n, 7n, [2, 3], "resource_not_found")
    .holder("confirm", 5n, 7n, [4, 5], "ok"),
  "the former holder is fenced off": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("release", 5n, 7n, [2, 3], "ok")
    .holder("confirm", 5n, 7n, [4, 5], "stale_epoch")
    .holder("release", 5n, 7n, [6, 7], "reservation_retired", { epoch: 2n }),
  "a retry is answered as the first attempt was, though it would fail now": one()
    .reserve(1n, 7n, [0], 5n, { key: 1 }).reserve(1n, 8n, [1, 2], "resource_busy")
    .reserve(1n, 7n, [3, 4], 5n, { key: 1 }),
  "a refusal is answered again, though it would succeed now": one()
    .reserve(1n, 7n, [0, 1], 5n).reserve(1n, 8n, [2, 3], "resource_busy", { key: 1 })
    .holder("release", 5n, 7n, [4, 5], "ok").reserve(1n, 8n, [6, 7], "resource_busy", { key: 1 }),
  "a key that another command has used": one()
    .reserve(1n, 7n, [0, 1], 5n, { key: 1 })
    .holder("release", 5n, 7n, [2, 3], "operation_conflict", { key: 1 })
    .resource(1n, [4, 5], "reserved", 5n),
  "a key that two commands race for": one()
    .reserve(1n, 7n, [0, 9], "operation_conflict", { key: 1 })
    .reserve(1n, 8n, [1, 8], 5n, { key: 1 }),
  "a bundle is taken whole": two()
    .bundle([1n, 2n], 7n, [0, 1], 5n).resource(1n, [2, 3], "reserved", 5n)
    .resource(2n, [4, 5], "reserved", 5n).holder("release", 5n, 7n, [6, 7], "ok")
    .resource(2n, [8, 9], "available"),
  "a bundle that names a resource twice is refused": two()
    .bundle([1n, 1n], 7n, [0, 1], "resource_busy").bundle([], 7n, [2, 3], "bundle_too_large"),
  "a read overlaps what it sees and what it does not see": one()
    .reserve(1n, 7n, [0, 5], 5n).resource(1n, [1, 2], "reserved", 5n)
    .resource(1n, [3, 9], "reserved", 5n),
  "a record that has been dropped": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("release", 5n, 7n, [2, 3], "ok")
    .reservation(5n, [4, 5], "retired").holder("release", 5n, 8n, [6, 7], "reservation_retired"),
  "a full table": one()
    .create(9n, "resource_table_full", [0, 1]).reserve(1n, 7n, [2, 3], "reservation_table_full"),
  "versions count every change": one()
    .resource(1n, [0, 1], "available", undefined, { version: 0n })
    .reserve(1n, 7n, [2, 3], 5n).holder("release", 5n, 7n, [4, 5], "ok")
    .resource(1n, [6, 7], "available", undefined, { version: 2n }),
};

const INVALID: Record<string, Script> = {
  "two holders at once": one().reserve(1n, 7n, [0, 1], 5n).reserve(1n, 8n, [2, 3], 6n),
  "a reserve that succeeds before the deadline of the last hold": one()
    .reserve(1n, 7n, [0, 1], 5n, { ttl: 10n, deadline: 10n })
    .reserve(1n, 8n, [2, 3], 6n, { ttl: 10n, deadline: 19n }),
  "a stale read": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("confirm", 5n, 7n, [2, 3], "ok")
    .resource(1n, [4, 5], "reserved", 5n),
  "a read goes back": one()
    .reserve(1n, 7n, [0, 9], 5n).resource(1n, [1, 2], "reserved", 5n)
    .resource(1n, [3, 4], "available").reservation(5n, [5, 6], "reserved"),
  "a confirmed hold is lost": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("confirm", 5n, 7n, [2, 3], "ok")
    .resource(1n, [4, 5], "available"),
  "a revoked resource is taken before it is reclaimed": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("confirm", 5n, 7n, [2, 3], "ok")
    .operator("revoke", 5n, [4, 5], "ok").reserve(1n, 8n, [6, 7], 6n),
  "a stranger confirms": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("confirm", 5n, 8n, [2, 3], "ok"),
  "an old epoch is good enough": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("confirm", 5n, 7n, [2, 3], "ok")
    .operator("revoke", 5n, [4, 5], "ok").holder("release", 5n, 7n, [6, 7], "ok"),
  "an operation runs twice": one()
    .reserve(1n, 7n, [0, 1], 5n, { key: 1 }).holder("release", 5n, 7n, [2, 3], "ok")
    .reserve(1n, 7n, [4, 5], 6n, { key: 1 }),
  "a retry is refused though the first attempt succeeded": one()
    .reserve(1n, 7n, [0, 1], 5n, { key: 1 }).reserve(1n, 7n, [2, 3], "resource_busy", { key: 1 }),
  "two commands of one key both run": one()
    .reserve(1n, 7n, [0, 1], 5n, { key: 1 })
    .holder("release", 5n, 7n, [2, 3], "ok", { key: 1 }),
  "a conflict with nobody": one().reserve(1n, 7n, [0, 1], "operation_conflict"),
  "half a bundle": two()
    .bundle([1n, 2n], 7n, [0, 1], 5n).resource(2n, [2, 3], "available")
    .holder("confirm", 5n, 7n, [4, 5], "ok"),
  "half of a bundle is freed": two()
    .bundle([1n, 2n], 7n, [0, 1], 5n).holder("release", 5n, 7n, [2, 3], "ok")
    .resource(2n, [4, 5], "reserved", 5n),
  "a bundle over a held member": two()
    .reserve(2n, 8n, [0, 1], 5n).bundle([1n, 2n], 7n, [2, 3], 6n),
  "a reservation out of nowhere": one().resource(1n, [0, 1], "reserved", 99n),
  "a resource out of nowhere": new Script().resource(1n, [0, 1], "available"),
  "one id for two reservations": two()
    .reserve(1n, 7n, [0, 1], 5n).reserve(2n, 7n, [2, 3], 5n),
  "an ended reservation comes back": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("release", 5n, 7n, [2, 3], "ok")
    .reservation(5n, [4, 5], "reserved"),
  "expired, though it was released": one()
    .reserve(1n, 7n, [0, 1], 5n).holder("release", 5n, 7n, [2, 3], "ok")
    .reservation(5n, [4, 5], "expired"),
  "busy without anybody": one().reserve(1n, 7n, [0, 1], "resource_busy"),
  "a version is skipped": one()
    .reserve(1n, 7n, [0, 1], 5n).resource(1n, [2, 3], "reserved", 5n, { version: 2n }),
  "a fence is not kept": one()
    .create(3n, "ok@7", [0, 1]).resource(3n, [-1, 1], "not_found", undefined, { requiredLsn: 7n }),
  "an lsn is given twice": new Script().create(1n, "ok@3", [0, 1]).create(2n, "ok@3", [2, 3]),
  "lsns against time": new Script().create(1n, "ok@3", [0, 1]).create(2n, "ok@2", [2, 3]),
};

for (const [name, { history }] of Object.entries(VALID)) {
  Deno.test(`checkReservations() accepts: ${name}`, () => {
    for (const useWitness of [true, false]) {
      const verdict = checkReservations(history, { stepsMax: 10_000, useWitness });
      assertEquals(verdict.kind, "valid", JSON.stringify(verdict, text));
    }
  });
}

for (const [name, { history }] of Object.entries(INVALID)) {
  Deno.test(`checkReservations() refuses: ${name}`, () => {
    for (const useWitness of [true, false]) {
      const verdict = checkReservations(history, { stepsMax: 10_000, useWitness });
      assert(verdict.kind === "invalid", JSON.stringify(verdict, text));
      const { counterexample, isMinimal, sentence } = verdict.violation;
      assert(isMinimal && counterexample.length <= 5, sentence);
      assert(counterexample.every((attempt) => history.includes(attempt)));
      assert(history.includes(verdict.violation.first));
    }
  });
}

Deno.test("checkReservations() never passes what it has not looked at", () => {
  const empty = checkReservations([], { stepsMax: 10 });
  assert(empty.kind === "unknown");
  assertEquals(empty.reason, "nothing was checked");
  const unanswered = one().history.map((attempt): HistoryOperation => (
    { ...attempt, completedAt: undefined, outcome: { kind: "info" } }
  ));
  assertEquals(checkReservations(unanswered, { stepsMax: 10 }).kind, "unknown");
});

Deno.test("checkReservations() says which limit it met, and where", () => {
  const script = one();
  for (let holder = 0n; holder < 30n; holder++) {
    script.reserve(1n, holder, [0], "ok", { ttl: 1n + holder });
  }
  script.resource(1n, [1, 2], "available", undefined, { version: 41n });
  const { history } = script;
  const steps = checkReservations(history, { stepsMax: 5_000 });
  assert(steps.kind === "unknown");
  assertStringIncludes(steps.reason, "no steps were left at position 2 of resource 1");
  assertStringIncludes(steps.reason, "32 operations, 30 of them unanswered");
  const many = checkReservations(history, { stepsMax: 1e9, configurationsMax: 1_000 });
  assert(many.kind === "unknown");
  assertStringIncludes(many.reason, "too many configurations");
  const late = checkReservations(history, { stepsMax: 1e9, isOverTime: () => true });
  assert(late.kind === "unknown");
  assertStringIncludes(late.reason, "the time was over");
});

Deno.test("checkReservations() lets invalid win over unknown", () => {
  const script = one();
  for (let holder = 0n; holder < 30n; holder++) {
    script.reserve(1n, holder, [0], "ok", { ttl: 1n + holder });
  }
  script.resource(1n, [1, 2], "available", undefined, { version: 41n });
  script.create(2n, "ok", [3, 4]).resource(2n, [5, 6], "not_found");
  const verdict = checkReservations(script.history, { stepsMax: 1e9, configurationsMax: 1_000 });
  assert(verdict.kind === "invalid");
  assertEquals(verdict.violation.resourceIds, [2n]);
});

Deno.test("checkReservations() explains itself in one sentence", () => {
  const verdict = checkReservations(INVALID["a stale read"]!.history, { stepsMax: 1_000 });
  assert(verdict.kind === "invalid");
  assertEquals(
    verdict.violation.sentence,
    'get_resource of resource 1 by process 3 was answered "reserved by reservation 5" between positions ' +
      "4 and 5, which fits no order: before it resource 1 was confirmed by reservation 5 of holder 7 " +
      "(2 answers suffice to see it)",
  );
});

function text(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
