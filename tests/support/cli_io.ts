// The outside of the command line as tests bring it: captured streams, a scripted node, no waiting.
import type { ServerStatus } from "../../node/wire/status.ts";
import type { ConnectOptions, ServerInfo, SubmitResult } from "../../node/client/types.ts";
import { type CliIo, type NodeClient, OutputClosed } from "../../node/cli/io.ts";
import type { CheckpointResult, Metrics, ReservationRead, ResourceRead } from "../../node/api.ts";
import type { TickReply } from "../../node/client/client.ts";
import { DEFAULT_CORE_CONFIG, DEFAULT_ENGINE_CONFIG } from "../../core/config.ts";
import { HEALTHY_METRICS } from "./scripted_node.ts";

/** One call that reached the scripted node. */
export interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What the scripted node answers; what is absent must not be asked. */
export interface Script {
  readonly submit?: SubmitResult | (() => Promise<SubmitResult>);
  readonly resource?: ResourceRead;
  readonly reservation?: ReservationRead;
  readonly metrics?: Metrics;
  readonly tick?: TickReply;
  readonly checkpoint?: CheckpointResult;
  /** One per look; the last one repeats. */
  readonly status?: readonly (ServerStatus | Error)[];
  /** Thrown instead of connecting. */
  readonly connect?: Error;
  /** Thrown by every read. */
  readonly fails?: Error;
}

/** Where the process stands. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  /** Characters after which the reader of standard output goes away. */
  readonly closesAfter?: number;
  /** Fired when the n-th sleep begins. */
  readonly interruptAtSleep?: number;
}

/** An outside that remembers what happened to it. */
export interface TestIo extends CliIo {
  readonly calls: readonly Call[];
  readonly connects: readonly ConnectOptions[];
  /** Clients that were opened and not closed. */
  openClients(): number;
  interrupt(): void;
  stdout(): string;
  stderr(): string;
}

/** Makes an outside. Random ids count up from 0xabc0. */
export function testIo(script: Script = {}, surroundings: Surroundings = {}): TestIo {
  const { env = {}, terminal = false } = surroundings;
  const calls: Call[] = [];
  const connects: ConnectOptions[] = [];
  const controller = new AbortController();
  const open = { count: 0 };
  const out = captured(terminal, surroundings.closesAfter);
  const err = captured(terminal, undefined);
  let nextId = 0xabc0n;
  let now = 0;
  let sleeps = 0;
  return {
    out,
    err,
    calls,
    connects,
    env: (name) => env[name],
    columns: () => 80,
    randomId: () => nextId++,
    connect: (options) => {
      connects.push(options);
      if (script.connect !== undefined) return Promise.reject(script.connect);
      open.count++;
      return Promise.resolve(scriptedClient(script, options, calls, open));
    },
    interruption: () => controller.signal,
    sleep: (ms) => {
      now += ms;
      if (++sleeps === surroundings.interruptAtSleep) controller.abort();
      if (sleeps > 10_000) throw new Error("The command sleeps for ever");
      return Promise.resolve();
    },
    nowMs: () => now,
    openClients: () => open.count,
    interrupt: () => controller.abort(),
    stdout: () => out.text(),
    stderr: () => err.text(),
  };
}

interface Captured {
  readonly isTerminal: boolean;
  write(text: string): void;
  text(): string;
}

function captured(isTerminal: boolean, closesAfter: number | undefined): Captured {
  let text = "";
  return {
    isTerminal,
    write(more) {
      text += more;
      if (closesAfter !== undefined && text.length > closesAfter) throw new OutputClosed();
    },
    text: () => text,
  };
}

function scriptedClient(
  script: Script,
  options: ConnectOptions,
  calls: Call[],
  open: { count: number },
): NodeClient {
  const answer = <T>(method: string, value: T | undefined) => (...args: unknown[]): Promise<T> => {
    calls.push({ method, args });
    if (script.fails !== undefined) return Promise.reject(script.fails);
    if (value === undefined) throw new Error(`The script has no answer to ${method}`);
    return Promise.resolve(value);
  };
  const submit = (method: string) => (...args: unknown[]): Promise<SubmitResult> => {
    calls.push({ method, args });
    if (typeof script.submit === "function") return script.submit();
    if (script.submit === undefined) throw new Error(`The script has no answer to ${method}`);
    return Promise.resolve(script.submit);
  };
  return {
    server: { ...SERVER_INFO, address: options.addresses?.[0] ?? "" },
    createResource: submit("create"),
    reserve: submit("reserve"),
    reserveBundle: submit("reserve_bundle"),
    confirm: submit("confirm"),
    release: submit("release"),
    revoke: submit("revoke"),
    reclaim: submit("reclaim"),
    getResource: answer("get_resource", script.resource),
    getReservation: answer("get_reservation", script.reservation),
    metrics: answer("metrics", script.metrics),
    tick: answer("tick", script.tick),
    checkpoint: answer("checkpoint", script.checkpoint),
    status: () => {
      const looks = calls.filter(({ method }) => method === "status").length;
      calls.push({ method: "status", args: [] });
      const next = script.status?.[Math.min(looks, script.status.length - 1)];
      if (next === undefined) throw new Error("The script has no answer to status");
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    close: () => {
      open.count--;
      return Promise.resolve();
    },
  };
}

const SERVER_INFO: Omit<ServerInfo, "address"> = {
  clusterId: new Uint8Array(16).fill(0xc1),
  version: "9.9.9",
  shardId: 0n,
  slotDurationMs: 10,
  maxFrameBytes: 1_048_576,
  maxCommandBytes: 4_096,
  maxBatchCommands: 4_096,
  maxBundleSize: 16,
  maxTtlSlots: 360_000n,
  currentSlot: 5n,
};

/** Figures of a healthy node, with a position that no double can hold. */
export function sampleMetrics(over: Partial<Metrics> = {}): Metrics {
  const core = { ...HEALTHY_METRICS.core, lastAppliedLsn: 0xffff_ffff_ffff_fff0n };
  return { ...HEALTHY_METRICS, core, ...over };
}

/** A status around figures. */
export function sampleStatus(metrics: Metrics = sampleMetrics()): ServerStatus {
  return {
    clusterId: SERVER_INFO.clusterId,
    replicaId: 1n,
    version: "9.9.9",
    uptimeMs: 61_500.4,
    currentSlot: 19n,
    core: DEFAULT_CORE_CONFIG,
    engine: DEFAULT_ENGINE_CONFIG,
    limits: {
      maxConnections: 64,
      maxFrameBytes: 1_048_576,
      maxBatchCommands: 4_096,
      maxInFlightCommands: 8_192,
      maxUnsentBytes: 1_048_576,
    },
    traffic: {
      connectionsOpen: 1,
      connectionsAccepted: 1,
      connectionsRefused: 0,
      connectionsFailed: 0,
      requests: 1,
      commands: 0,
      bytesReceived: 100,
      bytesSent: 200,
    },
    memory: { rssBytes: 1, heapUsedBytes: 1, heapTotalBytes: 1, externalBytes: 1 },
    metrics,
  };
}
