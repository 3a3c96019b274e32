/** Everything that the protocol knows. Only the functions of this folder change it. */
import { assert } from "../../core/assert.ts";
import type { ReplicaRole } from "./role.ts";
import type { Effect, Offer } from "./events.ts";
import type { ProtocolLog } from "./log_port.ts";
import type { DoViewChange, Message } from "./messages.ts";
import type { VsrTiming } from "./timing.ts";

/**
 * - `normal`: its log is that of its view, as primary or backup.
 * - `view_change`: on the way to its view, or without a primary in it.
 * - `recovering`: cannot prove what it once promised; takes entries but counts in nothing.
 * - `faulted`: takes no part.
 */
export type Status = "normal" | "view_change" | "recovering" | "faulted";

/** What the primary knows about another replica. */
export interface Peer {
  readonly id: bigint;
  isUp: boolean;
  /**
   * - `greet`: has not answered in this view; hears `start_view` again and again.
   * - `stream`: entries are sent as they come.
   * - `snapshot`: needs older entries than the log has.
   */
  mode: "greet" | "stream" | "snapshot";
  /** The next entry to send. */
  nextOp: bigint;
  /** Durable there, and the same as here. */
  matchOp: bigint;
  /** Whether its answers count. */
  counts: boolean;
  /** Highest round it has answered in this view. */
  round: bigint;
  /** When it was last heard in this view. */
  heardMs: number;
  /** When something was last sent to it. */
  sentMs: number;
  /** Messages with entries that it has not answered, oldest first. */
  unanswered: { readonly lastOp: bigint; readonly bytes: number }[];
  unansweredBytes: number;
  /** Something it was sent did not follow: one message at a time, until one does. */
  isProbing: boolean;
  /** When the last rejection was acted on: those that it and its like provoked come soon after. */
  rejectedMs: number;
}

/** The log that a view begins with. */
export interface ChosenLog {
  readonly from: bigint;
  readonly op: bigint;
  readonly hash: bigint;
  /** What the view's time begins with. */
  readonly slot: bigint;
}

/** A recovering replica's question to the others. */
export interface RecoveryQuestion {
  readonly nonce: bigint;
  askedMs: number;
  readonly answers: Map<bigint, { readonly view: bigint; readonly primaryOp: bigint | undefined }>;
}

/** See the top of this file. */
export interface State {
  readonly replicaId: bigint;
  /** All replicas in ascending order, this one included. */
  readonly members: readonly bigint[];
  readonly quorum: number;
  readonly timing: VsrTiming;
  /** A number from [0, 1). */
  readonly random: () => number;
  readonly log: ProtocolLog;
  /** The slot to tell backups. */
  readonly slot: () => bigint;
  readonly isManual: boolean;
  nowMs: number;
  status: Status;
  view: bigint;
  logView: bigint;
  commitOp: bigint;
  readonly effects: Effect[];

  /** What the disk certainly remembers. */
  durable: { view: bigint; logView: bigint; role: ReplicaRole; offer: Offer | undefined };
  /** What is being written. */
  storing:
    | { view: bigint; logView: bigint; role: ReplicaRole; offer: Offer | undefined }
    | undefined;
  /** The role that the host was told last. */
  toldRole: ReplicaRole | undefined;
  toldView: bigint;

  /** When this replica stops waiting for somebody else. */
  deadlineMs: number;
  /** When a primary of this view was last heard. */
  primaryHeardMs: number;
  /** The view that it would start, and who would join. */
  probing: { readonly view: bigint; readonly joined: Set<bigint> } | undefined;

  /** Whether the log of this view is held in full and only its being remembered is waited for. */
  isEntering: boolean;
  /** Whether this view was reached by leaving an earlier one, so that the others must hear of it. */
  isAnnouncing: boolean;
  announcedMs: number;
  readonly leavers: Set<bigint>;
  readonly offers: Map<bigint, DoViewChange>;
  /** What this replica offered itself in this view. */
  offer: Offer | undefined;
  /** The log that the new primary fetches. */
  chosen: ChosenLog | undefined;
  /** The request for entries that is under way. */
  fetchId: bigint;
  fetchedMs: number;

