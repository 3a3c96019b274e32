/** Bugs in who may answer a strict read, and in time. */
import type { Mutant } from "../mutant.ts";

const DRIVER = "node/replica/driver.ts";
const SLOTS = "node/slot_clock.ts";

/** See the top of this file. */
export const READS: readonly Mutant[] = [
  {
    name: "read-without-a-round",
    what: "a primary answers reads without asking whether it still is one",
    edits: [{
      file: DRIVER,
      find: "if (this.#state.quorum === 1 || hasLease(this.#state, this.#parts.nowMs())) {",
      replace: "if (this.#parts.nowMs() > -1) {",
    }],
    seedsMax: 75,
  },
  {
    name: "read-from-any-replica",
    what: "backups answer strict reads",
    edits: [{
      file: DRIVER,
      find: "if (this.#isStopped || !executor.isServing) return done(this.#refusal());",
      replace: "if (!this.#isStopped && !executor.isServing) return done(undefined);",
    }],
    seedsMax: 3,
  },
  {
    name: "read-before-caught-up",
    what: "a new primary answers before it has applied what earlier views committed",
    edits: [{
      file: "node/executor.ts",
      find: "return this.#isLeading && this.#unwaited === 0;",
      replace: "return this.#isLeading;",
    }],
    seedsMax: 100,
  },
  {
    name: "round-of-earlier-question",
    what: "an answer to an earlier question counts for a later read",
    edits: [{
      file: DRIVER,
      find: "return state.round + 1n;",
      replace: "return state.round;",
    }],
    seedsMax: 200,
  },
  {
    name: "fence-ignored",
    what: "a read is answered although its fence is not reached",
    edits: [{
      file: "node/node.ts",
      find: "if (applied !== undefined && applied >= requiredLsn) return undefined;",
      replace: "if (applied !== undefined || requiredLsn > 0n) return undefined;",
    }],
    seedsMax: 10,
  },
  {
    name: "lease-nobody-promised",
    what: "backups help to replace a primary that reads under a lease",
    edits: [{
      file: "node/vsr/view.ts",
      find: "s.nowMs - s.primaryHeardMs < 2 * s.timing.leaseMs;",
      replace: "s.nowMs - s.primaryHeardMs < 0 * s.timing.leaseMs;",
    }],
    seedsMax: 300,
  },
  {
    name: "lease-for-ever",
    what: "a lease that was granted once never ends",
    edits: [{
      file: "node/vsr/lead.ts",
      find: "if (confirmed === s.round) s.leaseUntilMs = s.roundSentMs + s.timing.leaseMs;",
      replace: "if (confirmed === s.round && s.timing.leaseMs > 0) s.leaseUntilMs = Infinity;",
    }],
    seedsMax: 300,
  },
  {
    name: "slots-run-fast",
    what: "slots pass faster than time does",
    edits: [{
      file: SLOTS,
      find: "(this.#clock.nowMs() - this.#originMs) / this.#slotDurationMs",
      replace: "(this.#clock.nowMs() - this.#originMs) * 1.5 / this.#slotDurationMs",
    }],
    seedsMax: 10,
  },
];
