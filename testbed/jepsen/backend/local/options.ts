/** How a cluster of local processes is made, or found. */

import type { Program } from "../../../../node/process_self.ts";

/** A cluster of this machine's processes. */
export interface LocalOptions {
  /**
   * The workspace. A new or empty directory becomes one; one that exists is taken over as it is, and what ran in it
   * before goes on afterwards.
   */
  readonly workspace: string;
  /** Of a new workspace: 3 unless told. */
  readonly replicas?: 3 | 5;
  /** Of a new workspace: `NAME=VALUE` on top of what fits long runs. */
  readonly bounds?: readonly string[];
  /** Of a new workspace: file with the cluster's secret. */
  readonly secretFile?: string;
  /**
   * Which allocdb the replicas are: an executable, a directory of sources or its `cli.ts`; this very program unless told.
   * Sources need a `deno`, see {@linkcode LocalOptions.deno}.
   */
  readonly program?: string;
  /** What this very program is started by; for who is not it, such as a test. */
  readonly self?: Program;
  /** What runs sources: the Deno that runs this unless it is compiled, then `deno` of the search path. */
  readonly deno?: string;
  /** How long a replica may take to answer, and the cluster to have a primary, in milliseconds. */
  readonly startMs?: number;
  /** Told what a person might want to know. */
  readonly notice?: (text: string) => void;
}
