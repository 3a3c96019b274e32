/**
 * `run/replica-N.pid`: the number of a replica's process on the first line, when it began on the second. The
 * second has no number of its own, so `kill $(cat run/replica-1.pid)` cannot reach anybody else.
 */
import { readTextIfAny, removeIfAny, replaceText } from "./files.ts";
import { isRunning, type ProcessMark, processMark } from "./processes.ts";
import { parseWhole } from "./text.ts";

/** What a pid file says about the process that it names. */
export type PidFile =
  | { readonly kind: "running"; readonly mark: ProcessMark }
  /** No file. */
  | { readonly kind: "missing" }
  /** The process has ended; its number may be somebody else's by now. */
  | { readonly kind: "stale"; readonly pid: number }
  /** Not written by this program: whom it names is not ours to signal. */
  | { readonly kind: "foreign" };

const PID_MAX = 2 ** 31 - 1;

/**
 * Finds out whether the process of a pid file runs.
 *
 * @param path The file.
 * @throws {Error} The system's own, when it cannot be read.
 */
export function readPidFile(path: string): PidFile {
  const text = readTextIfAny(path);
  if (text === undefined) return { kind: "missing" };
  const [first = "", second = ""] = text.split("\n");
  const pid = parseWhole(first.trim(), 1, PID_MAX);
  if (pid === undefined) return { kind: "foreign" };
  const start = /^start=([0-9]+@[^\s]+)$/.exec(second)?.[1];
  if (start === undefined) {
    return processMark(pid) === undefined ? { kind: "stale", pid } : { kind: "foreign" };
  }
  const mark = { pid, start };
  return isRunning(mark) ? { kind: "running", mark } : { kind: "stale", pid };
}

/** Writes the file of a process. */
export function writePidFile(path: string, { pid, start }: ProcessMark): void {
  replaceText(path, `${pid}\nstart=${start}\n`);
}

/** Removes a pid file if it names this very process, as a replica does when it ends. */
export function removeOwnPidFile(path: string): void {
  const found = readPidFile(path);
  if (found.kind === "running" && found.mark.pid === Deno.pid) removeIfAny(path);
}
