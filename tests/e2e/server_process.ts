/**
 * Real server processes for tests: the sources, or the program that ALLOCDB_BIN names. Everything a process
 * says is kept; no process outlives its handle.
 */
import { fromFileUrl } from "@std/path";

/** Where the sources start. */
const CLI = fromFileUrl(new URL("../../cli.ts", import.meta.url));
/** Longest wait for a process to get ready or to end. */
const WAIT_MS_MAX = 30_000;

/** How a process ended. */
export interface Ending {
  /** 128 + the signal's number when a signal ended it. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The fields of the line that a ready server prints. */
export type ServingLine = Readonly<Record<string, string>>;

/** How to start a process. */
export interface SpawnOptions {
  /** A program with arguments that ends by becoming the words behind them, such as `setpriv …`. */
  readonly through?: readonly string[];
}

/** A process of the program under test. */
export class TestProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Collected;
  readonly #stderr: Collected;
  readonly ended: Promise<Ending>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#stdout = new Collected(child.stdout);
    this.#stderr = new Collected(child.stderr);
    this.ended = this.#end();
  }

  /** Starts the program with these arguments. */
  static spawn(args: readonly string[], { through = [] }: SpawnOptions = {}): TestProcess {
    const [path, ...argv] = [...through, ...programUnderTest(), ...args];
    const env = { NO_COLOR: "1", RUST_BACKTRACE: "0" };
    const io = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
    return new TestProcess(new Deno.Command(path!, { args: argv, env, ...io }).spawn());
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has said to operators so far. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#stdout.text;
  }

  /** Waits until it has printed something. */
  async prints(text: string): Promise<void> {
    await withinLimit(this.#stdout.until(text));
  }

  /** Stops reading what it prints, as `head` does. */
  async closeOutput(): Promise<void> {
    await this.#stdout.stop();
  }

  /** The first line it prints, taken apart; an error with all it said when it ends instead. */
  async serving(): Promise<ServingLine> {
    const first = await withinLimit(Promise.race([this.#stdout.firstLine, this.ended]));
    if (typeof first !== "string") {
      throw new Error(`The server ended with ${first.code}: ${first.stderr}`);
    }
    return Object.fromEntries(
      first.split(" ").slice(1).map((word) => {
        const equals = word.indexOf("=");
        return [word.slice(0, equals), word.slice(equals + 1)];
      }),
    );
  }

  /** Waits until it has said something to operators. */
  async says(text: string): Promise<void> {
    await withinLimit(this.#stderr.until(text));
  }

  /** Sends a signal, unless it has ended. */
  signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<Ending> {
    this.signal("SIGKILL");
    return await this.ended;
  }

  /** Waits for it to end by itself. */
  async exit(): Promise<Ending> {
    return await withinLimit(this.ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(): Promise<Ending> {
    const { code, signal } = await this.#child.status;
    await Promise.all([this.#stdout.done, this.#stderr.done]);
    return { code, signal, stdout: this.#stdout.text, stderr: this.#stderr.text };
  }
}

/** A server that is ready. */
export interface RunningServer extends AsyncDisposable {
  readonly process: TestProcess;
  readonly serving: ServingLine;
  /** `host:port` for clients. */
  readonly address: string;
}

/** Starts `serve` and waits until it is ready. */
export async function startServer(
  flags: readonly string[],
  options: SpawnOptions = {},
): Promise<RunningServer> {
  const process = TestProcess.spawn(["serve", ...flags], options);
  try {
    const serving = await process.serving();
    const dispose = () => process[Symbol.asyncDispose]();
    return { process, serving, address: serving["listen"]!, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await process.kill();
    throw error;
  }
}

/** Runs a command of the program to its end. */
export async function run(args: readonly string[], options: SpawnOptions = {}): Promise<Ending> {
  await using process = TestProcess.spawn(args, options);
  return await process.exit();
}

/** A temporary directory that goes away. */
export class TemporaryDirectory implements Disposable {
  readonly path: string;

  constructor() {
    this.path = Deno.makeTempDirSync({ prefix: "allocdb-e2e-" });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function programUnderTest(): readonly string[] {
  const binary = Deno.env.get("ALLOCDB_BIN");
  if (binary !== undefined && binary !== "") return [binary];
  return [Deno.execPath(), "run", "--quiet", "--allow-all", CLI];
}

/** Reads a stream to its end, whoever listens. */
class Collected {
  text = "";
  readonly done: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
    this.done = this.#read();
  }

  get firstLine(): Promise<string> {
    return this.until("\n").then(() => this.text.slice(0, this.text.indexOf("\n")));
  }

  until(text: string): Promise<void> {
    if (this.text.includes(text)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ text, resolve }));
  }

  /** Closes the reading end. */
  async stop(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.text += decoder.decode(value, { stream: true });
      this.#waiting = this.#waiting.filter(({ text, resolve }) => {
        if (!this.text.includes(text)) return true;
        resolve();
        return false;
      });
    }
  }
}

async function withinLimit<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("The process took too long")), WAIT_MS_MAX);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
