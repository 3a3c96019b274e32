/** What `jepsen` writes beside standard output. */
import { join } from "@std/path";
import { quote } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";

/**
 * Writes a text. Whoever looks sees the old file or the new one, never a part.
 *
 * @throws {CliError} E_IO when the system refuses.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const work = `${path}.${Deno.pid}.tmp`;
  try {
    await Deno.writeTextFile(work, text);
    await Deno.rename(work, path);
  } catch (error) {
    await Deno.remove(work).catch(() => {});
    throw cannot("write", path, error);
  }
}

/** The same, of several files of a directory that is made if need be. */
export async function writeAll(
  directory: string,
  texts: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await Deno.mkdir(directory, { recursive: true });
  } catch (error) {
    throw cannot("make", directory, error);
  }
  for (const [name, text] of Object.entries(texts)) await writeWhole(join(directory, name), text);
}

function cannot(action: string, path: string, error: unknown): CliError {
  const message = error instanceof Error ? error.message : String(error);
  return new CliError("E_IO", `cannot ${action} ${quote(path)}: ${message}`, { cause: error });
}
