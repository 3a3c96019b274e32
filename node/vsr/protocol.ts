/**
 * Viewstamped Replication as one function from an event to what is to be done. It reads no clock, draws no number
 * and touches no disk of its own: all of that is handed in, so that one seed replays everything.
 * Source: docs/decisions/0010-replication.md; Liskov and Cowling, Viewstamped Replication Revisited (2012).
 */
import { assert } from "../../core/assert.ts";
import type { Effect, Event, Offer } from "./events.ts";
import { adopt, followOn, onPrepare, onSnapshotOffer, onStartView } from "./follow.ts";
import {
  greet,
  lead,
  onPrepareOk,
  onPrepareReject,
  replicate,
  tickLead,
  wantAuthority,
} from "./lead.ts";
import type { ProtocolLog } from "./log_port.ts";
import type { Message } from "./messages.ts";
import { askAround, onRecovery, onRecoveryResponse, tickRecovery } from "./recovery.ts";
import { createPeer, isLeading, primaryOf, resetDeadline, type State, tellRole } from "./state.ts";
import { hasEntered, store, stored } from "./store.ts";
import type { VsrTiming } from "./timing.ts";
import {
  changeView,
  joinView,
  onDoViewChange,
  onLogRange,
  onProbeView,
  onProbeViewOk,
  onStartViewChange,
  probe,
  seeLaterView,
  startNextView,
  tickViewChange,
} from "./view.ts";

/** What a replica starts from. */
export interface ProtocolOptions {
  readonly replicaId: bigint;
  /** All replicas in ascending order, this one included. */
  readonly members: readonly bigint[];
  readonly timing: VsrTiming;
  /** A number from [0, 1). */
  readonly random: () => number;
  readonly log: ProtocolLog;
  /** The slot to tell backups. */
  readonly slot: () => bigint;
  /** What was remembered. */
  readonly view: bigint;
  readonly logView: bigint;
  readonly offer: Offer | undefined;
  /** Everything up to here is applied. */
  readonly commitOp: bigint;
  /**
   * - `founder`: its first start, with all others, in view 1.
   * - `member`: it holds what it promised.
   * - `recovering`: it may not.
   */
  readonly standing: "founder" | "member" | "recovering";
  /** Views change only when an operator says so. */
  readonly isManual: boolean;
}

/**
 * Makes the state of a replica that has not started.
 *
 * @param options What it starts from.
 * @returns The state; {@linkcode step} alone changes it.
 */
export function createState(options: ProtocolOptions): State {
  const { replicaId, members, view, logView, offer, standing } = options;
  assert(members.includes(replicaId), "vsr/replica-is-a-member");
  const role = standing === "recovering" ? "recovering" as const : "view_uncertain" as const;
  const others = members.filter((id) => id !== replicaId);
  return {
    replicaId,
    members,
    quorum: Math.floor(members.length / 2) + 1,
    timing: options.timing,
    random: options.random,
    log: options.log,
    slot: options.slot,
    isManual: options.isManual,
    nowMs: 0,
    status: standing === "recovering" ? "recovering" : "view_change",
    view: standing === "founder" ? 1n : view,
    logView: standing === "founder" ? 1n : logView,
    commitOp: options.commitOp,
    effects: [],
    durable: { view, logView, role, offer },
    storing: undefined,
    toldRole: undefined,
    toldView: 0n,
    deadlineMs: 0,
    primaryHeardMs: -Infinity,
    probing: undefined,
    isEntering: false,
    isAnnouncing: false,
    announcedMs: 0,
    leavers: new Set(),
    offers: new Map(),
    offer: undefined,
    chosen: undefined,
    fetchId: 0n,
    fetchedMs: 0,
    adopting: undefined,
    matchedOp: 0n,
    heardRound: 0n,
    answeredRound: 0n,
    answeredOp: 0n,
    rejectedOp: -1n,
    rejectedMs: -Infinity,
    peers: new Map(others.map((id) => [id, createPeer(id)])),
    startOp: 0n,
    startHash: 0n,
    round: 0n,
    confirmedRound: 0n,
    wantedRound: 0n,
    roundSentMs: 0,
    leaseUntilMs: 0,
    lastEventMs: 0,
    tickMs: 0,
    recovery: undefined,
    counters: {
      viewChangesStarted: 0,
      viewsLed: 0,
      stepDowns: 0,
      probesGranted: 0,
      probesDenied: 0,
      rejectsSent: 0,
      rejectsReceived: 0,
      entriesCut: 0,
      readRounds: 0,
      snapshotOffers: 0,
    },
  };
}

/**
 * Takes one event in.
 *
 * @param s The replica; changed.
 * @param event What happened.
 * @param nowMs Monotonic milliseconds; never less than before.
 * @returns What is to be done, in order. Valid until the next call.
 */
export function step(s: State, event: Event, nowMs: number): readonly Effect[] {
  s.effects.length = 0;
  s.lastEventMs = s.nowMs;
  s.nowMs = nowMs;
  if (s.status !== "faulted") take(s, event);
  return s.effects;
}

