/** Scenario throughput: a server process and its clients, in several shapes of load. */
import { type Load, runClosedLoop } from "./closed_loop.ts";
import { count, rounded, time } from "./format.ts";
import { RATE_MAX, REMEMBERED_MS } from "./load_bounds.ts";
import { type Percentiles, timeKeys } from "./recorder.ts";
import { type BenchContext, type Figures, interrupted, type ScenarioReport } from "./scenario.ts";
import { LoadedServer } from "./server_load.ts";
import type { BenchSizes } from "./sizes.ts";

/** What one shape of load came to. */
interface Measured {
  readonly load: Load;
  readonly commands: number;
  readonly elapsedMs: number;
  /** From sending a request to having its answer. */
  readonly times: Percentiles;
  readonly syncs: number;
  readonly results: Readonly<Record<string, number>>;
}

const SCENARIO = "throughput";

/** The loads, lightest first: what the server has to forget of a heavy one would burden a light one. */
function shapes({ batchCommands: batch, connections }: BenchSizes): readonly Load[] {
  return [
    { connections: 1, inFlight: 1, batch: 1 },
    { connections, inFlight: 1, batch: 1 },
    { connections: 1, inFlight: 1, batch },
    { connections: 1, inFlight: 2, batch },
    { connections: 1, inFlight: 4, batch },
  ];
}

/**
 * Runs the scenario.
 *
 * @param context Where and how much.
 * @returns Its report.
 */
export async function throughput(context: BenchContext): Promise<ScenarioReport> {
  await using server = await LoadedServer.start(context);
  const measured: Measured[] = [];
  for (const load of shapes(context.sizes)) {
    context.progress(describe(load));
    measured.push(await measure(server, load, context));
  }
  return report(measured);
}

async function measure(
  server: LoadedServer,
  load: Load,
  { sizes, signal }: BenchContext,
): Promise<Measured> {
  const connections = await server.connect(load);
  try {
    await runClosedLoop(connections, sizes.warmupSeconds, signal);
    const before = await server.metrics();
    const { recorder, elapsedMs } = await runClosedLoop(connections, sizes.loadSeconds, signal);
    const after = await server.metrics();
    if (signal.aborted) throw interrupted();
    return {
      load,
      commands: recorder.commands,
      elapsedMs,
      times: recorder.times.percentiles(),
      syncs: after.wal.syncCount - before.wal.syncCount,
      results: recorder.results(),
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}

function report(measured: readonly Measured[]): ScenarioReport {
  return {
    scenario: SCENARIO,
    durable: true,
    says:
      "A server process, loaded by this one over the loopback interface. Each client reserves, " +
      "confirms and releases resources of its own, and waits for the answers before it goes on.",
    table: [
      ["", "COMMANDS/S", "P50", "P99", "SYNCS/S", "COMMANDS/SYNC"],
      ...measured.map(cells),
    ],
    notes: [
      "P50, P99: from sending a command or a batch to having the whole answer.",
      `The server remembers operations for ${REMEMBERED_MS / 1_000} s; its table has room for ` +
      `${count(RATE_MAX)} commands/s. Client and server share the cores of this machine.`,
      ...measured.flatMap(unusual),
    ],
    data: { scenario: SCENARIO, durable: true, loads: measured.map(loadKeys) },
  };
}

function describe({ connections, inFlight, batch }: Load): string {
  const clients = connections === 1 ? "1 client" : `${count(connections)} clients`;
  const commands = batch === 1 ? "1 command" : `batches of ${count(batch)}`;
  return `${clients}, ${commands}${inFlight === 1 ? "" : `, ${inFlight} under way`}`;
}

function cells(row: Measured): string[] {
  const seconds = row.elapsedMs / 1_000;
  return [
    describe(row.load),
    count(row.commands / seconds),
    time(row.times.p50),
    time(row.times.p99),
    count(row.syncs / seconds),
    (row.commands / row.syncs).toFixed(1),
  ];
}

/** A reservation can expire when the machine stands still for a second: then its confirm is too late. */
function unusual({ load, results }: Measured): string[] {
  const others = Object.entries(results).filter(([code]) => code !== "ok");
  if (others.length === 0) return [];
  const listed = others.map(([code, times]) => `${count(times)} × ${code}`).join(", ");
  return [`${describe(load)}: not every command was ok: ${listed}.`];
}

function loadKeys(row: Measured): Figures {
  const { load } = row;
  return {
    connections: load.connections,
    requests_in_flight: load.inFlight,
    commands_per_request: load.batch,
    elapsed_ms: rounded(row.elapsedMs),
    commands: row.commands,
    commands_per_second: Math.round(row.commands / row.elapsedMs * 1_000),
    request_us: timeKeys(row.times),
    sync_count: row.syncs,
    commands_per_sync: rounded(row.commands / row.syncs, 2),
    results: row.results,
  };
}
