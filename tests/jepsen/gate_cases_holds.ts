// Histories about holds: who has what until when, and who has lost it.
import { confirmed, type GateCases, OPAQUE, PRIMARY, script, withoutLsns } from "./gate_case.ts";

/** See the top of this file. */
export const HOLDS_CASES: GateCases = {
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
  "a holder that is told after a revoke that it is not the holder": {
    script: confirmed().operator("revoke", 1n).holder("release", 1n, 7n, "holder_mismatch"),
    fails: ["stale_holder_not_rejected"],
  },
  "a holder that is told that its reservation is gone, when it was only revoked": {
    script: confirmed().reservation(1n, "revoking").holder(
      "release",
      1n,
      7n,
      "reservation_retired",
    ),
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
};
