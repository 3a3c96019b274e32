/**
 * Lines about commits, as often as somebody can read them: a line per commit would cost more than the commit.
 * Source: docs/operations.md#a-replicas-log.
 */
import type { HostStatus } from "./host.ts";
import type { LeveledLog } from "./leveled_log.ts";

/** Shortest time between two lines about the same thing at level info, in milliseconds. */
const INFO_EVERY_MS = 10_000;

/** Compares each look with the last. */
export class ProgressLog {
  readonly #log: LeveledLog;
  #before: HostStatus | undefined;
  #toldMs = -Infinity;
  #hadQuorum = true;

  /** @param log Where lines go. */
  constructor(log: LeveledLog) {
    this.#log = log;
  }

  /** Takes a look, about once a second. */
  look(now: HostStatus, nowMs: number): void {
    const before = this.#before ?? now;
    this.#watchRole(before, now);
    this.#watchQuorum(now);
    const isDue = nowMs - this.#toldMs >= INFO_EVERY_MS;
    if (now.commitOp > before.commitOp && (isDue || this.#log.writes("debug"))) {
      this.#tellCommit(before, now, isDue ? "info" : "debug");
      if (isDue) this.#toldMs = nowMs;
    }
    // Between two lines the first of them stays what the next is compared with.
    if (this.#before === undefined || isDue || this.#log.writes("debug")) this.#before = now;
    else this.#before = { ...now, commitOp: before.commitOp, commitLsn: before.commitLsn };
  }

  #watchRole(before: HostStatus, now: HostStatus): void {
    if (before.role === now.role && before.view === now.view) return;
    this.#log.event("info", "role_changed", {
      role: `${before.role}=>${now.role}`,
      current_view: `${before.view}=>${now.view}`,
      primary: now.primary,
      commit_lsn: now.commitLsn,
    });
  }

  #watchQuorum(now: HostStatus): void {
    if (now.role !== "primary" && this.#hadQuorum) return;
    const required = quorumOf(now);
    const reachable = 1 + now.peers.filter((peer) => peer.connected).length;
    const hasQuorum = now.role !== "primary" || reachable >= required;
    if (hasQuorum === this.#hadQuorum) return;
    this.#hadQuorum = hasQuorum;
    const fields = { op: now.tipOp, acked_replicas: reachable, required_quorum: required };
    this.#log.event(
      hasQuorum ? "info" : "warning",
      hasQuorum ? "quorum_back" : "quorum_unavailable",
      fields,
    );
  }

  #tellCommit(before: HostStatus, now: HostStatus, level: "info" | "debug"): void {
    if (now.role === "primary") {
      const acked = now.peers.filter((peer) => peer.matchOp >= now.commitOp).map(({ id }) => id);
      this.#log.event(level, "prepare_quorum_formed", {
        view: now.view,
        op: now.commitOp,
        lsn: now.commitLsn,
        acked_replicas: acked.length + 1,
        required_quorum: quorumOf(now),
        acked_peers: acked.join(",") || undefined,
      });
    }
    this.#log.event(level, "protocol_commit_applied", {
      role: now.role,
      local_view: now.view,
      commit_op: before.commitOp,
      commit_op_after: now.commitOp,
      commit_lsn: before.commitLsn,
      commit_lsn_after: now.commitLsn,
    });
  }
}

function quorumOf({ members }: HostStatus): number {
  return Math.floor(members.length / 2) + 1;
}
