/** What the command line hands to the judge and the runner of real clusters, already checked. */
import type { CliIo } from "./io.ts";

/** Where replicas run. */
export const JEPSEN_BACKENDS = ["local"] as const;
/** Names for `--format`, `--from` and `--to`. Source: docs/jepsen.md#formats. */
export const HISTORY_FORMATS = [
  ...["cbor", "text", "jsonl", "runbook"] as const,
  ...["edn", "log", "kv", "json"] as const,
] as const;
/** Names for `--model`. Source: docs/jepsen.md#models. */
export const HISTORY_MODELS = [
  "reservation",
  ...["register", "cas-register", "multi-register"] as const,
  ...["mutex", "lock", "kv", "set"] as const,
] as const;
/** Names for `--workload`. Source: docs/jepsen.md#workloads. */
export const JEPSEN_WORKLOADS = [
  "reservation_contention",
  "ambiguous_write_retry",
  "failover_read_fences",
  "expiration_and_recovery",
  "lease_safety",
] as const;
/** Names for `--nemesis`. Source: docs/jepsen.md#nemeses. */
export const JEPSEN_NEMESES = [
  ...["none", "crash_restart", "partition_heal", "mixed_failover"] as const,
  ...["pause", "link", "disk", "clock", "wipe", "storm"] as const,
] as const;
/** Names for `--algorithm`. */
export const ALGORITHMS = ["auto", "wgl", "configurations"] as const;
/** Names for `--failed-ops`. */
export const FAILED_OPS = ["drop", "check"] as const;
/** Names for `--nil-read`. */
export const NIL_READS = ["value", "unknown"] as const;
/** Names for `--refusals`. */
export const REFUSALS = ["exact", "class"] as const;

/** One of {@linkcode JEPSEN_BACKENDS}. */
export type JepsenBackend = typeof JEPSEN_BACKENDS[number];
/** One of {@linkcode HISTORY_FORMATS}. */
export type HistoryFormat = typeof HISTORY_FORMATS[number];
/** One of {@linkcode HISTORY_MODELS}. */
export type HistoryModel = typeof HISTORY_MODELS[number];
/** One of {@linkcode JEPSEN_WORKLOADS}. */
export type JepsenWorkload = typeof JEPSEN_WORKLOADS[number];
/** One of {@linkcode JEPSEN_NEMESES}. */
export type JepsenNemesis = typeof JEPSEN_NEMESES[number];

/** How a history is read. */
export interface HistoryReading {
  readonly format?: HistoryFormat;
  readonly model?: HistoryModel;
  /** Whether values are `[key value]` pairs. */
  readonly keyed?: boolean;
  /** Lines that may be skipped before the file is refused. */
  readonly maxSkipped?: number;
}

/** Which run. */
export type JepsenRunChoice =
  /** One of the matrix. */
  | { readonly kind: "one"; readonly runId: string }
  /** The release matrix, what is done already left out. */
  | { readonly kind: "all"; readonly supplementary: boolean; readonly lanes: number }
  /** A run of one's own. */
  | {
    readonly kind: "own";
    readonly workload: JepsenWorkload;
    readonly nemesis: JepsenNemesis;
    readonly windowSecs: number;
  };

/** `jepsen run`. */
export interface JepsenRun {
  readonly verb: "run";
  readonly backend: JepsenBackend;
  readonly choice: JepsenRunChoice;
  /** Directory for the clusters; made, and of a lane each. */
  readonly workspace: string;
  readonly outputRoot: string;
  readonly seed?: number;
  readonly clients?: number;
  /** Operations per second of all clients together. */
  readonly ratePerSecond?: number;
  /** How long runs without faults take. */
  readonly controlSecs?: number;
  /** Another build of this program, whose replicas are put under test. */
  readonly program?: string;
  readonly json: boolean;
}

/** `jepsen analyze`. */
export interface JepsenAnalyze extends HistoryReading {
  readonly verb: "analyze";
  /** `-` is standard input. */
  readonly files: readonly string[];
  /** First value of a model, as it is written in a history. */
  readonly init?: string;
  readonly failedOps: typeof FAILED_OPS[number];
  readonly nilRead: typeof NIL_READS[number];
  readonly refusals: typeof REFUSALS[number];
  readonly algorithm: typeof ALGORITHMS[number];
  readonly timeLimitMs: number;
  readonly memoryLimitBytes: number;
  /** Print the release gate's report. */
  readonly gate: boolean;
  readonly minCoverage?: string;
  /** Directory for the report's files. */
  readonly report?: string;
  readonly counterexample?: string;
  readonly certificate?: string;
  /** Position of an operation to say more of. */
  readonly explain?: number;
  /** Say how long it took. */
  readonly stats: boolean;
  readonly json: boolean;
}

/** Everything that `allocdb jepsen` can be asked. */
export type JepsenRequest =
  | { readonly verb: "plan"; readonly json: boolean }
  | JepsenRun
  | JepsenAnalyze
  | HistoryReading & {
    readonly verb: "convert";
    readonly from: string;
    readonly to: string;
    readonly toFormat?: HistoryFormat;
    readonly json: boolean;
  }
  | {
    readonly verb: "verify";
    /** A bundle's directory, or a workspace whose cluster is to be tried. */
    readonly what:
      | { readonly kind: "bundle"; readonly directory: string }
      | { readonly kind: "surface"; readonly backend: JepsenBackend; readonly workspace: string }
      | { readonly kind: "certificate"; readonly file: string; readonly history: string };
    readonly json: boolean;
  }
  | {
    readonly verb: "archive";
    readonly backend: JepsenBackend;
    readonly workspace: string;
    readonly runId: string;
    readonly historyFile: string;
    readonly outputRoot: string;
    readonly json: boolean;
  }
  | {
    readonly verb: "watch";
    readonly lanes: readonly JepsenLane[];
    readonly runId?: string;
    readonly refreshMs: number;
    readonly follow: boolean;
    readonly json: boolean;
    readonly color: boolean;
  }
  | {
    readonly verb: "compare";
    readonly bundles: readonly [string, string];
    readonly out: string;
    readonly json: boolean;
  }
  | { readonly verb: "serve"; readonly directory: string; readonly listen: string };

/** One cluster of a fleet, and where its runs leave their files. */
export interface JepsenLane {
  readonly name: string;
  readonly workspace?: string;
  readonly outputRoot: string;
}

/** `runJepsen` of testbed/jepsen/main.ts. */
export type RunJepsen = (request: JepsenRequest, io: CliIo) => Promise<void>;
