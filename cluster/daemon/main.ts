/** `allocdb replica run`: a layout and a number to a replica that runs until it is asked to stop. */
import type { ReplicaRunOptions } from "../../node/cli/options.ts";
import { CliError } from "../../node/errors.ts";
import { openReplica } from "../../node/replica/replica.ts";
import { openLog } from "../../node/stderr_log.ts";
import { LeveledLog } from "./leveled_log.ts";
import { findReplica } from "./locate.ts";
import { markerLine } from "./log_events.ts";
import { ReplicaProcess } from "./replica_process.ts";

/** How long a replica that is told to stop by a signal waits for its clients, in milliseconds. */
const DRAIN_MS = 5_000;

/** Why a replica ends. */
type Ending =
  | { readonly kind: "asked"; readonly by: string; readonly drainMs: number }
  | { readonly kind: "fatal"; readonly error: unknown };

/**
 * Runs one replica.
 *
 * @param options Checked flags.
 * @throws {CliError} When it cannot start. What no replica can go on after is thrown as it is.
 */
export async function runReplica(options: ReplicaRunOptions): Promise<void> {
  const { layout, replica } = findReplica(options.layout, options.replicaId);
  const log = new LeveledLog(openLog(options.logFormat, "debug"), replica.id);
  const { promise, resolve } = Promise.withResolvers<Ending>();
  listenForSignals((signal) => resolve({ kind: "asked", by: signal, drainMs: DRAIN_MS }));
  listenForBugs((error) => resolve({ kind: "fatal", error }));
  const running = await start({
    run: options,
    layout,
    replica,
    log,
    open: openReplica,
    onStop: (drainMs) => resolve({ kind: "asked", by: "control", drainMs }),
    onFatal: (error) => resolve({ kind: "fatal", error }),
  });
  const ending = await promise;
  if (ending.kind === "fatal") {
    running.abandon();
    throw ending.error;
  }
  log.event("info", "stopping", { asked_by: ending.by, drain_ms: ending.drainMs });
  await running.stop(ending.drainMs);
}

/** A start that fails says so in the log, too: whoever started it in the background reads nothing else. */
async function start(options: Parameters<typeof ReplicaProcess.start>[0]): Promise<ReplicaProcess> {
  try {
    return await ReplicaProcess.start(options);
  } catch (error) {
    const { log, replica } = options;
    const why = error instanceof CliError ? error.message : String(error);
    log.error(markerLine(replica.id, "shutdown=error", { error: why }));
    throw error;
  }
}

function listenForSignals(heard: (signal: Deno.Signal) => void): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const handler = () => {
      Deno.removeSignalListener(signal, handler);
      heard(signal);
    };
    Deno.addSignalListener(signal, handler);
  }
}

/** Bugs in a task that nobody waits for: the process must end with their exit code, not with the runtime's. */
function listenForBugs(heard: (error: unknown) => void): void {
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    heard(event.error);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    heard(event.reason);
  });
}
