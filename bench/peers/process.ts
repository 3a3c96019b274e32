/** Other people's programs: tools that end by themselves and servers that are told to. */

/** Who runs it and how long it may take. */
export interface ToolOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly cwd?: string;
  /** Numbers of the user and group to run as, where not our own. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly env?: Readonly<Record<string, string>>;
}

/** Longest error message made of a program's last words, in characters. */
const LAST_WORDS_CHARS_MAX = 300;

/** The last non-empty lines of a text, on one line. */
export function lastWords(text: string, lines = 3): string {
  const spoken = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const last = spoken.slice(-lines).join(" / ") || "it said nothing";
  return last.length > LAST_WORDS_CHARS_MAX ? `${last.slice(0, LAST_WORDS_CHARS_MAX)}…` : last;
}

/**
 * Runs a program to its end.
 *
 * @returns What it wrote to standard output.
 * @throws {Error} when it fails, runs out of time or is called off.
 */
export async function runTool(
  path: string,
  args: readonly string[],
  { signal, timeoutMs, cwd, user, env }: ToolOptions,
): Promise<string> {
  signal.throwIfAborted(); // A signal that has fired already would not end the program.
  const timeout = AbortSignal.timeout(timeoutMs);
  const command = new Deno.Command(path, {
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    ...user,
    env: { ...env },
    stdin: "null",
    signal: AbortSignal.any([signal, timeout]),
  });
  const { success, code, stdout, stderr } = await command.output();
  signal.throwIfAborted();
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (timeout.aborted) throw new Error(`${name} took longer than ${timeoutMs} ms`);
  const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${name} failed with ${code}: ${lastWords(complained || said!)}`);
  return said!;
}

/** A port of the loopback interface that nobody listens on right now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Waits, unless the run is called off first. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
  signal.throwIfAborted();
}
