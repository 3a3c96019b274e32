/** What replicas said of themselves, as bands and lines under the time axis of the run. */
import type { ReplicaSample } from "../history/event.ts";
import type { FaultSpan, Recording } from "../history/recording.ts";

/** Kinds of bands; each has a colour and a pattern of its own. */
export const BAND_KINDS = [
  "primary",
  "backup",
  "recovering",
  "view_change",
  "faulted",
  "down",
  "other",
] as const;

/** One of {@linkcode BAND_KINDS}. */
export type BandKind = typeof BAND_KINDS[number];

/** Points of a line that are kept for a replica. */
const POINTS_MAX = 400;
/** A fault this long before a view change is still called its cause. */
const CAUSE_NS = 15e9;

/** See the top of this file. */
export interface Cluster {
  readonly replicas: readonly ReplicaLane[];
  readonly viewChanges: readonly ViewChange[];
}

/** One replica. */
export interface ReplicaLane {
  readonly replicaId: number;
  readonly bands: readonly Band[];
  readonly commits: readonly CommitPoint[];
}

/** A stretch in which a replica said the same of itself. */
export interface Band {
  readonly fromNs: number;
  readonly toNs: number;
  readonly kind: BandKind;
  /** In its own words. */
  readonly role: string;
  readonly view: string;
  readonly detail: string;
}

/** How far a replica was. */
export interface CommitPoint {
  readonly atNs: number;
  readonly lsn: number;
  /** Behind the greatest lsn that any replica had told of. */
  readonly lag: number;
}

/** Somebody was first seen in a higher view. */
export interface ViewChange {
  readonly atNs: number;
  readonly view: string;
  readonly primary: number | undefined;
  /** The fault that was there or had just been; empty if none was. */
  readonly cause: string;
}

/** Reads the samples of a recording. */
export function clusterOf({ samples, faults, endNs }: Recording): Cluster {
  const inOrder = [...samples].sort((a, b) => a.timeNs - b.timeNs);
  const commits = commitsOf(inOrder);
  const replicas = [...Map.groupBy(inOrder, ({ replicaId }) => replicaId)]
    .sort(([a], [b]) => a - b)
    .map(([replicaId, these]) => ({
      replicaId,
      bands: bandsOf(these, endNs),
      commits: thinned(commits.get(replicaId) ?? []),
    }));
  return { replicas, viewChanges: viewChangesOf(inOrder, faults) };
}

function bandsOf(samples: readonly ReplicaSample[], endNs: number): Band[] {
  const bands: { -readonly [Key in keyof Band]: Band[Key] }[] = [];
  for (const { timeNs, state, role, view, detail } of samples) {
    const last = bands.at(-1);
    const said = { role: role ?? state, view: view === undefined ? "" : String(view) };
    const kind = kindOf(state, role);
    if (last !== undefined) last.toNs = timeNs;
    if (last?.role === said.role && last.view === said.view && last.kind === kind) continue;
    bands.push({ fromNs: timeNs, toNs: timeNs, kind, ...said, detail: detail ?? "" });
  }
  const last = bands.at(-1);
  if (last !== undefined) last.toNs = Math.max(last.toNs, endNs);
  return bands;
}

function kindOf(state: string, role: string | undefined): BandKind {
  const said = `${state} ${role ?? ""}`.toLowerCase();
  if (/down|unreach|silent|dead|stopped|refused|no answer/.test(said)) return "down";
  if (/fault/.test(said)) return "faulted";
  if (/recover|catch|starting|wiped/.test(said)) return "recovering";
  if (/uncertain|view.?change/.test(said)) return "view_change";
  if (/primary|leader/.test(said)) return "primary";
  if (/backup|follower|replica/.test(said)) return "backup";
  return "other";
}

function commitsOf(samples: readonly ReplicaSample[]): Map<number, CommitPoint[]> {
  const commits = new Map<number, CommitPoint[]>();
  let greatest = 0;
  for (const { timeNs, replicaId, commitLsn } of samples) {
    if (commitLsn === undefined) continue;
    const lsn = Number(commitLsn);
    greatest = Math.max(greatest, lsn);
    const point = { atNs: timeNs, lsn, lag: greatest - lsn };
    const these = commits.get(replicaId) ?? [];
    these.push(point);
    commits.set(replicaId, these);
  }
  return commits;
}

/** Of each stretch the point that lags most: an outlier is what somebody looks for. */
function thinned(points: readonly CommitPoint[]): readonly CommitPoint[] {
  if (points.length <= POINTS_MAX) return points;
  const size = Math.ceil(points.length / POINTS_MAX);
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const these = points.slice(index * size, (index + 1) * size);
    return these.reduce((worst, point) => point.lag > worst.lag ? point : worst);
  });
}

function viewChangesOf(
  samples: readonly ReplicaSample[],
  faults: readonly FaultSpan[],
): ViewChange[] {
  const changes: ViewChange[] = [];
  let highest: bigint | undefined;
  for (const { timeNs, view } of samples) {
    if (view === undefined || (highest !== undefined && view <= highest)) continue;
    if (highest !== undefined) {
      const primary = samples.find((other) =>
        other.view === view && other.role === "primary" && other.timeNs >= timeNs
      )?.replicaId;
      changes.push({ atNs: timeNs, view: String(view), primary, cause: causeOf(timeNs, faults) });
    }
    highest = view;
  }
  return changes;
}

function causeOf(atNs: number, faults: readonly FaultSpan[]): string {
  const before = faults.filter(({ startNs, stopNs }) =>
    startNs <= atNs && atNs <= (stopNs ?? Infinity) + CAUSE_NS
  );
  return before.toSorted((a, b) => a.startNs - b.startNs).at(-1)?.name ?? "";
}
