/** What the figures were measured on. Linux: it reads /proc. */

/** Facts that a figure means nothing without. No name of the host among them. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  /** Processes that wanted to run in the minute before: what others did to the figures. */
  readonly loadAverage: number;
  readonly os: string;
  readonly kernel: string;
  readonly deno: string;
  readonly fileSystem: string;
  readonly device: string;
  readonly mountOptions: string;
}

/** A line of /proc/self/mountinfo. */
export interface Mount {
  readonly fileSystem: string;
  readonly device: string;
  readonly mountOptions: string;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

/**
 * The mount that holds a path: the deepest, and of several at one place the last.
 * Source: proc(5), section /proc/pid/mountinfo.
 *
 * @param mountinfo The file's text.
 * @param path An absolute path without links.
 */
export function mountOf(mountinfo: string, path: string): Mount | undefined {
  let found: Mount | undefined;
  let depth = 0;
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const place = unescapeOctal(before?.split(" ")[4] ?? "").replace(/\/$/, "");
    if (after === undefined || !`${path}/`.startsWith(`${place}/`)) continue;
    if (place.length < depth) continue;
    depth = place.length;
    const [fileSystem = "", device = "", options = ""] = after.split(" ");
    found = { fileSystem, device, mountOptions: options };
  }
  return found;
}

async function matchIn(path: string, pattern: RegExp): Promise<string> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return pattern.exec(text)?.[1] ?? "unknown";
}

/** Facts about this machine and the disk under a directory. */
export async function describeMachine(directory: string): Promise<Machine> {
  const mountinfo = await Deno.readTextFile("/proc/self/mountinfo").catch(() => "");
  const unknown = { fileSystem: "unknown", device: "unknown", mountOptions: "unknown" };
  return {
    cores: navigator.hardwareConcurrency,
    cpu: await matchIn("/proc/cpuinfo", /^model name\s*: (.*)$/m),
    memoryBytes: Deno.systemMemoryInfo().total,
    loadAverage: Deno.loadavg()[0]!,
    os: await matchIn("/etc/os-release", /^PRETTY_NAME="?([^"\n]*)/m),
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
    ...(mountOf(mountinfo, await Deno.realPath(directory)) ?? unknown),
  };
}
