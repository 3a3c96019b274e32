/** What every route works with. */
import type { NodeApi } from "../api.ts";
import type { Exposition } from "./prometheus.ts";
import type { Submitter } from "./submitter.ts";

/** Bounds of the gateway towards its clients. */
export interface GatewayLimits {
  /** Longest request body, in bytes. */
  readonly maxBodyBytes: number;
  /** Requests that are answered at once. Probes and scrapes are answered beyond it. */
  readonly maxInFlight: number;
  /** How long a body, and then the node, may take, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/** One gateway in front of one node. */
export interface Gateway {
  readonly node: NodeApi;
  readonly version: string;
  readonly limits: GatewayLimits;
  readonly submitter: Submitter;
  readonly exposition: Exposition;
  /** From `performance.now`. */
  readonly startedMs: number;
  /** Requests that are being answered. */
  inFlight: number;
  /** True as soon as the gateway is to stop: no more writes. */
  draining: boolean;
  /** Called whenever nothing is in flight any more. */
  idle: (() => void) | undefined;
}
