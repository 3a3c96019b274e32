// Operators and their scripts search for these lines by their words.
import { assertEquals, assertMatch } from "@std/assert";
import type { LogLevel } from "../../node/control/messages.ts";
import { LOG_LEVELS } from "../../node/control/messages.ts";
import { PEER_REFUSALS } from "../../node/peer/hello.ts";
import { sampleStatus } from "../../tests/support/control_status.ts";
import type { HostStatus } from "./host.ts";
import { LeveledLog } from "./leveled_log.ts";
import { eventLine, markerLine, peerEvent, summary } from "./log_events.ts";
import { ProgressLog } from "./progress_log.ts";

function collecting(): { log: LeveledLog; lines: string[] } {
  const lines: string[] = [];
  const to = (level: string) => (line: string): void => void lines.push(`${level} ${line}`);
  const sink = { debug: to("debug"), info: to("info"), warn: to("warn"), error: to("error") };
  return { log: new LeveledLog(sink, 2n), lines };
}

Deno.test("eventLine() and markerLine() begin with the replica and quote what has spaces", () => {
  const fields = { lsn: 7n, ok: true, why: "no room", none: undefined, empty: "" };
  assertEquals(
    eventLine(3n, "client_submit_rejected", fields),
    'replica=3 event=client_submit_rejected lsn=7 ok=true why="no room" none=none empty=""',
  );
  assertEquals(markerLine(3n, "shutdown=clean"), "replica=3 shutdown=clean");
  assertEquals(
    eventLine(1n, "startup_recovered", summary(sampleStatus())),
    "replica=1 event=startup_recovered role=primary current_view=1 commit_lsn=7 snapshot_lsn=none " +
      "last_normal_view=1 durable_vote=none highest_prepared_lsn=9",
  );
});

Deno.test("LeveledLog writes what is at its level or above, and always says whose line it is", () => {
  const told: Record<LogLevel, number> = { debug: 0, info: 0, warning: 0, error: 0 };
  for (const level of LOG_LEVELS) {
    const { log, lines } = collecting();
    log.level = level;
    for (const other of LOG_LEVELS) log.event(other, "x");
    log.debug("a");
    log.info("a");
    log.warn("a");
    log.error("replica=2 b");
    told[level] = lines.length;
    assertEquals(lines.filter((line) => !line.includes(" replica=2 ")), []);
  }
  assertEquals(told, { debug: 8, info: 6, warning: 4, error: 2 });
});

Deno.test("peerEvent() warns about refusals and broken connections, not about a peer that is away", () => {
  const away = peerEvent({ kind: "unreachable", peer: 2n, reason: "refused" });
  assertEquals([away.name, away.isWarning], ["peer_unreachable", false]);
  const refused = {
    kind: "refused_by_peer",
    peer: 2n,
    code: "other_cluster",
    message: "no",
  } as const;
  assertEquals(peerEvent(refused), {
    name: "peer_refused_by_peer",
    fields: { peer: 2n, code: "other_cluster", message: "no" },
    isWarning: true,
  });
});

Deno.test("peerEvent() tells an operator what to do about every refusal of ours", () => {
  for (const code of PEER_REFUSALS) {
    const { fields } = peerEvent({ kind: "refused_by_peer", peer: 2n, code, message: "no" });
    assertMatch(String(fields["hint"]), /^[a-z].{20,}[^.]$/, code);
  }
});

const PRIMARY: HostStatus = {
  ...{ replicaId: 2n, members: [1n, 2n, 3n], state: "active", role: "primary", view: 2n },
  ...{
    logView: 2n,
    primary: 2n,
    commitOp: 0n,
    appliedOp: 0n,
    tipOp: 0n,
    tipHash: 1n,
    syncedOp: 0n,
  },
  ...{ commitLsn: undefined, snapshotLsn: undefined, acceptingWrites: true, startup: undefined },
  ...{ faultReason: undefined, lastNormalView: 2n, durableVote: null, counters: {} },
  peers: [1n, 3n].map((id) => (
    { id, connected: true, matchOp: 0n, lag: 0n, lastHeardMs: 1, state: "stream" as const }
  )),
};

function at(commitOp: bigint): HostStatus {
  const peers = PRIMARY.peers.map((peer) => ({ ...peer, matchOp: peer.id === 1n ? commitOp : 0n }));
  return { ...PRIMARY, commitOp, tipOp: commitOp, commitLsn: commitOp, peers };
}

Deno.test("ProgressLog writes one pair of lines about any number of commits in ten seconds, over all of them", () => {
  const { log, lines } = collecting();
  const progress = new ProgressLog(log);
  for (let second = 0; second < 25; second++) {
    progress.look(at(BigInt(second * 100)), second * 1_000);
  }
  const applied = lines.filter((line) => line.includes("event=protocol_commit_applied"));
  assertEquals(
    applied.map((line) => /commit_op=(\d+) commit_op_after=(\d+)/.exec(line)?.slice(1)),
    [
      ["0", "100"],
      ["100", "1100"],
      ["1100", "2100"],
    ],
  );
  const formed = lines.find((line) => line.includes("event=prepare_quorum_formed"));
  assertEquals(
    formed,
    "info replica=2 event=prepare_quorum_formed view=2 op=100 lsn=100 acked_replicas=2 " +
      "required_quorum=2 acked_peers=1",
  );
});

Deno.test("ProgressLog tells once that a primary has lost its majority, and once that it is back", () => {
  const { log, lines } = collecting();
  const progress = new ProgressLog(log);
  const alone = { ...PRIMARY, peers: PRIMARY.peers.map((peer) => ({ ...peer, connected: false })) };
  for (const status of [PRIMARY, alone, alone, PRIMARY, PRIMARY]) progress.look(status, 0);
  assertEquals(lines.map((line) => /event=(\w+)/.exec(line)?.[1]), [
    "quorum_unavailable",
    "quorum_back",
  ]);
});
