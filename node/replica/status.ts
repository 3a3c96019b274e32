/** What operators and clients get to see of a replica. */
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import type { NodeIdentity, ReplicationView } from "../api.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import type { Node, StartupFacts } from "../node.ts";
import type { ReplicaRole, Vote } from "../vsr/role.ts";

/** What an operator sees of a replica. */
export interface ReplicaStatus {
  readonly replicaId: bigint;
  readonly members: readonly bigint[];
  readonly state: "active" | "faulted";
  readonly role: ReplicaRole;
  readonly view: bigint;
  readonly logView: bigint;
  /** Whom it follows now. */
  readonly primary: bigint | undefined;
  readonly commitOp: bigint;
  readonly appliedOp: bigint;
  readonly tipOp: bigint;
  readonly tipHash: bigint;
  readonly syncedOp: bigint;
  readonly commitLsn: bigint | undefined;
  readonly snapshotLsn: bigint | undefined;
  /** Whether its engine would take commands in, were it the primary. */
  readonly acceptingWrites: boolean | undefined;
  readonly startup: StartupFacts | undefined;
  readonly faultReason: string | undefined;
  readonly lastNormalView: bigint;
  readonly durableVote: Vote | null;
  readonly peers: readonly PeerStatus[];
  readonly counters: Readonly<Record<string, number>>;
}

/** What a replica knows about another one; of use on the primary. */
export interface PeerStatus {
  readonly id: bigint;
  readonly connected: boolean;
  /** Durable there, as far as known here. */
  readonly matchOp: bigint;
  /** Entries that it lacks. */
  readonly lag: bigint;
  /** Milliseconds since it was heard. */
  readonly lastHeardMs: number | undefined;
  readonly state: "probe" | "stream" | "snapshot";
}

/** What a status is made from. */
export interface StatusParts {
  readonly identity: NodeIdentity;
  readonly members: readonly bigint[];
  readonly metadata: ReplicaMetadata;
  /** Absent while the data is not open. */
  readonly node: Node | undefined;
  readonly role: ReplicaRole;
  readonly faultReason: string | undefined;
  /** Whether there is a connection, by replica. */
  readonly links: ReadonlyMap<bigint, boolean>;
  readonly nowMs: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** Puts a status together. */
export function replicaStatus(parts: StatusParts): ReplicaStatus {
  const { metadata, node, role } = parts;
  const state = node?.driver.state;
  const lsn = node === undefined ? 0n : readU64(node.executor.appliedTip, TipWord.lsn);
  return {
    replicaId: parts.identity.replicaId,
    members: parts.members,
    state: role === "faulted" ? "faulted" : "active",
    role,
    view: state?.view ?? metadata.view,
    logView: state?.logView ?? metadata.logView,
    primary: node?.driver.primary.primary,
    commitOp: state?.commitOp ?? metadata.commitOpHint,
    appliedOp: node?.executor.appliedOp ?? 0n,
    tipOp: node?.driver.tipOp ?? 0n,
    tipHash: node?.driver.tipHash ?? 0n,
    syncedOp: node?.driver.syncedOp ?? 0n,
    commitLsn: lsn === 0n ? undefined : lsn,
    snapshotLsn: node?.checkpointer.activeSnapshotLsn,
    acceptingWrites: node?.executor.isSound,
    startup: node?.startup,
    faultReason: parts.faultReason,
    lastNormalView: metadata.logView,
    durableVote: metadata.vote,
    peers: peersOf(parts),
    counters: { ...state?.counters, ...parts.counters },
  };
}

/** The figures of a status that change all the time, for whoever looks after every turn. */
export interface ReplicaGlance {
  /** Whether the data is open: without it there is nothing to show but what was once written down. */
  isOpen: boolean;
  role: ReplicaRole;
  view: bigint;
  commitOp: bigint;
  appliedOp: bigint;
  tipOp: bigint;
  /** How often the data directory was opened again. */
  reopens: number;
}

/** A glance before anything was seen. */
export function createGlance(): ReplicaGlance {
  return {
    isOpen: false,
    role: "recovering",
    view: 0n,
    commitOp: 0n,
    appliedOp: 0n,
    tipOp: 0n,
    reopens: 0,
  };
}

/** Fills a glance in; a replica whose data is not open leaves it as it is but for that. */
export function glanceAt(
  glance: ReplicaGlance,
  node: Node | undefined,
  role: ReplicaRole,
  reopens: number,
): void {
  glance.isOpen = node !== undefined;
  glance.role = role;
  glance.reopens = reopens;
  if (node === undefined) return;
  const { driver, executor } = node;
  glance.view = driver.state.view;
  glance.commitOp = driver.state.commitOp;
  glance.appliedOp = executor.appliedOp;
  glance.tipOp = driver.tipOp;
}

/** The part of a status that clients may see. */
export function replicationView(status: ReplicaStatus): ReplicationView {
  const { role, view, primary, commitOp, appliedOp, tipOp } = status;
  const peers = status.peers.map(({ id, connected, matchOp, lag, lastHeardMs }) => (
    { replicaId: id, connected, matchOp, lag, lastHeardMs }
  ));
  return { role, view, primary, commitOp, appliedOp, tipOp, peers };
}

function peersOf({ node, links, nowMs }: StatusParts): PeerStatus[] {
  const driver = node?.driver;
  return [...links].map(([id, connected]) => {
    const peer = driver?.state.peers.get(id);
    const matchOp = peer?.matchOp ?? 0n;
    const heardMs = peer?.heardMs ?? -Infinity;
    return {
      id,
      connected,
      matchOp,
      lag: driver === undefined || driver.tipOp < matchOp ? 0n : driver.tipOp - matchOp,
      lastHeardMs: heardMs === -Infinity ? undefined : nowMs - heardMs,
      state: peer === undefined || peer.mode === "greet" ? "probe" : peer.mode,
    };
  });
}
