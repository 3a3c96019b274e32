/**
 * The end of a run: all is put right, what clients were never told is asked about, and the replicas' logs are read. Where the
 * cluster cannot be put right any more, its logs are what matters most: as much as proves something is collected then.
 */
import { CliError } from "../../../node/errors.ts";
import { type Backend, primaryOf, type ReplicaStatus, type Settled } from "../backend/backend.ts";
import type { ClusterEvidence } from "../evidence/evidence.ts";
import type { WorkloadCounts } from "../workload/counts.ts";
import { REAL_PACE } from "../workload/token_bucket.ts";
import type { Workload } from "../workload/workload.ts";

/** Expirations that are due are through so long after the last hold fell due, in milliseconds. */
const DRAIN_MS = 500;
/** Asking about what was never told may take so long in all, in milliseconds. */
const RESOLVE_MS_MAX = 180_000;

/** What is needed. */
export interface EndOptions {
  readonly backend: Pick<Backend, "mend" | "settle" | "statuses" | "evidence">;
  readonly workload: Pick<Workload, "resolve" | "askAgain" | "readAll" | "holdMsMax"> & {
    counts(): Pick<WorkloadCounts, "unresolved">;
  };
  readonly signal: AbortSignal;
  readonly told: { event(detail: string): void };
}

/** What there is in the end. */
export interface Ended {
  readonly settled: Settled | undefined;
  readonly evidence: ClusterEvidence | undefined;
  /** Why not everybody is at rest. */
  readonly problem: string | undefined;
}

/** Ends a run; the load must be over. */
export async function endRun(options: EndOptions): Promise<Ended> {
  const { backend, signal, told } = options;
  try {
    await backend.mend(signal);
    await resolveAll(options);
    const settled = await backend.settle(signal);
    told.event(`settled in ${Math.round(settled.settleMs)} ms`);
    return { settled, evidence: await backend.evidence(), problem: undefined };
  } catch (error) {
    if (signal.aborted || !(error instanceof CliError)) throw error;
    told.event(`the cluster is not well again: ${error.message}`);
    return await collectRest(options, error.message);
  }
}

/** A primary that a majority follows holds all that anybody was told: without one, nothing is proved by what is not there. */
async function collectRest(options: EndOptions, problem: string): Promise<Ended> {
  const { backend } = options;
  if (!isFollowed(await backend.statuses())) {
    return { settled: undefined, evidence: undefined, problem };
  }
  await resolveAll(options);
  const isStillFollowed = isFollowed(await backend.statuses());
  const evidence = isStillFollowed ? await evidenceIfAny(options) : undefined;
  return { settled: undefined, evidence, problem };
}

async function evidenceIfAny({ backend, told }: EndOptions): Promise<ClusterEvidence | undefined> {
  try {
    return await backend.evidence();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    told.event(`the logs prove nothing: ${error.message}`);
    return undefined;
  }
}

function isFollowed(statuses: readonly ReplicaStatus[]): boolean {
  const primary = statuses.find(({ id }) => id === primaryOf(statuses));
  if (primary === undefined) return false;
  const followers = statuses.filter(({ state, role, view }) =>
    state === "active" && (role === "primary" || role === "backup") && view === primary.view
  );
  return followers.length * 2 > statuses.length;
}

async function resolveAll({ workload, signal, told }: EndOptions): Promise<void> {
  const open = workload.counts().unresolved;
  told.event(`${open} outcomes are unknown, asking again`);
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(RESOLVE_MS_MAX)]);
  await workload.resolve(inTime);
  await workload.askAgain(inTime);
  await workload.resolve(inTime);
  await REAL_PACE.wait(workload.holdMsMax + DRAIN_MS, inTime);
  await workload.readAll(inTime);
  told.event(`${workload.counts().unresolved} outcomes stay unknown`);
}
