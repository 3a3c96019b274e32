// The protocol by itself, one replica at a time: what it says, and what it does not say before something is durable.
// Whole clusters of it, with real logs and every misfortune, are in tests/cluster/.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../../core/assert.ts";
import { PaperLog } from "../../tests/support/paper_log.ts";
import { ProtocolScript } from "../../tests/support/protocol_script.ts";
import { cutTo } from "./accept.ts";
import { hasLease } from "./lead.ts";
import type { Prepare, StartView } from "./messages.ts";
import { primaryOf } from "./state.ts";
import { checkTiming, DEFAULT_TIMING } from "./timing.ts";

/** What another replica's log would send. */
function entries(log: PaperLog, fromOp: bigint, toOp: bigint, view = 1n, commitOp = 0n): Prepare {
  const prevOp = fromOp - 1n;
  const frames = log.frames(fromOp, toOp);
  const prevHash = log.hashAt(prevOp)!;
  return { kind: "prepare", view, prevOp, prevHash, commitOp, round: 0n, slot: 9n, frames };
}

function logOf(...texts: readonly string[]): PaperLog {
  const log = new PaperLog();
  for (const text of texts) log.put(1n, text);
  return log;
}

const FILL = (log: PaperLog): void => ["a", "b", "c"].forEach((text) => log.put(1n, text));

Deno.test("a founder leads view 1 only when that it does is durable", () => {
  const script = new ProtocolScript({ replicaId: 1n, standing: "founder", view: 0n, logView: 0n });
  assertEquals(script.tell({ kind: "start" }), ["store view=1 log_view=1 primary"]);
  assertEquals(script.role, "view_uncertain 1");
  assertEquals(script.stored(), [
    ">2 start_view 1 op=0 commit=0",
    ">3 start_view 1 op=0 commit=0",
    "primary 1",
  ]);
});

Deno.test("a primary that starts again does not go on in its view, for it may have sent what it lost", () => {
  const script = new ProtocolScript({ replicaId: 1n }, FILL);
  assertEquals(script.tell({ kind: "start" }), [
    "view_uncertain 2",
    "store view=2 log_view=1 view_uncertain",
  ]);
  assertEquals(script.stored(), [">2 start_view_change 2", ">3 start_view_change 2"]);
});

Deno.test("an entry is committed when a majority holds it durably, the primary among them or not", () => {
  const script = ProtocolScript.primary();
  script.log.put(1n, "a", false);
  assertEquals(script.tell({ kind: "log_changed" }), [
    ">2 prepare 1 after=0 entries commit=0",
    ">3 prepare 1 after=0 entries commit=0",
  ]);
  const ok = { kind: "prepare_ok", view: 1n, op: 1n, round: 0n, counts: true } as const;
  assertEquals(script.hear(2n, ok), []);
  assertEquals(script.hear(3n, ok), ["commit 1"]);
});

Deno.test("an answer that does not count commits nothing", () => {
  const script = ProtocolScript.primary();
  script.log.put(1n, "a");
  script.tell({ kind: "log_changed" });
  const ok = { kind: "prepare_ok", view: 1n, op: 1n, round: 0n } as const;
  assertEquals(script.hear(2n, { ...ok, counts: false }), []);
  assertEquals(
    script.hear(2n, { ...ok, op: 2n, counts: true }),
    [],
    "nobody holds more than the primary",
  );
  assertEquals(script.hear(2n, { ...ok, counts: true }), ["commit 1"]);
});

Deno.test("a backup answers for entries when they are durable, and applies what the primary says is committed", () => {
  const script = ProtocolScript.backup();
  const sender = logOf("a", "b");
  assertEquals(script.hear(1n, entries(sender, 1n, 2n)), ["slot 9"]);
  assertEquals(script.synced(), [">1 prepare_ok 1 op=2"]);
  assertEquals(script.hear(1n, entries(sender, 3n, 2n, 1n, 2n)), [
    "slot 9",
    "commit 2",
    ">1 prepare_ok 1 op=2",
  ]);
});

Deno.test("a replica on its way into a view says so, long before its disk has let it arrive", () => {
  const script = ProtocolScript.backup();
  const hash = script.log.hashAt(0n)!;
  const start = { kind: "start_view", view: 3n, op: 0n, hash, commitOp: 0n, round: 0n, slot: 0n };
  assertEquals(script.hear(3n, start as StartView), [
    "view_uncertain 3",
    "store view=3 log_view=1 view_uncertain",
    ">3 prepare_ok 3 op=0 uncounted",
  ]);
});

