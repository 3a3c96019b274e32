/** From one view to the next: asking whether the others agree, leaving, offering logs, choosing one. */
import { accept, compare, cutTo } from "./accept.ts";
import type {
  DoViewChange,
  LogRange,
  ProbeView,
  ProbeViewOk,
  StartViewChange,
} from "./messages.ts";
import { lead, sendStartView } from "./lead.ts";
import {
  broadcast,
  isLeading,
  primaryOf,
  raiseCommit,
  resetDeadline,
  send,
  type State,
  tellRole,
} from "./state.ts";
import { hasEntered, hasLeftEarlierViews, isOffered, store } from "./store.ts";

/**
 * Goes to a later view.
 *
 * @param s The replica.
 * @param view Which; greater than its own.
 * @param how Whether the others must hear of it: not when its primary is already there.
 */
export function joinView(s: State, view: bigint, how: "aloud" | "quietly"): void {
  s.view = view;
  if (s.status === "normal") s.status = "view_change";
  s.isEntering = false;
  s.isAnnouncing = how === "aloud" && s.status === "view_change";
  s.announcedMs = s.nowMs;
  s.probing = undefined;
  s.leavers.clear();
  s.offers.clear();
  s.offer = undefined;
  s.chosen = undefined;
  s.adopting = undefined;
  s.matchedOp = 0n;
  s.heardRound = 0n;
  s.answeredRound = 0n;
  s.answeredOp = 0n;
  if (s.isAnnouncing) s.counters.viewChangesStarted++;
  resetDeadline(s);
  tellRole(s);
  store(s);
}

/** Nothing was heard for too long: would the others join the next view? */
export function probe(s: State): void {
  resetDeadline(s);
  if (s.isManual) return;
  s.probing = { view: s.view + 1n, joined: new Set([s.replicaId]) };
  broadcast(s, { kind: "probe_view", view: s.probing.view });
}

/** Helps to replace a primary only when it has not been heard lately. */
export function onProbeView(s: State, from: bigint, m: ProbeView): void {
  if (m.view <= s.view) return tellWhereWeAre(s, from);
  const missesPrimary = s.status === "view_change" ||
    (s.status === "normal" && !isLeading(s) &&
      s.nowMs - s.primaryHeardMs >= s.timing.electionMsMin);
  if (!missesPrimary) return void s.counters.probesDenied++;
  s.counters.probesGranted++;
  send(s, from, { kind: "probe_view_ok", view: m.view });
}

export function onProbeViewOk(s: State, from: bigint, m: ProbeViewOk): void {
  const { probing } = s;
  if (probing === undefined || m.view !== probing.view || m.view !== s.view + 1n) return;
  probing.joined.add(from);
  if (probing.joined.size >= s.quorum) joinView(s, probing.view, "aloud");
}

export function onStartViewChange(s: State, from: bigint, m: StartViewChange): void {
  if (m.view < s.view) return tellWhereWeAre(s, from);
  if (s.status === "recovering" || hasPromisedToStay(s, m.view)) return;
  if (m.view > s.view) joinView(s, m.view, "aloud");
  if (isLeading(s)) return tellWhereWeAre(s, from);
  if (!isOnItsWay(s)) return;
  s.isAnnouncing = true;
  s.leavers.add(from);
  changeView(s);
}

export function onDoViewChange(s: State, from: bigint, m: DoViewChange): void {
  if (m.view < s.view) return tellWhereWeAre(s, from);
  if (s.status === "recovering" || primaryOf(s, m.view) !== s.replicaId) return;
  if (hasPromisedToStay(s, m.view)) return;
  if (m.view > s.view) joinView(s, m.view, "aloud");
  if (isLeading(s)) return tellWhereWeAre(s, from);
  if (!isOnItsWay(s)) return;
  s.isAnnouncing = true;
  s.leavers.add(from);
  s.offers.set(from, m);
  changeView(s);
}

