// Histories about expirations: what is known of the slot at which a hold ended.
import { confirmed, type GateCases, script } from "./gate_case.ts";

/** See the top of this file. */
export const EXPIRATIONS_CASES: GateCases = {
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
};
