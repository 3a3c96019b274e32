/** The one log that all replicas should hold, put together from their pieces: at each op the entry that the first of them has. */
import type { ClusterEvidence, LogEntry } from "./evidence.ts";

/** Two replicas hold different entries at one op. */
export interface Disagreement {
  readonly op: number;
  readonly replicaId: number;
  readonly otherId: number;
  readonly what: string;
}

/** See the top of this file. */
export interface CommittedLog {
  /** By op; the index is the op. What no piece has is missing. */
  readonly entries: readonly (LogEntry | undefined)[];
  /** Entries of all pieces that are committed. */
  readonly examined: number;
  readonly disagreements: readonly Disagreement[];
  /** The last op that anybody called committed. */
  readonly commitOp: number;
}

/** Puts it together. Entries behind a piece's commit position are left out: they may rightly be others in the end. */
export function committedLogOf({ logs }: ClusterEvidence): CommittedLog {
  const entries: (LogEntry | undefined)[] = [];
  const owners: number[] = [];
  const disagreements: Disagreement[] = [];
  let [examined, commitOp] = [0, 0];
  for (const piece of logs) {
    commitOp = Math.max(commitOp, piece.commitOp);
    for (const entry of piece.entries) {
      const { op } = entry;
      if (op > piece.commitOp) break;
      examined++;
      const known = entries[op];
      if (known === undefined) {
        entries[op] = entry;
        owners[op] = piece.replicaId;
        continue;
      }
      const what = known === entry ? undefined : differenceOf(known, entry);
      if (what === undefined) continue;
      disagreements.push({ op, replicaId: piece.replicaId, otherId: owners[op]!, what });
      break; // Whatever follows hangs from this one.
    }
  }
  return { entries, examined, disagreements, commitOp };
}

/** What of an entry is another than before. Equal hashes of different entries are a difference, too. */
function differenceOf(one: LogEntry, other: LogEntry): string | undefined {
  if (one.hash !== other.hash) return "hash";
  if (one.lsn !== other.lsn) return "lsn";
  if (one.slot !== other.slot) return "slot";
  if (one.view !== other.view) return "view";
  if (one.isCommand !== other.isCommand || one.isInternal !== other.isInternal) return "kind";
  return equalBytes(one.payload, other.payload) ? undefined : "command";
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
