/** Processes by number and by when they began, so that a number used again is never taken for the old one. */

/** One process, beyond confusion with another. */
export interface ProcessMark {
  readonly pid: number;
  /** When it began, in clock ticks since the machine did, and which start of the machine: `TICKS@BOOT`. */
  readonly start: string;
}

/** Where the system shows its processes. */
const PROC = "/proc";

/** Fields of `stat`, counted from 1; the list begins behind the name with the third, the state. */
const THREADS_FIELD = 20 - 3;
const START_FIELD = 22 - 3;

/**
 * The mark of a process that runs now.
 *
 * @param pid Its number.
 * @returns `undefined` when there is none, or when it has ended and nobody has asked how.
 */
export function processMark(pid: number): ProcessMark | undefined {
  const stat = readSystemFile(`${PROC}/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name stands in parentheses and may hold anything, spaces and parentheses included.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const hasEnded = fields[0] === "Z" || fields[0] === "X";
  // As long as another thread is on its way out, the process still has its ports and its locks.
  const isGone = hasEnded && Number(fields[THREADS_FIELD]) <= 1;
  const ticks = fields[START_FIELD];
  if (isGone || ticks === undefined) return undefined;
  return { pid, start: `${ticks}@${bootId()}` };
}

/** Whether the very process that has the mark runs. */
export function isRunning(mark: ProcessMark): boolean {
  return processMark(mark.pid)?.start === mark.start;
}

/** Whether the process is stopped by a signal. */
export function isPaused(mark: ProcessMark): boolean {
  const stat = readSystemFile(`${PROC}/${mark.pid}/stat`) ?? "";
  return stat.charAt(stat.lastIndexOf(")") + 2) === "T" && isRunning(mark);
}

/**
 * Sends a signal to the very process that has the mark.
 *
 * @param mark Whom.
 * @param signal Which.
 * @returns Whether it was there to get it.
 */
export function signalProcess(mark: ProcessMark, signal: Deno.Signal): boolean {
  if (!isRunning(mark)) return false;
  try {
    Deno.kill(mark.pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false; // It ended in between.
    throw error;
  }
}

/** Whether this system shows its processes. Without that no replica can be told from another process. */
export function canSeeProcesses(): boolean {
  return processMark(Deno.pid) !== undefined;
}

function bootId(): string {
  return readSystemFile(`${PROC}/sys/kernel/random/boot_id`)?.trim() || "unknown";
}

function readSystemFile(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined; // No such process, or it ended while we read.
  }
}
