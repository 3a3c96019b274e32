/** An exported replica as a data directory again. Source: docs/operations.md#tools-for-a-replicas-files. */
import { createHash } from "node:crypto";
import { dirname, resolve } from "@std/path";
import { CliError } from "../errors.ts";
import { DenoDisk } from "../io/deno_disk.ts";
import { COPY_BYTES, encodeCopy, type ReplicaMetadata } from "../metadata/codec.ts";
import { loadMetadata, METADATA_FILE } from "../metadata/metadata.ts";
import { syncDirectory } from "./export.ts";
import { OFFER_FILE } from "../metadata/offer.ts";
import { inspectDirectory } from "./inspect.ts";
import {
  decodeManifest,
  encodeManifestSum,
  type Manifest,
  MANIFEST_BYTES_MAX,
  MANIFEST_FILE,
  MANIFEST_SUM_FILE,
} from "./manifest.ts";
import { ReadDisk } from "./read_disk.ts";
import { BadArchive, decodeTarHeader, TAR_BLOCK_BYTES, type TarEntry, tarPadding } from "./tar.ts";

const CHUNK_BYTES = 0x10_0000;

/** What was imported. */
export interface Imported {
  readonly directory: string;
  readonly manifest: Manifest;
  /** As what it comes back. */
  readonly metadata: ReplicaMetadata;
}

/**
 * Unpacks and checks an archive beside the target, and gives it the target's name when all of it is durable.
 *
 * @param archive What export made.
 * @param directory An empty directory, or none yet.
 * @param replicaId Whose directory it shall be; the exported replica's when absent.
 * @returns What is there now.
 * @throws {CliError} When the archive is damaged or the target is in use; then nothing is left behind.
 */
export function importReplica(
  archive: string,
  directory: string,
  replicaId: bigint | undefined,
): Imported {
  const target = resolve(directory);
  requireEmpty(target, directory);
  using file = openArchive(archive);
  Deno.mkdirSync(dirname(target), { recursive: true });
  const temporary = Deno.makeTempDirSync({ dir: dirname(target), prefix: ".allocdb-import-" });
  try {
    const manifest = unpack(file, temporary);
    const metadata = settle(temporary, manifest, replicaId);
    syncDirectory(temporary);
    Deno.renameSync(temporary, target);
    syncDirectory(dirname(target));
    return { directory: target, manifest, metadata };
  } catch (error) {
    removeQuietly(temporary);
    throw error instanceof BadArchive ? corrupt(archive, error.message) : error;
  }
}

function requireEmpty(target: string, shown: string): void {
  try {
    const [first] = Deno.readDirSync(target);
    if (first === undefined) return;
    throw new CliError("E_IO", `${shown} is not empty: ${first.name} is in it`, {
      hint: "give an empty or new directory as --to",
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.NotADirectory) {
      throw new CliError("E_IO", `${shown} is not a directory`, { hint: "give another --to" });
    }
    throw error;
  }
}

function unpack(file: Deno.FsFile, into: string): Manifest {
  const reader = new ArchiveReader(file);
  const manifest = readManifest(reader);
  for (const expected of manifest.files) {
    const entry = reader.next();
    if (entry?.name !== expected.name || entry.bytes !== expected.bytes) {
      throw new BadArchive(`${expected.name} is not where the manifest says`);
    }
    if (reader.unpack(entry, `${into}/${entry.name}`) !== expected.sha256) {
      throw new BadArchive(`${expected.name} is not what was exported: its SHA-256 differs`);
    }
  }
  if (reader.next() !== undefined) throw new BadArchive("it holds more than its manifest says");
  return manifest;
}

function openArchive(archive: string): Deno.FsFile {
  try {
    return Deno.openSync(archive);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new CliError("E_IO", `Cannot read ${archive}: ${text}`, { cause: error });
  }
}

function readManifest(reader: ArchiveReader): Manifest {
  const entry = reader.next();
  if (entry?.name !== MANIFEST_FILE) {
    throw new BadArchive("it does not begin with a manifest");
  }
  const bytes = reader.content(entry);
  const sum = reader.next();
  if (
    sum?.name !== MANIFEST_SUM_FILE || !sameBytes(reader.content(sum), encodeManifestSum(bytes))
  ) {
    throw new BadArchive(`${MANIFEST_FILE} is not what was exported`);
  }
  const manifest = decodeManifest(bytes);
  if (typeof manifest === "string") throw new BadArchive(manifest);
  return manifest;
}

/**
 * Makes the copy one that cannot vote: since it was made, the replica may have promised what the copy does not
 * know. A directory of a single node has nobody to promise to and stays as it was.
 */
function settle(
  directory: string,
  manifest: Manifest,
  replicaId: bigint | undefined,
): ReplicaMetadata {
  const disk = new DenoDisk(directory);
  const loaded = loadMetadata(disk);
  if (loaded.kind !== "loaded") throw new BadArchive(`there is no sound ${METADATA_FILE} in it`);
  const { metadata, sequence } = loaded.stored;
  const isSingle = metadata.configEpoch === 0n;
  if (isSingle && replicaId !== undefined) {
    throw new CliError("E_CONFIG_MISMATCH", "the archive is of a single node: it has no replicas", {
      hint: "leave --replica-id out",
    });
  }
  const next: ReplicaMetadata = isSingle
    ? metadata
    : { ...metadata, role: "recovering", vote: null, replicaId: replicaId ?? metadata.replicaId };
  disk.remove(OFFER_FILE);
  writeCopies(disk, next, sequence + 1n);
  const { problems, log } = inspectDirectory(new ReadDisk(directory));
  if (problems.length > 0) throw new BadArchive(problems[0]!);
  if (log.tip?.hash !== manifest.tip_hash) throw new BadArchive("its log is not the manifest's");
  return next;
}

function writeCopies(disk: DenoDisk, metadata: ReplicaMetadata, sequence: bigint): void {
  const copy = encodeCopy(metadata, sequence);
  const file = disk.open(METADATA_FILE);
  try {
    file.write(0, copy);
    file.write(COPY_BYTES, copy);
    file.sync();
  } finally {
    file.close();
  }
}

/** An archive, read once from its beginning to its end. */
class ArchiveReader {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  next(): TarEntry | undefined {
    return decodeTarHeader(this.#take(TAR_BLOCK_BYTES));
  }

  content({ bytes }: TarEntry): Uint8Array {
    if (bytes > MANIFEST_BYTES_MAX) throw new BadArchive("a part is too long");
    const content = this.#take(bytes);
    this.#take(tarPadding(bytes));
    return content;
  }

  /** Writes a file durably and answers its SHA-256. */
  unpack({ bytes }: TarEntry, path: string): string {
    const hash = createHash("sha256");
    using out = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
    for (let left = bytes; left > 0;) {
      const chunk = this.#take(Math.min(left, CHUNK_BYTES));
      hash.update(chunk);
      for (let at = 0; at < chunk.length;) at += out.writeSync(chunk.subarray(at));
      left -= chunk.length;
    }
    this.#take(tarPadding(bytes));
    out.syncSync();
    return hash.digest("hex");
  }

  #take(bytes: number): Uint8Array {
    const taken = new Uint8Array(bytes);
    for (let at = 0; at < bytes;) {
      const count = this.#file.readSync(taken.subarray(at));
      if (count === null) throw new BadArchive("it ends too early");
      at += count;
    }
    return taken;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function corrupt(archive: string, why: string): CliError {
  return new CliError("E_CORRUPT", `${archive} cannot be imported: ${why}`, {
    hint: "nothing was made; export again, or use another archive",
  });
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
