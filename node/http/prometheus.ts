/** Figures for Prometheus: the node's are read when it scrapes, the gateway's are counted as they happen. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Metrics, NodeApi, ReplicationView } from "../api.ts";
import type { Refusals } from "../server/context.ts";
import { GATEWAY_METRICS } from "./gateway_metrics.ts";
import { NODE_METRICS, type NodeMetric } from "./metrics_table.ts";
import { REPLICA_METRICS, type ReplicaMetric } from "./replica_metrics.ts";

/** The gateway's registry. It is private: nothing registers itself in it, and no default metric is in it. */
export interface Exposition {
  readonly contentType: string;
  /** Counts one answered request. `route` is a template, never a path: labels stay few. */
  observe(method: string, route: string, status: number, seconds: number): void;
  /** The text of one scrape. */
  render(): Promise<string>;
}

/** Upper bounds in seconds: from a read out of memory to a disk that stalls. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Makes a registry.
 *
 * @param node Whose figures to show.
 * @param version Version of the program.
 * @param inFlight How many requests are being answered.
 * @param refusals Who was not let in on the clients' port.
 */
export function createExposition(
  node: NodeApi,
  version: string,
  inFlight: () => number,
  refusals: () => Refusals = () => ({ unauthenticated: 0, forbidden: 0 }),
): Exposition {
  const registry = new Registry();
  let metrics: Metrics | undefined;
  for (const metric of NODE_METRICS) {
    expose(registry, metric, () => metrics === undefined ? undefined : metric.read(metrics));
  }
  let standing: ReplicationView | undefined;
  for (const metric of REPLICA_METRICS) exposeReplica(registry, metric, () => standing);
  gauge(registry, "currentSlot", () => Number(node.currentSlot()));
  gauge(registry, "inFlight", inFlight);
  exposeRefusals(registry, refusals);
  const { build, requests, duration } = GATEWAY_METRICS;
  new Gauge({ ...own(registry, build) }).set({ version }, 1);
  const answered = new Counter({ ...own(registry, requests) });
  const latency = new Histogram({ ...own(registry, duration), buckets: BUCKETS });
  return {
    contentType: registry.contentType,
    observe(method, route, status, seconds): void {
      answered.inc({ method, route, status });
      latency.observe({ route }, seconds);
    },
    render(): Promise<string> {
      metrics = node.metrics(); // One look for all figures of a scrape.
      standing = node.replication?.();
      return registry.metrics();
    },
  };
}

interface Registration<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: Label[];
  readonly registers: Registry[];
}

function own<const Label extends string>(
  registry: Registry,
  metric: { readonly name: string; readonly help: string; readonly labels: readonly Label[] },
): Registration<Label> {
  const { name, help, labels } = metric;
  return { name, help, labelNames: [...labels], registers: [registry] };
}

/** A gauge without labels that is read at each scrape. */
function gauge(registry: Registry, key: "currentSlot" | "inFlight", read: () => number): void {
  new Gauge({
    ...own(registry, GATEWAY_METRICS[key]),
    collect(): void {
      this.set(read());
    },
  });
}

/** What the server of clients has counted. */
function exposeRefusals(registry: Registry, read: () => Refusals): void {
  new Counter({
    ...own(registry, GATEWAY_METRICS.refusals),
    collect(): void {
      this.reset();
      for (const [reason, count] of Object.entries(read())) this.inc({ reason }, count);
    },
  });
}

/** A figure of a replica. */
function exposeReplica(
  registry: Registry,
  metric: ReplicaMetric,
  look: () => ReplicationView | undefined,
): void {
  new Gauge({
    ...own(registry, metric),
    collect(): void {
      this.reset();
      if (metric.labels.length === 0) this.remove();
      const standing = look();
      if (standing === undefined) return;
      for (const { labels, value } of metric.read(standing)) this.set(labels, value);
    },
  });
}

/** A figure of the node. A counter is set to what the node has counted. */
function expose(registry: Registry, metric: NodeMetric, read: () => number | undefined): void {
  const registration = own(registry, { ...metric, labels: [] });
  if (metric.type === "counter") {
    new Counter({
      ...registration,
      collect(): void {
        this.reset();
        this.inc(read() ?? 0);
      },
    });
    return;
  }
  new Gauge({
    ...registration,
    collect(): void {
      const value = read();
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}