Deno.test("of many messages behind one gap a backup rejects the first (W14)", () => {
  const script = ProtocolScript.backup();
  const sender = logOf("a", "b", "c", "d");
  assertEquals(script.hear(1n, entries(sender, 2n, 2n)), ["slot 9", ">1 prepare_reject 1 op=0"]);
  assertEquals(script.hear(1n, entries(sender, 3n, 3n)), ["slot 9"]);
  assertEquals(script.hear(1n, entries(sender, 4n, 4n)), ["slot 9"]);
});

Deno.test("a replica tells which entry it cannot read when it is to compare it, and cuts nothing for it", () => {
  const script = ProtocolScript.backup(FILL);
  const { log } = script;
  const hashAt = log.hashAt.bind(log);
  log.hashAt = (op) => op === 2n ? undefined : hashAt(op);
  const sender = logOf("a", "b", "c", "d");
  const said = script.hear(1n, entries(sender, 3n, 4n));
  assert(said.includes("unreadable 2"), said.join());
  assertEquals(log.tipOp, 3n);
});

Deno.test("a primary sends from where a backup's log ends, one message until it is answered", () => {
  const script = ProtocolScript.primary();
  for (const text of ["a", "b", "c"]) {
    script.log.put(1n, text);
    script.tell({ kind: "log_changed" });
  }
  const reject = { kind: "prepare_reject", view: 1n, op: 0n } as const;
  assertEquals(script.hear(2n, reject), [">2 prepare 1 after=0 entries commit=0"]);
  assertEquals(script.hear(2n, reject), [], "the next rejection is of what was sent before");
});

Deno.test("nobody helps to replace a primary that was heard just now", () => {
  const script = ProtocolScript.backup();
  script.hear(1n, entries(logOf(), 1n, 0n));
  assertEquals(script.hear(3n, { kind: "probe_view", view: 2n }), []);
  script.nowMs += DEFAULT_TIMING.electionMsMin;
  assertEquals(script.hear(3n, { kind: "probe_view", view: 2n }), [">3 probe_view_ok 2"]);
  assertEquals(script.role, "backup 1", "asking changes nothing");
});

Deno.test("a backup that hears nothing asks, and leaves its view only when a majority would", () => {
  const script = ProtocolScript.backup();
  const said = script.pass(DEFAULT_TIMING.electionMsMax);
  assert(said.includes(">3 probe_view 2"), said.join());
  assertEquals(script.role, "backup 1");
  assertEquals(script.hear(3n, { kind: "probe_view_ok", view: 2n }), [
    "view_uncertain 2",
    "store view=2 log_view=1 view_uncertain",
  ]);
});

Deno.test("a replica offers its log when a majority has left the view before, and when its offer is durable", () => {
  const script = ProtocolScript.backup(FILL, { replicaId: 3n });
  script.hear(2n, { kind: "start_view_change", view: 2n });
  assertEquals(script.stored(), [
    ">1 start_view_change 2",
    ">2 start_view_change 2",
    "store view=2 log_view=1 view_uncertain offer=3",
    ">2 do_view_change 2 log_view=1 op=3",
  ]);
});

Deno.test("a new primary takes the log that was right latest, not the longest (W5)", () => {
  const script = ProtocolScript.backup(FILL, { view: 3n, logView: 1n, replicaId: 2n });
  const offer = {
    kind: "do_view_change",
    view: 5n,
    logView: 3n,
    op: 1n,
    hash: 42n,
    commitOp: 0n,
    slot: 5n,
  } as const;
  script.hear(3n, offer);
  const said = script.stored();
  assert(said.includes(">3 get_log_range after=0 to=1"), said.join());
});

Deno.test("a new primary leads when the chosen log and that it holds it are durable", () => {
  const script = ProtocolScript.backup(FILL);
  const better = logOf("a", "b", "x", "y");
  const hash = better.hashAt(4n)!;
  const offer = { kind: "do_view_change", view: 2n, logView: 1n, op: 4n, hash } as const;
  script.hear(3n, { ...offer, commitOp: 2n, slot: 4n });
  script.stored();
  const frames = better.frames(1n, 4n);
  const requestId = script.state.fetchId;
  const range = { kind: "log_range", requestId, refusal: undefined, frames } as const;
  assertEquals(script.hear(3n, range), ["store view=2 log_view=1 view_uncertain offer=2"]);
  assertEquals(script.stored(), []);
  assertEquals(script.hear(3n, range), []);
  assertEquals(script.log.cuts, ["3..3"], "only what differs");
  assertEquals(script.role, "view_uncertain 2");
  assertEquals(script.synced(), ["slot 4", "store view=2 log_view=2 primary"]);
  assertEquals(script.stored(), [
    ">1 start_view 2 op=4 commit=0",
    ">3 start_view 2 op=4 commit=0",
    "primary 2",
    "commit 2",
  ]);
});

