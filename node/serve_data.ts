/** What `allocdb serve` does before it listens: lock the directory, find out what it is, make it or recover it. */
import { diskError } from "./disk_error.ts";
import { existsSync } from "@std/fs";
import { type CoreConfig, tableBytes } from "../core/config.ts";
import type { ServeOptions } from "./cli/options.ts";
import { PROFILES } from "./config/profiles.ts";
import {
  applyBounds,
  configFingerprint,
  describeDifferences,
  diffConfig,
  type NodeConfig,
} from "./config/text.ts";
import { type DataDirectory, initDataDirectory, inspectDataDirectory } from "./data_dir.ts";
import { type Disk, DiskFault } from "./disk.ts";
import type { ErrorCode } from "./error_catalogue.ts";
import { CliError } from "./errors.ts";
import { DenoDisk } from "./io/deno_disk.ts";
import { type DirectoryLock, lockDirectory } from "./io/lock.ts";
import type { NodeLog } from "./log_lines.ts";
import { recoverLog } from "./log/recovery.ts";
import { settleMetadata, type StoredMetadata } from "./metadata/metadata.ts";
import { Node } from "./node.ts";
import { logSizes, openNode } from "./open_node.ts";
import type { RecoveryRefusal } from "./recover.ts";

/** A node over a locked data directory. */
export interface OpenData {
  readonly node: Node;
  readonly lock: DirectoryLock;
  /** Whether the directory was made just now. */
  readonly isNew: boolean;
  /** Bytes that all tables and indexes take when they are full. */
  readonly tableBytesMax: number;
}

/**
 * Opens or makes a data directory and recovers the node in it.
 *
 * @param options What `allocdb serve` was asked for.
 * @param log Where lines go.
 * @returns The node; whoever gets it drains it, closes it and releases the lock.
 * @throws {CliError} When the directory must not or cannot be served; nothing in it was changed then.
 */
export async function openData(
  options: ServeOptions,
  log: NodeLog,
): Promise<OpenData> {
  if (!existsSync(options.data)) wantedConfig(options, undefined); // What cannot be made is not begun.
  makeDirectory(options.data);
  const lock = await takeLock(options.data);
  try {
    const disk = new DenoDisk(options.data);
    const found = inspectDataDirectory(disk);
    const isNew = found.kind === "empty" || found.kind === "incomplete";
    const recorded = isNew ? undefined : existing(options, found);
    const config = wantedConfig(options, recorded?.metadata.core);
    if (recorded !== undefined) checkContradictions(options, recorded, config);
    const stored = recorded ?? init(disk, options, config);
    settleMetadata(disk, stored);
    const node = open(options.data, stored, config, log);
    return { node, lock, isNew, tableBytesMax: tableBytes(config.core) };
  } catch (error) {
    lock.release();
    throw error instanceof DiskFault ? diskError(error, options.data) : error;
  }
}

function makeDirectory(path: string): void {
  try {
    Deno.mkdirSync(path, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory) {
      throw new CliError("E_IO", `${path} is not a directory`, { hint: "give another --data" });
    }
    throw systemError(error, "create", path);
  }
}

async function takeLock(path: string): Promise<DirectoryLock> {
  let result;
  try {
    result = await lockDirectory(path);
  } catch (error) {
    throw error instanceof DiskFault ? diskError(error, path) : systemError(error, "lock", path);
  }
  if (result.kind === "held") return result.lock;
  throw new CliError("E_DATA_LOCKED", result.message, {
    hint: "stop that process first, or give another --data",
    context: { pid: result.pid, data: path },
  });
}

/** What the flags ask for, on top of what is recorded. Node bounds are not recorded and may change. */
function wantedConfig(options: ServeOptions, recorded: CoreConfig | undefined): NodeConfig {
  const core = options.profile === undefined ? recorded : undefined;
  const profile = PROFILES[options.profile ?? "default"];
  const base = core === undefined ? profile : { core, engine: profile.engine };
  const result = applyBounds(base, options.bounds);
  if (result.kind === "parsed") return result.config;
  throw new CliError("E_BAD_CONFIG", result.error.message, {
    context: { parameter: result.error.parameter },
  });
}

