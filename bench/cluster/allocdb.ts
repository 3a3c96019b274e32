/** AllocDB with three replicas under bench/load_generator.ts. */
import { allocdbCommand, generateLoad, type Spreading } from "../peers/allocdb.ts";
import type { Measurement, Peer, Scenario, Surroundings, System } from "../peers/measurement.ts";
import { lastWords, runTool } from "../peers/process.ts";
import { Replicas } from "./replicas.ts";

const VERSION_MS_MAX = 30_000;

/** How clients of one command each are spread over at most so many connections, evenly. */
export function spread(clients: number, connectionsMax: number): Spreading {
  const connections = Math.min(clients, connectionsMax);
  return { connections, inFlight: Math.ceil(clients / connections) };
}

async function measureFresh(
  binary: string | undefined,
  { directory, signal }: Surroundings,
  { clients, depth }: Scenario,
  connectionsMax: number,
  seconds: number,
): Promise<Measurement> {
  const parent = await Deno.makeTempDir({ dir: directory });
  try {
    await using replicas = await Replicas.start({ binary, workspace: `${parent}/ws`, signal });
    const { client } = await replicas.primary();
    return await generateLoad(client, spread(clients, connectionsMax), depth, seconds, signal);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

/**
 * A cluster of three.
 *
 * @param name How the report calls it.
 * @param binary A compiled `allocdb`; the sources when absent.
 * @param connectionsMax Its clients share so many connections; none is shared where there are fewer clients.
 */
export function allocdb(name: string, binary: string | undefined, connectionsMax: number): System {
  const open = async (surroundings: Surroundings): Promise<Peer> => {
    const [program, leading] = allocdbCommand(binary);
    const version = await runTool(program, [...leading, "--version"], {
      signal: surroundings.signal,
      timeoutMs: VERSION_MS_MAX,
    });
    return {
      version: lastWords(version, 1),
      settings: `${
        binary ?? "cli.ts"
      } cluster start, windows of 1 s and 0.5 s, else the defaults; ${
        connectionsMax === Infinity
          ? "a connection for each client"
          : `${connectionsMax} connections for all clients`
      }, to the primary; reserve, confirm and release in turn, each on its own`,
      measure: (scenario, seconds) =>
        measureFresh(binary, surroundings, scenario, connectionsMax, seconds),
    };
  };
  // Where nobody shares, one way of connecting is as the other.
  const supports = ({ clients }: Scenario): boolean =>
    connectionsMax === Infinity || clients > connectionsMax;
  return { name, supports, open };
}
