// What recording costs: events a second of the recorder alone, and what 64 clients of a real cluster lose by it. See
// bench/README.md.
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";
import { Recorder } from "../../testbed/jepsen/recorder/recorder.ts";
import { Replicas } from "../cluster/replicas.ts";
import { type LoadClient, loadClients, runClients } from "./clients.ts";

const USAGE =
  "bench/recorder [--events 2000000] [--clients 64] [--rounds 41] [--seconds 0.7] [--binary dist/allocdb]";

/** One turn with or without a recorder. */
interface Turn {
  readonly operationsPerSecond: number;
  /** Microseconds of this process's processors for one operation. */
  readonly cpuUs: number;
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["events", "clients", "rounds", "seconds", "binary"],
  });
  const [events, clients, rounds, seconds] = [
    Number(flags.events ?? 2_000_000),
    Number(flags.clients ?? 64),
    Number(flags.rounds ?? 41),
    Number(flags.seconds ?? 0.7),
  ];
  if (![events, clients, rounds, seconds].every((figure) => figure > 0)) throw new Error(USAGE);
  const directory = await Deno.makeTempDir();
  try {
    await alone(`${directory}/alone.cbor`, events);
    await beside(directory, flags.binary, clients, rounds, seconds);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Events that nobody waits for, and reading them again. */
async function alone(path: string, events: number): Promise<void> {
  const recorder = await Recorder.create(path, { model: "reservation" });
  const startMs = performance.now();
  for (let i = 0; i < events / 2; i++) {
    const timeNs = recorder.nowNs();
    const lsn = BigInt(i + 1);
    const key = { clientId: 2n ** 100n + BigInt(i % 64), operationId: BigInt(i) };
    const request = {
      kind: "reserve",
      resourceId: BigInt(i % 20_000),
      holderId: 7n,
      ttlSlots: 100n,
    } as const;
    recorder.invoke({ type: "invoke", process: i % 64, timeNs, key, request, attempt: 1 });
    const reserved = { reservationId: lsn, epoch: 1n, deadlineSlot: BigInt(i >>> 4) };
    const answer = { kind: "applied", code: "ok", lsn, reserved } as const;
    const servedBy = { replicaId: 1, role: "primary", view: 1n } as const;
    recorder.complete({ type: "ok", process: i % 64, timeNs, answer, servedBy });
    if (i % 500 === 0) await new Promise((done) => setTimeout(done, 0));
  }
  const recordMs = performance.now() - startMs;
  await recorder.close();
  const { size } = await Deno.stat(path);
  const readMs = performance.now();
  const { operations } = await readHistory(path, READ_DEFAULTS);
  const seconds = (performance.now() - readMs) / 1_000;
  console.log(
    `alone: ${figure(events / recordMs * 1_000)} events/s, ${
      (size / events).toFixed(1)
    } bytes each`,
  );
  console.log(`read: ${figure(operations.length)} operations in ${seconds.toFixed(2)} s`);
}

/** Turns with and without, so that a busy moment of the machine strikes both. */
async function beside(
  directory: string,
  binary: string | undefined,
  count: number,
  rounds: number,
  seconds: number,
): Promise<void> {
  const { signal } = new AbortController();
  await using replicas = await Replicas.start({ binary, workspace: `${directory}/ws`, signal });
  const { client: address } = await replicas.primary();
  await using stack = new AsyncDisposableStack();
  const clients = await loadClients(address, count);
  for (const { client } of clients) stack.use(client);
  const recorder = stack.use(
    await Recorder.create(`${directory}/beside.cbor`, { model: "reservation" }),
  );
  const without: Turn[] = [];
  const recorded: Turn[] = [];
  for (let round = 0; round <= rounds; round++) {
    // Who comes first alternates as well; the first round only warms up.
    const order = round % 2 === 0 ? [undefined, recorder] : [recorder, undefined];
    for (const by of order) {
      const turn = await measure(clients, by, seconds);
      if (round > 0) (by === undefined ? without : recorded).push(turn);
    }
  }
  report(without, recorded, count);
}

async function measure(
  clients: readonly LoadClient[],
  recorder: Recorder | undefined,
  seconds: number,
): Promise<Turn> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const operations = await runClients(clients, recorder, seconds * 1_000);
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  return {
    operationsPerSecond: operations / elapsedMs * 1_000,
    cpuUs: (user + system) / operations,
  };
}

function report(without: readonly Turn[], recorded: readonly Turn[], clients: number): void {
  const rate = ({ operationsPerSecond }: Turn): number => operationsPerSecond;
  const ratios = recorded.map((turn, i) => rate(turn) / rate(without[i]!));
  const range = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(3));
  console.log(
    `${clients} clients: ${figure(median(without.map(rate)))} operations/s without, ` +
      `${figure(median(recorded.map(rate)))} recorded`,
  );
  console.log(
    `recorded ÷ without: ${median(ratios).toFixed(3)} (${
      range.join(" to ")
    }), ${ratios.length} rounds`,
  );
  const cpu = (turns: readonly Turn[]): string =>
    median(turns.map(({ cpuUs }) => cpuUs)).toFixed(1);
  console.log(
    `processor time of the clients for one operation: ${cpu(without)} µs without, ${
      cpu(recorded)
    } µs recorded`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1]!;
}

function figure(value: number): string {
  return Math.round(value).toLocaleString("en");
}
