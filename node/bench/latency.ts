/** Scenario latency: how long one durable answer takes, beside what the disk alone takes. */
import { DenoDisk } from "../io/deno_disk.ts";
import { type Load, runClosedLoop } from "./closed_loop.ts";
import { count, rounded, time, times as ratioText } from "./format.ts";
import { type RateResult, runOpenLoop } from "./open_loop.ts";
import { RawDisk } from "./raw_disk.ts";
import { type Percentiles, timeKeys, Times } from "./recorder.ts";
import { type BenchContext, type Figures, interrupted, type ScenarioReport } from "./scenario.ts";
import { LoadedServer } from "./server_load.ts";

const SCENARIO = "latency";
const ONE_AT_A_TIME: Load = { connections: 1, inFlight: 1, batch: 1 };
/** Clients of a fixed rate: as many requests may wait for their answers. */
const MANY: Load = { connections: 32, inFlight: 8, batch: 1 };
/** The disk and the server take turns, so that whatever else the machine does falls on both. */
const TURNS = 8;
/** Share of the time that the bare disk gets. */
const DISK_SHARE = 0.3;

interface Alone {
  readonly disk: Percentiles;
  readonly server: Percentiles;
  readonly diskCount: number;
  readonly serverCount: number;
}

interface AtRate {
  readonly ratePerSecond: number;
  readonly result: RateResult;
}

/**
 * Runs the scenario.
 *
 * @param context Where and how much.
 * @returns Its report.
 */
export async function latency(context: BenchContext): Promise<ScenarioReport> {
  await using server = await LoadedServer.start(context);
  context.progress("one command at a time, in turns with the bare disk");
  const alone = await oneAtATime(server, context);
  const atRates: AtRate[] = [];
  for (const ratePerSecond of context.sizes.ratesPerSecond) {
    context.progress(`${count(ratePerSecond)} commands per second`);
    atRates.push({ ratePerSecond, result: await atRate(server, ratePerSecond, context) });
  }
  return report(alone, atRates);
}

async function oneAtATime(server: LoadedServer, context: BenchContext): Promise<Alone> {
  const { sizes: { latencySeconds, warmupSeconds }, signal } = context;
  const connections = await server.connect(ONE_AT_A_TIME);
  using raw = new RawDisk(new DenoDisk(context.directory));
  const disk = new Times();
  const answers = new Times();
  try {
    await runClosedLoop(connections, warmupSeconds, signal);
    for (let turn = 0; turn < TURNS; turn++) {
      raw.measure(latencySeconds * DISK_SHARE / TURNS, disk);
      const seconds = latencySeconds * (1 - DISK_SHARE) / TURNS;
      const { recorder } = await runClosedLoop(connections, seconds, signal);
      answers.addAll(recorder.times);
      if (signal.aborted) throw interrupted();
    }
  } finally {
    for (const connection of connections) connection.close();
  }
  return {
    disk: disk.percentiles(),
    server: answers.percentiles(),
    diskCount: disk.count,
    serverCount: answers.count,
  };
}

async function atRate(
  server: LoadedServer,
  ratePerSecond: number,
  { sizes, signal }: BenchContext,
): Promise<RateResult> {
  const warm = await server.connect(MANY);
  await runOpenLoop(warm, ratePerSecond, sizes.warmupSeconds, signal);
  const connections = await server.connect(MANY);
  const result = await runOpenLoop(connections, ratePerSecond, sizes.rateSeconds, signal);
  if (signal.aborted) throw interrupted();
  return result;
}

function report(alone: Alone, atRates: readonly AtRate[]): ScenarioReport {
  const ratio = alone.server.p50 / alone.disk.p50;
  return {
    scenario: SCENARIO,
    durable: true,
    says: "How long a client waits for one durable answer: alone with a server process, in turns " +
      "with the bare disk under it, and then with commands that arrive at a fixed rate.",
    table: [
      ["", "P50", "P90", "P99", "P99.9", "MAX"],
      ["bare disk, 4 KiB write + fdatasync", ...cells(alone.disk)],
      ["1 client, 1 command", ...cells(alone.server)],
      ...atRates.map(({ ratePerSecond, result }) => [
        `${count(ratePerSecond)} commands/s`,
        ...cells(result.recorder.times.percentiles()),
      ]),
    ],
    notes: [
      `1 client, 1 command: ${ratioText(ratio)} the bare disk at P50.`,
      "At a fixed rate, time runs from when a command was due, sent or not: no coordinated omission.",
      ...atRates.flatMap(unanswered),
    ],
    data: {
      scenario: SCENARIO,
      durable: true,
      bare_disk_us: timeKeys(alone.disk),
      bare_disk_samples: alone.diskCount,
      one_command_us: timeKeys(alone.server),
      one_command_samples: alone.serverCount,
      one_command_p50_to_bare_disk_p50: rounded(ratio),
      fixed_rates: atRates.map(rateKeys),
    },
  };
}

function cells({ p50, p90, p99, p999, max }: Percentiles): string[] {
  return [p50, p90, p99, p999, max].map(time);
}

function unanswered({ ratePerSecond, result }: AtRate): string[] {
  if (result.unanswered === 0) return [];
  const rate = `${count(ratePerSecond)} commands/s`;
  return [`${rate} are too many here: ${count(result.unanswered)} had no answer in time.`];
}

function rateKeys({ ratePerSecond, result }: AtRate): Figures {
  const { recorder, elapsedMs } = result;
  return {
    commands_per_second: ratePerSecond,
    answered_per_second: Math.round(recorder.commands / elapsedMs * 1_000),
    elapsed_ms: rounded(elapsedMs),
    answered: recorder.commands,
    unanswered: result.unanswered,
    command_us: timeKeys(recorder.times.percentiles()),
    results: recorder.results(),
  };
}
