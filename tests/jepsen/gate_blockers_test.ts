// What blocks a release and what must not, blocker by blocker: histories as a cluster could record them, and the names of
// the checks that have to fail on each, no other. Linearizability judges them too and may see more.
import { assert, assertEquals } from "@std/assert";
import { gateReport } from "../../testbed/jepsen/analysis/gate/report.ts";
import { judge, type JudgeOptions } from "../../testbed/jepsen/analysis/judge.ts";
import type { HistoryHeader } from "../../testbed/jepsen/history/event.ts";
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import { GateScript } from "./gate_script.ts";

interface Case {
  readonly script: GateScript;
  /** Release-blocking checks that fail, linearizability apart. */
  readonly fails: readonly string[];
  /** Lines of the report. */
  readonly lines?: readonly string[];
  readonly header?: Partial<HistoryHeader>;
  readonly options?: JudgeOptions;
}

const script = (): GateScript => new GateScript();
const old = (): GateScript => new GateScript(false);
const PRIMARY = { replicaId: 1, role: "primary" } as const;
const RUN = { runId: "run" } as const;
const OPAQUE: JudgeOptions = { bounds: { reservationIds: "opaque" } };

/** Reserved as 1 by holder 7 and confirmed. */
const confirmed = (): GateScript => script().reserve(5n, 7n).holder("confirm", 1n, 7n);

