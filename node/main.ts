/** `allocdb serve`: flags to a data directory, a node, its listeners and workers; signals to a drain. */
import type { ServeOptions } from "./cli/options.ts";
import { type CheckpointPolicy, DEFAULT_CHECKPOINT_POLICY } from "./checkpoint.ts";
import { readSecrets } from "./auth/credential_file.ts";
import { readServerTls } from "./auth/tls_files.ts";
import { CliError } from "./errors.ts";
import { type HttpGateway, startHttp } from "./http/server.ts";
import { openLog } from "./stderr_log.ts";
import type { NodeLog } from "./log_lines.ts";
import { requireLoopback, requireSecretBeyondLoopback } from "./listen_rule.ts";
import type { ServerOptions } from "./server/options.ts";
import { type Server, startServer } from "./server/server.ts";
import { type OpenData, openData } from "./serve_data.ts";
import { VERSION } from "./version.ts";
import { startWorkers } from "./workers.ts";

/** How long a planned stop waits for clients, in milliseconds. */
const DRAIN_MS = 5_000;

/**
 * Serves a data directory until SIGTERM or SIGINT.
 *
 * @param options Checked flags.
 * @throws {CliError} When it cannot start, or when the log failed and it had to stop.
 */
export async function runServe(options: ServeOptions): Promise<void> {
  const { secretFile } = options;
  requireSecretBeyondLoopback(options.listen, "--listen", secretFile !== undefined);
  if (options.http !== undefined) requireLoopback(options.http, "--http");
  const security = {
    secrets: secretFile === undefined ? undefined : readSecrets(secretFile),
    tls: readServerTls(options.tlsCert, options.tlsKey),
  };
  const log = openLog(options.logFormat);
  const data = await openData(options, log);
  let listeners: Listeners | undefined;
  try {
    listeners = listen(options, data, security, log);
    const stopping = stopSignal(); // Before anybody is told that there is something to stop.
    announce(options, data, listeners);
    const stopWorkers = startWorkers(data.node, workerOptions(options));
    log.info(`stopping: signal=${await stopping}`);
    stopWorkers();
  } finally {
    await stop(data, listeners, log);
  }
}

interface Address {
  readonly hostname: string;
  readonly port: number;
}

interface Listeners {
  readonly server: Server;
  readonly http: HttpGateway | undefined;
}

function listen(
  options: ServeOptions,
  data: OpenData,
  security: Pick<ServerOptions, "secrets" | "tls">,
  log: NodeLog,
): Listeners {
  const { node } = data;
  const { maxConnections } = options;
  const server = listening(options.listen, (address) =>
    startServer(node, {
      ...address,
      version: VERSION,
      ...security,
      ...(maxConnections === undefined ? {} : { maxConnections }),
      onEvent: (event) => log.warn(JSON.stringify(event)),
    }));
  if (options.http === undefined) return { server, http: undefined };
  try {
    const start = (address: Address) =>
      startHttp(node, {
        ...address,
        version: VERSION,
        refusals: () => server.refusals(),
      });
    return { server, http: listening(options.http, start) };
  } catch (error) {
    void server.drain(0); // Nobody is to be served by half of what was asked for.
    throw error;
  }
}

/** Listens, or says who is in the way. */
function listening<T>(text: string, start: (address: Address) => T): T {
  try {
    return start(splitAddress(text));
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new CliError("E_PORT_IN_USE", `Cannot listen on ${text}: the port is in use`, {
        hint: "use another port, or port 0 for a free one",
      });
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new CliError("E_PERMISSION_DENIED", `Cannot listen on ${text}: ${error.message}`);
    }
    throw error;
  }
}

/** What a person, or a script that waits for it, wants to know: one line (or one JSON object) on standard output. */
function announce(options: ServeOptions, data: OpenData, listeners: Listeners): void {
  const { identity, startup } = data.node;
  const facts = {
    listen: textAddress(listeners.server.addr),
    http: listeners.http === undefined ? "none" : textAddress(listeners.http.addr),
    authentication: options.secretFile === undefined ? "none" : "secret",
    transport: options.tlsCert === undefined ? "tcp" : "tls",
    data: options.data,
    cluster_id: [...identity.clusterId].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    startup_kind: startup.startupKind,
    table_mib_max: String(Math.ceil(data.tableBytesMax / 1_048_576)),
    sustained_commands_per_second: String(sustainedRate(data)),
    pid: String(Deno.pid),
  };
  const text = options.json
    ? JSON.stringify({ event: "serving", ...facts })
    : `serving ${Object.entries(facts).map(([key, value]) => `${key}=${value}`).join(" ")}`;
  console.log(text);
}

/** What the operation table can remember, spread over the window for which it must. */
function sustainedRate(data: OpenData): number {
  const { maxOperations, maxClientRetryWindowSlots, slotDurationMs } = data.node.identity.core;
  const windowMs = Math.max(Number(maxClientRetryWindowSlots) * slotDurationMs, 1);
  return Math.floor((maxOperations * 1_000) / windowMs);
}

function workerOptions(options: ServeOptions): Parameters<typeof startWorkers>[1] {
  const policy: CheckpointPolicy = {
    bytes: options.checkpointBytes ?? DEFAULT_CHECKPOINT_POLICY.bytes,
    frames: options.checkpointFrames ?? DEFAULT_CHECKPOINT_POLICY.frames,
    ageMs: options.checkpointSeconds === undefined
      ? DEFAULT_CHECKPOINT_POLICY.ageMs
      : options.checkpointSeconds * 1_000,
  };
  return {
    expiration: !options.manualExpiration,
    checkpoints: options.manualCheckpoint ? undefined : policy,
  };
}

async function stop(
  data: OpenData,
  listeners: Listeners | undefined,
  log: NodeLog,
): Promise<void> {
  await Promise.all([listeners?.server.drain(DRAIN_MS), listeners?.http?.drain(DRAIN_MS)]);
  await data.node.drain();
  data.node.close();
  data.lock.release();
  log.info("stopped: everything acknowledged is on disk");
}

function stopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const handler = () => {
        Deno.removeSignalListener(signal, handler);
        resolve(signal);
      };
      Deno.addSignalListener(signal, handler);
    }
  });
}

function splitAddress(text: string): Address {
  const colon = text.lastIndexOf(":");
  const hostname = text.slice(0, colon).replace(/^\[|\]$/g, "");
  return { hostname, port: Number(text.slice(colon + 1)) };
}

function textAddress(address: Deno.NetAddr): string {
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
