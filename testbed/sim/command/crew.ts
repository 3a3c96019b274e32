/**
 * Processes of this program that live lives. Each gets one seed at a time on its standard input, so that none waits
 * for another's long life, and whoever was at work on a seed is known when a process ends. A process whose input
 * ends does so itself: none outlives this one.
 */
import { childEnvironment, type Program } from "../../../node/process_self.ts";
import { LINE_CHARS_MAX, type Outcome, parseOutcome } from "./outcome.ts";
import type { Lost } from "./totals.ts";

/** What a crew is asked to do. */
export interface Work {
  /** The next seed; `undefined` when there is nothing left to begin. */
  next(): number | undefined;
  done(outcome: Outcome): void;
  lost(lost: Lost): void;
}

/** How a crew is made up. */
export interface CrewOptions {
  readonly program: Program;
  /** What follows the program's name. */
  readonly args: readonly string[];
  readonly size: number;
  /** Ends everybody at once. */
  readonly signal: AbortSignal;
  /** How long one life may take before its process is killed, in milliseconds. */
  readonly lifeMsMax?: number;
  /** Lives after which a process makes room for a new one. */
  readonly livesMax?: number;
}

/** Longer than any life takes on any machine. */
const LIFE_MS_MAX = 600_000;
/** What a process leaves in its memory of so many lives is gone with it. */
const LIVES_MAX = 2_000;
/** Processes that may end one after the other, none with a life lived, before their place stays empty. */
const FRUITLESS_MAX = 3;
/** What is kept of a process's last words, in characters. */
const WORDS_MAX = 2_000;

/**
 * Works until nothing is left.
 *
 * @param work What to do.
 * @param options Who does it.
 */
export async function workTogether(work: Work, options: CrewOptions): Promise<void> {
  const places = Array.from({ length: options.size }, () => holdPlace(work, options));
  await Promise.all(places);
}

/** One place of the crew, taken by one process after the other should they end. */
async function holdPlace(work: Work, options: CrewOptions): Promise<void> {
  let fruitless = 0;
  while (fruitless < FRUITLESS_MAX && !options.signal.aborted) {
    const first = work.next();
    if (first === undefined) return;
    const lived = await useProcess(first, work, options);
    fruitless = lived === 0 ? fruitless + 1 : 0;
  }
}

/** Lets one process live until nothing is left or it ends; answers how many lives it lived. */
async function useProcess(first: number, work: Work, options: CrewOptions): Promise<number> {
  await using worker = new Worker(options);
  let lived = 0;
  for (let seed: number | undefined = first; seed !== undefined; seed = work.next()) {
    const outcome = await worker.live(seed);
    if (options.signal.aborted) return lived;
    if (outcome === undefined) {
      work.lost({ seed, why: await worker.lastWords() });
      return lived;
    }
    lived++;
    work.done(outcome);
    if (options.signal.aborted || lived >= (options.livesMax ?? LIVES_MAX)) return lived;
  }
  return lived;
}

/** One process. */
class Worker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: LineReader;
  readonly #options: CrewOptions;
  readonly #words: Promise<string>;
  readonly #end = (): void => this.#kill();
  #isLate = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#child = new Deno.Command(options.program.path, {
      args: [...options.program.args, ...options.args],
      env: childEnvironment(),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      // A session of its own: Ctrl-C is for this process, which then ends the others.
      detached: true,
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = new LineReader(this.#child.stdout);
    this.#words = lastOf(this.#child.stderr);
    options.signal.addEventListener("abort", this.#end);
    if (options.signal.aborted) this.#kill();
  }

  /** Lives one life; `undefined` when the process ended instead, or said something else. */
  async live(seed: number): Promise<Outcome | undefined> {
    const timer = setTimeout(() => {
      this.#isLate = true;
      this.#kill();
    }, this.#options.lifeMsMax ?? LIFE_MS_MAX);
    try {
      await this.#input.write(new TextEncoder().encode(`${seed}\n`));
      const line = await this.#lines.next();
      const outcome = line === undefined ? undefined : parseOutcome(line);
      return outcome?.seed === seed ? outcome : undefined;
    } catch {
      return undefined; // Its end of the pipe is closed.
    } finally {
      clearTimeout(timer);
    }
  }

  /** Why it ended, or what is wrong with it. */
  async lastWords(): Promise<string> {
    this.#kill();
    const { code, signal } = await this.#child.status;
    if (this.#isLate) return "the life did not end";
    const words = (await this.#words).trim().split("\n").at(-1) ?? "";
    const how = signal === null ? `exit code ${code}` : signal;
    return `its process ended: ${how}${words === "" ? "" : `, ${words}`}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal.removeEventListener("abort", this.#end);
    await this.#input.close().catch(() => this.#kill());
    await this.#lines.cancel();
    await this.#child.status;
    await this.#words;
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  }
}

/** Lines of a stream, none longer than is believed. */
class LineReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line; `undefined` at the end, or when it is too long. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      if (this.#text.length > LINE_CHARS_MAX) return undefined;
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}

/** Reads all there is, so that the process never waits for a reader; keeps the end. */
async function lastOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const more of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + more).slice(-WORDS_MAX);
  }
  return text;
}
