/** Data directories of replicas that have stopped, in memory and on a real disk. */
import { createHash } from "node:crypto";
import type { ReplicaMetadata } from "../../node/metadata/codec.ts";
import { encodeCopy } from "../../node/metadata/codec.ts";
import { loadMetadata, METADATA_FILE } from "../../node/metadata/metadata.ts";
import type { Disk } from "../../node/disk.ts";
import type { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";

/** The metadata of a directory, which must be sound. */
export function metadataOf(disk: Disk): ReplicaMetadata {
  const loaded = loadMetadata(disk);
  if (loaded.kind !== "loaded") throw new Error(`No metadata: ${loaded.kind}`);
  return loaded.stored.metadata;
}

/** Changes what a directory remembers, in both copies. */
export function changeMetadata(disk: MemoryDisk, changes: Partial<ReplicaMetadata>): void {
  const copy = encodeCopy({ ...metadataOf(disk), ...changes }, 50n);
  disk.install(METADATA_FILE, Uint8Array.from([...copy, ...copy]));
}

/** Writes every file of a disk into a real directory, which must exist. */
export function writeOut(disk: MemoryDisk, directory: string): void {
  for (const name of disk.list()) {
    Deno.writeFileSync(`${directory}/${name}`, disk.contents(name));
  }
}

/** Runs something with an empty directory, which is removed afterwards. */
export async function inDirectory<T>(use: (directory: string) => Promise<T> | T): Promise<T> {
  const directory = Deno.makeTempDirSync({ prefix: "allocdb-test-" });
  try {
    return await use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Every file of a real directory with its length and SHA-256, to compare a directory with itself. */
export function imageOf(directory: string): Record<string, string> {
  const image: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(directory)) {
    const bytes = Deno.readFileSync(`${directory}/${name}`);
    image[name] = `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
  }
  return image;
}
