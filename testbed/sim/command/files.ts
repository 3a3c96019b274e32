/** Files of the simulator: read whole with a limit, written whole or not at all. */
import { CliError } from "../../../node/errors.ts";
import type { ErrorCode } from "../../../node/error_catalogue.ts";
import { quote } from "../../../node/cli/text.ts";

/** Where a text goes in parts. */
export interface TextTarget {
  write(text: string): void;
  /** All is there. */
  commit(): void;
  /** Forgets what is not whole; nothing after {@linkcode TextTarget.commit}. */
  abandon(): void;
}

/**
 * Reads a text.
 *
 * @param path Which file.
 * @param bytesMax Length of the longest that is read.
 * @returns The text; bytes that are no UTF-8 are replaced.
 * @throws {CliError} When there is none, or it is longer.
 */
export function readText(path: string, bytesMax: number): string {
  return translated(`read ${quote(path)}`, () => {
    const { size, isFile } = Deno.statSync(path);
    if (!isFile) throw new CliError("E_BAD_PLAN", `${quote(path)} is not a file`);
    if (size > bytesMax) {
      throw new CliError(
        "E_BAD_PLAN",
        `${quote(path)} has ${size} bytes, a plan at most ${bytesMax}`,
      );
    }
    return new TextDecoder().decode(Deno.readFileSync(path));
  });
}

/**
 * Writes a text. Whoever looks sees the old file or the new one, never a part.
 *
 * @throws {CliError} When the system refuses.
 */
export function writeText(path: string, text: string): void {
  const work = `${path}.${Deno.pid}.tmp`;
  translated(`write ${quote(path)}`, () => {
    try {
      Deno.writeTextFileSync(work, text);
      Deno.renameSync(work, path);
    } catch (error) {
      forget(work);
      throw error;
    }
  });
}

/**
 * Writes a text in parts, as {@linkcode writeText} writes one.
 *
 * @param path Which file.
 * @returns What takes the parts.
 * @throws {CliError} When the system refuses; so do the parts.
 */
export function writeParts(path: string): TextTarget {
  const work = `${path}.${Deno.pid}.tmp`;
  const what = `write ${quote(path)}`;
  const options = { write: true, create: true, truncate: true };
  const file = translated(what, () => Deno.openSync(work, options));
  let isOpen = true;
  const close = (): void => {
    if (isOpen) file.close();
    isOpen = false;
  };
  return {
    write: (text) => translated(what, () => writeAll(file, text)),
    commit: () => {
      close();
      translated(what, () => Deno.renameSync(work, path));
    },
    abandon: () => {
      if (!isOpen) return;
      close();
      forget(work);
    },
  };
}

function writeAll(file: Deno.FsFile, text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
}

/** Makes a directory and those above it, unless it is there. */
export function makeDirectory(path: string): void {
  translated(`make ${quote(path)}`, () => Deno.mkdirSync(path, { recursive: true }));
}

function forget(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was never made.
  }
}

const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "E_DISK_FULL",
  EROFS: "E_DISK_READ_ONLY",
  EACCES: "E_PERMISSION_DENIED",
  EPERM: "E_PERMISSION_DENIED",
};

function translated<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    const system = "code" in error ? String(error.code) : "";
    throw new CliError(SYSTEM_CODES[system] ?? "E_IO", `cannot ${what}: ${error.message}`, {
      hint: "give a path that can be read and written",
      cause: error,
    });
  }
}
