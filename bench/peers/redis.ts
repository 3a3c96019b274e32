/** Redis as a lock server: `SET seat holder NX PX ttl`, every write synced before its answer. */
import {
  type Measurement,
  NotInstalled,
  type Peer,
  type Scenario,
  type Surroundings,
  type System,
} from "./measurement.ts";
import { freePort, runTool } from "./process.ts";
import { Server } from "./server.ts";

/** Seats to choose from: so many that nearly every command takes one, and so has to be written. */
const SEATS = 1_000_000_000;
const COMMAND = ["SET", "seat:__rand_int__", "holder:__rand_int__", "NX", "PX", "600000"];

/** The rewrite of the log is off: a run is too short to need one, and it would fork in its middle. */
const DURABLE = [
  ...["--appendonly", "yes", "--appendfsync", "always"],
  ...["--save", "", "--auto-aof-rewrite-percentage", "0"],
];

const START_MS_MAX = 10_000;
/** What a run may take beyond the time it was given. */
const SLACK_MS = 60_000;

/**
 * Reads the table that `redis-benchmark --csv` prints.
 *
 * @throws {Error} when a column is missing or is no number.
 */
export function parseBenchmark(csv: string): Measurement {
  const [names, values] = csv.trim().split("\n").slice(-2).map((line) =>
    [...line.matchAll(/"([^"]*)"/g)].map((match) => match[1]!)
  );
  const column = (name: string): number => {
    const text = values?.[names?.indexOf(name) ?? -1];
    const value = Number(text);
    if (!text || !Number.isFinite(value)) throw new Error(`redis-benchmark gave no ${name}`);
    return value;
  };
  const us = (name: string): number => Math.round(column(name) * 1000);
  return {
    opsPerSecond: column("rps"),
    latencyUs: { p50: us("p50_latency_ms"), p95: us("p95_latency_ms"), p99: us("p99_latency_ms") },
  };
}

/** Two threads drive many small requests faster, one thread drives deep pipelines faster. */
function clientThreads({ clients, depth }: Scenario): string[] {
  return clients > 1 && depth === 1 ? ["--threads", "2"] : [];
}

/** Talks to a Redis through its own tools. */
class Session {
  readonly #port: number;
  readonly #signal: AbortSignal;

  constructor(port: number, signal: AbortSignal) {
    this.#port = port;
    this.#signal = signal;
  }

  async load(scenario: Scenario, commands: number, timeoutMs: number): Promise<Measurement> {
    const { clients, depth } = scenario;
    const csv = await runTool("redis-benchmark", [
      ...["-h", "127.0.0.1", "-p", `${this.#port}`, "--csv", "-r", `${SEATS}`],
      ...["-n", `${commands}`, "-c", `${clients}`, "-P", `${depth}`],
      ...clientThreads(scenario),
      ...COMMAND,
    ], { signal: this.#signal, timeoutMs });
    return parseBenchmark(csv);
  }

  async call(...command: string[]): Promise<string> {
    const args = ["-h", "127.0.0.1", "-p", `${this.#port}`, ...command];
    return (await runTool("redis-cli", args, { signal: this.#signal, timeoutMs: START_MS_MAX }))
      .trim();
  }

  /** Undefined for as long as nobody answers. */
  async ping(): Promise<true | undefined> {
    try {
      return await this.call("PING") === "PONG" || undefined;
    } catch {
      this.#signal.throwIfAborted();
      return undefined;
    }
  }

  /** redis-benchmark counts commands, so a short run first tells how many fill the time. */
  async measure(scenario: Scenario, seconds: number): Promise<Measurement> {
    const inFlight = scenario.clients * scenario.depth;
    const pilot = await this.load(scenario, Math.max(50 * inFlight, 200), SLACK_MS);
    // Whole pipelines only: redis-benchmark sends no part of one, and would go beyond the count.
    const gos = Math.max(
      Math.ceil(pilot.opsPerSecond * seconds / scenario.depth),
      scenario.clients,
    );
    const commands = gos * scenario.depth;
    const before = Number(await this.call("DBSIZE"));
    const measured = await this.load(scenario, commands, seconds * 1000 + SLACK_MS);
    const taken = Number(await this.call("DBSIZE")) - before;
    return { ...measured, effective: taken / commands };
  }
}

async function measureFresh(
  { directory, signal }: Surroundings,
  scenario: Scenario,
  seconds: number,
): Promise<Measurement> {
  const data = await Deno.makeTempDir({ dir: directory });
  const port = freePort();
  const args = ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", data, ...DURABLE];
  try {
    await using server = new Server("redis-server", args, {
      signal,
      timeoutMs: START_MS_MAX,
      stopSignal: "SIGTERM",
    });
    const session = new Session(port, signal);
    await server.untilReady(() => session.ping());
    return await session.measure(scenario, seconds);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

async function open(surroundings: Surroundings): Promise<Peer> {
  const { signal } = surroundings;
  const version = await runTool("redis-server", ["--version"], { signal, timeoutMs: START_MS_MAX })
    .catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new NotInstalled("redis-server");
    });
  return {
    version: /v=(\S+)/.exec(version)?.[1] ?? "unknown",
    settings: `${DURABLE.map((word) => word || '""').join(" ")}; ${COMMAND.join(" ")}`,
    measure: (scenario, seconds) => measureFresh(surroundings, scenario, seconds),
  };
}

/** Redis with `appendfsync always`, driven by redis-benchmark over loopback. */
export const REDIS: System = { name: "redis", supports: () => true, open };