Deno.test("a view's time begins with the earliest clock of those who hold its log (seed 111523)", () => {
  const script = ProtocolScript.backup(FILL, { members: [1n, 2n, 3n, 4n, 5n] });
  const { log } = script;
  const offer = { kind: "do_view_change", view: 2n, logView: 1n, op: 3n, commitOp: 3n } as const;
  script.hear(3n, { ...offer, hash: log.tipHash, slot: 3n });
  script.hear(4n, { ...offer, logView: 0n, op: 0n, hash: log.hashAt(0n)!, slot: 1n });
  const said = script.stored();
  assertEquals(said.filter((text) => text.startsWith("slot")), ["slot 3"]);
});

Deno.test("a backup takes the new primary's log over before it says that it is in its view", () => {
  const script = ProtocolScript.backup(FILL, { replicaId: 3n });
  const chosen = logOf("a", "x");
  const hash = chosen.hashAt(2n)!;
  const start = {
    kind: "start_view",
    view: 2n,
    op: 2n,
    hash,
    commitOp: 1n,
    round: 0n,
    slot: 9n,
  } as const;
  const said = [...script.hear(2n, start), ...script.stored()];
  assert(said.includes(">2 prepare_reject 2 op=0"), said.join());
  script.hear(2n, entries(chosen, 1n, 2n, 2n, 1n));
  assertEquals(script.log.cuts, ["2..3"]);
  assertEquals(script.role, "view_uncertain 2");
  assertEquals(script.synced().at(0), "store view=2 log_view=2 backup");
  assertEquals(script.stored(), ["backup 2", ">2 prepare_ok 2 op=2"]);
});

Deno.test("a view that its primary left is over: nobody brings it back (seed 6)", () => {
  const script = ProtocolScript.primary();
  script.log.put(1n, "a");
  script.tell({ kind: "log_changed" });
  script.hear(2n, { kind: "prepare_ok", view: 1n, op: 1n, round: 0n, counts: true });
  assert(script.pass(2 * DEFAULT_TIMING.electionMsMin).includes("view_uncertain 1"));
  const offer = {
    kind: "do_view_change",
    view: 1n,
    logView: 0n,
    op: 0n,
    hash: 7n,
    commitOp: 0n,
    slot: 5n,
  } as const;
  assertEquals(script.hear(2n, { kind: "start_view_change", view: 1n }), []);
  assertEquals(script.hear(3n, offer), []);
  assertEquals(script.log.cuts, []);
});

Deno.test("a later view takes a primary out of service at once (W10)", () => {
  const script = ProtocolScript.primary();
  const reject = { kind: "prepare_reject", view: 4n, op: 0n } as const;
  assertEquals(script.hear(3n, reject).at(0), "view_uncertain 4");
});

Deno.test("a stale primary is told of the later view and is not obeyed (W9)", () => {
  const script = ProtocolScript.backup(FILL, { view: 5n, logView: 5n, replicaId: 3n });
  const stale = entries(logOf("a", "b", "c", "d"), 4n, 4n, 4n, 4n);
  assertEquals(script.hear(1n, stale), [">1 prepare_reject 5 op=0"]);
  assertEquals([script.log.tipOp, script.state.commitOp], [3n, 0n]);
});

Deno.test("only the primary of a view speaks for it (W7)", () => {
  const script = ProtocolScript.backup(FILL);
  assertEquals(script.hear(3n, entries(logOf("a", "b", "c", "d"), 4n, 4n)), []);
  assertEquals(script.log.tipOp, 3n);
});

Deno.test("histories that differ where they were committed stop a replica, and nothing is cut", () => {
  const script = ProtocolScript.backup(FILL, { commitOp: 3n });
  const said = script.hear(1n, entries(logOf("a", "x", "c", "d"), 4n, 4n));
  assertEquals(said.at(-1), "fault: committed history differs from the primary's at op 3");
  assertEquals(script.log.cuts, []);
});

Deno.test("a read is confirmed by answers to its own round, not to an earlier one", () => {
  const script = ProtocolScript.primary();
  script.tell({ kind: "authority_wanted" });
  script.tell({ kind: "authority_wanted" });
  const ok = { kind: "prepare_ok", view: 1n, op: 0n, counts: true } as const;
  assertEquals(script.hear(2n, { ...ok, round: 0n }), []);
  assertEquals(script.hear(2n, { ...ok, round: 2n }), [], "a round that was never asked");
  assertEquals(script.hear(2n, { ...ok, round: 1n }).at(0), "authority 1");
});

