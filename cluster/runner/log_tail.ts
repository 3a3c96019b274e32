/** The end of a log file, and what is added to it. */

/** Most bytes that are read to find the last lines. */
const TAIL_BYTES_MAX = 1024 * 1024;
/** Most bytes that are read of what was added at once. */
const CHUNK_BYTES = 64 * 1024;

/**
 * The last lines of a file.
 *
 * @param path The file; a missing one has no lines.
 * @param lines How many at most.
 * @returns Without line ends; empty lines are left out.
 */
export function logTail(path: string, lines: number): string[] {
  const follower = new LogFollower(path);
  const size = follower.size();
  follower.skipTo(Math.max(size - TAIL_BYTES_MAX, 0));
  const found: string[] = [];
  while (follower.at < size) {
    const more = follower.read();
    if (more.length === 0 && follower.at < size) break;
    found.push(...more);
    if (found.length > 2 * lines + 1_000) found.splice(0, found.length - lines);
  }
  found.push(...follower.rest());
  return lines === 0 ? [] : found.slice(-lines);
}

/** Reads a growing file line by line. A file that shrank is a new one, and is read from its start. */
export class LogFollower {
  readonly #path: string;
  readonly #decoder = new TextDecoder();
  #at = 0;
  #partial = "";

  /** @param path The file; it may not exist yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Where the next byte is read, in bytes from the start. */
  get at(): number {
    return this.#at;
  }

  /** Length of the file in bytes now. */
  size(): number {
    try {
      return Deno.statSync(this.#path).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  }

  /** Goes on from there. */
  skipTo(at: number): void {
    this.#at = at;
    this.#partial = "";
  }

  /** Whole lines that were added since, up to a bound; more come with the next call. */
  read(): string[] {
    const size = this.size();
    if (size < this.#at) this.skipTo(0);
    if (size === this.#at) return [];
    const bytes = new Uint8Array(Math.min(size - this.#at, CHUNK_BYTES));
    using file = Deno.openSync(this.#path);
    file.seekSync(this.#at, Deno.SeekMode.Start);
    const count = file.readSync(bytes) ?? 0;
    this.#at += count;
    const text = this.#partial +
      this.#decoder.decode(bytes.subarray(0, count), { stream: true });
    const lines = text.split("\n");
    this.#partial = lines.pop()!;
    return lines.filter((line) => line.trim() !== "");
  }

  /** What stands behind the last line end. */
  rest(): string[] {
    return this.#partial.trim() === "" ? [] : [this.#partial];
  }
}
