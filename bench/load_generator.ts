/**
 * A process that loads a server: C connections, each with P requests of B commands under way, reserving, confirming
 * and releasing resources of its own. Prints one JSON object. Run it beside the server, not inside: it needs a core.
 *
 *   deno run --allow-all bench/load_generator.ts --address 127.0.0.1:7100 \
 *     --connections 256 --in-flight 1 --batch 1 --seconds 5
 */
import { LaneFactory, type LoopResult, runClosedLoop } from "../node/bench/closed_loop.ts";
import { TTL_SLOTS } from "../node/bench/load_bounds.ts";
import { LoadConnection } from "../node/bench/load_connection.ts";
import { cpuSeconds, parseFlags } from "./load_flags.ts";

const DEFAULTS = {
  "address": "127.0.0.1:7100",
  "connections": "1",
  "in-flight": "1",
  "batch": "1",
  "seconds": "5",
  "warmup-seconds": "1",
  "ttl-slots": `${TTL_SLOTS}`,
  /** Processes whose CPU time is reported too, separated by commas; 0 is none. */
  "server-pid": "0",
};

type Flags = typeof DEFAULTS;

async function connect(flags: Flags): Promise<LoadConnection[]> {
  const load = {
    connections: Number(flags.connections),
    inFlight: Number(flags["in-flight"]),
    batch: Number(flags.batch),
  };
  // A server that was loaded before knows the ids of that run.
  const first = BigInt(crypto.getRandomValues(new Uint32Array(1))[0]!) << 64n;
  const lanes = new LaneFactory(BigInt(flags["ttl-slots"]), first);
  const opening = Array.from(
    { length: load.connections },
    () => LoadConnection.open(flags.address, lanes.lanes(load)),
  );
  return await Promise.all(opening);
}

function report(flags: Flags, { recorder, elapsedMs }: LoopResult, cpu: readonly number[]): string {
  const seconds = elapsedMs / 1_000;
  return JSON.stringify({
    connections: Number(flags.connections),
    in_flight: Number(flags["in-flight"]),
    batch: Number(flags.batch),
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
  const connections = await connect(flags);
  const { signal } = new AbortController();
  await runClosedLoop(connections, Number(flags["warmup-seconds"]), signal);
  const cpu = (): number[] => [cpuSeconds("self"), cpuSeconds(flags["server-pid"])];
  const before = cpu();
  const result = await runClosedLoop(connections, Number(flags.seconds), signal);
  const used = cpu().map((seconds, i) => Number((seconds - before[i]!).toFixed(2)));
  console.log(report(flags, result, used));
  for (const connection of connections) connection.close();
}

if (import.meta.main) await main(parseFlags(DEFAULTS, Deno.args));
