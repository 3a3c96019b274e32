// Histories without invocations, as the runbook's harness wrote them.
import { type GateCases, old, PRIMARY } from "./gate_case.ts";

/** See the top of this file. */
export const OLD_CASES: GateCases = {
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
  "old: a stale holder that is refused for another reason, and then as stale": {
    script: old().reserve(5n, 7n).holder("confirm", 1n, 7n).operator("revoke", 1n)
      .holder("release", 1n, 7n, "fail:conflict", { id: 3n })
      .holder("release", 1n, 7n, "stale_epoch", { id: 3n }),
    fails: [],
  },
  "old: a holder that is refused for another reason before the revoke": {
    script: old().reserve(5n, 7n).holder("confirm", 1n, 7n).holder(
      "confirm",
      1n,
      7n,
      "fail:conflict",
    )
      .operator("revoke", 1n),
    fails: [],
  },
  "old: somebody else, and a holder with the new epoch, that are refused for another reason": {
    script: old().reserve(5n, 7n).holder("confirm", 1n, 7n).operator("revoke", 1n)
      .holder("release", 1n, 8n, "fail:conflict")
      .holder("release", 1n, 7n, "fail:conflict", { epoch: 2n }),
    fails: [],
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
