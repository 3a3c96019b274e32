/**
 * The one log that all replicas should hold, put together from their pieces. Where they disagree it is the piece in which most
 * is committed: that is what the cluster has gone on with.
 */
import type { ClusterEvidence, LogEntry, LogPiece } from "./evidence.ts";

/** Two replicas hold different entries at one op. */
export interface Disagreement {
  readonly op: number;
  readonly replicaId: number;
  readonly otherId: number;
  /** What the replica has there, and what the other one has. */
  readonly entry: LogEntry;
  readonly other: LogEntry;
  readonly what: string;
}

/** See the top of this file. */
export interface CommittedLog {
  /** The entry at an op; nothing where no piece has one. */
  at(op: number): LogEntry | undefined;
  /** The last op that any piece has. */
  readonly tipOp: number;
  /** Entries of all pieces that are committed. */
  readonly examined: number;
  readonly disagreements: readonly Disagreement[];
  /** The last op that anybody called committed. */
  readonly commitOp: number;
}

/** Puts it together. Entries behind a piece's commit position are left out: they may rightly be others in the end. */
export function committedLogOf({ logs }: ClusterEvidence): CommittedLog {
  /** Whose entry stands at an op. */
  const owners: LogPiece[] = [];
  const at = (op: number): LogEntry | undefined => {
    const owner = owners[op];
    return owner?.entries.at(op - owner.baseOp - 1);
  };
  const disagreements: Disagreement[] = [];
  let [examined, commitOp] = [0, 0];
  for (const piece of logs.toSorted((a, b) => b.commitOp - a.commitOp)) {
    commitOp = Math.max(commitOp, piece.commitOp);
    for (const entry of piece.entries) {
      const { op } = entry;
      if (op > piece.commitOp) break;
      examined++;
      const known = at(op);
      if (known === undefined) {
        owners[op] = piece;
        continue;
      }
      const what = differenceOf(known, entry);
      if (what === undefined) continue;
      const { replicaId } = piece;
      const otherId = owners[op]!.replicaId;
      disagreements.push({ op, replicaId, otherId, entry, other: known, what });
      break; // Whatever follows hangs from this one.
    }
  }
  return { at, tipOp: Math.max(0, owners.length - 1), examined, disagreements, commitOp };
}

/** What of an entry is another than before, the most telling thing first: hashes are others wherever anything is. */
function differenceOf(one: LogEntry, other: LogEntry): string | undefined {
  if (one.lsn !== other.lsn) return "lsn";
  if (one.slot !== other.slot) return "slot";
  if (one.view !== other.view) return "view";
  if (one.isCommand !== other.isCommand || one.isInternal !== other.isInternal) return "kind";
  if (!equalBytes(one.payload, other.payload)) return "command";
  return one.hash === other.hash ? undefined : "hash";
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
