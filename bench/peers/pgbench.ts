/** pgbench's input and output: the script that takes a seat, the summary and the log it leaves. Pure. */
import { type Latency, latencyHistogram, latencyOf, recordLatency } from "./measurement.ts";

/** Takes a seat that is free; changes nothing and says so when it is not. */
function takeSeat(id: string): string {
  return "UPDATE seats SET state = 'reserved', holder = :holder, " +
    `expires_at = now() + interval '10 minutes' WHERE id = ${id} AND state = 'available';`;
}

/**
 * The script of one transaction. A depth beyond 1 sends that many updates as one pipeline, which
 * PostgreSQL runs as one transaction with one sync. They take neighbouring seats in order, so no two
 * clients can wait for each other in a circle.
 *
 * @param seats Seats to choose from, numbered from 1.
 * @param depth Updates in a go.
 */
export function benchScript(seats: number, depth: number): string {
  const holder = "\\set holder random(1, 1000000000)";
  if (depth === 1) {
    return [`\\set id random(1, ${seats})`, holder, takeSeat(":id"), ""].join("\n");
  }
  const blocks = Math.floor(seats / depth);
  const updates = Array.from({ length: depth }, (_, index) => takeSeat(`:base + ${index + 1}`));
  const base = `\\set base ${depth} * random(0, ${blocks - 1})`;
  return [base, holder, "\\startpipeline", ...updates, "\\endpipeline", ""].join("\n");
}

/** What the summary says. */
export interface Summary {
  /** Transactions per second, the time to connect left out. */
  readonly transactionsPerSecond: number;
  readonly transactions: number;
  readonly failed: number;
}

/** @throws {Error} when a figure is missing. */
export function parseSummary(text: string): Summary {
  const find = (pattern: RegExp, what: string): number => {
    const match = pattern.exec(text);
    if (match === null) throw new Error(`pgbench gave no ${what}`);
    return Number(match[1]);
  };
  return {
    transactionsPerSecond: find(/^tps = ([\d.]+) \(without initial/m, "tps"),
    transactions: find(/^number of transactions actually processed: (\d+)/m, "transactions"),
    failed: find(/^number of failed transactions: (\d+)/m, "failed transactions"),
  };
}

/**
 * Percentiles from the lines of `pgbench --log`: client, transaction, microseconds, script, time.
 * Each client's first transaction is left out: it prepares the statements.
 *
 * @throws {Error} when a line is not of that form, or none is left.
 */
export function parseLog(logs: readonly string[]): Latency {
  const histogram = latencyHistogram();
  for (const log of logs) {
    for (const line of log.split("\n")) {
      if (line === "") continue;
      const match = /^\d+ (\d+) (\d+) \d+ \d+ \d+/.exec(line);
      if (match === null) throw new Error(`Not a line of a pgbench log: ${line.slice(0, 80)}`);
      if (match[1] !== "1") recordLatency(histogram, Number(match[2]));
    }
  }
  if (histogram.totalCount === 0) throw new Error("pgbench finished no transaction");
  return latencyOf(histogram);
}
