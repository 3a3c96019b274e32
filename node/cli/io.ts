/** The outside as the command line sees it, so that tests can be the outside. */
import type { AllocDbClient } from "../client/client.ts";
import type { ConnectOptions } from "../client/types.ts";

/** What the commands use of a client. */
export type NodeClient = Pick<
  AllocDbClient,
  | ("server" | "createResource" | "reserve" | "reserveBundle" | "confirm" | "release" | "revoke")
  | ("reclaim" | "getResource" | "getReservation" | "metrics" | "tick" | "checkpoint" | "status")
  | "close"
>;

/** The reader of a standard stream has gone away. */
export class OutputClosed extends Error {
  /** Stable class name, kept through bundling. */
  override readonly name = "OutputClosed";
}

/** A stream of text. A reader that has gone away is a thrown {@linkcode OutputClosed}. */
export interface TextSink {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** Everything a command may touch. */
export interface CliIo {
  /** Data, and nothing else. */
  readonly out: TextSink;
  /** Talk: errors, hints, progress. */
  readonly err: TextSink;
  env(name: string): string | undefined;
  /** Width of the terminal in characters. */
  columns(): number;
  /** 128 random bits. */
  randomId(): bigint;
  /** Opens a connection to a node. */
  connect(options: ConnectOptions): Promise<NodeClient>;
  /** From now on a first Ctrl-C or SIGTERM fires the signal instead of ending the process. */
  interruption(): AbortSignal;
  /** Resolves after `ms`, or early when the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Monotonic milliseconds. */
  nowMs(): number;
}

/** Columns where nobody can tell. */
const COLUMNS_DEFAULT = 80;

/** The process's own streams, environment and clock. */
export function processIo(): CliIo {
  return {
    out: sinkTo(Deno.stdout),
    err: sinkTo(Deno.stderr),
    env: (name) => Deno.env.get(name),
    columns: terminalColumns,
    randomId,
    connect: async (options) => {
      const { AllocDbClient } = await import("../client/client.ts");
      return await AllocDbClient.connect(options);
    },
    interruption,
    sleep,
    nowMs: () => performance.now(),
  };
}

function sinkTo(stream: typeof Deno.stdout): TextSink {
  const encoder = new TextEncoder();
  return {
    isTerminal: stream.isTerminal(),
    write(text: string): void {
      let rest = encoder.encode(text);
      try {
        while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
      } catch (error) {
        throw error instanceof Deno.errors.BrokenPipe ? new OutputClosed() : error;
      }
    },
  };
}

/** `consoleSize` throws when nothing is a terminal, and some terminals say 0. */
function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || COLUMNS_DEFAULT;
  } catch {
    return COLUMNS_DEFAULT;
  }
}

function randomId(): bigint {
  const lanes = crypto.getRandomValues(new BigUint64Array(2));
  return (lanes[0]! << 64n) | lanes[1]!;
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Once: a second Ctrl-C ends the process at once, whatever the command is waiting for.
    const fire = (): void => {
      Deno.removeSignalListener(signal, fire);
      controller.abort();
    };
    Deno.addSignalListener(signal, fire);
  }
  return controller.signal;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
    if (signal.aborted) wake();
  });
}
