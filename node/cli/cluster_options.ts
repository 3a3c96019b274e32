/** What `allocdb cluster` hands over, already checked: the runner never sees a flag. */
import type { LinkFault } from "../peer/line.ts";
import type { ProfileName } from "../config/profiles.ts";

/** What every verb needs. */
interface OfWorkspace {
  /** Directory of the workspace, as typed. */
  readonly workspace: string;
  /** Whether what goes to standard output is JSON. */
  readonly json: boolean;
}

interface OfReplica extends OfWorkspace {
  readonly replicaId: bigint;
}

/** What a replica leaves to its operator. */
export type ClusterChore = "failover" | "expiration" | "checkpoint";

/** `cluster start`. What is absent is as the workspace has it, or the default for a new one. */
export interface ClusterStart extends OfWorkspace {
  readonly verb: "start";
  readonly replicas?: 1 | 3 | 5;
  readonly profile?: ProfileName;
  /** `name=value` overrides of the profile, as typed. */
  readonly bounds: readonly string[];
  /** File with the cluster's secret. */
  readonly secretFile?: string;
  readonly manual: readonly ClusterChore[];
  /** Also wait until a primary serves. */
  readonly waitForPrimary: boolean;
  readonly timeoutMs: number;
}

/** One end of a link: a replica, its clients, or every other replica. */
export type LinkEnd = bigint | "client" | "all";

/** Names for `disk-fault --kind`. */
export const DISK_FAULT_KINDS = ["eio", "enospc", "torn-write", "fsync-failure", "slow"] as const;

/** One of {@linkcode DISK_FAULT_KINDS}. */
export type DiskFaultKind = typeof DISK_FAULT_KINDS[number];

/** What a disk is to do wrong. */
export interface DiskFaultRequest {
  readonly kind: DiskFaultKind;
  /** Operations to let through first. */
  readonly after: number;
  /** How long, in seconds; absent for until it is cleared. */
  readonly forSeconds?: number;
  /** For `slow`: how much longer a sync takes, in milliseconds. */
  readonly delayMs?: number;
}

/** One verb. */
export type ClusterRequest =
  | ClusterStart
  | OfWorkspace & { readonly verb: "stop"; readonly timeoutMs: number }
  | OfWorkspace & { readonly verb: "status" }
  | OfReplica & { readonly verb: "crash" }
  | OfReplica & { readonly verb: "pause" | "resume" }
  | OfReplica & { readonly verb: "isolate" }
  | OfReplica & { readonly verb: "restart"; readonly timeoutMs: number }
  /** Without a replica: everything that is wrong on purpose. */
  | OfWorkspace & { readonly verb: "heal"; readonly replicaId: bigint | undefined }
  /** Without ends: every link. An empty fault heals. */
  | OfWorkspace & {
    readonly verb: "link";
    readonly ends: { readonly from: LinkEnd; readonly to: LinkEnd } | undefined;
    readonly fault: LinkFault;
  }
  /** No groups end the partition. */
  | OfWorkspace & {
    readonly verb: "partition";
    readonly groups: readonly (readonly bigint[])[];
  }
  | OfReplica & { readonly verb: "disk-fault"; readonly fault: DiskFaultRequest | undefined }
  /** A skew of 0 at rate 1 heals. */
  | OfReplica & { readonly verb: "clock"; readonly skewMs: number; readonly rate: number }
  | OfWorkspace & { readonly verb: "timeline" }
  | OfWorkspace & {
    readonly verb: "logs";
    readonly replicaId: bigint | undefined;
    readonly lines: number;
    readonly follow: boolean;
  };
