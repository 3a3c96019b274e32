/**
 * A cluster under test: what a run needs of it, and what can be done to it. Local processes, virtual machines and pods
 * implement this; who breaks, loads or judges a cluster knows nothing else of it. Errors are `CliError`s with a hint.
 */
import type { LinkFault } from "../../../node/peer/line.ts";
import type { ClusterEvidence } from "../evidence/evidence.ts";
import type { HistoryBounds } from "../history/event.ts";

/** What a backend may be able to do to its replicas. What it does not name in {@linkcode Backend.can} it refuses. */
export const ABILITIES = [
  "kill",
  "pause",
  "wipe",
  "isolate",
  "partition",
  /** Cut one direction of a link between replicas. */
  "cut",
  /** The same between a replica and its clients. */
  "client_cut",
  /** Loss, delay, reordering, duplicates, little bandwidth. */
  "bad_link",
  "disk",
  "clock",
  /** Have a replica write a snapshot and drop what of its log that covers. No fault. */
  "checkpoint",
] as const;

/** One of {@linkcode ABILITIES}. */
export type Ability = typeof ABILITIES[number];

/** One end of a link: a replica, the clients, or every other replica. */
export type LinkEnd = number | "client" | "all";

/** How disks fail. */
export const DISK_FAULTS = ["eio", "enospc", "torn-write", "fsync-failure", "slow"] as const;

/** What a disk does wrong. */
export interface DiskTrouble {
  readonly kind: typeof DISK_FAULTS[number];
  /** Operations that are let through first. */
  readonly after: number;
  /** For `slow`: how much longer a sync takes, in milliseconds. */
  readonly delayMs?: number;
}

/** How a clock is wrong. */
export interface ClockTrouble {
  /** Milliseconds that it is ahead; behind when negative. */
  readonly skewMs: number;
  /** How fast it goes; 1 is right. */
  readonly rate: number;
}

/** One replica, for clients. */
export interface ReplicaAddress {
  readonly id: number;
  /** `HOST:PORT` at which this process reaches it. */
  readonly clientAddress: string;
}

/** What a replica is found to be. */
export interface ReplicaStatus {
  readonly id: number;
  /** `paused`, `unreachable` and `stopped` are found out from outside; such a replica says nothing of itself. */
  readonly state: "active" | "faulted" | "paused" | "unreachable" | "stopped";
  /** `primary`, `backup`, `recovering`, ... */
  readonly role?: string;
  readonly view?: bigint;
  readonly commitOp?: bigint;
  readonly commitLsn?: bigint;
  readonly appliedOp?: bigint;
  readonly tipOp?: bigint;
  /** Whether it is the primary of an established view and takes writes. */
  readonly serves: boolean;
  /** Why it is faulted, or who has its place. */
  readonly detail?: string;
}

/** The state of one replica at one op. */
export interface ReplicaDigest {
  readonly id: number;
  readonly op: bigint;
  readonly lsn: bigint;
  readonly digest: bigint;
}

/** What was done so that all is well again. */
export interface Mended {
  /** Did not run, and were started. */
  readonly started: readonly number[];
  readonly resumed: readonly number[];
  /** Stayed faulted with nothing wrong any more, and were killed and started again as an operator would. */
  readonly operatorRestarts: readonly number[];
}

/** A cluster at rest. */
export interface Settled extends Mended {
  /** One of each replica, all at one op. Whether they are one state is for a judge to say. */
  readonly digests: readonly ReplicaDigest[];
  /** How long it took, in milliseconds. */
  readonly settleMs: number;
}

/** What is known once the cluster runs. */
export interface ClusterFacts {
  readonly replicas: readonly ReplicaAddress[];
  /** Version line of the program under test. */
  readonly program: string;
  readonly slotDurationMs: number;
  readonly bounds: HistoryBounds;
  /** Most resources that there may be: workloads use a bounded pool. */
  readonly maxResources: number;
  /** Text of the credential with which clients prove who they are, where the cluster asks. */
  readonly secret: string | undefined;
  /** For the report: layout, ports, bounds in words. */
  readonly settings: Readonly<Record<string, string>>;
}

/** See the top of this file. */
export interface Backend {
  /** `local`, `qemu`, `kubevirt`. */
  readonly name: string;
  readonly can: ReadonlySet<Ability>;

  /**
   * Makes everything ready, with nothing wrong and a primary that serves. Evidence is collected from now on.
   *
   * @param signal Gives up; {@linkcode Backend.end} is still due.
   */
  start(signal?: AbortSignal): Promise<ClusterFacts>;
  /** All replicas in the order of their ids; never throws for one that does not answer. */
  statuses(): Promise<readonly ReplicaStatus[]>;

  /** Ends its process at once, without a chance to write anything more. */
  kill(id: number): Promise<void>;
  /** Starts what does not run, through recovery of what is on its disk; answers once it answers. */
  restart(id: number): Promise<void>;
  /** Its process stands still and knows nothing of the time that passes. */
  pause(id: number): Promise<void>;
  resume(id: number): Promise<void>;
  /** All data of a replica that does not run is gone. */
  wipe(id: number): Promise<void>;
  /** Cut off from peers and clients, or no longer. */
  isolate(id: number, isolated: boolean): Promise<void>;
  /** Replicas reach only those of their own group, each stands in exactly one; none ends it. */
  partition(groups: readonly (readonly number[])[]): Promise<void>;
  /** One direction; takes the place of what was wrong with it before, and an empty fault makes it good. */
  link(from: LinkEnd, to: LinkEnd, fault: LinkFault): Promise<void>;
  /** Takes the place of what was wrong before; `undefined` makes it good. */
  disk(id: number, trouble: DiskTrouble | undefined): Promise<void>;
  /** The same for its clock. */
  clock(id: number, trouble: ClockTrouble | undefined): Promise<void>;
  /** Asks for a snapshot. Answers whether it was written: a replica that cannot do so now does not. */
  checkpoint(id: number): Promise<boolean>;
  /** Ends every fault of networks, disks and clocks. Starts and resumes nobody. */
  heal(): Promise<void>;

  /** Heals, starts what does not run, resumes what is paused, helps whoever stays faulted, until all take part. */
  mend(signal?: AbortSignal): Promise<Mended>;
  /** The same, and waits until all hold and have applied one op. Only without load. */
  settle(signal?: AbortSignal): Promise<Settled>;
  /** What the replicas' disks hold of the run; only when settled. */
  evidence(): Promise<ClusterEvidence>;
  /**
   * Copies logs, layout, faults and timeline; also of a cluster that was never started here.
   *
   * @param directory Exists; taken as it is.
   * @returns What was copied, relative to it.
   */
  collectLogs(directory: string): Promise<readonly string[]>;
  /** Ends what was started here and nothing else. May be called at any time, also twice. */
  end(): Promise<void>;
  /**
   * Ends what a run that was killed has left running; instead of a start.
   *
   * @throws {CliError} E_WORKSPACE_LOCKED when that run goes on.
   */
  sweep(): Promise<void>;
}

/** The replica that serves; of two that say so, the one of the later view. */
export function primaryOf(statuses: readonly ReplicaStatus[]): number | undefined {
  const serving = statuses.filter(({ serves }) => serves);
  return serving.sort((a, b) => (a.view ?? 0n) < (b.view ?? 0n) ? 1 : -1)[0]?.id;
}
