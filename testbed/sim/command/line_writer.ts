/** Lines on their way to a file or a stream, many at once. A file is there when it is whole, or not at all. */
import { type TextTarget, writeParts } from "./files.ts";

/** Characters that collect before they are written. */
const COLLECT_CHARS = 64 * 1024;

/** See the top of this file. */
export class LineWriter implements Disposable {
  readonly #target: TextTarget;
  #text = "";

  private constructor(target: TextTarget) {
    this.#target = target;
  }

  /** Lines for a stream. */
  static to(write: (text: string) => void): LineWriter {
    return new LineWriter({ write, commit: () => {}, abandon: () => {} });
  }

  /**
   * Lines for a file.
   *
   * @throws {CliError} When it cannot be written.
   */
  static file(path: string): LineWriter {
    return new LineWriter(writeParts(path));
  }

  /** Adds a line, without its end. */
  write(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length >= COLLECT_CHARS) this.#flush();
  }

  /** That was the last one. */
  end(): void {
    this.#flush();
    this.#target.commit();
  }

  [Symbol.dispose](): void {
    this.#target.abandon();
  }

  #flush(): void {
    this.#target.write(this.#text);
    this.#text = "";
  }
}
