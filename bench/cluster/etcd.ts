/** etcd as people run it where it must not lose anything: three members, each syncing its log before it counts. */
import * as v from "valibot";
import {
  type Measurement,
  NotInstalled,
  type Peer,
  type Scenario,
  type Surroundings,
  type System,
} from "../peers/measurement.ts";
import { parseReport } from "../peers/allocdb.ts";
import { freePort, runTool } from "../peers/process.ts";
import { Server } from "../peers/server.ts";
import { fromFileUrl } from "@std/path";

const LOAD = fromFileUrl(new URL("../etcd_load.ts", import.meta.url));
const MEMBERS = 3;
const START_MS_MAX = 30_000;
const TOOL_MS_MAX = 10_000;
/** Leases, and what a run may take beyond the time it was given. */
const SLACK_MS = 60_000;

const STATUS = v.array(v.object({
  Endpoint: v.string(),
  Status: v.object({ header: v.object({ member_id: v.number() }), leader: v.number() }),
}));

/**
 * Finds the leader in what `etcdctl endpoint status -w json` prints for all members.
 *
 * @returns Its client address, or undefined while they do not agree on one. Ids are rounded as numbers are in
 *   JSON: two of three random ids that round to the same would be a wonder.
 * @throws {Error} when it is something else.
 */
export function findLeader(json: string, members: number): string | undefined {
  const all = v.parse(STATUS, JSON.parse(json));
  const leaders = new Set(all.map(({ Status }) => Status.leader));
  if (all.length < members || leaders.size !== 1) return undefined;
  return all.find(({ Status }) => Status.header.member_id === Status.leader)?.Endpoint;
}

interface Member {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
}

function memberArguments(member: Member, all: readonly Member[], directory: string): string[] {
  const [client, peer] = [`http://${member.client}`, `http://${member.peer}`];
  return [
    ...["--name", member.name, "--data-dir", `${directory}/${member.name}`],
    ...["--listen-client-urls", client, "--advertise-client-urls", client],
    ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
    "--initial-cluster",
    all.map(({ name, peer }) => `${name}=http://${peer}`).join(","),
    ...["--initial-cluster-state", "new", "--quota-backend-bytes", `${8 * 2 ** 30}`],
    ...["--logger", "zap", "--log-level", "error"],
  ];
}

/** Three members on free ports of the loopback interface, gone when it is disposed of. */
async function startMembers(
  directory: string,
  signal: AbortSignal,
  servers: AsyncDisposableStack,
): Promise<string> {
  const members = Array.from({ length: MEMBERS }, (_, index): Member => ({
    name: `member${index + 1}`,
    client: `127.0.0.1:${freePort()}`,
    peer: `127.0.0.1:${freePort()}`,
  }));
  const options = { signal, timeoutMs: START_MS_MAX, stopSignal: "SIGTERM" } as const;
  const started = members.map((member) =>
    servers.use(new Server("etcd", memberArguments(member, members, directory), options))
  );
  const endpoints = members.map(({ client }) => client).join(",");
  return await started[0]!.untilReady(() => leaderOf(endpoints, signal));
}

async function leaderOf(endpoints: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const flags = ["--endpoints", endpoints, "--command-timeout", "1s", "-w", "json"];
    const json = await runTool("etcdctl", [...flags, "endpoint", "status"], {
      signal,
      timeoutMs: TOOL_MS_MAX,
    });
    return findLeader(json, MEMBERS);
  } catch {
    signal.throwIfAborted();
    return undefined; // Not all of them answer yet.
  }
}

async function measureFresh(
  { directory, signal }: Surroundings,
  { clients }: Scenario,
  connections: number,
  seconds: number,
): Promise<Measurement> {
  const data = await Deno.makeTempDir({ dir: directory });
  try {
    await using servers = new AsyncDisposableStack();
    const leader = await startMembers(data, signal, servers);
    const stdout = await runTool(Deno.execPath(), [
      ...["run", "--allow-all", LOAD, "--address", leader],
      ...["--clients", `${clients}`, "--connections", `${connections}`],
      ...["--seconds", `${seconds}`],
    ], { signal, timeoutMs: seconds * 1000 + SLACK_MS });
    return parseReport(stdout);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

async function versionOf(signal: AbortSignal): Promise<string> {
  try {
    const text = await runTool("etcd", ["--version"], { signal, timeoutMs: TOOL_MS_MAX });
    await runTool("etcdctl", ["version"], { signal, timeoutMs: TOOL_MS_MAX });
    return /etcd Version: (\S+)/.exec(text)?.[1] ?? "unknown";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new NotInstalled("etcd");
  }
}

/**
 * A cluster of three.
 *
 * @param name How the report calls it.
 * @param connectionsMax Its clients share so many connections; none is shared where there are fewer clients.
 */
export function etcd(name: string, connectionsMax: number): System {
  const open = async (surroundings: Surroundings): Promise<Peer> => ({
    version: await versionOf(surroundings.signal),
    settings:
      `three members, defaults; ${
        connectionsMax === Infinity
          ? "a connection for each client"
          : `${connectionsMax} connections for all clients`
      }, to the leader; a transaction is If version(key) = 0 Then Put(key, 16 bytes, lease), ` +
      "keys of 20 bytes that nobody had before, 64 leases granted in advance",
    measure: (scenario, seconds) =>
      measureFresh(surroundings, scenario, Math.min(scenario.clients, connectionsMax), seconds),
  });
  // Where nobody shares, one way of connecting is as the other.
  const supports = ({ clients, depth }: Scenario): boolean =>
    depth === 1 && (connectionsMax === Infinity || clients > connectionsMax);
  return { name, supports, open };
}
