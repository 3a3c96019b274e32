/** Which program is put under test: evidence counts only when it is the compiled one that judges, too. */
import { createHash } from "node:crypto";

/** See the top of this file. */
export interface ProgramUnderTest {
  /** Absent when it is this very program. */
  readonly path: string | undefined;
  /** Of the executable; undefined for sources. */
  readonly sha256: string | undefined;
  readonly isShipped: boolean;
}

/** Looks at an executable, or at this very program. */
export async function programUnderTest(path: string | undefined): Promise<ProgramUnderTest> {
  const isSelf = path === undefined;
  const executable = isSelf ? selfPath() : await executableAt(path);
  const sha256 = executable === undefined ? undefined : await hashOf(executable);
  return { path, sha256, isShipped: isSelf && executable !== undefined };
}

function selfPath(): string | undefined {
  return Deno.build.standalone ? Deno.execPath() : undefined;
}

/** Nothing for sources; that there is no program at all is for the backend to say. */
async function executableAt(path: string): Promise<string | undefined> {
  try {
    const { isFile } = await Deno.stat(path);
    return isFile && !path.endsWith(".ts") ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(0x10_0000);
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
  }
  return hash.digest("hex");
}
