/** Bugs in how entries are sent, acknowledged, committed and applied. */
import type { Mutant } from "../mutant.ts";

const LEAD = "node/vsr/lead.ts";
const FOLLOW = "node/vsr/follow.ts";
const ACCEPT = "node/vsr/accept.ts";
const PROTOCOL = "node/vsr/protocol.ts";
const EXECUTOR = "node/executor.ts";

/** See the top of this file. */
export const REPLICATION: readonly Mutant[] = [
  {
    name: "acknowledge-before-sync",
    what: "a backup acknowledges what is written and not yet synced",
    edits: [{
      file: FOLLOW,
      find: "const durable = s.log.syncedOp;",
      replace: "const durable = s.log.tipOp;",
    }],
    seedsMax: 3,
  },
  {
    name: "commit-before-own-sync",
    what: "a primary counts its own entries before they are synced",
    edits: [{
      file: LEAD,
      find: "raiseCommit(s, largestHeldByQuorum(s, s.log.syncedOp, (peer) => peer.matchOp));",
      replace: "raiseCommit(s, largestHeldByQuorum(s, s.log.tipOp, (peer) => peer.matchOp));",
    }],
    seedsMax: 20,
  },
  {
    name: "quorum-off-by-one",
    what: "one replica fewer than a majority commits",
    edits: [{
      file: LEAD,
      find: "return reached[s.quorum - 1]!;",
      replace: "return reached[Math.max(s.quorum - 2, 0)]!;",
    }],
    seedsMax: 3,
  },
  {
    name: "uncounted-counted",
    what: "the acknowledgements of a replica that cannot prove its past count",
    edits: [{
      file: LEAD,
      find: "reached.push(peer.counts ? of(peer) : 0n);",
      replace: "reached.push(of(peer));",
    }],
    seedsMax: 3,
  },
  {
    name: "old-acknowledgements",
    what: "acknowledgements of an earlier view count in this one",
    edits: [{
      file: PROTOCOL,
      find: "if (m.view < s.view || !isLeading(s)) return;",
      replace: "if (!isLeading(s)) return;",
    }],
    seedsMax: 300,
  },
  {
    name: "what-follows-is-not-compared",
    what: "entries are put behind a log that holds something else before them",
    edits: [{
      file: ACCEPT,
      find: 'if (own === hash) return "same";',
      replace: 'if (own !== undefined) return "same";',
    }],
    seedsMax: 10,
  },
  {
    name: "commit-beyond-the-match",
    what: "a backup on its way into a view commits what it holds, whether the primary does or not",
    edits: [{
      file: FOLLOW,
      find: 'const held = s.status === "normal" ? s.log.tipOp : s.matchedOp;',
      replace: "const held = s.log.tipOp;",
    }],
    seedsMax: 30,
  },
  {
    name: "apply-before-commit",
    what: "entries are applied and answered as soon as they are durable here",
    edits: [{
      file: EXECUTOR,
      find: "const last = durable < this.#committed ? durable : this.#committed;",
      replace: "const last = durable;",
    }],
    seedsMax: 3,
  },
  {
    name: "uncommitted-replayed",
    what: "a start applies entries of which nothing says that they are committed",
    edits: [{
      file: "node/recover.ts",
      find: "if (this.#isUncertain(frame)) return undefined;",
      replace: "",
    }],
    seedsMax: 3,
  },
  {
    name: "waiters-survive-the-view",
    what: "who waits for an entry of a lost view is answered with another one's outcome",
    edits: [{
      file: EXECUTOR,
      find: "    this.#unwaited = Infinity;\n    this.#abandon(VIEW_CHANGED);",
      replace: "    this.#unwaited = Infinity;",
    }],
    seedsMax: 10,
  },
  {
    name: "retry-executes-again",
    what: "nobody remembers what was executed: a retry is executed a second time",
    edits: [{
      file: "core/operations.ts",
      find: "  if (row === NO_ROW) return false;\n  const appliedAt",
      replace: "  if (row === NO_ROW || row >= 0) return false;\n  const appliedAt",
    }, {
      file: "core/engine.ts",
      find: "if (known !== NO_ROW) return recallOperation(engine, known, command, out);",
      replace:
        "if (known !== NO_ROW && command.words.length === 0) return recallOperation(engine, known, command, out);",
    }],
    seedsMax: 3,
  },
  {
    name: "conflict-told-as-success",
    what: "another command under an operation id that is in flight is told the first one's outcome",
    edits: [{
      file: EXECUTOR,
      find: "this.#outcome.code = follower.isSame ? code : ResultCode.operation_conflict;",
      replace: "this.#outcome.code = code;",
    }],
    seedsMax: 20,
  },
  {
    name: "rejected-entries-skipped",
    what: "a primary goes on behind what a backup lacks",
    edits: [{
      file: LEAD,
      find: "  peer.nextOp = reject.op + 1n;\n  forgetUnanswered(peer);",
      replace: "  forgetUnanswered(peer);",
    }],
    seedsMax: 10,
  },
  {
    name: "snapshot-never-offered",
    what: "a replica that the log does not reach back to is left behind",
    edits: [{
      file: LEAD,
      find: "  if (snapshot === undefined) return;\n",
      replace: "  if (snapshot !== undefined || peer.isUp) return;\n",
    }],
    seedsMax: 20,
  },
];
