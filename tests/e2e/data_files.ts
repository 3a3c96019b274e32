/** Looking at and damaging the files of a data directory that nobody has open. */
import { join } from "@std/path";

/** Every file but the lock with a digest of its bytes: equal before and after means that nothing was touched. */
export async function hashFiles(data: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(data)) {
    if (name === "LOCK") continue;
    const bytes = Deno.readFileSync(join(data, name));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    hashes[name] = `${bytes.length} ${hash.join("-")}`;
  }
  return hashes;
}

/** Copies a data directory; holes stay holes. */
export async function copyData(from: string, to: string): Promise<void> {
  const args = ["-r", "--sparse=always", `${from}/.`, to];
  const { success } = await new Deno.Command("cp", { args }).output();
  if (!success) throw new Error("cp failed");
}

/** Changes bytes of a file in place. */
export function patchFile(
  data: string,
  name: string,
  at: number,
  change: (byte: number) => number,
): void {
  using file = Deno.openSync(join(data, name), { read: true, write: true });
  const byte = new Uint8Array(1);
  file.seekSync(at, Deno.SeekMode.Start);
  file.readSync(byte);
  byte[0] = change(byte[0]!);
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(byte);
}
