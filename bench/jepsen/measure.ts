/** One process from its start to its end: time on the wall, time of the processors, most memory. Linux only. */

/** See the top of this file. */
export interface Measured {
  readonly code: number;
  readonly stdout: string;
  readonly wallSeconds: number;
  /** User and system time of all threads, in steps of 10 ms. */
  readonly cpuSeconds: number;
  /** That of the main thread alone: what the wall clock shows where nobody else wants the machine. */
  readonly mainSeconds: number;
  /** Resident at most, in megabytes, as looked at every few milliseconds. */
  readonly peakMegabytes: number;
}

const LOOK_MS = 10;
const TICKS_PER_SECOND = 100;

/** Runs a program. Nobody else may wait for a process meanwhile: the time of those that have ended is counted. */
export async function measure(program: string, args: readonly string[]): Promise<Measured> {
  const before = cpuSecondsOfEnded();
  const began = performance.now();
  const command = new Deno.Command(program, {
    ...{ args: [...args], stdin: "null", stdout: "piped", stderr: "null" },
  });
  const child = command.spawn();
  let [peakMegabytes, mainSeconds] = [0, 0];
  const look = setInterval(() => {
    peakMegabytes = Math.max(peakMegabytes, residentMegabytes(child.pid));
    mainSeconds = Math.max(mainSeconds, secondsOfMain(child.pid));
  }, LOOK_MS);
  try {
    const { code, stdout } = await child.output();
    const wallSeconds = (performance.now() - began) / 1_000;
    const cpuSeconds = cpuSecondsOfEnded() - before;
    const text = new TextDecoder().decode(stdout);
    return { code, stdout: text, wallSeconds, cpuSeconds, mainSeconds, peakMegabytes };
  } finally {
    clearInterval(look);
  }
}

/** User and system time of children that were waited for: fields 16 and 17. */
function cpuSecondsOfEnded(): number {
  return secondsIn(Deno.readTextFileSync("/proc/self/stat"), 16);
}

/** User and system time of the first thread so far, fields 14 and 15; 0 when the process is gone. */
function secondsOfMain(pid: number): number {
  try {
    return secondsIn(Deno.readTextFileSync(`/proc/${pid}/task/${pid}/stat`), 14);
  } catch {
    return 0;
  }
}

/** A field and the next; they are counted from 1, and the second is a name in parentheses. */
function secondsIn(stat: string, field: number): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[field - 3]) + Number(fields[field - 2])) / TICKS_PER_SECOND;
}

/** The most so far; 0 when the process is gone. */
function residentMegabytes(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_000;
  } catch {
    return 0;
  }
}
