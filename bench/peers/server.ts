/** A server process of ours: started, waited for, stopped by its process id, never left behind. */
import { lastWords, sleep, type ToolOptions } from "./process.ts";

/** A server that does not stop when it is asked is killed after this. */
const STOP_MS_MAX = 15_000;
/** Between two looks at whether a server is ready. */
const POLL_MS = 50;
/** Characters of output that are kept. */
const OUTPUT_CHARS_MAX = 8192;

/** What a server needs besides its command line. `timeoutMs` bounds the start. */
export interface ServerOptions extends ToolOptions {
  /** Asks it to stop in an orderly way. */
  readonly stopSignal: Deno.Signal;
}

/** A running server process. */
export class Server implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #options: ServerOptions;
  readonly #drained: Promise<void>[];
  #output = "";
  #exitCode: number | undefined;

  /**
   * Starts the program. It may not be ready yet: see {@linkcode Server.untilReady}.
   *
   * @param path The program.
   * @param args Its arguments.
   * @param options Who runs it, how long its start may take, how it is stopped.
   */
  constructor(path: string, args: readonly string[], options: ServerOptions) {
    const { cwd, user, env } = options;
    this.#options = options;
    this.#child = new Deno.Command(path, {
      args: [...args],
      ...(cwd === undefined ? {} : { cwd }),
      ...user,
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#drained = [this.#drain(this.#child.stdout), this.#drain(this.#child.stderr)];
    this.#child.status.then(({ code }) => this.#exitCode = code);
  }

  /** The last of what it wrote, both streams as they came. */
  get output(): string {
    return this.#output;
  }

  async #drain(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#output = (this.#output + text).slice(-OUTPUT_CHARS_MAX);
    }
  }

  /**
   * Asks again and again.
   *
   * @param probe Answers undefined for as long as the server is not ready.
   * @returns What the probe answered.
   * @throws {Error} when the server ends first or takes longer than `timeoutMs`.
   */
  async untilReady<T>(probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const { signal, timeoutMs } = this.#options;
    const endMs = performance.now() + timeoutMs;
    while (performance.now() < endMs) {
      const ready = await probe();
      if (ready !== undefined) return ready;
      if (this.#exitCode !== undefined) {
        await Promise.all(this.#drained);
        throw new Error(`The server ended with ${this.#exitCode}: ${lastWords(this.#output)}`);
      }
      await sleep(POLL_MS, signal);
    }
    throw new Error(`The server was not ready in ${timeoutMs} ms: ${lastWords(this.#output)}`);
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It ended in this very moment.
    }
  }

  /** Stops the process and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exitCode === undefined) this.#kill(this.#options.stopSignal);
    const timer = setTimeout(() => this.#kill("SIGKILL"), STOP_MS_MAX);
    await this.#child.status;
    clearTimeout(timer);
    await Promise.all(this.#drained);
  }
}