const CASES: Record<string, Case> = {
  "nothing is wrong with a life from reserve to reclaim": {
    script: confirmed().operator("revoke", 1n).holder("release", 1n, 7n, "stale_epoch")
      .reserveElse(5n, 8n, "resource_busy").operator("reclaim", 1n).reserve(5n, 8n),
    fails: [],
  },

  "a write without an operation id": {
    script: script().reserve(5n, 7n, { id: null }),
    fails: ["missing_operation_id"],
    lines: ["blocker=missing_operation_id sequence=0 operation=reserve"],
  },
  "a tick without an operation id, by its line": {
    script: old().reserve(5n, 7n).tick(11n, [[5n, 7n, 1n]], "ok", { id: null }),
    fails: ["missing_operation_id"],
    lines: ["blocker=missing_operation_id sequence=2 operation=tick_expirations"],
  },

  "a retry that was executed again": {
    script: script().create(5n, "ok", { id: 3n }).create(5n, "already_exists", { id: 3n }),
    fails: ["duplicate_committed_execution"],
    lines: ["blocker=duplicate_committed_execution operation_id=3 first_lsn=1 second_lsn=2"],
  },
  "a retry that got the first answer": {
    script: script().create(5n, "ok", { id: 3n }).create(5n, "ok", { id: 3n, lsn: 1n }),
    fails: [],
  },
  "a retry of which only one attempt tells its lsn": {
    script: withoutLsn(script().create(5n, "ok", { id: 3n }).create(5n, "ok", { id: 3n, lsn: 1n })),
    fails: [],
  },
  "a retry that got another answer, of which only one tells its lsn": {
    script: withoutLsn(
      script().create(5n, "ok", { id: 3n }).create(5n, "already_exists", { id: 3n }),
    ),
    fails: ["duplicate_committed_execution"],
  },
  "a key that belongs to another command": {
    script: script().create(5n, "ok", { id: 3n })
      .create(6n, "operation_conflict", { id: 3n, lsn: 1n }),
    fails: [],
  },
  "a full table, and then room": {
    script: script().create(5n, "operation_table_full", { id: 3n }).create(5n, "ok", { id: 3n }),
    fails: [],
  },
  "a retry refused because of its own first execution, which a read shows": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n }).create(6n)
      .reserveElse(5n, 7n, "resource_busy", { id: 3n, lsn: 9n }).resource(5n, "reserved", 2n),
    fails: ["duplicate_committed_execution"],
    lines: ["blocker=duplicate_committed_execution operation_id=3 first_lsn=2 second_lsn=9"],
  },
  "a reservation that somebody in doubt may have made": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n })
      .reserveElse(5n, 7n, "resource_busy", { id: 4n, lsn: 9n }).resource(5n, "reserved", 2n),
    fails: [],
  },
  "a reservation of which a read shows holder and members of a reserve that was answered otherwise":
    {
      script: script().reserveElse([5n, 6n], 7n, "info", { id: 3n })
        .reserveElse([5n, 6n], 7n, "resource_busy", { id: 3n, lsn: 9n })
        .reservation(2n, {
          ...{ kind: "reservation", state: "reserved", holderId: 7n, memberResourceIds: [5n, 6n] },
        }),
      fails: ["duplicate_committed_execution"],
    },
  "a reservation of another holder": {
    script: script().reserveElse([5n, 6n], 7n, "info", { id: 3n })
      .reserveElse([5n, 6n], 7n, "resource_busy", { id: 3n, lsn: 9n })
      .reservation(2n, {
        ...{ kind: "reservation", state: "reserved", holderId: 8n, memberResourceIds: [5n, 6n] },
      }),
    fails: [],
  },
  "a reservation of other members": {
    script: script().reserveElse([5n, 6n], 7n, "info", { id: 3n })
      .reserveElse([5n, 6n], 7n, "resource_busy", { id: 3n, lsn: 9n })
      .reservation(2n, { kind: "reservation", state: "reserved", memberResourceIds: [5n] }),
    fails: [],
  },
  "a reservation of another resource": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n })
      .reserveElse(5n, 7n, "resource_busy", { id: 3n, lsn: 9n }).resource(6n, "reserved", 2n),
    fails: [],
  },
  "a tick that was executed twice": {
    script: script().tick(1n, [], "ok", { id: 3n }).tick(1n, [], "ok", { id: 3n }),
    fails: ["duplicate_committed_execution"],
  },
  "a late retry where answers may be forgotten": {
    script: script().create(5n, "ok", { id: 3n }).create(5n, "already_exists", { id: 3n }),
    fails: [],
    options: { bounds: { answers: "may_be_forgotten" } },
  },

  "a read that a backup answered": {
    script: script().resource(5n, "available", undefined, {
      servedBy: { replicaId: 2, role: "backup" },
    }),
    fails: ["stale_successful_read"],
    lines: [
      "blocker=stale_successful_read replica_id=2 role=backup required_lsn=none observed_lsn=none",
    ],
  },
  "a read below its fence": {
    script: script().resource(5n, "available", undefined, {
      ...{ requiredLsn: 4n, servedBy: { ...PRIMARY, observedLsn: 3n } },
    }),
    fails: ["stale_successful_read"],
    lines: [
      "blocker=stale_successful_read replica_id=1 role=primary required_lsn=4 observed_lsn=3",
    ],
  },
  "a fenced read that does not say what it shows": {
    script: script().resource(5n, "available", undefined, { requiredLsn: 4n, servedBy: PRIMARY }),
    fails: ["stale_successful_read"],
  },
  "a read at its fence": {
    script: script().resource(5n, "available", undefined, {
      ...{ requiredLsn: 4n, servedBy: { ...PRIMARY, observedLsn: 4n } },
    }),
    fails: [],
  },
  "a fence of 0 is none": {
    script: script().resource(5n, "available", undefined, { requiredLsn: 0n, servedBy: PRIMARY }),
    fails: [],
  },
  "a read of an lsn below one that had been answered": {
    script: script().create(5n).create(6n)
      .resource(5n, "available", undefined, { servedBy: { ...PRIMARY, observedLsn: 1n } }),
    fails: ["stale_successful_read"],
  },
  "a read of an lsn below one that is answered meanwhile": {
    script: script().create(5n, "ok", { span: [0, 1] }).create(6n, "ok", { span: [2, 5] })
      .resource(5n, "available", undefined, {
        ...{ servedBy: { ...PRIMARY, observedLsn: 1n }, span: [3, 6] },
      }),
    fails: [],
  },
  "a read that goes back behind another read's version": {
    script: script().create(5n).resource(5n, "available", undefined, { version: 4n })
      .resource(5n, "available", undefined, { version: 2n }),
    fails: ["stale_successful_read"],
  },
  "a read of a hold as reserved that was confirmed": {
    script: confirmed().resource(5n, "reserved", 1n),
    fails: ["stale_successful_read"],
  },
  "a read of a hold that was released": {
    script: confirmed().holder("release", 1n, 7n).resource(5n, "confirmed", 1n),
    fails: ["stale_successful_read"],
  },
  "a read of a hold that another one had followed": {
    script: script().reserve(5n, 7n).reserve(5n, 8n, { slot: 50n }).resource(5n, "reserved", 1n),
    fails: ["double_allocation", "stale_successful_read"],
  },
  "a read of a resource as available that was confirmed": {
    script: confirmed().resource(5n, "available"),
    fails: ["stale_successful_read"],
  },
  "a read of a resource as available while a release is under way": {
    script: confirmed().holder("release", 1n, 7n, "ok", { span: [4, 9] })
      .resource(5n, "available", undefined, { span: [5, 6] }),
    fails: [],
  },
  "a read of a resource as available after a release in doubt": {
    script: confirmed().holder("release", 1n, 7n, "info").resource(5n, "available"),
    fails: [],
  },
  "a read that found no resource where there was one": {
    script: script().create(5n).resource(5n, "not_found"),
    fails: ["stale_successful_read"],
  },
  "a read that found no resource where somebody had been told that there is one": {
    script: script().create(5n, "already_exists").resource(5n, "not_found"),
    fails: ["stale_successful_read"],
  },
  "a read that found no resource where none could be made": {
    script: script().create(5n, "resource_table_full").resource(5n, "not_found"),
    fails: [],
  },
  "a read that found no reservation where there was one": {
    script: script().reserve(5n, 7n).reservation(1n, { kind: "not_found" }),
    fails: ["stale_successful_read"],
  },
  "a read of a reservation whose record is gone": {
    script: confirmed().holder("release", 1n, 7n).reservation(1n, { kind: "retired" }),
    fails: [],
  },

  "a holder that releases after a revoke": {
    script: confirmed().operator("revoke", 1n).holder("release", 1n, 7n, "ok", { id: 3n }),
    fails: ["stale_holder_not_rejected"],
    lines: [
      "blocker=stale_holder_not_rejected reservation_id=1 operation_id=3 attempted_epoch=1 " +
      "current_epoch=2",
    ],
  },
  "a holder that is refused after a revoke, but not because of its epoch": {
    script: confirmed().operator("revoke", 1n).holder("release", 1n, 7n, "invalid_state"),
    fails: ["stale_holder_not_rejected"],
  },
  "a holder that releases twice": {
    script: script().reserve(5n, 7n).holder("release", 1n, 7n).holder("release", 1n, 7n),
    fails: ["stale_holder_not_rejected"],
  },
  "a holder that confirms what a read saw expired": {
    script: script().reserve(5n, 7n).reservation(1n, "expired").holder("confirm", 1n, 7n),
    fails: ["stale_holder_not_rejected"],
  },
  "a holder whose release came before the revoke, told later": {
    script: confirmed().operator("revoke", 1n, "ok", { lsn: 9n })
      .holder("release", 1n, 7n, "ok", { lsn: 3n }),
    fails: [],
  },
  "a holder that retries its release after the end of it": {
    script: confirmed().holder("release", 1n, 7n, "ok", { id: 3n, lsn: 3n })
      .holder("release", 1n, 7n, "ok", { id: 3n, lsn: 3n }),
    fails: [],
  },
  "a holder that nobody answered after a revoke": {
    script: confirmed().operator("revoke", 1n).holder("release", 1n, 7n, "info")
      .holder("release", 1n, 7n, "fail:not_primary"),
    fails: [],
  },
  "somebody else after a revoke": {
    script: confirmed().operator("revoke", 1n).holder("release", 1n, 8n, "holder_mismatch"),
    fails: [],
  },
  "a holder of a reservation whose record is gone": {
    script: confirmed().holder("release", 1n, 7n).holder("confirm", 1n, 7n, "reservation_retired"),
    fails: [],
  },
  "a confirm with an epoch that never was": {
    script: script().reserve(5n, 7n).holder("confirm", 1n, 7n, "ok", { epoch: 2n }),
    fails: ["stale_holder_not_rejected"],
  },
  "a confirm by somebody else": {
    script: script().reserve(5n, 7n).holder("confirm", 1n, 8n),
    fails: ["stale_holder_not_rejected"],
  },

  "an operation that nobody learned the end of": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n })
      .reserveElse(5n, 7n, "info", { id: 3n }),
    header: RUN,
    fails: ["unresolved_ambiguity"],
    lines: ["blocker=unresolved_ambiguity operation_id=3"],
  },
  "an operation in doubt that a replica only did not take": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n })
      .reserveElse(5n, 7n, "fail:not_primary", { id: 3n })
      .reserveElse(5n, 7n, "fail:engine_halted", { id: 3n }),
    header: RUN,
    fails: ["unresolved_ambiguity"],
  },
  "an operation in doubt that met a full table": {
    script: script().create(5n, "info", { id: 3n }).create(5n, "operation_table_full", { id: 3n }),
    header: RUN,
    fails: ["unresolved_ambiguity"],
  },
  "an operation in doubt whose retry was answered": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n }).reserve(5n, 7n, { id: 3n }),
    header: RUN,
    fails: [],
  },
  "an operation in doubt whose retry was refused as busy": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n })
      .reserveElse(5n, 7n, "resource_busy", { id: 3n }),
    header: RUN,
    fails: [],
  },
  "an operation in doubt that no log has": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n }),
    header: RUN,
    options: { isAbsent: ({ operationId }) => operationId === 3n },
    fails: [],
  },
  "an operation in doubt in a history that is no run of the harness": {
    script: script().reserveElse(5n, 7n, "info", { id: 3n }),
    fails: [],
  },
  "a tick that nobody learned the end of": {
    script: script().tick(3n, [], "info", { id: 3n }),
    header: RUN,
    fails: ["unresolved_ambiguity"],
    lines: ["blocker=unresolved_ambiguity operation_id=3"],
  },
  "a tick whose retry was refused as a conflict": {
    script: script().tick(3n, [], "info", { id: 3n }).tick(3n, [], "fail", {
      id: 3n,
      reason: "conflict",
    }),
    header: RUN,
    fails: [],
  },
  "a tick whose retry met no primary": {
    script: script().tick(3n, [], "info", { id: 3n })
      .tick(3n, [], "fail", { id: 3n, reason: "not_primary" }),
    header: RUN,
    fails: ["unresolved_ambiguity"],
  },
  "ticks of which each was answered or certainly not taken": {
    script: script().tick(3n, [], "fail", { id: 3n, reason: "not_primary" }).tick(4n, []),
    header: RUN,
    fails: [],
  },
  "a tick whose retry was answered": {
    script: script().tick(3n, [], "info", { id: 3n }).tick(3n, [], "ok", { id: 3n }),
    header: RUN,
    fails: [],
  },

  "a resource that was reused after revoke, before reclaim": {
    script: confirmed().operator("revoke", 1n).reserve(5n, 8n, { id: 3n, slot: 90n }),
    fails: ["double_allocation"],
  },
  "a resource that was taken before the deadline of its hold": {
    script: script().reserve(5n, 7n, { id: 3n }).reserve(5n, 8n, { id: 4n, slot: 10n }),
    fails: ["double_allocation"],
    lines: [
      "blocker=double_allocation resource_id=5 existing_operation_id=3 conflicting_operation_id=4",
    ],
  },
  "a resource that was taken at the deadline of its hold": {
    script: script().reserve(5n, 7n).reserve(5n, 8n, { slot: 11n }),
    fails: [],
  },
  "a resource that was taken after a release": {
    script: confirmed().holder("release", 1n, 7n).reserve(5n, 8n),
    fails: [],
  },
  "a resource that was taken after a release in doubt": {
    script: confirmed().holder("release", 1n, 7n, "info").reserve(5n, 8n),
    fails: [],
  },
  "a resource that was taken, and whose holder confirmed later": {
    script: script().reserve(5n, 7n).reserve(5n, 8n, { slot: 50n }).holder("confirm", 1n, 7n),
    fails: ["double_allocation"],
  },
  "a resource that was taken, and later seen with the first": {
    script: script().reserve(5n, 7n).reserve(5n, 8n, { slot: 50n })
      .reservation(1n, "reserved"),
    fails: ["double_allocation"],
  },
  "the order is that of the lsns, not that of the answers": {
    script: script().reserve(5n, 8n, { lsn: 9n, slot: 3n, span: [0, 9] })
      .reserve(5n, 7n, { lsn: 2n, span: [1, 3] })
      .holder("release", 2n, 7n, "ok", { lsn: 5n, span: [4, 8] }),
    fails: [],
  },
  "a resource that was taken long after the deadline of a hold that was confirmed": {
    script: confirmed().reserve(5n, 8n, { slot: 90n }),
    fails: ["double_allocation"],
  },
  "a resource that was taken, and whose first holder tries to release it without an answer": {
    script: script().reserve(5n, 7n).reserve(5n, 8n, { slot: 50n })
      .holder("release", 1n, 7n, "info"),
    fails: [],
  },
  "a resource that was taken, and a read at the same time whose lsn is behind it shows the first": {
    script: script().reserve(5n, 7n).reserve(5n, 8n, { slot: 50n, span: [2, 9] })
      .reservation(1n, "reserved", { span: [3, 4], servedBy: { ...PRIMARY, observedLsn: 2n } }),
    fails: ["double_allocation"],
  },
  "a resource that was taken, and a read at the same time whose lsn is before it shows the first": {
    script: script().reserve(5n, 7n).reserve(5n, 8n, { slot: 50n, span: [2, 9] })
      .reservation(1n, "reserved", { span: [3, 4], servedBy: { ...PRIMARY, observedLsn: 1n } }),
    fails: [],
  },
  "two at once without lsns, whichever was first": {
    script: withoutLsns(
      script().reserve(5n, 7n, { span: [0, 3] }).reserve(5n, 8n, { span: [1, 2] }),
    ),
    options: OPAQUE,
    fails: ["double_allocation"],
  },
  "two at once without lsns, the second of which was free again": {
    script: withoutLsns(
      script().reserve(5n, 7n, { span: [0, 3] }).reserve(5n, 8n, { span: [1, 6] })
        .holder("release", 2n, 8n, "ok", { span: [2, 4] }),
    ),
    options: OPAQUE,
    fails: [],
  },
  "two at once without lsns, the first of which was free again": {
    script: withoutLsns(
      script().reserve(5n, 7n, { span: [0, 5] }).reserve(5n, 8n, { span: [1, 6] })
        .holder("release", 1n, 7n, "ok", { span: [2, 4] }),
    ),
    options: OPAQUE,
    fails: [],
  },
  "one after the other without lsns": {
    script: withoutLsns(
      script().reserve(5n, 7n).reserve(5n, 8n).holder("release", 2n, 8n),
    ),
    options: OPAQUE,
    fails: ["double_allocation"],
  },
  "neighbours in the order of lsns, answered in another": {
    script: script().reserve(5n, 7n, { lsn: 1n, span: [0, 8] })
      .holder("release", 1n, 7n, "ok", { lsn: 2n, span: [0, 2] })
      .reserve(5n, 8n, { lsn: 3n, slot: 2n, span: [0, 5] })
      .reserve(5n, 9n, { lsn: 4n, slot: 3n, span: [0, 10] }),
    fails: ["double_allocation"],
  },
  "one member of a bundle": {
    script: script().reserve([5n, 6n], 7n).reserve([6n, 4n], 8n, { slot: 2n }),
    fails: ["double_allocation"],
  },
  "bundles with no member in common": {
    script: script().reserve([5n, 6n], 7n).reserve([4n, 3n], 8n, { slot: 2n }),
    fails: [],
  },

  "a tick before the deadline": {
    script: script().reserve(5n, 7n).tick(10n, [[5n, 7n, 1n]]),
    fails: ["early_expiration_release"],
    lines: [
      "blocker=early_expiration_release resource_id=5 reservation_id=1 expires_at_slot=11 " +
      "released_at_slot=10",
    ],
  },
  "a tick at the deadline, and one that does not say its slot": {
    script: script().reserve(5n, 7n).tick(11n, [[5n, 7n, 1n]]).reserve(6n, 7n, { slot: 11n })
      .tick(undefined, [[6n, 7n, 3n]]),
    fails: [],
  },
  "a record that says that it ended before its deadline": {
    script: script().reserve(5n, 7n)
      .reservation(1n, { kind: "reservation", state: "expired", retireAfterSlot: 109n }),
    options: { bounds: { historyWindowSlots: 100n } },
    fails: ["early_expiration_release"],
  },
  "a record that ended before a reserve whose slot is before the deadline": {
    script: script().reserve(5n, 7n).reserve(6n, 8n, { slot: 9n, lsn: 4n })
      .reservation(1n, { kind: "reservation", state: "expired", releasedLsn: 3n }),
    fails: ["early_expiration_release"],
  },
  "a record that ended behind that reserve": {
    script: script().reserve(5n, 7n).reserve(6n, 8n, { slot: 9n, lsn: 4n })
      .reservation(1n, { kind: "reservation", state: "expired", releasedLsn: 5n }),
    fails: [],
  },
  "seen as expired before a reserve begins whose slot is before the deadline": {
    script: script().reserve(5n, 7n).reservation(1n, "expired").reserve(6n, 8n, { slot: 9n }),
    fails: ["early_expiration_release"],
  },
  "freed early for another one, and seen as expired": {
    script: script().reserve(5n, 7n).reserve(5n, 8n, { slot: 9n }).reservation(1n, {
      ...{ kind: "reservation", state: "expired", releasedLsn: 1n },
    }),
    fails: ["early_expiration_release"],
  },
  "a holder that learns too early that its hold is gone": {
    script: script().reserve(5n, 7n).holder("confirm", 1n, 7n, "stale_epoch")
      .reserve(6n, 8n, { slot: 9n }),
    fails: ["early_expiration_release"],
  },
  "a record that says when it is dropped, where nobody knows how long it is kept": {
    script: script().reserve(5n, 7n)
      .reservation(1n, { kind: "reservation", state: "expired", retireAfterSlot: 9n }),
    fails: [],
  },
  "a confirm that is refused because of its own epoch": {
    script: script().reserve(5n, 7n).holder("confirm", 1n, 7n, "stale_epoch", { epoch: 2n })
      .reserve(6n, 8n, { slot: 9n }),
    fails: [],
  },
  "a confirm that is refused for another reason": {
    script: confirmed().holder("confirm", 1n, 7n, "invalid_state").reserve(6n, 8n, { slot: 9n }),
    fails: [],
  },
  "a holder that learns that its hold was released": {
    script: script().reserve(5n, 7n).holder("release", 1n, 7n)
      .holder("confirm", 1n, 7n, "stale_epoch").reserve(6n, 8n, { slot: 9n }),
    fails: [],
  },

  "two operations at one lsn": {
    script: script().create(5n, "ok", { id: 3n, lsn: 4n }).create(6n, "ok", { id: 4n, lsn: 4n }),
    fails: ["split_brain"],
    lines: ["blocker=split_brain lsn=4 operation_id=3 other_operation_id=4"],
  },

  "old: an operation in doubt resolved by a retry": {
    script: old().reserveElse(5n, 7n, "info", { id: 3n }).reserve(5n, 7n, { id: 3n }),
    fails: [],
  },
  "old: an operation in doubt whose retry is refused as busy or as a conflict": {
    script: old().reserveElse(5n, 7n, "info", { id: 3n }).reserveElse(5n, 7n, "fail:busy", {
      id: 3n,
    })
      .reserveElse(6n, 7n, "info", { id: 4n }).reserveElse(6n, 7n, "fail:conflict", { id: 4n }),
    fails: [],
  },
  "old: an operation in doubt, and replicas that are no primary or halted": {
    script: old().reserveElse(5n, 7n, "info", { id: 3n })
      .reserveElse(5n, 7n, "fail:not_primary", { id: 3n })
      .reserveElse(5n, 7n, "fail:engine_halted", { id: 3n }),
    fails: ["unresolved_ambiguity"],
  },
  "old: a read below the fence that is repeated as what it showed": {
    script: old().reserve(5n, 7n, { lsn: 9n })
      .resource(5n, "reserved", 9n, { requiredLsn: 4n, servedBy: { ...PRIMARY, observedLsn: 4n } }),
    fails: [],
  },
  "old: two operations at one lsn": {
    script: old().create(5n, "ok", { id: 3n, lsn: 4n }).create(6n, "ok", { id: 4n, lsn: 4n }),
    fails: ["split_brain"],
  },
  "old: lines that are out of order are taken in that of their lsns": {
    script: old().reserve(5n, 8n, { lsn: 9n, slot: 3n }).reserve(5n, 7n, { lsn: 2n })
      .holder("release", 2n, 7n, "ok", { lsn: 5n }),
    fails: [],
  },
  "old: a stale holder that is refused for another reason": {
    script: old().reserve(5n, 7n).holder("confirm", 1n, 7n).operator("revoke", 1n)
      .holder("release", 1n, 7n, "fail:conflict"),
    fails: ["stale_holder_not_rejected"],
  },
  "old: a stale holder that is refused as stale": {
    script: old().reserve(5n, 7n).holder("confirm", 1n, 7n).operator("revoke", 1n)
      .holder("release", 1n, 7n, "fail:stale_epoch"),
    fails: [],
  },
  "old: a stale holder that succeeds": {
    script: old().reserve(5n, 7n).holder("confirm", 1n, 7n).operator("revoke", 1n)
      .holder("release", 1n, 7n),
    fails: ["stale_holder_not_rejected"],
  },
  "old: a resource that was reused after revoke, before reclaim": {
    script: old().reserve([5n, 6n], 7n).holder("confirm", 1n, 7n).operator("revoke", 1n)
      .reserve([5n, 6n], 8n, { slot: 90n }).operator("reclaim", 1n),
    fails: ["double_allocation"],
  },
  "old: a tick that frees before the deadline": {
    script: old().reserve(5n, 7n).tick(10n, [[5n, 7n, 1n]]).reserve(5n, 8n, { slot: 20n }),
    fails: ["early_expiration_release"],
  },
};

