/**
 * Starting this program again as a process of its own. Always by `Deno.Command`: what `node:child_process`
 * starts from a compiled program is that program again, without end.
 */
import { CliError } from "./errors.ts";

/** How a program is started. */
export interface Program {
  readonly path: string;
  /** What stands in front of its own arguments. */
  readonly args: readonly string[];
}

/** What a server said when it was ready. */
export interface Serving {
  /** `host:port` for clients. */
  readonly listen: string;
  readonly startupKind: string;
  readonly pid: number;
}

/** How long a server may take until it is ready: recovery of a large log is part of it. */
const READY_MS_MAX = 60_000;
/** How long a server that was asked to stop may take before it is killed. */
const STOP_MS_MAX = 15_000;
/** What is kept of a server's last words, in characters. */
const OUTPUT_CHARS_MAX = 4_096;

/** Counts how deep programs have started themselves. */
const DEPTH = "ALLOCDB_DEPTH";
const DEPTH_MAX = 2;

/** The depth of what this program starts. A program that took another turn than it was told would start itself for ever. */
function nextDepth(): number {
  const depth = Number(Deno.env.get(DEPTH) ?? "0");
  if (depth >= 0 && depth < DEPTH_MAX) return depth + 1;
  throw new CliError("E_BUG", "a program that was started by itself was about to start itself");
}

/**
 * What a process of this program needs in its environment.
 *
 * @throws {CliError} E_BUG when a program that was started so starts itself too deeply.
 */
export function childEnvironment(): Record<string, string> {
  return { [DEPTH]: String(nextDepth()) };
}

/** This very program. */
export function selfProgram(): Program {
  if (Deno.build.standalone) return { path: Deno.execPath(), args: [] };
  return { path: Deno.execPath(), args: ["run", "--allow-all", Deno.mainModule] };
}

/** Redirects, then becomes the program: the number of the process stays. */
const SHELL_TEXT = 'log=$1; shift; exec "$@" >>"$log" 2>&1';

/**
 * Starts this program as a process of a session of its own, which outlives this one.
 *
 * @param program This program, see {@linkcode selfProgram}.
 * @param args Its arguments.
 * @param logPath Where everything that it prints is appended.
 * @returns The process. It does not keep this one from ending.
 * @throws {CliError} E_BUG when a program that was started so starts itself too deeply.
 */
export function startDetached(
  program: Program,
  args: readonly string[],
  logPath: string,
): Deno.ChildProcess {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", SHELL_TEXT, "sh", logPath, program.path, ...program.args, ...args],
    env: { [DEPTH]: String(nextDepth()) },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  return child;
}

/** A process that runs `allocdb serve`, stopped by its process id and never left behind. */
export class ServerProcess implements AsyncDisposable {
  readonly serving: Serving;
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<number>;

  private constructor(serving: Serving, child: Deno.ChildProcess, ended: Promise<number>) {
    this.serving = serving;
    this.#child = child;
    this.#ended = ended;
  }

  /**
   * Starts a server and waits until it is ready.
   *
   * @param program This program, see {@linkcode selfProgram}.
   * @param flags What follows `serve`; `--json` is added.
   * @returns The server.
   * @throws {CliError} E_WAIT_TIMEOUT when it is not ready in a minute, E_IO when it ends instead.
   */
  static async start(program: Program, flags: readonly string[]): Promise<ServerProcess> {
    const child = new Deno.Command(program.path, {
      args: [...program.args, "serve", ...flags, "--json"],
      env: { [DEPTH]: String(nextDepth()) },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const said = new Tail();
    const complained = new Tail();
    const streams = [drain(child.stdout, said), drain(child.stderr, complained)];
    const ended = Promise.all([child.status, ...streams]).then(([status]) => status.code);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      signal(child, "SIGKILL");
    }, READY_MS_MAX);
    const line = await Promise.race([said.firstLine, ended]);
    clearTimeout(timer);
    const serving = typeof line === "string" ? parseServing(line) : undefined;
    if (serving !== undefined) return new ServerProcess(serving, child, ended);
    signal(child, "SIGKILL");
    const code = await ended;
    if (isLate) {
      throw new CliError("E_WAIT_TIMEOUT", `the server was not ready in ${READY_MS_MAX} ms`);
    }
    throw new CliError("E_IO", `the server ended with ${code}: ${complained.lastLine}`);
  }

  /** Asks it to drain and stop, and kills it if it does not. Resolves to its exit code. */
  async stop(): Promise<number> {
    signal(this.#child, "SIGTERM");
    const timer = setTimeout(() => signal(this.#child, "SIGKILL"), STOP_MS_MAX);
    const code = await this.#ended;
    clearTimeout(timer);
    return code;
  }

  /** Kills it at once, as a crash would. Resolves when it is gone. */
  async kill(): Promise<void> {
    signal(this.#child, "SIGKILL");
    await this.#ended;
  }

  /** Stops it, unless it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The end of what a process writes, and its first line. */
class Tail {
  readonly firstLine: Promise<string>;
  #found: (line: string) => void = () => {};
  #text = "";

  constructor() {
    this.firstLine = new Promise((resolve) => this.#found = resolve);
  }

  get lastLine(): string {
    const lines = this.#text.split("\n").filter((line) => line.trim() !== "");
    return lines.at(-1) ?? "it said nothing";
  }

  add(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf("\n");
    if (end >= 0) this.#found(this.#text.slice(0, end)); // Later calls have no effect.
    this.#text = this.#text.slice(-OUTPUT_CHARS_MAX);
  }
}

/** Reads all there is, so that the process never waits for a reader. */
async function drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>, into: Tail): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) into.add(text);
}

function parseServing(line: string): Serving | undefined {
  try {
    const { event, listen, startup_kind: startupKind, pid } = JSON.parse(line);
    if (event !== "serving" || typeof listen !== "string") return undefined;
    return { listen, startupKind: String(startupKind), pid: Number(pid) };
  } catch {
    return undefined;
  }
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // It has ended already.
  }
}
