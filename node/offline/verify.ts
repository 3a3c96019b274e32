/** Whether the files of one replica are whole, and whether two replicas hold the same history. */
import type { Disk } from "../disk.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import { DamagedData, type History, readHistory, type ReplayedState, replayTo } from "./replay.ts";

/** What one directory was found to hold. */
export interface Verified {
  readonly replicaId: bigint;
  readonly view: bigint;
  readonly logView: bigint;
  readonly firstOp: bigint;
  /** The last op: not all of it need be committed. */
  readonly tipOp: bigint;
  readonly tipHash: bigint;
  /** The state with everything applied. */
  readonly state: ReplayedState;
  readonly ends: History["ends"];
}

/** What two directories have in common. */
export interface Comparison {
  readonly verdict:
    /** One log is a prefix of the other, and the states at the common op are equal. */
    | "same_history"
    /** They part behind everything that either knew to be committed: what only one saw may vanish. */
    | "different_tails"
    /** They part where one of them knew of a commit, or states differ under one history. */
    | "diverged"
    /** Their logs have no op in common to compare. */
    | "nothing_in_common";
  /** The last op at which both logs have the same hash. */
  readonly commonOp: bigint | undefined;
  /** The first at which they differ. */
  readonly differsAtOp: bigint | undefined;
  /** At least this much was committed, says either of them. */
  readonly knownCommitOp: bigint;
  /** State digests at the common op; absent when one of them has no snapshot that lies before it. */
  readonly digests: readonly [bigint, bigint] | undefined;
}

/**
 * Checks every frame and block, and that they lead to a state.
 *
 * @param disk The data directory.
 * @param metadata Its metadata.
 * @throws {DamagedData} When something is wrong.
 */
export function verifyDirectory(disk: Disk, metadata: ReplicaMetadata): Verified {
  const history = readHistory(disk, metadata);
  const state = replayTo(disk, metadata, history.tipOp);
  if (state === undefined) throw new DamagedData("every snapshot reaches further than the log");
  const { replicaId, view, logView } = metadata;
  return {
    ...{ replicaId, view, logView, firstOp: history.baseOp + 1n, tipOp: history.tipOp },
    ...{ tipHash: history.tipHash, state, ends: history.ends },
  };
}

/** One side of a comparison. */
export interface Side {
  readonly disk: Disk;
  readonly metadata: ReplicaMetadata;
}

/**
 * Compares two directories as far as both reach.
 *
 * @param a One.
 * @param b The other, of the same cluster and bounds.
 * @throws {DamagedData} When one of them is damaged.
 */
export function compareDirectories(a: Side, b: Side): Comparison {
  const [first, second] = [readHistory(a.disk, a.metadata), readHistory(b.disk, b.metadata)];
  const knownCommitOp = larger(a.metadata.commitOpHint, b.metadata.commitOpHint);
  const from = larger(first.baseOp, second.baseOp);
  const to = first.tipOp < second.tipOp ? first.tipOp : second.tipOp;
  const commonOp = lastCommon(first, second, from, to);
  const differsAtOp = commonOp === to ? undefined : (commonOp ?? from - 1n) + 1n;
  if (commonOp === undefined) {
    const verdict = from > to ? "nothing_in_common" : "diverged";
    const differs = from > to ? undefined : from;
    return { verdict, commonOp, differsAtOp: differs, knownCommitOp, digests: undefined };
  }
  const states = [a, b].map(({ disk, metadata }) => replayTo(disk, metadata, commonOp));
  const [left, right] = states.map((state) => state?.digest);
  const digests = left === undefined || right === undefined ? undefined : [left, right] as const;
  const verdict = verdictOf(digests, differsAtOp, knownCommitOp);
  return { verdict, commonOp, differsAtOp, knownCommitOp, digests };
}

function verdictOf(
  digests: Comparison["digests"],
  differsAtOp: bigint | undefined,
  knownCommitOp: bigint,
): Comparison["verdict"] {
  if (digests !== undefined && digests[0] !== digests[1]) return "diverged";
  if (differsAtOp === undefined) return "same_history";
  return differsAtOp <= knownCommitOp ? "diverged" : "different_tails";
}

/** Equal hashes at an op mean equal logs up to it, so the place where they part is found by halving. */
function lastCommon(a: History, b: History, from: bigint, to: bigint): bigint | undefined {
  if (from > to || a.hashAt(from) !== b.hashAt(from)) return undefined;
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (a.hashAt(middle) === b.hashAt(middle)) low = middle;
    else high = middle - 1n;
  }
  return low;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
