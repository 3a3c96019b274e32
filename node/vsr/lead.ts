/** What a primary does: send what its log has, count who holds it, and know when it is one no longer. */
import type { PrepareOk, PrepareReject } from "./messages.ts";
import { previousHashOf } from "./frames.ts";
import {
  isLeading,
  type Peer,
  raiseCommit,
  resetDeadline,
  send,
  type State,
  tellRole,
} from "./state.ts";
import { store } from "./store.ts";

/** Begins a view whose log this replica holds. */
export function lead(s: State): void {
  s.status = "normal";
  s.isEntering = false;
  s.startOp = s.log.tipOp;
  s.startHash = s.log.tipHash;
  s.round = 0n;
  s.confirmedRound = 0n;
  s.wantedRound = 0n;
  s.leaseUntilMs = 0;
  s.counters.viewsLed++;
  for (const peer of s.peers.values()) greet(s, peer);
  tellRole(s);
  store(s);
  advanceCommit(s);
}

/** Starts over with a peer: nothing it said earlier, or in an earlier view, holds any more. */
export function greet(s: State, peer: Peer): void {
  peer.mode = "greet";
  peer.nextOp = s.startOp + 1n;
  peer.matchOp = 0n;
  peer.counts = false;
  peer.round = 0n;
  peer.heardMs = s.nowMs;
  forgetUnanswered(peer);
  sendStartView(s, peer);
}

/** The log grew, entries became durable, or time has passed. */
export function replicate(s: State): void {
  for (const peer of s.peers.values()) feed(s, peer);
  advanceCommit(s);
}

/** A reply in this view. */
export function onPrepareOk(s: State, peer: Peer, ok: PrepareOk): void {
  if (ok.op > s.log.tipOp) return; // Nobody holds what this log does not: a peer that lies.
  heard(s, peer, ok.round, ok.counts);
  if (ok.op > peer.matchOp) peer.matchOp = ok.op;
  if (peer.unanswered.length > 0 && ok.op >= peer.unanswered[0]!.lastOp) peer.isProbing = false;
  while (peer.unanswered.length > 0 && peer.unanswered[0]!.lastOp <= ok.op) {
    peer.unansweredBytes -= peer.unanswered.shift()!.bytes;
  }
  if (peer.mode === "greet") {
    peer.mode = "stream";
    peer.nextOp = ok.op + 1n;
  }
  if (peer.nextOp <= ok.op) {
    peer.mode = "stream"; // Also when it waited for a snapshot: that is there now.
    peer.nextOp = ok.op + 1n;
  }
  advanceCommit(s);
  feed(s, peer);
}

/** A peer's log ends early, or holds something else. */
export function onPrepareReject(s: State, peer: Peer, reject: PrepareReject): void {
  heard(s, peer, peer.round, peer.counts);
  s.counters.rejectsReceived++;
  if (reject.op > s.log.tipOp || (peer.counts && reject.op < peer.matchOp)) return;
  if (peer.isProbing && s.nowMs - peer.rejectedMs < s.timing.heartbeatMs) return;
  peer.mode = "stream";
  peer.nextOp = reject.op + 1n;
  forgetUnanswered(peer);
  peer.isProbing = true;
  peer.rejectedMs = s.nowMs;
  feed(s, peer);
}

/**
 * Speaks to whoever has heard nothing for a while; leaves service when too few have answered. Time in which this process
 * stood still counts for nobody: their answers may lie there unread.
 */
export function tickLead(s: State): void {
  const stoodStillMs = s.nowMs - s.tickMs - s.timing.heartbeatMs;
  if (stoodStillMs > 0) { for (const peer of s.peers.values()) peer.heardMs += stoodStillMs; }
  if (!hasMajority(s)) return stepDown(s);
  if (s.nowMs - s.lastEventMs >= s.timing.heartbeatMs / 2) s.leaseUntilMs = 0;
  if (s.timing.leaseMs > 0 && s.nowMs - s.roundSentMs >= s.timing.heartbeatMs) wantAuthority(s);
  for (const peer of s.peers.values()) {
    if (s.nowMs - peer.sentMs >= s.timing.heartbeatMs) beat(s, peer);
  }
}

/** Asks all whether this still is the primary; the answers are counted by round. */
export function wantAuthority(s: State): void {
  s.wantedRound = s.round + 1n;
  startRound(s);
}

/**
 * Whether this certainly is the primary still, without asking. Counted from when the question was sent, and only while
 * this process has not been asleep: who slept does not know for how long.
 */
export function hasLease(s: State, nowMs: number): boolean {
  return isLeading(s) && nowMs < s.leaseUntilMs && nowMs - s.nowMs < s.timing.heartbeatMs / 2;
}

/** Leaves service: the view goes on without a primary until a majority starts another. */
function stepDown(s: State): void {
  s.counters.stepDowns++;
  s.status = "view_change";
  s.isAnnouncing = false;
  s.leavers.clear();
  s.offers.clear();
  s.offer = undefined;
  s.chosen = undefined;
  resetDeadline(s);
  tellRole(s);
  store(s);
}

/** One round at a time: a question that comes while one is under way is part of the next. */
function startRound(s: State): void {
  if (s.quorum > 1 && s.round > s.confirmedRound) return;
  if (s.wantedRound <= s.round) return;
  s.round = s.wantedRound;
  s.roundSentMs = s.nowMs;
  s.counters.readRounds++;
  for (const peer of s.peers.values()) beat(s, peer);
  confirmRound(s);
}