Deno.test("a primary that nobody answers leaves service within one election timeout", () => {
  const script = ProtocolScript.primary();
  assertEquals(script.pass(DEFAULT_TIMING.electionMsMin - 20).includes("view_uncertain 1"), false);
  assert(script.pass(40).includes("view_uncertain 1"));
});

Deno.test("a lease counts from when the question left, and a sleeper has none", () => {
  const timing = { ...DEFAULT_TIMING, leaseMs: 200 };
  const script = ProtocolScript.primary({ timing });
  script.pass(100);
  const sentMs = script.nowMs;
  script.nowMs += 15;
  const ok = { kind: "prepare_ok", view: 1n, op: 0n, counts: true } as const;
  script.hear(2n, { ...ok, round: script.state.round });
  assertEquals(script.state.leaseUntilMs, sentMs + 200);
  assert(hasLease(script.state, script.nowMs));
  assertEquals(
    hasLease(script.state, script.nowMs + 60),
    false,
    "nothing was heard of time meanwhile",
  );
  assertEquals(checkTiming(timing), undefined);
  assertEquals(typeof checkTiming({ ...timing, leaseMs: 201 }), "string");
});

Deno.test("who has answered a primary with a lease does not leave its view before that is over", () => {
  const script = ProtocolScript.backup(undefined, { timing: { ...DEFAULT_TIMING, leaseMs: 200 } });
  script.hear(1n, entries(logOf(), 1n, 0n));
  assertEquals(script.hear(3n, { kind: "start_view_change", view: 2n }), []);
  assertEquals(script.tell({ kind: "view_change_wanted" }), [], "not for an operator either");
  script.nowMs += 400;
  assertEquals(script.hear(3n, { kind: "start_view_change", view: 2n }).at(0), "view_uncertain 2");
});

Deno.test("a replica that lost its disk asks, catches up and counts then", () => {
  const script = new ProtocolScript({
    replicaId: 3n,
    view: 0n,
    logView: 0n,
    standing: "recovering",
  });
  const asked = script.tell({ kind: "start" });
  assert(asked.includes(">1 recovery") && asked.includes(">2 recovery"), asked.join());
  script.stored();
  const sender = logOf("a", "b");
  const hash = sender.hashAt(0n)!;
  const start = {
    kind: "start_view",
    view: 1n,
    op: 0n,
    hash,
    commitOp: 2n,
    round: 0n,
    slot: 9n,
  } as const;
  assertEquals(script.hear(2n, { kind: "start_view_change", view: 2n }), [], "it helps nobody");
  script.hear(1n, start);
  script.stored();
  const nonce = script.state.recovery!.nonce;
  script.hear(1n, { kind: "recovery_response", nonce, view: 1n, primaryOp: 2n });
  script.hear(2n, { kind: "recovery_response", nonce, view: 1n, primaryOp: undefined });
  assertEquals(script.hear(1n, start), ["slot 9", ">1 prepare_reject 1 op=0"]);
  const said = script.hear(1n, entries(sender, 1n, 2n, 1n, 2n));
  assert(said.includes(">1 prepare_ok 1 op=0 uncounted"), said.join());
  assertEquals(script.synced().at(0), "store view=1 log_view=1 backup");
  assertEquals(script.stored(), ["backup 1", ">1 prepare_ok 1 op=2"]);
});

Deno.test("vsr/committed-is-never-cut: a log gives up nothing that is committed", () => {
  const script = ProtocolScript.backup(FILL, { commitOp: 2n });
  assertThrows(() => cutTo(script.state, 1n), AssertionFailure, "vsr/committed-is-never-cut");
});

Deno.test("vsr/replica-is-a-member: nobody takes part in a cluster that does not name him", () => {
  const make = () => new ProtocolScript({ replicaId: 9n });
  assertThrows(make, AssertionFailure, "vsr/replica-is-a-member");
});

Deno.test("vsr/view-is-counted-from-one: view 0 has no primary", () => {
  const { state } = ProtocolScript.backup();
  assertEquals([1n, 2n, 3n, 4n].map((view) => primaryOf(state, view)), [1n, 2n, 3n, 1n]);
  assertThrows(() => primaryOf(state, 0n), AssertionFailure, "vsr/view-is-counted-from-one");
});
