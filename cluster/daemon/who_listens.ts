/** Who has a port, as far as the system tells. */

const PROC = "/proc";
/** State of a listening socket in the system's table. */
const LISTENING = "0A";

/**
 * The process that listens on a port of this machine.
 *
 * @param port The port.
 * @returns `process 4711 (allocdb)`, or `undefined` when the system does not say.
 */
export function whoListens(port: number): string | undefined {
  const inodes = ["tcp", "tcp6"].flatMap((table) => inodesOf(`${PROC}/net/${table}`, port));
  if (inodes.length === 0) return undefined;
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const pid of processes()) {
    if (!holdsAny(pid, wanted)) continue;
    const name = textOf(`${PROC}/${pid}/comm`)?.trim();
    return name === undefined ? `process ${pid}` : `process ${pid} (${name})`;
  }
  return undefined;
}

function inodesOf(path: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = (textOf(path) ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => row[1]?.endsWith(`:${hex}`) && row[3] === LISTENING)
    .map((row) => row[9] ?? "");
}

function processes(): string[] {
  try {
    return [...Deno.readDirSync(PROC)].map(({ name }) => name).filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // Not a system that shows its processes.
  }
}

function holdsAny(pid: string, wanted: ReadonlySet<string>): boolean {
  try {
    for (const { name } of Deno.readDirSync(`${PROC}/${pid}/fd`)) {
      if (wanted.has(linkOf(`${PROC}/${pid}/fd/${name}`))) return true;
    }
  } catch {
    // Somebody else's process, or it has ended.
  }
  return false;
}

function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return ""; // It was closed meanwhile.
  }
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