/** Goes on with the view change as far as what is durable and who has answered allow. */
export function changeView(s: State): void {
  if (s.status !== "view_change" || !hasLeftEarlierViews(s)) return;
  if (s.isEntering) {
    if (hasEntered(s) && primaryOf(s, s.view) === s.replicaId) begin(s);
    return;
  }
  if (s.chosen !== undefined) return enterAsPrimary(s);
  if (!s.isAnnouncing || !isOnItsWay(s)) return;
  if (!s.leavers.has(s.replicaId)) announce(s);
  if (s.leavers.size >= s.quorum) makeOffer(s);
  if (s.offers.size >= s.quorum && s.offers.has(s.replicaId)) choose(s);
}

/** Says it all again, for whoever did not hear. */
export function tickViewChange(s: State): void {
  if (!s.isAnnouncing || !isOnItsWay(s) || !hasLeftEarlierViews(s)) return;
  if (s.nowMs - s.announcedMs < s.timing.heartbeatMs) return;
  announce(s);
  if (s.offer !== undefined && isOffered(s)) sendOffer(s);
  const { chosen } = s;
  if (chosen === undefined || chosen.from === s.replicaId || s.isEntering) return;
  if (s.matchedOp < chosen.op && s.nowMs - s.fetchedMs >= s.timing.electionMsMin) request(s);
}

/** Entries of the chosen log. */
export function onLogRange(s: State, from: bigint, m: LogRange): void {
  const { chosen } = s;
  if (chosen === undefined || chosen.from !== from || m.requestId !== s.fetchId) return;
  if (m.refusal !== undefined) return giveUp(s);
  const prev = fetchBase(s);
  const accepted = accept(s, prev.op, prev.hash, m.frames);
  if (accepted.kind === "matched") {
    s.matchedOp = accepted.op;
    return accepted.op >= chosen.op ? finishFetch(s) : request(s);
  }
  if (accepted.kind === "diverged") {
    const reason = `committed history differs from that of replica ${from} at op ${accepted.op}`;
    s.effects.push({ kind: "fault", reason });
  }
}

/** An operator wants another primary; a promise to the present one stands above that. */
export function startNextView(s: State): void {
  if (hasPromisedToStay(s, s.view + 1n)) return;
  if (s.status === "normal" || s.status === "view_change") joinView(s, s.view + 1n, "aloud");
  changeView(s);
}

/** A message shows that a later view has begun somewhere. */
export function seeLaterView(s: State, view: bigint): void {
  if (view <= s.view || s.status === "recovering" || hasPromisedToStay(s, view)) return;
  joinView(s, view, "quietly");
}

/** Helps a replica that is behind to where this one is. */
function tellWhereWeAre(s: State, to: bigint): void {
  if (isLeading(s)) return sendStartView(s, s.peers.get(to)!);
  if (s.status === "view_change" && s.isAnnouncing && hasLeftEarlierViews(s)) {
    send(s, to, { kind: "start_view_change", view: s.view });
  }
}

/**
 * Whether this view still has to begin. One that was entered once is over when its primary leaves it: only a later one
 * may follow. And whose primary has spoken has begun: what would be offered for it now is changing under its hands.
 */
function isOnItsWay(s: State): boolean {
  return s.status === "view_change" && s.logView < s.view && s.adopting === undefined;
}

/** Who has answered a primary that reads under a lease does not leave its view before that is over. */
function hasPromisedToStay(s: State, view: bigint): boolean {
  return view > s.view && s.status === "normal" && !isLeading(s) &&
    s.nowMs - s.primaryHeardMs < 2 * s.timing.leaseMs;
}

function announce(s: State): void {
  s.leavers.add(s.replicaId);
  s.announcedMs = s.nowMs;
  broadcast(s, { kind: "start_view_change", view: s.view });
}

