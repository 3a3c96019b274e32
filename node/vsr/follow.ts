/** What a replica does with the word of a primary: make its log the primary's, and say so when that is durable. */
import { accept, compare, cutTo } from "./accept.ts";
import type { Prepare, SnapshotOffer, StartView } from "./messages.ts";
import { isAnswered, provenOp } from "./recovery.ts";
import { primaryOf, raiseCommit, resetDeadline, send, type State, tellRole } from "./state.ts";
import { hasEntered, hasLeftEarlierViews, store } from "./store.ts";
import { joinView } from "./view.ts";

/** The first word of a view: what its log begins with. */
export function onStartView(s: State, from: bigint, m: StartView): void {
  if (!isFromPrimary(s, from, m.view)) return;
  if (m.view > s.view) joinView(s, m.view, "quietly");
  hearPrimary(s, m.round, m.slot);
  if (s.status === "normal") {
    learnCommit(s, m.commitOp);
    return answer(s);
  }
  const through = adoptionTarget(s, m);
  if (through === undefined) return;
  s.adopting = { op: m.op, hash: m.hash, throughOp: through };
  if (compare(s, m.op, m.hash) === "same") {
    // What is committed is in the log of every later primary, also where this one may know more of it than that view began with.
    for (const op of [m.op, s.commitOp]) if (s.matchedOp < op) s.matchedOp = op;
  }
  learnCommit(s, m.commitOp);
  adopt(s);
  if (s.adopting === undefined) return;
  if (s.matchedOp < through) reject(s);
  else answer(s); // It counts for nothing yet, but a primary that hears nobody leaves service.
}

/** Entries, or a heartbeat. */
export function onPrepare(s: State, from: bigint, m: Prepare): void {
  if (!isFromPrimary(s, from, m.view)) return;
  if (m.view > s.view) joinView(s, m.view, "quietly");
  hearPrimary(s, m.round, m.slot);
  if (s.status !== "normal" && s.adopting === undefined) return askForStart(s, m);
  const accepted = accept(s, m.prevOp, m.prevHash, m.frames);
  switch (accepted.kind) {
    case "matched":
      return matched(s, accepted.op, m.commitOp, m.frames.length === 0);
    case "apart":
      return reject(s);
    case "diverged":
      return diverged(s, accepted.op);
    case "later":
    case "unsound":
      return;
  }
}

/** The primary has no entries that old. */
export function onSnapshotOffer(s: State, from: bigint, m: SnapshotOffer): void {
  if (!isFromPrimary(s, from, m.view) || m.view !== s.view) return;
  hearPrimary(s, s.heardRound, 0n);
  if (s.status !== "normal" && s.adopting === undefined) return;
  if (m.op <= s.log.tipOp && (s.status === "normal" || compare(s, m.op, m.hash) === "same")) {
    if (m.op > s.matchedOp) s.matchedOp = m.op;
    raiseCommit(s, m.op); // Snapshots hold only what is committed.
    return reject(s);
  }
  const { op, hash, bytes } = m;
  s.effects.push({ kind: "fetch_snapshot", from, op, hash, bytes });
  if (s.status === "normal") answer(s);
}

/** Own entries became durable, or a write ended, while this replica follows. */
export function followOn(s: State): void {
  if (s.status === "normal") {
    if (s.log.syncedOp > s.answeredOp) answer(s);
    return;
  }
  adopt(s);
  if (s.adopting !== undefined && s.matchedOp > 0n) answer(s);
}

/** Makes the primary's log one's own, step by step; each step may have to wait for the disk. */
export function adopt(s: State): void {
  const { adopting } = s;
  if (adopting === undefined || !hasLeftEarlierViews(s)) return;
  if (s.matchedOp < adopting.op || s.matchedOp < adopting.throughOp) return;
  if (s.log.tipOp > s.matchedOp && !cutRest(s)) return;
  if (s.log.syncedOp < s.matchedOp) return;
  if (hasEntered(s)) return enter(s);
  s.logView = s.view;
  s.offer = undefined;
  s.isEntering = true;
  store(s);
}