function take(s: State, event: Event): void {
  switch (event.kind) {
    case "start":
      return start(s);
    case "tick":
      tick(s);
      s.tickMs = s.nowMs;
      return;
    case "message":
      if (s.peers.has(event.from)) receive(s, event.from, event.message);
      return;
    case "link":
      return link(s, event.peer, event.isUp);
    case "log_changed":
      return logChanged(s);
    case "stored":
      stored(s);
      return goOn(s);
    case "authority_wanted":
      if (isLeading(s)) wantAuthority(s);
      return;
    case "view_change_wanted":
      return startNextView(s);
    case "failed":
      return fail(s);
  }
}

/**
 * A backup goes on in its view. A primary does not: it may have sent entries that its own disk never got, and would
 * give their ops to others. Alone, it has sent nothing to anybody.
 */
function start(s: State): void {
  resetDeadline(s);
  s.tickMs = s.nowMs;
  if (s.timing.leaseMs > 0) s.primaryHeardMs = s.nowMs; // It may have promised a primary to stay.
  if (s.status === "recovering") {
    tellRole(s);
    store(s);
    return askAround(s);
  }
  if (s.quorum === 1) return startAlone(s);
  const isFounder = s.durable.view === 0n;
  const isPrimary = primaryOf(s, s.view) === s.replicaId;
  if (s.logView === s.view && isFounder) {
    s.isEntering = true;
    return store(s);
  }
  if (s.logView === s.view && isPrimary) return joinView(s, s.view + 1n, "aloud");
  if (s.logView === s.view) {
    s.status = "normal";
    tellRole(s);
    return store(s);
  }
  s.isAnnouncing = true;
  tellRole(s);
  store(s);
  changeView(s);
}

function startAlone(s: State): void {
  if (s.view === 0n) s.view = 1n;
  s.logView = s.view;
  if (hasEntered(s)) return lead(s);
  s.isEntering = true;
  store(s);
}

function tick(s: State): void {
  if (isLeading(s)) return tickLead(s);
  if (s.status === "recovering") return tickRecovery(s);
  if (s.status === "view_change") tickViewChange(s);
  if (s.nowMs >= s.deadlineMs && s.quorum > 1) probe(s);
}

/** Whatever was waited for, it may have come. */
function goOn(s: State): void {
  if (s.isEntering && hasEntered(s)) enter(s);
  if (s.status === "view_change") changeView(s);
  if (s.status === "view_change" || s.status === "recovering") adopt(s);
}

/** A first view, or the only replica's: nobody has to agree. */
function enter(s: State): void {
  if (s.adopting !== undefined || s.chosen !== undefined || s.status !== "view_change") return;
  if (primaryOf(s, s.view) === s.replicaId) return lead(s);
  s.status = "normal";
  s.isEntering = false;
  resetDeadline(s);
  tellRole(s);
}

function logChanged(s: State): void {
  if (isLeading(s)) return replicate(s);
  changeView(s);
  followOn(s);
}

function link(s: State, id: bigint, isUp: boolean): void {
  const peer = s.peers.get(id);
  if (peer === undefined) return;
  peer.isUp = isUp;
  if (isUp && isLeading(s)) {
    const { heardMs } = peer;
    greet(s, peer);
    peer.heardMs = heardMs; // That a connection opened says nothing about whom the peer follows.
  }
}

function fail(s: State): void {
  s.status = "faulted";
  tellRole(s);
}

function receive(s: State, from: bigint, m: Message): void {
  switch (m.kind) {
    case "prepare":
    case "start_view":
    case "snapshot_offer":
      if (m.view < s.view) return correct(s, from);
      if (m.kind === "prepare") return onPrepare(s, from, m);
      return m.kind === "start_view" ? onStartView(s, from, m) : onSnapshotOffer(s, from, m);
    case "prepare_ok":
    case "prepare_reject": {
      if (m.view > s.view) return seeLaterView(s, m.view);
      if (m.view < s.view || !isLeading(s)) return;
      const peer = s.peers.get(from)!;
      return m.kind === "prepare_ok" ? onPrepareOk(s, peer, m) : onPrepareReject(s, peer, m);
    }
    case "probe_view":
      return onProbeView(s, from, m);
    case "probe_view_ok":
      return onProbeViewOk(s, from, m);
    case "start_view_change":
      return onStartViewChange(s, from, m);
    case "do_view_change":
      return onDoViewChange(s, from, m);
    case "log_range":
      return onLogRange(s, from, m);
    case "recovery":
      return onRecovery(s, from, m);
    case "recovery_response":
      return onRecoveryResponse(s, from, m);
    case "get_log_range":
    case "get_snapshot_chunk":
    case "snapshot_chunk":
      return; // The host's: they ask for bytes and decide nothing.
  }
}

/**
 * Somebody still leads an earlier view: our view in the answer tells it so. So does a replica that does not count: it can never
 * follow into a view before its own.
 */
function correct(s: State, to: bigint): void {
  if (s.durable.view < s.view) return;
  s.effects.push({
    kind: "send",
    to,
    message: { kind: "prepare_reject", view: s.view, op: 0n },
  });
}
