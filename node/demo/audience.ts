/** Whoever watches: may go at any time, by Ctrl-C or by closing the other end of the pipe. */
import { type CliIo, OutputClosed } from "../cli/io.ts";
import { CliError } from "../errors.ts";

/** Somebody who is shown something. */
export class Audience {
  readonly #io: CliIo;
  readonly #leaving = new AbortController();

  /**
   * @param io The outside; Ctrl-C is listened to from now on.
   */
  constructor(io: CliIo) {
    this.#io = io;
    const interruption = io.interruption();
    const leave = (): void => {
      this.#leaving.abort(new CliError("E_INTERRUPTED", "the demo was interrupted"));
    };
    interruption.addEventListener("abort", leave);
    if (interruption.aborted) leave();
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
}