function enter(s: State): void {
  s.status = "normal";
  s.isEntering = false;
  s.isAnnouncing = false;
  s.adopting = undefined;
  s.recovery = undefined;
  resetDeadline(s);
  tellRole(s);
  store(s);
  answer(s);
}

/** A recovering replica must reach what the primary had when it asked, not only what the view began with. */
function adoptionTarget(s: State, m: StartView): bigint | undefined {
  if (s.status === "view_change") return m.op;
  if (s.status !== "recovering" || !isAnswered(s)) return undefined;
  const proven = provenOp(s, m.view);
  return proven > m.op ? proven : m.op;
}

/** A heartbeat is answered at once, entries when they are durable. */
function matched(s: State, op: bigint, commitOp: bigint, isHeartbeat: boolean): void {
  if (op > s.matchedOp) s.matchedOp = op;
  learnCommit(s, commitOp);
  if (s.status !== "normal") {
    adopt(s);
    if (s.adopting !== undefined) answer(s);
    return;
  }
  if (isHeartbeat || s.heardRound > s.answeredRound || op <= s.log.syncedOp) answer(s);
}

/** Of what is committed, this log holds what is known to be the primary's. */
function learnCommit(s: State, commitOp: bigint): void {
  const held = s.status === "normal" ? s.log.tipOp : s.matchedOp;
  raiseCommit(s, commitOp < held ? commitOp : held);
}

/** What is behind the primary's log was never committed; if it seems so, more of the primary's log is still to come. */
function cutRest(s: State): boolean {
  return s.matchedOp >= s.commitOp && cutTo(s, s.matchedOp);
}

/** Says how far this log is the primary's, durably. */
function answer(s: State): void {
  const counts = s.status === "normal";
  const durable = s.log.syncedOp;
  const op = counts || durable < s.matchedOp ? durable : s.matchedOp;
  s.answeredRound = s.heardRound;
  s.answeredOp = op;
  const to = primaryOf(s, s.view);
  send(s, to, { kind: "prepare_ok", view: s.view, op, round: s.heardRound, counts });
}

function reject(s: State): void {
  const agreed = s.matchedOp > s.commitOp ? s.matchedOp : s.commitOp;
  const op = s.status === "normal" ? s.log.tipOp : agreed;
  if (op === s.rejectedOp && s.nowMs - s.rejectedMs < s.timing.heartbeatMs / 2) return;
  s.rejectedOp = op;
  s.rejectedMs = s.nowMs;
  s.counters.rejectsSent++;
  send(s, primaryOf(s, s.view), { kind: "prepare_reject", view: s.view, op });
}

/**
 * A primary that takes this replica to know what the view began with: it did, and its disk came back with an earlier view.
 * To whoever asks about its own view a primary says what it began with. Heartbeats come as often as is worth asking.
 */
function askForStart(s: State, m: Prepare): void {
  if (s.status !== "view_change" || m.frames.length > 0) return;
  send(s, primaryOf(s, m.view), { kind: "probe_view", view: m.view });
}

function hearPrimary(s: State, round: bigint, slot: bigint): void {
  s.primaryHeardMs = s.nowMs;
  s.probing = undefined;
  resetDeadline(s);
  if (round > s.heardRound) s.heardRound = round;
  if (slot > 0n) s.effects.push({ kind: "slot", slot });
}

/** Only the primary of a view speaks for it, and never to itself. */
function isFromPrimary(s: State, from: bigint, view: bigint): boolean {
  return view >= s.view && view > 0n && primaryOf(s, view) === from && from !== s.replicaId;
}

function diverged(s: State, op: bigint): void {
  const reason = `committed history differs from the primary's at op ${op}`;
  s.effects.push({ kind: "fault", reason });
}
