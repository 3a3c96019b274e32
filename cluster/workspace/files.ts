/** Small text files of a workspace: read whole, replaced whole or not at all. */
import { dirname } from "@std/path";

/**
 * The text of a file.
 *
 * @param path The file.
 * @returns `undefined` when there is none.
 * @throws {Error} The system's own, when it cannot be read.
 */
export function readTextIfAny(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Replaces a file: after a crash it has the old text or the new one, and once this returned, the new one.
 *
 * @param path The file; its directory exists.
 * @param text The new text.
 * @param temporary Where it is written first: a file of its own where several processes write the same one.
 * @throws {Error} The system's own; the file then has its old text.
 */
export function replaceText(path: string, text: string, temporary = `${path}.tmp`): void {
  {
    using file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
    writeAll(file, new TextEncoder().encode(text));
    file.syncSync();
  }
  Deno.renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/** Makes what was created, renamed or removed in a directory durable. */
export function syncDirectory(path: string): void {
  using directory = Deno.openSync(path);
  directory.syncSync();
}

/** Writes all of the bytes; the system may take less at a time. */
export function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const count = file.writeSync(bytes.subarray(at));
    if (count === 0) throw new Error("The system wrote nothing");
    at += count;
  }
}

/** Removes a file; a missing one is no error. */
export function removeIfAny(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
