/**
 * A process that loads a server: C connections, each with P requests of B commands under way, reserving, confirming
 * and releasing resources of its own. Prints one JSON object. Run it beside the server, not inside: it needs a core.
 *
 *   deno run --allow-all bench/load_generator.ts --address 127.0.0.1:7100 \
 *     --connections 256 --in-flight 1 --batch 1 --seconds 5
 */
import type { LoopResult } from "../node/bench/closed_loop.ts";
import { TTL_SLOTS } from "../node/bench/load_bounds.ts";
import { cpuSeconds, parseFlags } from "./load_flags.ts";
import { mergeResults, type Share, splitLoad } from "./load_share.ts";
import { runShares } from "./load_threads.ts";

/** The runtime serves so many sockets of a thread fairly, more or less: see bench/README.md. */
const CONNECTIONS_PER_THREAD = 256;

const DEFAULTS = {
  "address": "127.0.0.1:7100",
  "connections": "1",
  "in-flight": "1",
  "batch": "1",
  "seconds": "5",
  "warmup-seconds": "1",
  "ttl-slots": `${TTL_SLOTS}`,
  /** Threads that share the connections; 0 is one for every 256. */
  "threads": "0",
  /** Processes whose CPU time is reported too, separated by commas; 0 is none. */
  "server-pid": "0",
};

type Flags = typeof DEFAULTS;

/** The whole load. */
function loadOf(flags: Flags): Share {
  return {
    address: flags.address,
    connections: Number(flags.connections),
    inFlight: Number(flags["in-flight"]),
    batch: Number(flags.batch),
    ttlSlots: BigInt(flags["ttl-slots"]),
    // A server that was loaded before knows the ids of that run.
    firstId: BigInt(crypto.getRandomValues(new Uint32Array(1))[0]!) << 64n,
    warmupSeconds: Number(flags["warmup-seconds"]),
    seconds: Number(flags.seconds),
  };
}

function threadsOf(flags: Flags): number {
  const threads = Number(flags.threads);
  return threads > 0 ? threads : Math.ceil(Number(flags.connections) / CONNECTIONS_PER_THREAD);
}

function report(load: Share, { recorder, elapsedMs }: LoopResult, cpu: readonly number[]): string {
  const seconds = elapsedMs / 1_000;
  return JSON.stringify({
    connections: load.connections,
    in_flight: load.inFlight,
    batch: load.batch,
    seconds: Number(seconds.toFixed(3)),
    requests: recorder.times.count,
    commands: recorder.commands,
    requests_per_second: Math.round(recorder.times.count / seconds),
    commands_per_second: Math.round(recorder.commands / seconds),
    latency_us: recorder.times.percentiles(),
    results: recorder.results(),
    generator_cpu_seconds: cpu[0],
    server_cpu_seconds: cpu[1],
  });
}

async function main(flags: Flags): Promise<void> {
  const load = loadOf(flags);
  const cpu = (): number[] => [cpuSeconds("self"), cpuSeconds(flags["server-pid"])];
  let before = cpu();
  const results = await runShares(splitLoad(load, threadsOf(flags)), () => before = cpu());
  const used = cpu().map((seconds, i) => Number((seconds - before[i]!).toFixed(2)));
  console.log(report(load, mergeResults(results), used));
}

if (import.meta.main) await main(parseFlags(DEFAULTS, Deno.args));
