/** The logs of a cluster, in one archive. */
import { dirname, join } from "@std/path";
import type { Backend } from "../backend/backend.ts";
import { fileNameOf } from "./paths.ts";
import { packFiles } from "./tar.ts";

/**
 * Fetches and packs them, each file below a directory that has the name of the run.
 *
 * @param to The archive; what was there is replaced.
 * @returns How many files it has.
 */
export async function archiveLogs(
  backend: Pick<Backend, "collectLogs">,
  to: string,
  runId: string,
  atMillis: number,
): Promise<number> {
  const temporary = await Deno.makeTempDir({ dir: dirname(to), prefix: ".logs-" });
  try {
    const name = `allocdb-jepsen-${fileNameOf(runId)}-${atMillis}`;
    await Deno.mkdir(join(temporary, name));
    const files = await backend.collectLogs(join(temporary, name));
    const packed = files.map((file) => `${name}/${file}`);
    await packFiles(to, temporary, packed, Math.floor(atMillis / 1_000));
    return files.length;
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}
