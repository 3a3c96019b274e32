/** Bugs that only real processes have, or that are told best from outside. */
import type { RealMutant } from "./real_mutant.ts";

/** See the top of this file. */
export const OWN_BUGS: readonly RealMutant[] = [
  {
    name: "acknowledged-before-written",
    what: "a batch of the log counts as durable while it is still in the memory of the process",
    edits: [{
      file: "node/log/segments.ts",
      find: "this.#file.writeDurably(active.end, bytes, done);",
      replace:
        "const [file, at, copy] = [this.#file, active.end, bytes.slice()];\n    setTimeout(() => file.writeDurably(at, copy, () => {}), 400);\n    done(undefined);",
    }],
    ...{ workload: "reservation_contention", nemesis: "crash_restart", windowSecs: 45 },
    checks: ["linearizability", "acknowledged_is_in_log"],
  },
  {
    name: "memory-lost-with-the-view",
    what: "a new primary does not remember what was executed before its view",
    edits: [{
      file: "node/executor.ts",
      find: "    this.#isLeading = true;\n",
      replace:
        "    this.#isLeading = true;\n    Object.assign(globalThis, { forgottenLsn: readU64(tip, TipWord.lsn) });\n",
    }, {
      file: "core/operations.ts",
      find: "  if (row === NO_ROW) return false;\n  const appliedAt",
      replace:
        "  const forgotten = (globalThis as unknown as { forgottenLsn?: bigint }).forgottenLsn ?? 0n;\n  if (row === NO_ROW) return false;\n  const lsnAt = row * operations.stride + Operation.appliedLsn;\n  if ((BigInt(operations.words[lsnAt + 1]!) << 32n | BigInt(operations.words[lsnAt]!)) <= forgotten) return false;\n  const appliedAt",
    }, {
      file: "core/engine.ts",
      find: "if (known !== NO_ROW) return recallOperation(engine, known, command, out);",
      replace:
        "if (known !== NO_ROW && command.words.length === 0) return recallOperation(engine, known, command, out);",
    }],
    ...{ workload: "ambiguous_write_retry", nemesis: "crash_restart", windowSecs: 45 },
    checks: ["linearizability", "duplicate_committed_execution"],
  },
  {
    name: "expires-early",
    what: "a hold is taken away a quarter of a second before its deadline",
    edits: [{
      file: "core/transition/expire.ts",
      find:
        "  if (compareU64(position, Position.slot, words, deadline) < 0) return ResultCode.noop; // Never early.\n",
      replace: "",
    }, {
      file: "node/expiration.ts",
      find: "writeU64(this.#slot, 0, tick.dueThrough);",
      replace: "writeU64(this.#slot, 0, tick.dueThrough + 25n);",
    }],
    ...{ workload: "expiration_and_recovery", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "early_expiration_release"],
  },
  {
    name: "revoke-frees",
    what: "a revoke frees the resources at once, without waiting for reclaim",
    edits: [{
      file: "core/transition/revoke.ts",
      find: "setMembers(engine, row, ResourceState.revoking, row + 1);",
      replace: "setMembers(engine, row, ResourceState.available, 0);",
    }],
    ...{ workload: "lease_safety", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability", "double_allocation"],
  },
  {
    name: "bundle-member-lost",
    what: "a bundle that ends frees all of its members but the last",
    edits: [{
      file: "core/transition/end.ts",
      find: "  setMembers(engine, row, ResourceState.available, 0);\n",
      replace:
        "  const { words, stride } = engine.tables.reservations;\n  const at = row * stride + Reservation.memberCount;\n  const members = words[at]!;\n  words[at] = Math.max(1, members - 1);\n  setMembers(engine, row, ResourceState.available, 0);\n  words[at] = members;\n",
    }, {
      file: "core/transition/end.ts",
      find: "import { type ReservationState, ResourceState } from",
      replace: "import { Reservation, type ReservationState, ResourceState } from",
    }],
    ...{ workload: "lease_safety", nemesis: "none", windowSecs: 15 },
    checks: ["linearizability"],
  },
];
