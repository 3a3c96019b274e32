/** Whoever watches: may go at any time, by Ctrl-C, by closing the terminal or the other end of the pipe. */
import { type CliIo, OutputClosed } from "../cli/io.ts";
import { CliError } from "../errors.ts";

/** What ends a program that does not listen. One that has something to clean up must. */
const ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Somebody who is shown something. */
export class Audience implements Disposable {
  readonly #io: CliIo;
  readonly #leaving = new AbortController();
  readonly #leave = (): void => {
    this.#leaving.abort(new CliError("E_INTERRUPTED", "the demo was interrupted"));
  };
  /** An error that nobody caught is the end of the show, but not before everything is cleaned up. */
  readonly #fail = (event: ErrorEvent | PromiseRejectionEvent): void => {
    event.preventDefault();
    this.#leaving.abort(event instanceof ErrorEvent ? event.error : event.reason);
  };

  /**
   * @param io The outside; Ctrl-C is listened to from now on. Every further one is listened to as well, until this
   * is disposed of: what the first one began to clean up is cleaned up.
   */
  constructor(io: CliIo) {
    this.#io = io;
    for (const signal of ENDINGS) Deno.addSignalListener(signal, this.#leave);
    globalThis.addEventListener("error", this.#fail);
    globalThis.addEventListener("unhandledrejection", this.#fail);
    const interruption = io.interruption();
    interruption.addEventListener("abort", this.#leave);
    if (interruption.aborted) this.#leave();
  }

  /** Fires when nobody watches any more; its reason is what to end with. */
  get hasLeft(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Width of the terminal in characters. */
  columns(): number {
    return this.#io.columns();
  }

  /** Its size, if it is one that says so. */
  terminalSize(): { readonly columns: number; readonly rows: number } | undefined {
    if (!this.#io.out.isTerminal) return undefined;
    try {
      const { columns, rows } = Deno.consoleSize();
      return columns > 0 && rows > 0 ? { columns, rows } : undefined;
    } catch {
      return undefined;
    }
  }

  /** Monotonic milliseconds. */
  readonly nowMs = (): number => this.#io.nowMs();

  /** Shows a text. From a timer too, where nobody could catch anything. */
  write(text: string): void {
    try {
      this.#io.out.write(text);
    } catch (error) {
      if (!(error instanceof OutputClosed)) throw error;
      this.#leaving.abort(error);
    }
  }

  /** From now on signals and errors do again what they do by themselves. */
  [Symbol.dispose](): void {
    globalThis.removeEventListener("error", this.#fail);
    globalThis.removeEventListener("unhandledrejection", this.#fail);
    for (const signal of ENDINGS) Deno.removeSignalListener(signal, this.#leave);
  }
}
