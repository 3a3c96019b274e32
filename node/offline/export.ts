/** A stopped replica's files in one tar file. Source: docs/operations.md#tools-for-a-replicas-files. */
import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import { CliError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { hexOf } from "../cli/fields.ts";
import { inspectDirectory, type Inspection } from "./inspect.ts";
import {
  encodeManifest,
  encodeManifestSum,
  type Manifest,
  MANIFEST_FILE,
  MANIFEST_SUM_FILE,
} from "./manifest.ts";
import { ReadDisk } from "./read_disk.ts";
import { encodeTarHeader, TAR_BLOCK_BYTES, tarPadding } from "./tar.ts";

/** Files that make a replica; leftovers of what a crash cut short are left out. */
const EXPORTED =
  /^(replica\.metadata(\.prepare)?|state\.wal(\.next|\.\d{20})?|state\.snapshot(\.previous)?)$/;
const CHUNK_BYTES = 0x10_0000;

/** What was exported. */
export interface Exported {
  readonly archive: string;
  readonly bytes: number;
  readonly manifest: Manifest;
}

/**
 * Writes an archive, durably or not at all. Nobody may run on the directory meanwhile.
 *
 * @param directory A data directory.
 * @param archive The file to make.
 * @param now ISO 8601.
 * @returns What is in it.
 * @throws {CliError} When the data is damaged or the archive exists.
 */
export function exportReplica(directory: string, archive: string, now: string): Exported {
  const disk = new ReadDisk(directory);
  const inspection = inspectDirectory(disk);
  requireSound(inspection, directory);
  refuseExisting(archive);
  const names = disk.list().filter((name) => EXPORTED.test(name)).sort();
  const files = names.map((name) => ({ name, ...hashFile(`${directory}/${name}`) }));
  const manifest = manifestOf(inspection, files, now);
  const temporary = `${archive}.tmp`;
  try {
    const bytes = writeArchive(directory, temporary, manifest);
    Deno.renameSync(temporary, archive);
    syncDirectory(dirname(archive));
    return { archive, bytes, manifest };
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
}

/** A copy of damaged data is evidence, and `cp` makes that; an archive is for restoring. */
function requireSound({ kind, metadata, log, problems }: Inspection, directory: string): void {
  if (metadata !== undefined && log.tip !== undefined && problems.length === 0) return;
  const code = kind === "allocdb" || kind === "damaged" ? "E_CORRUPT" : "E_IO";
  const why = problems[0] ?? `it is ${kind}`;
  throw new CliError(code, `${directory} is no sound data directory: ${why}`, {
    hint: `see \`allocdb replica inspect ${directory}\`; copy damaged data with cp`,
  });
}

function refuseExisting(archive: string): void {
  try {
    Deno.lstatSync(archive);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new CliError("E_FILE_EXISTS", `${archive} exists`, { hint: "give another --to" });
}

function manifestOf(
  { metadata, log }: Inspection,
  files: Manifest["files"],
  now: string,
): Manifest {
  const { clusterId, replicaId, shardId, configEpoch, role, view, logView, commitOpHint } =
    metadata!;
  return {
    version: 1,
    kind: "allocdb_replica",
    program: VERSION,
    exported_at: now,
    cluster_id: hexOf(clusterId),
    replica_id: String(replicaId),
    shard_id: String(shardId),
    config_epoch: String(configEpoch),
    role,
    view: String(view),
    log_view: String(logView),
    commit_op_hint: String(commitOpHint),
    first_op: String(log.firstOp!),
    tip_op: String(log.tip!.op),
    tip_hash: log.tip!.hash,
    files,
  };
}

function hashFile(path: string): { bytes: number; sha256: string } {
  const hash = createHash("sha256");
  const bytes = readChunks(path, (chunk) => void hash.update(chunk));
  return { bytes, sha256: hash.digest("hex") };
}

function writeArchive(directory: string, path: string, manifest: Manifest): number {
  using out = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  let bytes = 0;
  const put = (chunk: Uint8Array): void => {
    for (let at = 0; at < chunk.length;) at += out.writeSync(chunk.subarray(at));
    bytes += chunk.length;
  };
  const putWhole = (name: string, content: Uint8Array): void => {
    put(encodeTarHeader({ name, bytes: content.length }));
    put(content);
    put(new Uint8Array(tarPadding(content.length)));
  };
  const first = encodeManifest(manifest);
  putWhole(MANIFEST_FILE, first);
  putWhole(MANIFEST_SUM_FILE, encodeManifestSum(first));
  for (const file of manifest.files) {
    put(encodeTarHeader(file));
    readChunks(`${directory}/${file.name}`, put);
    put(new Uint8Array(tarPadding(file.bytes)));
  }
  put(new Uint8Array(2 * TAR_BLOCK_BYTES));
  out.syncSync();
  return bytes;
}

function readChunks(path: string, take: (chunk: Uint8Array) => void): number {
  using file = Deno.openSync(path);
  const chunk = new Uint8Array(CHUNK_BYTES);
  let bytes = 0;
  for (let count = file.readSync(chunk); count !== null; count = file.readSync(chunk)) {
    take(chunk.subarray(0, count));
    bytes += count;
  }
  return bytes;
}

/** Makes a new name in a directory durable. */
export function syncDirectory(path: string): void {
  using directory = Deno.openSync(path);
  directory.syncSync();
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
