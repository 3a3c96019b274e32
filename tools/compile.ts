// Builds dist/allocdb: bundles cli.ts, then compiles the bundle with the pinned stub.
// Why it goes through a bundle: docs/decisions/0001-toolchain.md.
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, resolve } from "@std/path";
import { findDenort } from "./denort.ts";

const USAGE = `Usage: ./tools/deno task compile [--plain] [--output FILE]

  --output FILE  Where the executable goes (default dist/allocdb)
  --plain        Compile the sources without bundling them first: for when the bundler,
                 which is experimental, fails; larger, starts slower`;

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** Deno analyses CommonJS packages by recursion and overflows its default stack on some. */
const STACK_BYTES = "16777216";

function usageError(message: string): never {
  console.error(`error: ${message}\n\n${USAGE}`);
  Deno.exit(2);
}

/** Standard output of a git command run at the root; undefined without git or outside a repository. */
async function git(...args: string[]): Promise<string | undefined> {
  try {
    const command = new Deno.Command("git", { args, cwd: ROOT, stdin: "null", stderr: "null" });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The commit the sources are at, with `-dirty` if tracked files differ from it. "unknown" where
 * that cannot be told: no git, or an unpacked archive inside somebody else's repository.
 */
async function sourceCommit(): Promise<string> {
  if (await git("rev-parse", "--show-prefix") !== "") return "unknown";
  const commit = await git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*");
  return commit !== undefined && /^[0-9a-f]+(-dirty)?$/.test(commit) ? commit : "unknown";
}

/** Runs this Deno at the root. Throws Error when it fails; it has then said why. */
async function deno(args: string[], env: Record<string, string>): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), { args, env, cwd: ROOT, stdin: "null" });
  const { code } = await command.spawn().status;
  if (code !== 0) throw new Error(`deno ${args[0]} failed with exit code ${code}`);
}

/** Flags of the compile step. A bundle needs neither packages nor configuration; sources do. */
function compileFlags(plain: boolean): string[] {
  const common = ["--quiet", "--allow-all", "--no-check", "--no-code-cache", "--no-lock"];
  return plain ? common : [...common, "--no-npm", "--no-config"];
}

/** Compiles into `output` by way of `work`, an empty directory of our own. */
async function compile(output: string, plain: boolean, work: string): Promise<void> {
  const env: Record<string, string> = { RUST_MIN_STACK: STACK_BYTES };
  const denort = await findDenort();
  if (denort !== undefined) env.DENORT_BIN = denort;
  const envFile = `${work}/build.env`;
  await Deno.writeTextFile(envFile, `ALLOCDB_BUILD_COMMIT=${await sourceCommit()}\n`);
  const bundle = `${work}/allocdb`;
  // Split, so that a lazily imported command stays a file of its own that is read when it is used.
  if (!plain) {
    await deno(["bundle", "--quiet", "--code-splitting", `--outdir=${bundle}`, "cli.ts"], env);
  }
  const entry = plain ? "cli.ts" : `${bundle}/cli.js`;
  const flags = [...compileFlags(plain), `--env-file=${envFile}`, `--output=${output}`];
  await deno(["compile", ...flags, entry], env);
}

async function main(): Promise<void> {
  const { plain, output } = parseArgs(Deno.args, {
    boolean: ["plain"],
    string: ["output"],
    default: { output: `${ROOT}dist/allocdb` },
    unknown: (argument: string) => usageError(`Unknown argument ${argument}`),
  });
  if (!output) usageError("--output needs a file name");
  const executable = resolve(output);
  await Deno.mkdir(`${ROOT}dist`, { recursive: true });
  const work = await Deno.makeTempDir({ dir: `${ROOT}dist`, prefix: "work." });
  try {
    await compile(executable, plain, work);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  const { size } = await Deno.stat(executable);
  console.log(`${executable}: ${(size / 1e6).toFixed(1)} MB`);
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  });
}
