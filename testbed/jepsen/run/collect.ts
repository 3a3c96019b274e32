/** The logs of a cluster, in one archive. */
import { dirname, join } from "@std/path";
import type { Backend } from "../backend/backend.ts";
import { fileNameOf } from "./paths.ts";
import { packFiles } from "./tar.ts";

/**
 * Fetches and packs them, each file below a directory that has the name of the run.
 *
 * @param to The archive; what was there is replaced.
 * @returns What replicas logged, by their ids.
 */
export async function archiveLogs(
  backend: Pick<Backend, "collectLogs">,
  to: string,
  runId: string,
  atMillis: number,
): Promise<ReadonlyMap<number, string>> {
  const temporary = await Deno.makeTempDir({ dir: dirname(to), prefix: ".logs-" });
  try {
    const name = `allocdb-jepsen-${fileNameOf(runId)}-${atMillis}`;
    await Deno.mkdir(join(temporary, name));
    const files = await backend.collectLogs(join(temporary, name));
    const packed = files.map((file) => `${name}/${file}`);
    await packFiles(to, temporary, packed, Math.floor(atMillis / 1_000));
    return await readLogs(join(temporary, name), files);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Longest part of a log that is kept for a report, in bytes: its end. */
const TAIL_BYTES = 4_194_304;

async function readLogs(
  directory: string,
  files: readonly string[],
): Promise<ReadonlyMap<number, string>> {
  const logs = new Map<number, string>();
  for (const path of files) {
    const [, id] = /^logs\/replica-([0-9]{1,9})\.log$/.exec(path) ?? [];
    if (id !== undefined) logs.set(Number(id), await tailOf(join(directory, path)));
  }
  return logs;
}

async function tailOf(path: string): Promise<string> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  await file.seek(Math.max(0, size - TAIL_BYTES), Deno.SeekMode.Start);
  return await new Response(file.readable).text();
}