function init(disk: Disk, options: ServeOptions, config: NodeConfig): StoredMetadata {
  const result = initDataDirectory(disk, {
    replicaId: 1n,
    core: config.core,
    createdAt: new Date().toISOString(),
    fillClusterId: (into) => {
      if (options.clusterId === undefined) crypto.getRandomValues(into);
      else into.set(options.clusterId);
    },
    createLog: (metadata) => createEmptyLog(disk, metadata.clusterId, config),
  });
  if (result.kind === "initialised") return result.stored;
  throw notOurs(options, result.found);
}

/**
 * Makes the first segment of a new data directory durable.
 *
 * @param disk The directory.
 * @param clusterId 16 bytes.
 * @param config The bounds it is made under.
 * @throws {DiskFault} When the disk fails.
 */
export function createEmptyLog(disk: Disk, clusterId: Uint8Array, config: NodeConfig): void {
  const identity = {
    clusterId,
    shardId: new Uint32Array(new BigUint64Array([config.core.shardId]).buffer),
    configFingerprint: configFingerprint(config.core),
  };
  const visitor = { begin: () => undefined, frame: () => "a new log has an entry" };
  const log = recoverLog(disk, identity, { ...logSizes(), expectFresh: true }, visitor);
  if (log.kind === "recovered") return log.writer.close();
  if (log.kind === "disk_fault") throw log.fault;
  throw new CliError("E_CORRUPT", "a new log could not be read back");
}

function existing(options: ServeOptions, found: DataDirectory): StoredMetadata {
  if (found.kind === "allocdb") return found.stored;
  throw notOurs(options, found);
}

function notOurs(options: ServeOptions, found: DataDirectory): CliError {
  if (found.kind === "damaged") {
    const code = found.error.kind === "unsupported_version" ? "E_DATA_VERSION" : "E_CORRUPT";
    return new CliError(code, `${options.data}: ${found.error.message}`);
  }
  const files = found.kind === "foreign" ? found.files.slice(0, 3).join(", ") : found.kind;
  return new CliError("E_IO", `${options.data} holds something else: ${files}`, {
    hint: "give an empty or new directory as --data",
  });
}

/** Bounds and cluster are fixed when the directory is made: asking for others is refused, not obeyed. */
function checkContradictions(
  options: ServeOptions,
  recorded: StoredMetadata,
  wanted: NodeConfig,
): void {
  const { core, clusterId } = recorded.metadata;
  if (options.clusterId?.some((byte, i) => byte !== clusterId[i])) {
    throw new CliError("E_CONFIG_MISMATCH", `${options.data} belongs to another cluster`);
  }
  const differences = diffConfig(core, wanted.core);
  if (differences.length === 0) return;
  throw new CliError("E_CONFIG_MISMATCH", describeDifferences(differences), {
    context: { data: options.data },
  });
}

function open(
  directory: string,
  stored: StoredMetadata,
  config: NodeConfig,
  log: NodeLog,
): Node {
  const node = openNode({
    disk: new DenoDisk(directory),
    directory,
    clusterId: stored.metadata.clusterId,
    replicaId: stored.metadata.replicaId,
    core: config.core,
    engine: config.engine,
    clock: { nowMs: () => performance.now() },
    later: (task) => void setTimeout(task, 0),
    // Reads that became ready together go on in the same round of microtasks, ahead of one queued by the first.
    atEndOfTurn: queueMicrotask,
    log,
    hashSeed: crypto.getRandomValues(new Uint32Array(1))[0]! | 0,
    expectFresh: false,
  });
  if (node instanceof Node) return node;
  throw refusal(node);
}

function refusal(refused: RecoveryRefusal): CliError {
  if (refused.fault !== undefined) return diskError(refused.fault, refused.error);
  const context = { class: refused.failure };
  return new CliError(refusalCode(refused), refused.error, { context });
}

function refusalCode({ failure, isOtherVersion }: RecoveryRefusal): ErrorCode {
  if (isOtherVersion) return "E_DATA_VERSION";
  return failure === "config" ? "E_CONFIG_MISMATCH" : "E_CORRUPT";
}

function systemError(error: unknown, action: string, path: string): CliError {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.PermissionDenied) {
    return new CliError("E_PERMISSION_DENIED", `Cannot ${action} ${path}: ${text}`);
  }
  const readOnly = text.includes("os error 30");
  return new CliError(readOnly ? "E_DISK_READ_ONLY" : "E_IO", `Cannot ${action} ${path}: ${text}`);
}
