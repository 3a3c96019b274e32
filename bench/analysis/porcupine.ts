/** Porcupine as a peer: a small program in Go around it, built where Go and its module are to be had. */

/** One history. Medians. */
export interface Figure {
  readonly file: string;
  readonly verdict: string;
  readonly ms: number;
  readonly cpuMs: number;
}

/** Builds the program into a folder and returns its path; undefined where it cannot be built. */
export async function buildPeer(go: string, into: string): Promise<string | undefined> {
  const path = `${into}/porcupine`;
  const folder = new URL("porcupine/", import.meta.url).pathname;
  try {
    const build = new Deno.Command(go, { args: ["build", "-o", path, "."], cwd: folder });
    return (await build.output()).success ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Runs it on files. */
export async function runPeer(
  program: string,
  files: readonly string[],
  rounds: number,
  flags: readonly string[],
): Promise<Figure[]> {
  const args = ["-rounds", `${rounds}`, ...flags, ...files];
  const { stdout } = await new Deno.Command(program, { args, stderr: "inherit" }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Figure);
}
