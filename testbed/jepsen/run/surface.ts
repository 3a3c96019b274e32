/**
 * Whether a cluster can be put to the test at all: every replica says how it is, a primary takes a write, and what was
 * written is read back behind a fence. Always about the same resource: a cluster may be tried as often as one likes.
 */
import { AllocDbClient } from "../../../node/client/client.ts";
import { TransportError } from "../../../node/client/types.ts";
import { CliError } from "../../../node/errors.ts";
import type { Backend, ClusterFacts, ReplicaStatus } from "../backend/backend.ts";

/** Made by whoever tries the cluster first. */
export const PROBE_RESOURCE_ID = 2n ** 127n + 1n;
const CALL_MS_MAX = 10_000;

/** What was found. */
export interface Surface {
  readonly replicas: readonly ReplicaStatus[];
  /** Lsn at which the probe was told to stand. */
  readonly probeLsn: bigint;
}

/**
 * Tries a cluster that was started.
 *
 * @throws {CliError} E_PREFLIGHT with what does not work.
 */
export async function verifySurface(backend: Backend, facts: ClusterFacts): Promise<Surface> {
  for (const { id, clientAddress } of facts.replicas) {
    await verifyMetrics(id, clientAddress, facts.secret);
  }
  const replicas = await backend.statuses();
  const serving = replicas.filter(({ serves }) => serves);
  if (serving.length !== 1) {
    throw broken(`${serving.length} of ${replicas.length} replicas say that they serve`);
  }
  const addresses = facts.replicas.map(({ clientAddress }) => clientAddress);
  return { replicas, probeLsn: await writeAndRead(addresses, facts.secret) };
}

/**
 * Starts a cluster, or finds the one that runs, and tries it; leaves it as it was.
 *
 * @throws {CliError} With what does not work.
 */
export async function tryCluster(backend: Backend, signal?: AbortSignal): Promise<Surface> {
  try {
    return await verifySurface(backend, await backend.start(signal));
  } finally {
    await backend.end();
  }
}

async function verifyMetrics(
  id: number,
  address: string,
  secret: string | undefined,
): Promise<void> {
  try {
    await using client = await connect([address], secret);
    const said = client.server.cluster?.replicaId;
    if (said !== undefined && said !== BigInt(id)) {
      throw broken(`replica ${id} is to be at ${address}, where replica ${said} is`);
    }
    await client.metrics();
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    throw broken(`replica ${id} does not tell its metrics at ${address}: ${error.message}`);
  }
}

async function writeAndRead(
  addresses: readonly string[],
  secret: string | undefined,
): Promise<bigint> {
  try {
    await using client = await connect(addresses, secret);
    const made = await client.createResource({ resourceId: PROBE_RESOURCE_ID });
    if (made.kind !== "committed") throw broken("the cluster takes no write");
    const requiredLsn = made.appliedLsn;
    const { kind } = await client.getResource(PROBE_RESOURCE_ID, { requiredLsn });
    if (kind !== "found") throw broken(`what was written at lsn ${requiredLsn} reads ${kind}`);
    return requiredLsn;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    throw broken(`nobody answers a read: ${error.message}`);
  }
}

async function connect(
  addresses: readonly string[],
  secret: string | undefined,
): Promise<AllocDbClient> {
  const options = { addresses, secret, clientName: "jepsen surface" };
  return await AllocDbClient.connect({ ...options, requestTimeoutMs: CALL_MS_MAX });
}

function broken(message: string): CliError {
  return new CliError("E_PREFLIGHT", `the cluster cannot be put to the test: ${message}`);
}
