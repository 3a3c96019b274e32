// Histories about reads: who answered them, what they asked for, and what was known before they began.
import { confirmed, type GateCases, PRIMARY, script } from "./gate_case.ts";

/** See the top of this file. */
export const READS_CASES: GateCases = {
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
  "a read of an lsn below that of an earlier read": {
    script: script().resource(5n, "available", undefined, {
      servedBy: { ...PRIMARY, observedLsn: 5n },
    }).resource(5n, "available", undefined, { servedBy: { ...PRIMARY, observedLsn: 4n } }),
    fails: ["stale_successful_read"],
  },
  "a read of the lsn and the version of an earlier read": {
    script: script().resource(5n, "available", undefined, {
      ...{ servedBy: { ...PRIMARY, observedLsn: 5n }, version: 2n },
    }).resource(5n, "available", undefined, {
      ...{ servedBy: { ...PRIMARY, observedLsn: 5n }, version: 2n },
    }),
    fails: [],
  },
  "a reservation that an earlier read saw released": {
    script: script().reservation(1n, "released").reservation(1n, "confirmed"),
    fails: ["stale_successful_read"],
  },
  "a reservation that an earlier read saw confirmed on its resource": {
    script: script().resource(5n, "confirmed", 1n).reservation(1n, "reserved"),
    fails: ["stale_successful_read"],
  },
  "a resource whose hold an earlier read saw revoking": {
    script: script().reservation(1n, "revoking").resource(5n, "confirmed", 1n),
    fails: ["stale_successful_read"],
  },
  "the same read twice": {
    script: script().resource(5n, "confirmed", 1n).resource(5n, "confirmed", 1n)
      .reservation(1n, "confirmed").reservation(1n, "confirmed"),
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
};
