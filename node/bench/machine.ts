/** What the figures were measured on: without it they mean nothing. Linux says most; elsewhere it is `unknown`. */
import { buildCommit, VERSION } from "../version.ts";
import type { Figures } from "./scenario.ts";

/** A machine and what runs on it. Nothing that names it. */
export interface Machine {
  readonly version: string;
  readonly commit: string;
  readonly deno: string;
  readonly v8: string;
  readonly os: string;
  readonly kernel: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  /** Of the directory that the files went to. */
  readonly fileSystem: string;
}

const UNKNOWN = "unknown";
/** File systems that forget everything when the power fails. */
const VOLATILE = ["tmpfs", "ramfs"];

/** Facts about this machine and the file system of a directory. */
export function describeMachine(directory: string): Machine {
  return {
    version: VERSION,
    commit: buildCommit(),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    os: Deno.build.os,
    kernel: Deno.osRelease(),
    cores: navigator.hardwareConcurrency,
    cpu: /^model name\s*: (.*)$/m.exec(read("/proc/cpuinfo"))?.[1] ?? UNKNOWN,
    memoryBytes: Deno.systemMemoryInfo().total,
    fileSystem: fileSystemOf(read("/proc/self/mountinfo"), Deno.realPathSync(directory)),
  };
}

/** Whether synced files survive a power failure, as far as the file system's name tells. */
export function isVolatile({ fileSystem }: Machine): boolean {
  return VOLATILE.includes(fileSystem);
}

/**
 * The type of the file system that holds a path: that of the deepest mount, and of several at one place the
 * last. Source: proc(5), /proc/pid/mountinfo.
 *
 * @param mountinfo The file's text.
 * @param path An absolute path without links.
 */
export function fileSystemOf(mountinfo: string, path: string): string {
  let found = UNKNOWN;
  let depth = 0;
  for (const line of mountinfo.split("\n")) {
    const [place, type] = line.split(" - ").map((part, i) => part.split(" ")[i === 0 ? 4 : 0]);
    if (place === undefined || type === undefined) continue;
    const mount = unescaped(place).replace(/\/$/, "");
    if (mount.length < depth || !`${path}/`.startsWith(`${mount}/`)) continue;
    depth = mount.length;
    found = type;
  }
  return found;
}

/** The kernel writes blanks in a path as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** The machine under the keys of the report. */
export function machineKeys(machine: Machine): Figures {
  const { memoryBytes, fileSystem, ...rest } = machine;
  return { ...rest, memory_bytes: memoryBytes, file_system: fileSystem };
}
