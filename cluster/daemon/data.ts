/** What a replica does with its data directory before anything else: lock it, know it, or make it. */
import { diskError } from "../../node/disk_error.ts";
import { describeDifferences, diffConfig } from "../../node/config/text.ts";
import {
  type DataDirectory,
  initDataDirectory,
  inspectDataDirectory,
} from "../../node/data_dir.ts";
import { type Disk, DiskFault } from "../../node/disk.ts";
import { CliError } from "../../node/errors.ts";
import { DenoDisk } from "../../node/io/deno_disk.ts";
import { type DirectoryLock, lockDirectory } from "../../node/io/lock.ts";
import type { ReplicaMetadata } from "../../node/metadata/codec.ts";
import { settleMetadata, type StoredMetadata } from "../../node/metadata/metadata.ts";
import { createEmptyLog } from "../../node/serve_data.ts";
import type { ClusterLayout, ReplicaLayout } from "../workspace/layout.ts";
import { fileError } from "../workspace/workspace_files.ts";

/** A data directory that is this replica's, locked, with metadata that may be relied on. */
export interface ReplicaData {
  readonly disk: Disk;
  readonly lock: DirectoryLock;
  /** Absent when it cannot be believed: the replica is then faulted. */
  readonly stored: StoredMetadata | undefined;
  /** Why it cannot be believed. */
  readonly damage: string | undefined;
  /** Whether it was made just now: the replica then has no vote until it has caught up. */
  readonly isNew: boolean;
}

/**
 * Takes a replica's data directory.
 *
 * @param layout The cluster.
 * @param replica The replica.
 * @returns The directory; whoever gets it releases the lock.
 * @throws {CliError} When it is in use or not this replica's; nothing in it was changed then.
 */
export async function openReplicaData(
  layout: ClusterLayout,
  replica: ReplicaLayout,
): Promise<ReplicaData> {
  const { directory } = replica;
  makeDirectory(directory);
  const lock = await takeLock(directory);
  try {
    const disk = new DenoDisk(directory);
    const found = inspectDataDirectory(disk);
    if (found.kind === "damaged" && found.error.kind !== "unsupported_version") {
      return { disk, lock, stored: undefined, damage: found.error.message, isNew: false };
    }
    const isNew = found.kind === "empty" || found.kind === "incomplete";
    const stored = isNew ? init(disk, layout, replica) : existing(found, directory);
    checkIdentity(stored.metadata, layout, replica);
    settleMetadata(disk, stored);
    return { disk, lock, stored, damage: undefined, isNew };
  } catch (error) {
    lock.release();
    throw error instanceof DiskFault ? diskError(error, directory) : error;
  }
}

function makeDirectory(path: string): void {
  try {
    Deno.mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileError(error, "create", path);
  }
}

async function takeLock(directory: string): Promise<DirectoryLock> {
  let result;
  try {
    result = await lockDirectory(directory);
  } catch (error) {
    throw error instanceof DiskFault ? diskError(error, directory) : error;
  }
  if (result.kind === "held") return result.lock;
  throw new CliError("E_DATA_LOCKED", result.message, {
    hint: "this replica runs already: see `allocdb cluster status`",
    context: { pid: result.pid, data: directory },
  });
}

/** Whoever has no data may have had some, and have promised things: it asks the others before it votes. */
function init(disk: Disk, layout: ClusterLayout, replica: ReplicaLayout): StoredMetadata {
  const { clusterId, config } = layout;
  const result = initDataDirectory(disk, {
    replicaId: replica.id,
    core: config.core,
    createdAt: new Date().toISOString(),
    fillClusterId: (into) => into.set(clusterId),
    createLog: () => createEmptyLog(disk, clusterId, config),
    role: "recovering",
    configEpoch: 1n,
  });
  if (result.kind === "initialised") return result.stored;
  return existing(result.found, replica.directory);
}

function existing(found: DataDirectory, directory: string): StoredMetadata {
  if (found.kind === "allocdb") return found.stored;
  if (found.kind === "damaged") {
    throw new CliError("E_DATA_VERSION", `${directory}: ${found.error.message}`);
  }
  const files = found.kind === "foreign" ? found.files.slice(0, 3).join(", ") : found.kind;
  throw new CliError("E_IO", `${directory} holds something else: ${files}`, {
    hint: "give the replica an empty directory in the layout",
  });
}

/** A directory under a wrong name would vote twice, or bring another cluster's history. */
function checkIdentity(
  metadata: ReplicaMetadata,
  { clusterId, config }: ClusterLayout,
  { id, directory }: ReplicaLayout,
): void {
  const mismatch = (message: string, hint: string): CliError =>
    new CliError("E_CONFIG_MISMATCH", `${directory} ${message}`, {
      hint,
      context: { data: directory, replica_id: id },
    });
  if (metadata.clusterId.some((byte, i) => byte !== clusterId[i])) {
    throw mismatch("belongs to another cluster", "put this replica's own directory back");
  }
  if (metadata.configEpoch === 0n) {
    throw mismatch(
      "belongs to a server of its own, not to a replica",
      "serve it with `allocdb serve --data`, or give the replica an empty directory",
    );
  }
  if (metadata.replicaId !== id) {
    const hint = "put this replica's own directory back; never run two replicas on one's data";
    throw mismatch(`belongs to replica ${metadata.replicaId}, not to replica ${id}`, hint);
  }
  const differences = diffConfig(metadata.core, config.core);
  if (differences.length > 0) {
    throw mismatch(
      `was made under other bounds: ${describeDifferences(differences)}`,
      "put the core.* lines of the layout back as they were",
    );
  }
}
