/** Bugs in how views change and logs are chosen. */
import type { Mutant } from "../mutant.ts";

const VIEW = "node/vsr/view.ts";
const FOLLOW = "node/vsr/follow.ts";
const STORE = "node/vsr/store.ts";
const PROTOCOL = "node/vsr/protocol.ts";
const RECOVERY = "node/vsr/recovery.ts";

/** See the top of this file. */
export const ELECTIONS: readonly Mutant[] = [
  {
    name: "no-quorum-of-offers",
    what: "a new primary chooses among the logs of fewer than a majority",
    edits: [{
      file: VIEW,
      find: "if (s.offers.size >= s.quorum && s.offers.has(s.replicaId)) choose(s);",
      replace: "if (s.offers.has(s.replicaId)) choose(s);",
    }],
    seedsMax: 3,
  },
  {
    name: "longest-log-wins",
    what: "the comparison of logs forgets in which view they were right",
    edits: [{
      file: VIEW,
      find: "return a.logView === b.logView ? a.op > b.op : a.logView > b.logView;",
      replace: "return a.op > b.op;",
    }],
    seedsMax: 10,
  },
  {
    name: "shortest-log-wins",
    what: "of logs that are equally late the shorter one is chosen",
    edits: [{
      file: VIEW,
      find: "return a.logView === b.logView ? a.op > b.op : a.logView > b.logView;",
      replace: "return a.logView === b.logView ? a.op < b.op : a.logView > b.logView;",
    }],
    seedsMax: 3,
  },
  {
    name: "own-log-wins",
    what: "a new primary begins with its own log, whatever it was offered",
    edits: [{
      file: VIEW,
      find: "if (isBetter(offer, s.offers.get(best)!)) best = id;",
      replace: "if (isBetter(offer, s.offers.get(best)!)) void id;",
    }],
    seedsMax: 10,
  },
  {
    name: "new-primary-compares-lengths",
    what: "a new primary takes a log of its own that is as long for the chosen one",
    edits: [{
      file: VIEW,
      find: 'if (compare(s, op, hash) === "same") return finishFetch(s);',
      replace: "if (s.log.tipOp >= op) return finishFetch(s);",
    }],
    seedsMax: 300,
  },
  {
    name: "backup-keeps-its-suffix",
    what: "a backup enters a view with what it has beyond the primary's log",
    edits: [{
      file: FOLLOW,
      find: "if (s.log.tipOp > s.matchedOp && !cutRest(s)) return;",
      replace: "",
    }],
    seedsMax: 10,
  },
  {
    name: "offer-before-sync",
    what: "a log is offered whose end is not durable",
    edits: [{
      file: VIEW,
      find: "if (s.log.syncedOp < s.log.tipOp) return;",
      replace: "",
    }],
    seedsMax: 250,
  },
  {
    name: "view-not-remembered",
    what: "a replica speaks of a view before it has durably left the earlier ones",
    edits: [{
      file: STORE,
      find: "return s.durable.view === s.view;",
      replace: "return s.durable.view <= s.view;",
    }],
    seedsMax: 3,
  },
  {
    name: "log-view-not-remembered",
    what: "a replica counts in a view before that it holds its log is durable",
    edits: [{
      file: STORE,
      find: "return s.durable.view === s.view && s.durable.logView === s.view;",
      replace: "return s.durable.view === s.view && s.logView === s.view;",
    }],
    seedsMax: 3,
  },
  {
    name: "restarted-primary-goes-on",
    what: "a primary that starts again goes on in the view it led",
    edits: [{
      file: PROTOCOL,
      find: 'if (s.logView === s.view && isPrimary) return joinView(s, s.view + 1n, "aloud");',
      replace: "if (s.logView === s.view && isPrimary) return lead(s);",
    }],
    seedsMax: 3,
  },
  {
    name: "recovering-votes",
    what: "a replica that lost its disk counts as if it had not",
    edits: [{
      file: "node/replica/standing.ts",
      find:
        'if (metadata.role === "recovering") return recovering("it has lost what it promised");',
      replace: "",
    }],
    seedsMax: 30,
  },
  {
    name: "recovery-asks-one",
    what: "a replica that lost its disk believes a single answer",
    edits: [{
      file: RECOVERY,
      find: "recovery.answers.size < s.quorum",
      replace: "recovery.answers.size < 1",
    }],
    seedsMax: 50,
  },
  {
    name: "recovery-stops-at-the-start",
    what: "a recovering replica counts again once it holds what the view began with",
    edits: [{
      file: FOLLOW,
      find: "return proven > m.op ? proven : m.op;",
      replace: "return m.op;",
    }],
    seedsMax: 300,
  },
  {
    name: "vote-kept-after-loss",
    what: "a replica gives up a part of its log and keeps its vote",
    edits: [{
      file: "node/replica/repair.ts",
      find: 'if (stored.metadata.role === "recovering") return done(undefined);',
      replace: "if (stored.metadata !== undefined) return done(undefined);",
    }],
    seedsMax: 30,
  },
];
