/** Data directories of a cluster: what they are before a replica runs on them, and making them. */
import { hexOf } from "../../node/cli/fields.ts";
import { describeDifferences, diffConfig } from "../../node/config/text.ts";
import {
  type DataDirectory,
  initDataDirectory,
  inspectDataDirectory,
} from "../../node/data_dir.ts";
import { DiskFault } from "../../node/disk.ts";
import { CliError } from "../../node/errors.ts";
import { DenoDisk } from "../../node/io/deno_disk.ts";
import { lockDirectory } from "../../node/io/lock.ts";
import { createEmptyLog } from "../../node/serve_data.ts";
import type { ReplicaMetadata } from "../../node/metadata/codec.ts";
import type { ClusterLayout, ReplicaLayout } from "../workspace/layout.ts";
import { fileError } from "../workspace/workspace_files.ts";

/** Whether a replica's data is there. */
export type DataState =
  | "present"
  /** Nothing is there, or not more than a directory that was never finished. */
  | "missing"
  /** There is something that the replica will explain when it runs. */
  | "damaged";

/** The configuration of a cluster whose members never changed. */
const FIRST_EPOCH = 1n;

/**
 * Finds out what a replica's directory is. Changes nothing.
 *
 * @throws {CliError} When it is somebody else's: another replica's, another cluster's, other bounds, other files.
 */
export function examineData(layout: ClusterLayout, replica: ReplicaLayout): DataState {
  const { directory } = replica;
  const found = inspect(directory);
  if (found === undefined) return "missing";
  switch (found.kind) {
    case "empty":
    case "incomplete":
      return "missing";
    case "allocdb":
      requireSameReplica(layout, replica, found.stored.metadata);
      return "present";
    case "damaged":
      if (found.error.kind !== "unsupported_version") return "damaged";
      throw new CliError("E_DATA_VERSION", `${directory}: ${found.error.message}`);
    case "foreign": {
      const files = found.files.slice(0, 3).join(", ");
      throw new CliError("E_BAD_WORKSPACE", `${directory} holds something else: ${files}`, {
        hint: "move it away: it is the data directory of a replica",
        context: { directory },
      });
    }
  }
}

function inspect(directory: string): DataDirectory | undefined {
  try {
    if (!Deno.statSync(directory).isDirectory) throw new Error("it is not a directory");
    return inspectDataDirectory(new DenoDisk(directory));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fileError(error, "examine", directory);
  }
}

function requireSameReplica(
  layout: ClusterLayout,
  replica: ReplicaLayout,
  metadata: ReplicaMetadata,
): void {
  const { directory } = replica;
  const says = contradiction(layout, replica, metadata);
  if (says === undefined) return;
  throw new CliError("E_CONFIG_MISMATCH", `${directory} ${says}`, {
    hint: "put the directory back where it belongs, or the layout as it was; nothing was changed",
    context: { directory, replica_id: replica.id },
  });
}

function contradiction(
  layout: ClusterLayout,
  replica: ReplicaLayout,
  { clusterId, replicaId, configEpoch, core }: ReplicaMetadata,
): string | undefined {
  if (configEpoch === 0n) {
    return "is the data directory of a single server, made by `allocdb serve`";
  }
  const [recorded, wanted] = [hexOf(clusterId), hexOf(layout.clusterId)];
  if (recorded !== wanted) return `belongs to cluster ${recorded}, and the layout is of ${wanted}`;
  if (replicaId !== replica.id) return `belongs to replica ${replicaId}, not to ${replica.id}`;
  const differences = diffConfig(core, layout.config.core);
  if (differences.length === 0) return undefined;
  return `was made with other bounds: ${describeDifferences(differences)}`;
}

/**
 * Makes a replica's data directory.
 *
 * @param role `backup` for a founder, whose cluster is new; `recovering` for one that lost what it had.
 * @throws {CliError} When somebody has the directory open, or the disk fails.
 */
export async function makeData(
  { clusterId, config }: ClusterLayout,
  { id, directory }: ReplicaLayout,
  role: "backup" | "recovering",
): Promise<void> {
  try {
    Deno.mkdirSync(directory, { recursive: true });
    const lock = await lockDirectory(directory);
    if (lock.kind === "in_use") {
      throw new CliError("E_DATA_LOCKED", lock.message, {
        hint: "end that process first",
        context: { pid: lock.pid, data: directory },
      });
    }
    using _held = lock.lock;
    const disk = new DenoDisk(directory);
    const result = initDataDirectory(disk, {
      replicaId: id,
      core: config.core,
      createdAt: new Date().toISOString(),
      fillClusterId: (into) => into.set(clusterId),
      createLog: (metadata) => createEmptyLog(disk, metadata.clusterId, config),
      role,
      configEpoch: FIRST_EPOCH,
    });
    if (result.kind === "initialised") return;
    throw new CliError("E_BAD_WORKSPACE", `${directory} changed while it was made`);
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (error instanceof DiskFault && error.kind === "disk_full") {
      throw new CliError("E_DISK_FULL", error.message, { cause: error });
    }
    throw fileError(error, "make", directory);
  }
}
