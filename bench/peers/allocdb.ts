/** AllocDB as its users run it: a server process, and bench/load_generator.ts as its client process. */
import { fromFileUrl } from "@std/path";
import * as v from "valibot";
import type { Measurement, Peer, Scenario, Surroundings, System } from "./measurement.ts";
import { loadBoundFlags } from "../../node/bench/load_bounds.ts";
import { lastWords, runTool } from "./process.ts";
import { Server } from "./server.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const LOAD_GENERATOR = `${ROOT}bench/load_generator.ts`;
const START_MS_MAX = 30_000;
/** Making the seats, and what a run may take beyond the time it was given. */
const SLACK_MS = 120_000;

/** What is taken from the object that the load generator prints as its last line. */
const REPORT = v.object({
  commands: v.pipe(v.number(), v.minValue(1)),
  commands_per_second: v.pipe(v.number(), v.minValue(0)),
  latency_us: v.object({ p50: v.number(), p95: v.number(), p99: v.number() }),
  results: v.object({ ok: v.pipe(v.number(), v.minValue(0)) }),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads what the load generator wrote to standard output.
 *
 * @throws {Error} when its last line is not the report; the message says what is missing.
 */
export function parseReport(stdout: string): Measurement {
  const { success, output, issues } = v.safeParse(
    REPORT,
    parseJson(stdout.trimEnd().split("\n").at(-1)!),
  );
  if (!success) {
    const place = v.getDotPath(issues[0]) ?? "no JSON";
    throw new Error(`The load generator gave no report (${place}): ${lastWords(stdout, 1)}`);
  }
  const { latency_us: { p50, p95, p99 } } = output;
  return {
    opsPerSecond: output.commands_per_second,
    latencyUs: { p50, p95, p99 },
    effective: output.results.ok / output.commands,
  };
}

/** The loopback address in what the server has written so far. */
export function findAddress(output: string): string | undefined {
  return /\b127\.0\.0\.1:[1-9][0-9]*\b/.exec(output)?.[0];
}

/** Program and leading arguments of AllocDB: a compiled binary, or the sources. */
export function allocdbCommand(binary: string | undefined): readonly [string, readonly string[]] {
  if (binary !== undefined) return [binary, []];
  return [Deno.execPath(), ["run", "--allow-all", `${ROOT}cli.ts`]];
}

/** How the clients of a load are spread. */
export interface Spreading {
  readonly connections: number;
  /** Requests under way on each connection: so many clients share it. */
  readonly inFlight: number;
}

/**
 * Runs bench/load_generator.ts for a while.
 *
 * @param address Of the server, or of the primary.
 * @param spreading Connections and clients.
 * @param batch Commands in each request.
 * @param seconds How long.
 * @param signal Fires when the run is called off.
 */
export async function generateLoad(
  address: string,
  { connections, inFlight }: Spreading,
  batch: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Measurement> {
  const stdout = await runTool(Deno.execPath(), [
    ...["run", "--allow-all", LOAD_GENERATOR, "--address", address],
    ...["--connections", `${connections}`, "--in-flight", `${inFlight}`, "--batch", `${batch}`],
    ...["--seconds", `${seconds}`],
  ], { signal, timeoutMs: seconds * 1000 + SLACK_MS });
  return parseReport(stdout);
}

/** One load against a server of its own on an empty data directory. */
async function measureAllocdb(
  binary: string | undefined,
  { directory, signal }: Surroundings,
  scenario: Scenario,
  seconds: number,
): Promise<Measurement> {
  const parent = await Deno.makeTempDir({ dir: directory });
  const [program, leading] = allocdbCommand(binary);
  const serve = ["serve", "--data", `${parent}/data`, "--listen", "127.0.0.1:0"];
  const args = [...leading, ...serve, ...loadBoundFlags()];
  try {
    await using server = new Server(program, args, {
      signal,
      timeoutMs: START_MS_MAX,
      stopSignal: "SIGTERM",
    });
    const address = await server.untilReady(() => findAddress(server.output));
    const { clients, depth } = scenario;
    const spreading = { connections: clients, inFlight: 1 };
    return await generateLoad(address, spreading, depth, seconds, signal);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

/**
 * AllocDB itself.
 *
 * @param binary A compiled `allocdb` to serve with; the sources when absent.
 */
export function allocdb(binary: string | undefined): System {
  const open = async (surroundings: Surroundings): Promise<Peer> => {
    const [program, leading] = allocdbCommand(binary);
    const { signal } = surroundings;
    const version = await runTool(program, [...leading, "--version"], {
      signal,
      timeoutMs: START_MS_MAX,
    });
    return {
      version: lastWords(version, 1),
      settings: `${
        binary ?? "cli.ts"
      } serve, windows of 1 s and 0.5 s, else the defaults; reserve, confirm and release in turn, a go is one batch`,
      measure: (scenario, seconds) => measureAllocdb(binary, surroundings, scenario, seconds),
    };
  };
  return { name: "allocdb", supports: () => true, open };
}
