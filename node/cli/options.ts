/**
 * What the command line hands to the long-running commands, already checked: their implementations never
 * see a flag. Each runs to its end and returns for exit code 0; everything else is a thrown `CliError`.
 */
import type { ProfileName } from "../config/profiles.ts";

/** `allocdb serve`. */
export interface ServeOptions {
  /** Data directory. */
  readonly data: string;
  /** Where clients connect, `HOST:PORT`; port 0 lets the system choose. */
  readonly listen: string;
  /** Where the HTTP gateway listens, `HOST:PORT`; absent for no gateway. */
  readonly http?: string;
  /** File with the cluster's secret: then nobody is served who does not prove who he is. */
  readonly secretFile?: string;
  /** File with the certificate to show over TLS; plain TCP when absent. Goes with `tlsKey`. */
  readonly tlsCert?: string;
  /** File with the certificate's key. */
  readonly tlsKey?: string;
  /** `name=value` overrides of the profile, as typed. */
  readonly bounds: readonly string[];
  /** Absent when the flag was not given: an existing data directory then brings its own bounds. */
  readonly profile?: ProfileName;
  /** No background expiration: only `allocdb tick` expires. */
  readonly manualExpiration: boolean;
  /** No background checkpoints: only `allocdb checkpoint` writes one. */
  readonly manualCheckpoint: boolean;
  /** Log bytes after which a checkpoint starts; absent for the node's default. */
  readonly checkpointBytes?: number;
  /** Log entries after which a checkpoint starts; absent for the node's default. */
  readonly checkpointFrames?: number;
  /** Age in seconds after which a checkpoint starts if anything was written; absent for the node's default. */
  readonly checkpointSeconds?: number;
  /** Connections that may be open at once; absent for the server's default. */
  readonly maxConnections?: number;
  /** 16 bytes the data directory must belong to, or is made with; absent accepts what is there. */
  readonly clusterId?: Uint8Array;
  readonly logFormat: "text" | "json";
  /** Whether what goes to standard output is JSON. */
  readonly json: boolean;
}

/** `allocdb replica run`. */
export interface ReplicaRunOptions {
  /** Path of the layout file. */
  readonly layout: string;
  readonly replicaId: bigint;
  /** Where the HTTP gateway listens, `HOST:PORT`; absent for no gateway. */
  readonly http?: string;
  /** See {@linkcode ServeOptions.tlsCert}; goes with `tlsKey` and `tlsCa`. */
  readonly tlsCert?: string;
  /** File with the certificate's key. */
  readonly tlsKey?: string;
  /** File with the authority that vouches for the other replicas. */
  readonly tlsCa?: string;
  /** No elections by itself: only an operator's request starts a view change. */
  readonly manualFailover: boolean;
  /** See {@linkcode ServeOptions.manualExpiration}. */
  readonly manualExpiration: boolean;
  /** See {@linkcode ServeOptions.manualCheckpoint}. */
  readonly manualCheckpoint: boolean;
  readonly logFormat: "text" | "json";
}

/** Names for `--scenario`. */
export const SCENARIOS = [
  "all",
  "one-resource-many-contenders",
  "high-retry-pressure",
  "throughput",
  "latency",
  "recovery",
  "checkpoint",
  "engine",
] as const;

/** One of {@linkcode SCENARIOS}. */
export type Scenario = typeof SCENARIOS[number];

/** `allocdb bench`. Every count is above 0 and within the limits of docs/cli.md#bench. */
export interface BenchOptions {
  readonly scenario: Scenario;
  readonly hotspotRounds: number;
  /** At least 2. */
  readonly hotspotContenders: number;
  readonly retryTableCapacity: number;
  readonly retryDuplicateFanout: number;
  readonly retryFullRejectionAttempts: number;
  /** Directory for the files of the run; absent for a temporary one that is removed. */
  readonly data?: string;
  readonly json: boolean;
}

/** `allocdb demo`. */
export interface DemoOptions {
  /** No pauses for the eye. */
  readonly fast: boolean;
  readonly seats: number;
  readonly buyers: number;
  /** What the buyers' choices are drawn from; equal seeds choose alike. */
  readonly seed: number;
  /** Keep the workspace of the cluster and say where it is. */
  readonly keep: boolean;
  /** One JSON document at the end instead of something to watch. */
  readonly json: boolean;
  /** Whether standard output may carry colours and cursor movement. */
  readonly color: boolean;
}

/** `runServe` of node/main.ts. */
export type RunServe = (options: ServeOptions) => Promise<void>;
/** `runReplica` of cluster/daemon/main.ts. */
export type RunReplica = (options: ReplicaRunOptions) => Promise<void>;
/** Where the operator of a replica finds it. */
export interface LocatedReplica {
  /** Its control address. */
  readonly address: string;
  /** File with the secret of its cluster, if that has one. */
  readonly secretFile: string | undefined;
}

/** `locateReplica` of cluster/daemon/locate.ts. */
export type LocateReplica = (workspace: string, replicaId: bigint) => Promise<LocatedReplica>;
/** What `replica status --require` can ask for. */
export const REQUIREMENTS = ["active", "primary", "backup", "writable"] as const;

/** One of {@linkcode REQUIREMENTS}. */
export type Requirement = typeof REQUIREMENTS[number];

/** `runBench` of node/bench/main.ts. */
export type RunBench = (options: BenchOptions) => Promise<void>;
/** `runDemo` of cluster/demo/main.ts. */
export type RunDemo = (options: DemoOptions) => Promise<void>;
