/** Figures of the gateway itself, beside the node's. Source: docs/metrics.md. */

/** One figure of the gateway itself. */
export interface GatewayMetric {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
  readonly alert: string;
}

/** The gateway's own figures. */
export const GATEWAY_METRICS = {
  build: {
    name: "allocdb_build_info",
    type: "gauge",
    labels: ["version"],
    help: "1, labelled with the version of the program",
    alert: "-",
  },
  currentSlot: {
    name: "allocdb_current_slot",
    type: "gauge",
    labels: [],
    help: "The slot of the node's clock",
    alert: "does not move: the clock or the process stands still",
  },
  requests: {
    name: "allocdb_http_requests_total",
    type: "counter",
    labels: ["method", "route", "status"],
    help: "Requests to the gateway that were answered",
    alert: "status 5xx: see allocdb_halted and the node's log",
  },
  inFlight: {
    name: "allocdb_http_requests_in_flight",
    type: "gauge",
    labels: [],
    help: "Requests to the gateway that are being answered",
    alert: "at the limit for 1 min: clients get 429",
  },
  duration: {
    name: "allocdb_http_request_duration_seconds",
    type: "histogram",
    labels: ["route"],
    help: "Time from a request's headers to its reply",
    alert: "the 99th percentile above what your clients bear",
  },
  refusals: {
    name: "allocdb_refused_identities_total",
    type: "counter",
    labels: ["reason"],
    help:
      "Connections to the clients' port that proved nothing (unauthenticated), and requests beyond a role (forbidden)",
    alert: "grows: a client has an old key, or somebody tries",
  },
} as const satisfies Record<string, GatewayMetric>;