function heard(s: State, peer: Peer, round: bigint, counts: boolean): void {
  peer.heardMs = s.nowMs;
  peer.counts = counts;
  if (round > peer.round && round <= s.round) peer.round = round;
  if (counts) confirmRound(s);
}

function confirmRound(s: State): void {
  const confirmed = largestHeldByQuorum(s, s.round, (peer) => peer.round);
  if (confirmed <= s.confirmedRound) return;
  s.confirmedRound = confirmed;
  if (confirmed === s.round) s.leaseUntilMs = s.roundSentMs + s.timing.leaseMs;
  s.effects.push({ kind: "authority", round: confirmed });
  startRound(s);
}

/** Commits what a majority holds durably, this replica included. */
function advanceCommit(s: State): void {
  if (!isLeading(s)) return;
  raiseCommit(s, largestHeldByQuorum(s, s.log.syncedOp, (peer) => peer.matchOp));
}

/** The largest number that a majority has reached; replicas that do not count have reached nothing. */
function largestHeldByQuorum(s: State, own: bigint, of: (peer: Peer) => bigint): bigint {
  const reached = [own];
  for (const peer of s.peers.values()) reached.push(peer.counts ? of(peer) : 0n);
  sortDown(reached);
  return reached[s.quorum - 1]!;
}

/** By insertion: they are seven at most, and this is done for every acknowledgement. */
function sortDown(numbers: bigint[]): void {
  for (let next = 1; next < numbers.length; next++) {
    const number = numbers[next]!;
    let at = next;
    for (; at > 0 && numbers[at - 1]! < number; at--) numbers[at] = numbers[at - 1]!;
    numbers[at] = number;
  }
}

function hasMajority(s: State): boolean {
  let count = 1;
  for (const peer of s.peers.values()) {
    if (s.nowMs - peer.heardMs < s.timing.electionMsMin) count++;
  }
  return count >= s.quorum;
}

function beat(s: State, peer: Peer): void {
  if (peer.mode === "greet") return sendStartView(s, peer);
  if (peer.mode === "snapshot") {
    sendStartView(s, peer); // It may have started anew, and then knows nothing of this view.
    return offerSnapshot(s, peer);
  }
  const prevOp = peer.nextOp - 1n;
  const prevHash = prevOp === s.log.tipOp ? s.log.tipHash : s.log.hashAt(prevOp);
  if (prevHash === undefined) return offerSnapshot(s, peer);
  sendPrepare(s, peer, prevOp, prevHash, NO_FRAMES);
}

/** Sends what the peer lacks, as far as the window goes. */
function feed(s: State, peer: Peer): void {
  if (!peer.isUp || peer.mode !== "stream") return;
  while (peer.nextOp <= s.log.tipOp && peer.unansweredBytes < windowOf(s, peer)) {
    const read = s.log.read(peer.nextOp, messageBytesOf(s, peer));
    if (read.kind === "removed") return offerSnapshot(s, peer);
    if (read.kind === "unreadable") {
      return void s.effects.push({ kind: "unreadable", op: peer.nextOp });
    }
    if (read.frames.length === 0) return;
    const prevOp = peer.nextOp - 1n;
    peer.unanswered.push({ lastOp: read.lastOp, bytes: read.frames.length });
    peer.unansweredBytes += read.frames.length;
    peer.nextOp = read.lastOp + 1n;
    sendPrepare(s, peer, prevOp, previousHashOf(read.frames), read.frames);
  }
}

function windowOf(s: State, peer: Peer): number {
  if (peer.isProbing) return 1;
  return isFarBehind(s, peer) ? s.timing.catchUpWindowBytes : s.timing.windowBytes;
}

function messageBytesOf(s: State, peer: Peer): number {
  return isFarBehind(s, peer) ? s.timing.catchUpMessageBytesMax : s.timing.messageBytesMax;
}

function isFarBehind(s: State, peer: Peer): boolean {
  return peer.nextOp < s.log.memoryOp;
}

function offerSnapshot(s: State, peer: Peer): void {
  peer.mode = "snapshot";
  const snapshot = s.log.snapshot();
  if (snapshot === undefined) return;
  s.counters.snapshotOffers++;
  peer.sentMs = s.nowMs;
  send(s, peer.id, { kind: "snapshot_offer", view: s.view, ...snapshot });
}

function sendPrepare(
  s: State,
  peer: Peer,
  prevOp: bigint,
  prevHash: bigint,
  frames: Uint8Array,
): void {
  const { view, commitOp, round } = s;
  peer.sentMs = s.nowMs;
  const slot = s.slot();
  send(s, peer.id, { kind: "prepare", view, prevOp, prevHash, commitOp, round, slot, frames });
}

/** Tells a peer what this view begins with. */
export function sendStartView(s: State, peer: Peer): void {
  peer.sentMs = s.nowMs;
  const { view, startOp: op, startHash: hash, commitOp, round } = s;
  send(s, peer.id, { kind: "start_view", view, op, hash, commitOp, round, slot: s.slot() });
}

function forgetUnanswered(peer: Peer): void {
  peer.unanswered = [];
  peer.unansweredBytes = 0;
  peer.isProbing = false;
}

const NO_FRAMES = new Uint8Array();
