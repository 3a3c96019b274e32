/** What the processes that make load have in common: their command line and what they used of the machine. */
import { parseArgs } from "@std/cli/parse-args";

/**
 * Reads `--name value` pairs.
 *
 * @param defaults Every flag there is; what is not given keeps its value.
 * @param args The command line. One that names another flag ends the process with exit code 2.
 */
export function parseFlags<Flags extends Readonly<Record<string, string>>>(
  defaults: Flags,
  args: readonly string[],
): Flags {
  const given: Record<string, unknown> = parseArgs([...args], {
    string: Object.keys(defaults),
    unknown: (flag: string): boolean => {
      const known = Object.entries(defaults).map(([name, value]) => `--${name} ${value}`);
      console.error(`error: Unknown argument ${flag}\nhint: ${known.join(" ")}`);
      Deno.exit(2);
    },
  });
  return { ...defaults, ...given } as Flags;
}

/** User and system time of processes so far, in seconds, given as `7,8` or `self`; Linux only, 0 elsewhere. */
export function cpuSeconds(pids: string): number {
  return pids.split(",").reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}

function cpuSecondsOf(pid: string): number {
  if (pid === "0") return 0;
  try {
    return parseCpuSeconds(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return 0;
  }
}

/** Ticks of the clock in /proc per second: the same on every Linux that runs Deno. */
const TICKS_PER_SECOND = 100;

/** User and system time in the text of `/proc/PID/stat`, in seconds. Source: proc(5), fields 14 and 15. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