/** A majority has left every earlier view: what this replica holds can no longer be outvoted there. */
function makeOffer(s: State): void {
  if (s.offer === undefined) {
    if (s.log.syncedOp < s.log.tipOp) return;
    const { view, logView, log } = s;
    s.offer = { view, logView, op: log.tipOp, hash: log.tipHash };
    store(s);
  }
  if (isOffered(s) && !s.offers.has(s.replicaId)) sendOffer(s);
}

function sendOffer(s: State): void {
  const { commitOp } = s;
  const offer: DoViewChange = { kind: "do_view_change", ...s.offer!, commitOp, slot: s.slot() };
  s.offers.set(s.replicaId, offer);
  const primary = primaryOf(s, s.view);
  if (primary !== s.replicaId) send(s, primary, offer);
}

/** The log that was right latest, and of those the longest: it holds everything that was ever committed. */
function choose(s: State): void {
  if (primaryOf(s, s.view) !== s.replicaId || s.chosen !== undefined) return;
  let best = s.replicaId;
  for (const [id, offer] of s.offers) if (isBetter(offer, s.offers.get(best)!)) best = id;
  const { op, hash, logView } = s.offers.get(best)!;
  s.chosen = { from: best, op, hash, slot: earliestSlot(s, logView) };
  s.matchedOp = s.commitOp;
  if (compare(s, op, hash) === "same") return finishFetch(s);
  request(s);
}

/**
 * Whoever acknowledged an entry of the latest view follows the clock of its primary, and a majority did: the earliest of
 * their clocks is not ahead of the one by which holds were counted. Others may be, and would end holds early.
 */
function earliestSlot(s: State, logView: bigint): bigint {
  let earliest: bigint | undefined;
  for (const offer of s.offers.values()) {
    if (offer.logView !== logView) continue;
    if (earliest === undefined || offer.slot < earliest) earliest = offer.slot;
  }
  return earliest!;
}

function isBetter(a: DoViewChange, b: DoViewChange): boolean {
  return a.logView === b.logView ? a.op > b.op : a.logView > b.logView;
}

function request(s: State): void {
  const { op: prevOp, hash: prevHash } = fetchBase(s);
  s.fetchId++;
  s.fetchedMs = s.nowMs;
  const { from, op: toOp } = s.chosen!;
  send(s, from, { kind: "get_log_range", requestId: s.fetchId, prevOp, prevHash, toOp });
}

/** Where the own log is known to be the chosen one; the own commit at first. */
function fetchBase(s: State): { op: bigint; hash: bigint } {
  const op = s.matchedOp > s.commitOp ? s.matchedOp : s.commitOp;
  return { op, hash: s.log.hashAt(op) ?? 0n };
}

function finishFetch(s: State): void {
  const { op } = s.chosen!;
  s.matchedOp = op;
  enterAsPrimary(s);
}

/** The chosen log is here; it counts when it is durable, and when that this is so is durable too. */
function enterAsPrimary(s: State): void {
  const { chosen } = s;
  if (chosen === undefined || s.isEntering || s.matchedOp < chosen.op) return;
  if (s.log.tipOp > chosen.op && !cutTo(s, chosen.op)) return;
  if (s.log.syncedOp < chosen.op) return;
  s.logView = s.view;
  s.offer = undefined;
  s.isEntering = true;
  s.effects.push({ kind: "slot", slot: chosen.slot }); // Before the first word of the view, which tells it to others.
  store(s);
  changeView(s);
}

function begin(s: State): void {
  const committed = [...s.offers.values()].map((offer) => offer.commitOp);
  s.chosen = undefined;
  s.isAnnouncing = false;
  lead(s);
  for (const op of committed) raiseCommit(s, op < s.log.syncedOp ? op : s.log.syncedOp);
}

/** The chosen log does not reach back to where this one ends: another replica must lead. */
function giveUp(s: State): void {
  s.chosen = undefined;
  s.deadlineMs = s.nowMs;
}