for (
  const [name, { script: { operations }, script: written, fails, lines, ...rest }] of Object
    .entries(CASES)
) {
  Deno.test(`judge() raises ${fails.join(", ") || "no blocker"} for ${name}`, () => {
    assert(operations.length + written.ticks.length > 0);
    const judgement = judge(written.recording(rest.header), rest.options);
    const failed = judgement.checks.filter(({ verdict, name }) =>
      verdict === "fail" && name !== "linearizability"
    );
    assertEquals(failed.map(({ name }) => name).sort(), [...fails].sort());
    if (fails.length > 0) assertEquals(judgement.verdict, "invalid");
    const report = gateReport(judgement);
    for (const line of lines ?? []) assert(report.includes(line), report.join("\n"));
    for (const { violations, sentence } of failed) {
      assert(sentence.length > 20);
      for (const violation of violations) {
        assert(violation.operations.every((attempt) => operations.includes(attempt)));
      }
    }
  });
}

Deno.test("every blocker is raised by some history that raises no other", () => {
  const alone = Object.values(CASES).flatMap(({ fails }) => fails.length === 1 ? fails : []);
  assertEquals([...new Set(alone)].sort(), [
    ...["double_allocation", "duplicate_committed_execution", "early_expiration_release"],
    ...["missing_operation_id", "split_brain", "stale_holder_not_rejected"],
    ...["stale_successful_read", "unresolved_ambiguity"],
  ]);
});

/** The first attempt does not tell its lsn. */
function withoutLsn(written: GateScript): GateScript {
  written.operations[0] = stripped(written.operations[0]!);
  return written;
}

/** No attempt tells its lsn. */
function withoutLsns(written: GateScript): GateScript {
  for (const [i, operation] of written.operations.entries()) {
    written.operations[i] = stripped(operation);
  }
  return written;
}

function stripped(operation: HistoryOperation): HistoryOperation {
  const { outcome } = operation;
  if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") return operation;
  const { lsn: _lsn, ...answer } = outcome.answer;
  return { ...operation, outcome: { kind: "ok", answer } };
}
