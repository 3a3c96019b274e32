/** Which allocdb the replicas of a cluster are, and what it says of itself. */
import { join, resolve } from "@std/path";
import { CliError } from "../../../../node/errors.ts";
import { childEnvironment, type Program, selfProgram } from "../../../../node/process_self.ts";
import type { LocalOptions } from "./options.ts";

/** How long a program may take to say its version, in milliseconds; sources have to be read first. */
const VERSION_MS_MAX = 30_000;
/** Longest version line that is kept. */
const VERSION_CHARS_MAX = 200;

/**
 * The program under test.
 *
 * @throws {CliError} E_USAGE when there is nothing of the kind.
 */
export function programUnderTest({ program, deno, self }: LocalOptions): Program {
  if (program === undefined) return self ?? selfProgram();
  const path = resolve(program);
  const info = statOf(path);
  const sources = info.isDirectory ? join(path, "cli.ts") : path;
  if (!info.isDirectory && !path.endsWith(".ts")) return { path, args: [] };
  statOf(sources);
  const runner = deno ?? (Deno.build.standalone ? "deno" : Deno.execPath());
  return { path: runner, args: ["run", "--allow-all", "--no-check", "--quiet", sources] };
}

function statOf(path: string): Deno.FileInfo {
  try {
    return Deno.statSync(path);
  } catch (error) {
    throw new CliError("E_USAGE", `there is no program ${path}`, {
      hint: "give an allocdb executable, or a directory with its sources",
      cause: error,
    });
  }
}

/**
 * What the program under test prints for `--version`.
 *
 * @throws {CliError} E_PREFLIGHT when it cannot be run, or says nothing like a version.
 */
export async function versionOf(program: Program): Promise<string> {
  const signal = AbortSignal.timeout(VERSION_MS_MAX);
  const args = [...program.args, "--version"];
  const command = new Deno.Command(program.path, {
    ...{ args, signal, stdin: "null", stdout: "piped", stderr: "null" },
    env: childEnvironment(),
  });
  let said: string;
  try {
    said = new TextDecoder().decode((await command.output()).stdout);
  } catch (error) {
    throw notAllocdb(program, error instanceof Error ? error.message : String(error));
  }
  const line = said.trim().split("\n")[0]!.slice(0, VERSION_CHARS_MAX);
  if (line.startsWith("allocdb ")) return line;
  throw notAllocdb(program, `for --version it says ${JSON.stringify(line)}`);
}

function notAllocdb({ path, args }: Program, why: string): CliError {
  const name = args.at(-1) ?? path;
  return new CliError("E_PREFLIGHT", `${name} cannot be put under test: ${why}`, {
    hint: "give an allocdb executable, or a directory with its sources",
  });
}
