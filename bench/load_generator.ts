/**
 * A process that loads a server: C connections, each with P requests of B commands under way. Prints one
 * JSON object. Run it beside the server, not inside: it needs a core of its own.
 *
 *   deno run --allow-net --allow-read bench/load_generator.ts --address 127.0.0.1:7100 \
 *     --connections 256 --in-flight 1 --batch 1 --seconds 5 --workload cycle
 */
import { parseArgs } from "@std/cli/parse-args";
import { build, type Histogram } from "hdr-histogram-js";
import { RESULT_NAMES } from "../core/outcome.ts";
import { LoadConnection, type Recorder } from "./load_connection.ts";
import { Lane, type Workload } from "./load_lane.ts";

/** What to do. */
interface Load {
  readonly hostname: string;
  readonly port: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly batch: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly workload: Workload;
  readonly firstResourceId: bigint;
  readonly ttlSlots: bigint;
  /** Process whose CPU time is reported too; 0 is none. */
  readonly serverPid: number;
}

const DEFAULTS = {
  "address": "127.0.0.1:7100",
  "connections": "1",
  "in-flight": "1",
  "batch": "1",
  "seconds": "5",
  "warmup-seconds": "1",
  "workload": "cycle",
  "first-resource-id": "1",
  "ttl-slots": "360000",
  "server-pid": "0",
};

/** Latency in microseconds, three digits, up to a minute. */
class Counter implements Recorder {
  readonly codes = new Float64Array(24);
  readonly latencyUs: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });
  requests = 0;
  commands = 0;
  readonly #endMs: number;

  constructor(endMs: number) {
    this.#endMs = endMs;
  }

  isRunning(): boolean {
    return performance.now() < this.#endMs;
  }

  answered(ms: number, commands: number): void {
    this.latencyUs.recordValue(Math.max(1, Math.round(ms * 1_000)));
    this.requests++;
    this.commands += commands;
  }
}

function parse(args: readonly string[]): Load {
  const given: Record<string, unknown> = parseArgs([...args], {
    string: Object.keys(DEFAULTS),
    unknown: (flag: string): boolean => {
      const known = Object.entries(DEFAULTS).map(([name, value]) => `--${name} ${value}`);
      console.error(`error: Unknown argument ${flag}\nhint: ${known.join(" ")}`);
      Deno.exit(2);
    },
  });
  const flags = { ...DEFAULTS, ...given } as typeof DEFAULTS;
  const [hostname = "", port = ""] = flags.address.split(":");
  return {
    hostname,
    port: Number(port),
    connections: Number(flags.connections),
    inFlight: Number(flags["in-flight"]),
    batch: Number(flags.batch),
    seconds: Number(flags.seconds),
    warmupSeconds: Number(flags["warmup-seconds"]),
    workload: flags.workload as Workload,
    firstResourceId: BigInt(flags["first-resource-id"]),
    ttlSlots: BigInt(flags["ttl-slots"]),
    serverPid: Number(flags["server-pid"]),
  };
}

function createLanes(load: Load, connection: number, runId: bigint): readonly Lane[] {
  return Array.from({ length: load.inFlight }, (_, requestId) => {
    const lane = BigInt(connection * load.inFlight + requestId);
    const spacing = load.workload === "create" ? 1n << 32n : BigInt(load.batch);
    return new Lane({
      workload: load.workload,
      batch: load.batch,
      requestId,
      clientId: runId + 2n * lane, // Lane + 1 is its holder.
      firstResourceId: load.firstResourceId + lane * spacing,
      ttlSlots: load.ttlSlots,
    });
  });
}

/** User and system time of a process so far, in seconds; Linux only, 0 elsewhere. */
function cpuSeconds(pid: number | "self"): number {
  if (pid === 0) return 0;
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

function report(load: Load, counter: Counter, seconds: number, cpu: readonly number[]): string {
  const { latencyUs } = counter;
  const percentile = (value: number): number => latencyUs.getValueAtPercentile(value);
  const results = [...counter.codes].flatMap((count, code) =>
    count === 0 ? [] : [[code === 0 ? "rejected" : RESULT_NAMES[code] ?? code, count]]
  );
  return JSON.stringify({
    workload: load.workload,
    connections: load.connections,
    in_flight: load.inFlight,
    batch: load.batch,
    seconds: Number(seconds.toFixed(3)),
    requests: counter.requests,
    commands: counter.commands,
    requests_per_second: Math.round(counter.requests / seconds),
    commands_per_second: Math.round(counter.commands / seconds),
    latency_us: {
      p50: percentile(50),
      p90: percentile(90),
      p99: percentile(99),
      p999: percentile(99.9),
      max: latencyUs.maxValue,
      mean: Math.round(latencyUs.mean),
    },
    results: Object.fromEntries(results),
    generator_cpu_seconds: cpu[0],
    server_cpu_seconds: cpu[1],
  });
}

async function main(load: Load): Promise<void> {
  const runId = crypto.getRandomValues(new BigUint64Array(1))[0]! & ~0xffff_ffffn;
  const connections = await Promise.all(
    Array.from(
      { length: load.connections },
      (_, i) =>
        LoadConnection.open(load.hostname, load.port, createLanes(load, i, runId), load.batch),
    ),
  );
  if (load.workload !== "create") await Promise.all(connections.map((each) => each.setup()));
  const run = async (seconds: number): Promise<Counter> => {
    const counter = new Counter(performance.now() + seconds * 1_000);
    await Promise.all(connections.map((each) => each.run(counter)));
    return counter;
  };
  await run(load.warmupSeconds);
  const cpu = (): number[] => [cpuSeconds("self"), cpuSeconds(load.serverPid)];
  const cpuBefore = cpu();
  const startMs = performance.now();
  const counter = await run(load.seconds);
  const seconds = (performance.now() - startMs) / 1_000;
  const cpuUsed = cpu().map((used, i) => Number((used - cpuBefore[i]!).toFixed(2)));
  console.log(report(load, counter, seconds, cpuUsed));
  for (const connection of connections) connection.close();
}

if (import.meta.main) await main(parse(Deno.args));
