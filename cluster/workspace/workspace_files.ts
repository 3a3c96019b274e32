/** The files of a workspace by name, and reading those that both the runner and the replicas read. */
import { basename, dirname, join, resolve } from "@std/path";
import { CliError } from "../../node/errors.ts";
import type { Faults } from "./faults.ts";
import { parseFaults } from "./faults_text.ts";
import { readTextIfAny } from "./files.ts";
import { type ClusterLayout, parseLayout } from "./layout.ts";
import { TextProblem } from "./text.ts";

/** Names in the root of a workspace. */
export const LAYOUT_FILE = "cluster-layout.txt";
/** See {@linkcode LAYOUT_FILE}. */
export const FAULTS_FILE = "cluster-faults.txt";
/** See {@linkcode LAYOUT_FILE}. */
export const TIMELINE_FILE = "cluster-timeline.log";

/** Where a layout's faults are. */
export function faultsPath(layout: ClusterLayout): string {
  return join(layout.root, FAULTS_FILE);
}

/** Where a layout's timeline is. */
export function timelinePath(layout: ClusterLayout): string {
  return join(layout.root, TIMELINE_FILE);
}

/**
 * Reads a layout.
 *
 * @param path The layout file.
 * @returns `undefined` when there is no such file.
 * @throws {CliError} When it cannot be read or is no layout.
 */
export function readLayout(path: string): ClusterLayout | undefined {
  const text = read(path);
  if (text === undefined) return undefined;
  return parsed(path, () => parseLayout(text, resolve(dirname(path))));
}

/**
 * Reads the faults of a workspace.
 *
 * @param layout The workspace.
 * @returns `undefined` when there is no faults file, which means that nothing is wrong.
 * @throws {CliError} When it cannot be read or understood. A replica then goes on with what it read before.
 */
export function readFaults(layout: ClusterLayout): Faults | undefined {
  const path = faultsPath(layout);
  const text = read(path);
  if (text === undefined) return undefined;
  return parsed(path, () => parseFaults(text, layout.members));
}

function read(path: string): string | undefined {
  try {
    return readTextIfAny(path);
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TextProblem)) throw error;
    const code = error.isOtherVersion ? "E_DATA_VERSION" : "E_BAD_WORKSPACE";
    throw new CliError(code, `${path}: ${error.message}`, {
      hint: hintFor(path, error),
      context: { path, line: error.line },
    });
  }
}

function hintFor(path: string, { isOtherVersion }: TextProblem): string {
  if (isOtherVersion) return "use the version of allocdb that made this workspace";
  if (basename(path) !== FAULTS_FILE) return "correct that line, or put the file back as it was";
  return `correct it, or end every fault: allocdb cluster heal --all --workspace ${dirname(path)}`;
}

/** A failing file as an error of the contract. */
export function fileError(error: unknown, action: string, path: string): CliError {
  const text = error instanceof Error ? error.message : String(error);
  const message = `Cannot ${action} ${path}: ${text}`;
  const detail = { cause: error, context: { path } };
  if (error instanceof Deno.errors.PermissionDenied) {
    return new CliError("E_PERMISSION_DENIED", message, detail);
  }
  if (text.includes("os error 28")) return new CliError("E_DISK_FULL", message, detail);
  if (text.includes("os error 30")) return new CliError("E_DISK_READ_ONLY", message, detail);
  return new CliError("E_IO", message, detail);
}
