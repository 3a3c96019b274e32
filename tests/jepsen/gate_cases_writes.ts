// Histories about writes and what becomes of them: operation ids, retries, doubt, places in the log.
import {
  confirmed,
  type GateCases,
  old,
  OPAQUE,
  RUN,
  script,
  withoutLsn,
  withoutLsns,
} from "./gate_case.ts";

/** See the top of this file. */
export const WRITES_CASES: GateCases = {
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

  "two reserves with one reservation": {
    script: withoutLsns(
      script().reserve(5n, 7n, { id: 3n, lsn: 4n }).reserve(6n, 8n, { id: 4n, lsn: 4n }),
    ),
    fails: ["split_brain"],
  },
  "two reserves with one reservation, where ids say nothing of lsns": {
    script: withoutLsns(
      script().reserve(5n, 7n, { id: 3n, lsn: 4n }).reserve(6n, 8n, { id: 4n, lsn: 4n }),
    ),
    options: OPAQUE,
    fails: [],
  },
  "two writes without keys at one lsn": {
    script: script().create(5n, "ok", { id: null, lsn: 4n })
      .create(6n, "ok", { id: null, lsn: 4n }),
    fails: ["missing_operation_id", "split_brain"],
  },
  "one write without a key, told twice": {
    script: script().create(5n, "ok", { id: null, lsn: 4n })
      .create(5n, "ok", { id: null, lsn: 4n }),
    fails: ["missing_operation_id"],
  },
  "two operations at one lsn": {
    script: script().create(5n, "ok", { id: 3n, lsn: 4n }).create(6n, "ok", { id: 4n, lsn: 4n }),
    fails: ["split_brain"],
    lines: ["blocker=split_brain lsn=4 operation_id=3 other_operation_id=4"],
  },
};