  /** What a backup's log must come to hold before it counts in this view. */
  adopting: { op: bigint; hash: bigint; throughOp: bigint } | undefined;
  /** The log is known to be the primary's up to here, in this view. */
  matchedOp: bigint;
  /** Highest round heard in this view, and the highest one answered. */
  heardRound: bigint;
  answeredRound: bigint;
  answeredOp: bigint;
  /** What was rejected last, and when: of many messages behind one gap the first says it all. */
  rejectedOp: bigint;
  rejectedMs: number;

  readonly peers: Map<bigint, Peer>;
  /** Where the log stood when this primary's view began. */
  startOp: bigint;
  startHash: bigint;
  round: bigint;
  /** The highest round that a majority has answered. */
  confirmedRound: bigint;
  /** The highest round that somebody waits for. */
  wantedRound: bigint;
  /** When the newest round was sent. */
  roundSentMs: number;
  /** Until when reads need no further round. */
  leaseUntilMs: number;
  /** When the last event was, and the last tick. */
  lastEventMs: number;
  tickMs: number;

  recovery: RecoveryQuestion | undefined;
  readonly counters: Counters;
}

/** Figures that only grow. */
export interface Counters {
  viewChangesStarted: number;
  viewsLed: number;
  stepDowns: number;
  probesGranted: number;
  probesDenied: number;
  rejectsSent: number;
  rejectsReceived: number;
  entriesCut: number;
  readRounds: number;
  snapshotOffers: number;
}

/** Who leads a view. */
export function primaryOf(s: State, view: bigint): bigint {
  assert(view > 0n, "vsr/view-is-counted-from-one");
  return s.members[Number((view - 1n) % BigInt(s.members.length))]!;
}

/** Whether this replica is the primary of its view and its view has begun. */
export function isLeading(s: State): boolean {
  return s.status === "normal" && primaryOf(s, s.view) === s.replicaId;
}

/** What it is, in the runbook's words. */
export function roleOf(s: State): ReplicaRole {
  switch (s.status) {
    case "faulted":
      return "faulted";
    case "recovering":
      return "recovering";
    case "view_change":
      return "view_uncertain";
    case "normal":
      return isLeading(s) ? "primary" : "backup";
  }
}

/** Sends a message to one replica. */
export function send(s: State, to: bigint, message: Message): void {
  s.effects.push({ kind: "send", to, message });
}

/** Sends a message to all others. */
export function broadcast(s: State, message: Message): void {
  for (const peer of s.peers.keys()) send(s, peer, message);
}

/** Puts off the moment at which this replica stops waiting, by a random time. */
export function resetDeadline(s: State): void {
  const { electionMsMin, electionMsMax } = s.timing;
  s.deadlineMs = s.nowMs + electionMsMin + s.random() * (electionMsMax - electionMsMin);
}

/** Tells the host when role or view have changed. */
export function tellRole(s: State): void {
  const role = roleOf(s);
  if (role === s.toldRole && s.view === s.toldView) return;
  s.toldRole = role;
  s.toldView = s.view;
  s.effects.push({ kind: "role", role, view: s.view });
}

/** Raises what is known to be committed. */
export function raiseCommit(s: State, op: bigint): void {
  if (op <= s.commitOp) return;
  s.commitOp = op;
  s.effects.push({ kind: "commit", op });
}

/** A replica that nothing is known about. */
export function createPeer(id: bigint): Peer {
  return {
    id,
    isUp: false,
    mode: "greet",
    nextOp: 1n,
    matchOp: 0n,
    counts: false,
    round: 0n,
    heardMs: -Infinity,
    sentMs: -Infinity,
    unanswered: [],
    unansweredBytes: 0,
    isProbing: false,
    rejectedMs: -Infinity,
  };
}
