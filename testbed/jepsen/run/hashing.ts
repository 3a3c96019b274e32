/** Checksums of files, without holding one in memory. */
import { createHash } from "node:crypto";
import { join } from "@std/path";

/** A file of a bundle as its manifest names it. */
export interface HashedFile {
  /** Relative to the bundle. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** Size and SHA-256 of a file. */
export async function hashFile(directory: string, path: string): Promise<HashedFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  using file = await Deno.open(join(directory, path));
  const buffer = new Uint8Array(0x1_0000);
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
    bytes += read;
  }
  return { path, bytes, sha256: hash.digest("hex") };
}

/** All files below a directory, relative to it, in the order of their names; links are passed over. */
export async function filesBelow(directory: string, under = ""): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(join(directory, under))) {
    const path = under === "" ? name : `${under}/${name}`;
    if (isFile) files.push(path);
    else if (isDirectory) files.push(...await filesBelow(directory, path));
  }
  return files.sort();
}
